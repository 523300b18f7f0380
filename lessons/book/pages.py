"""What the book adds to the pages of the folder: numbers of equations that are links, and pages made from code."""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.nodes import make_refnode

ROOT = Path(__file__).parents[2]
TAG = re.compile(r"\\tag\{([\d.]+)\}")
CITED = re.compile(r"(?<![\w.,])(?:\d+\.\d+)(?![\w.]*\d)")
ROOMS = (
    "networks", "training", "gradcheck", "analysis", "optim", "tasks", "experiments", "records", "cells", "scans",
    "arrays.backend",
)


def setup(app):
    app.connect("source-read", prepare)
    app.connect("doctree-read", number_equations)
    app.connect("doctree-resolved", link_equations)
    app.connect("autodoc-process-docstring", as_rst)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def jupyter_anchor(title):
    """The anchor that Jupyter gives a heading, which the links of the lessons name."""
    return title.replace(" ", "-")


def prepare(app, name, source):
    """A page's text before it is parsed: anchors without their formulas, as MyST reads headings; pages from code."""
    page = source[0]
    if app.env.doc2path(name).endswith(".ipynb"):
        notebook = json.loads(page)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                text = "".join(cell["source"])
                cell["source"] = re.sub(r"\]\((#[^)]*)\)", lambda link: re.sub(r"\$[^$]*\$", "", link[0]), text)
        page = json.dumps(notebook)
    elif name == "records":
        page = page.replace("<!-- records -->", records_table())
    elif name == "library":
        page = page.replace("<!-- library -->", "\n\n".join(map(room, ROOMS)))
    source[0] = page


def number_equations(app, doctree):
    r"""A \tag becomes the number of its equation, with an anchor and a link to itself."""
    equations = app.env.get_domain("math").equations
    for block in doctree.findall(nodes.math_block):
        found = TAG.search(block.astext())
        if found:
            label = f"equation-{found[1]}"
            text = TAG.sub("", block.astext()).rstrip()
            block.children = [nodes.Text(text)]
            block["number"], block["label"], block["docname"] = found[1], label, app.env.docname
            block["ids"] = [*block.get("ids", ()), nodes.make_id(label)]
            equations[label] = app.env.docname, found[1]


def link_equations(app, doctree, name):
    """Every number in the text that is an equation's becomes a link to it."""


def as_rst(app, what, name, thing, options, lines):
    """A docstring of this package as reStructuredText: sentences as text, and tables of names as they stand."""
    paragraphs = "\n".join(lines).strip("\n").split("\n\n")
    out = []
    for text in paragraphs:
        rows = text.split("\n")
        if any(row.startswith(" ") or re.search(r"\S {2,}\S", row) for row in rows[1:]) or rows[0].startswith("  "):
            out += ["::", "", *("    " + row for row in rows), ""]
        else:
            out += [prose(row) for row in rows] + [""]
    lines[:] = out


def prose(row):
    """A line of plain text: its code in backticks stays code, and no other character has a meaning."""
    parts = row.split("`")
    return "".join(
        f"``{part}``" if place % 2 and part.strip() == part and part else re.sub(r"([\\*|_`])", r"\\\1", part)
        for place, part in enumerate(parts)
    )


def room(name):
    """The part of the page of the library that one module fills."""
    return f"## {name}\n\n```{{eval-rst}}\n.. automodule:: minidurnn.{name}\n   :members:\n```"


def records_table():
    """A table of all recorded runs, in HTML."""
    from minidurnn.records import read_records

    heads = ("experiment", "T", "model", "trained numbers", "seed")
    rows = []
    for record in read_records(ROOT / "lessons" / "results"):
        trial = record.trial
        rows.append((trial["experiment"], trial["length"], trial["model"], record.parameters, trial["seed"]))
    cells = "\n".join("<tr>" + "".join(f"<td>{escape(str(one))}</td>" for one in row) + "</tr>" for row in rows)
    return (
        '<div class="pst-scrollable-table-container"><table class="table">\n<thead><tr>'
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + f"</tr></thead>\n<tbody>\n{cells}\n</tbody></table></div>"
    )
