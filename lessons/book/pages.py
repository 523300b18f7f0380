"""What the book adds to the pages of the folder: numbers of equations that are links, made pages, lessons that run."""

import json
import re
from html import escape
from pathlib import Path
from statistics import median

import browser
from docutils import nodes
from memory import drawing
from sphinx.errors import ExtensionError
from sphinx.util.nodes import make_refnode

from minidurnn.records import chosen_run, read_records

RESULTS = Path(__file__).parents[1] / "results"
TAG = re.compile(r"\\tag\{([\d.]+)\}")
NUMBERS = r"\d+\.\d+(?:(?:, | and | to |–)\d+\.\d+)*"
CITED = re.compile(rf"\({NUMBERS}\)|\b[Ee]q(?:uation)?s?\.?\s{NUMBERS}")
VERBATIM = (nodes.literal, nodes.literal_block, nodes.raw, nodes.reference, nodes.title, nodes.math, nodes.math_block)
SORTED = ("notation", "results/README")
ROOMS = (
    "networks", "training", "gradcheck", "analysis", "optim", "tasks", "experiments", "records", "cells", "scans",
    "arrays.backend",
)
HEADS = (
    "experiment", "T", "model", "trained numbers", "seed", "shorter lengths first", "rate", "updates", "test", "metric",
    "verdict", "date", "hardware",
)


SITE = "browser"                                              # the folder of the lessons that run, beside the pages


def setup(app):
    app.add_config_value("lessons_in_browser", False, "html", bool)       # -D lessons_in_browser=1
    app.connect("builder-inited", can_run)
    app.connect("build-finished", add_site)
    app.connect("env-get-outdated", lambda *_: list(MADE))    # their text comes from elsewhere
    app.connect("source-read", prepare)
    app.connect("doctree-read", number_equations)
    app.connect("doctree-resolved", link_equations)
    app.connect("doctree-resolved", link_to_run)
    app.connect("autodoc-process-docstring", as_rst)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def jupyter_anchor(title):
    """The anchor that Jupyter gives a heading, which the links of the lessons name."""
    return title.replace(" ", "-")


def prepare(app, name, source):
    """A page's text before it is parsed: made pages are filled, and links to headings lose formulas, as MyST does."""
    page = source[0]
    if Path(app.env.doc2path(name)).suffix == ".ipynb":
        notebook = json.loads(page)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                text = "".join(cell["source"])
                cell["source"] = re.sub(r"\]\(#[^)]*\)", lambda link: re.sub(r"\$[^$]*\$", "", link[0]), text)
        page = json.dumps(notebook)
    for place, make in MADE.get(name, {}).items():
        page = page.replace(f"<!-- {place} -->", make())
    source[0] = page


def number_equations(app, doctree):
    r"""A \tag becomes the number of its equation, with an anchor and a link to itself; tables of results sort."""
    equations = app.env.get_domain("math").equations
    for block in doctree.findall(nodes.math_block):
        tag = TAG.search(block.astext())
        if tag:
            label = f"equation-{tag[1]}"
            block.children = [nodes.Text(TAG.sub("", block.astext()).rstrip())]
            block["number"], block["label"], block["docname"] = tag[1], label, app.env.docname
            block["ids"] = [nodes.make_id(label)]
            equations[label] = app.env.docname, tag[1]
    if app.env.docname in SORTED:
        for table in doctree.findall(nodes.table):
            table["classes"].append("sortable")


def link_equations(app, doctree, name):
    """Every number of an equation that the text cites becomes a link to it."""
    equations = app.env.get_domain("math").equations
    for text in list(doctree.findall(nodes.Text)):
        above, inside = text.parent, False
        while above is not None and not inside:
            above, inside = above.parent, isinstance(above, VERBATIM)
        parts = [] if inside else linked(app, name, text.astext(), equations)
        if len(parts) > 1:
            text.parent.replace(text, parts)


def linked(app, name, text, equations):
    """A text with its links  ->  a list of nodes, one where nothing is cited."""
    parts, end = [], 0
    for citation in CITED.finditer(text):
        for number in re.finditer(r"\d+\.\d+", citation[0]):
            page, _ = equations.get(f"equation-{number[0]}", (None, None))
            if page is not None:
                start = citation.start() + number.start()
                label = f"Equation {number[0]}"
                link = make_refnode(app.builder, name, page, nodes.make_id(label), nodes.inline("", number[0]), label)
                parts += [nodes.Text(text[end:start]), link]
                end = start + len(number[0])
    return [*parts, nodes.Text(text[end:])]


def can_run(app):
    """Stop before any page is made where lessons that run are asked for and their tools are missing."""
    if app.config.lessons_in_browser and browser.lacking():
        raise ExtensionError(f"lessons in the browser: {browser.lacking()}")


def add_site(app, failure):
    """The lessons that run in the browser, beside the book, where they are asked for."""
    if app.config.lessons_in_browser and failure is None:
        browser.build(Path(app.outdir, SITE))


def link_to_run(app, doctree, name):
    """A line below the title of a lesson that runs in the browser, where the book is built with these lessons."""
    if not app.config.lessons_in_browser or name not in {path.stem for path in browser.lessons()}:
        return
    said = nodes.paragraph(classes=["run-in-browser"])
    said += nodes.reference("", "Run in the browser", refuri=f"{SITE}/{browser.address(name)}", internal=True)
    said += nodes.Text(f" (to try it: nothing to install; {browser.DIFFERENT})")
    title = next(doctree.findall(nodes.title))
    title.parent.insert(title.parent.index(title) + 1, said)


def as_rst(app, what, name, thing, options, lines):
    """A docstring of this package as reStructuredText: sentences as text, columns as they stand."""
    said = []
    for paragraph in "\n".join(lines).strip("\n").split("\n\n"):
        rows = paragraph.split("\n")
        if any(row.startswith(" ") or re.search(r"\S {3,}\S", row) for row in rows) and (len(rows) > 1 or said):
            said += [".. code-block:: text", "", *(f"    {row}" for row in rows), ""]
        else:
            said += [*map(prose, rows), ""]
    lines[:] = said


def prose(row):
    """A line of plain text: its code in backticks stays code, and no other character has a meaning."""
    return "".join(
        f"``{part}``" if place % 2 and part and part == part.strip() else re.sub(r"([\\*|_`])", r"\\\1", part)
        for place, part in enumerate(row.split("`"))
    )


def rooms():
    """The page of the library: the public names of every room."""
    return "\n\n".join(
        f"## minidurnn.{name}\n\n```{{eval-rst}}\n.. automodule:: minidurnn.{name}\n   :members:\n```" for name in ROOMS
    )


def runs():
    """The table of all recorded runs, in HTML: the pages' script sorts and filters it."""
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(said)}</td>" for said in row(record)) + "</tr>"
        for record in read_records(RESULTS)
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    return (
        '<div class="pst-scrollable-table-container"><table class="table sortable filtered">\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def row(record):
    """A record as the cells of its row, in the order of HEADS."""
    trial, machine, run = record.trial, record.machine, chosen_run(record)
    test = "–" if record.test is None else f"{record.test:.4f}"
    rate = "–" if record.chosen_rate is None else f"{record.chosen_rate:g}"
    return (
        trial["experiment"], str(trial["length"]), trial["model"], f"{record.parameters:,}", str(trial["seed"]),
        ", ".join(map(str, trial["stages"])) or "–", rate, f"{run.updates:,}", test, record.metric, record.verdict,
        machine["date"], machine["hardware"],
    )


def curves():
    """The figures of the folder of results, each with what the records of its experiment say in words."""
    records, figures = read_records(RESULTS), []
    drawn = [path.stem.split("-T") for path in RESULTS.glob("*-T*.png")]
    for experiment, length in sorted((experiment, int(length)) for experiment, length in drawn):
        ended = {}
        for record in records:
            if (record.trial["experiment"], record.trial["length"]) == (experiment, length):
                ended.setdefault(record.trial["model"], []).append(record)
        said = "; ".join(map(outcome, ended, ended.values()))
        alt = f"Training curves of {experiment} at T = {length}, seed 0. All seeds, on the test set at the end: {said}."
        figures.append(f"### {experiment}, T = {length}\n\n![{alt}](results/{experiment}-T{length}.png)")
    return "\n\n".join(figures)


def outcome(model, records):
    """What became of a model's runs, in words."""
    tests = [record.test for record in records if record.test is not None]
    solved = sum(record.verdict == "solved" for record in records)
    return f"{model} {f'{median(tests):.4f}' if tests else 'diverged'}, {solved} of {len(records)} solved"


MADE = {"index": {"memory": drawing}, "library": {"rooms": rooms}, "records": {"curves": curves, "runs": runs}}
