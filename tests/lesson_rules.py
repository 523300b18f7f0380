"""The rules that every lesson keeps, so that nbval's comparison means something.

nbval runs a cell without an execution count and compares nothing, never compares pictures, and passes a cell that no
longer raises. The rules below close these holes and keep the anatomy of a lesson. Each yields what it finds wrong.
"""

import ast
import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
NOTATION = ROOT / "lessons" / "notation.md"
PATHS = re.compile(r"(?<![\w.])/(home|root|tmp|Users|work|usr|opt|mnt|var)/|\b[A-Z]:\\\\|site-packages")
LIVE = re.compile(r"clear_output|update_display|display_id")
INSTALLS = re.compile(
    r"^\s*[!%]|\b(pip|conda|mamba|apt|apt-get) install|\bwget\b|\bcurl\b|urlopen|urlretrieve|requests\.get|pooch", re.M
)
GREEK = re.compile(
    r"\\(?:var)?(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|rho|sigma|tau|phi|chi|psi|omega)\b"
)
CLOSING = ("Summary", "What this does not show", "References")


def imported_nbformat():
    """nbformat, which takes time, so here and not above.    Raises ImportError."""
    if "nbformat" not in sys.modules:                         # its format of addresses builds a grammar: four seconds,
        sys.modules.setdefault("rfc3987_syntax", None)        # for what no notebook has; jsonschema can do without
    import nbformat

    return nbformat


@cache
def read(path):
    """The notebook, read once: whoever changes it takes a copy."""
    return imported_nbformat().read(path, as_version=4)


def code(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def prose(nb):
    return "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


def tags(cell):
    return cell.metadata.get("tags", [])


def has_figure(cell):
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


def text(cell):
    """The text that a cell has put out, pictures aside."""
    parts = [output.get("text", "") for output in cell.outputs]
    parts += [
        output.data.get(
            "text/plain", ""
        ) for output in cell.outputs if "data" in output and "image/png" not in output.data
    ]
    return "".join(parts)


def compared(cell):
    """The text that nbval compares when it runs the cell again."""
    skipped = {"nbval-ignore-output", "nbval-skip"} & set(tags(cell)) or cell.execution_count is None
    return "" if skipped else text(cell)


def kernel_is_python3(nb, number):
    if nb.metadata.get("kernelspec", {}).get("name") != "python3":
        name = nb.metadata.get("kernelspec", {}).get("name")
        yield f"the kernel is {name!r}: expected 'python3', which every machine has"


def every_code_cell_ran_in_order(nb, number):
    counts = [cell.execution_count for cell in code(nb)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the execution counts are {counts}: expected 1, 2, 3, ...; without one nbval compares nothing"


def errors_are_announced(nb, number):
    for place, cell in enumerate(code(nb), 1):
        if any(output.output_type == "error" for output in cell.outputs) != ("raises-exception" in tags(cell)):
            yield f"code cell {place}: an error output and the tag raises-exception belong together"


def nothing_is_stored_of_standard_error(nb, number):
    for place, cell in enumerate(code(nb), 1):
        if "nbval-ignore-output" not in tags(cell) and any(output.get("name") == "stderr" for output in cell.outputs):
            yield f"code cell {place} has stored a warning or a progress bar"


def there_is_something_to_compare(nb, number):
    found = sum(bool(compared(cell).strip()) for cell in code(nb))
    if found < 3:
        yield f"{found} cells have outputs that nbval compares: expected at least 3"


def printed_numbers_are_short(nb, number):
    for place, cell in enumerate(code(nb), 1):
        for long in re.findall(r"\d*\.0*[1-9]\d{4,}|np\.float\d+\(", compared(cell)):
            yield f"code cell {place} prints {long}: expected at most 4 digits, which survive another processor"


def figures_have_alternative_text(nb, number):
    for place, cell in enumerate(code(nb), 1):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if has_figure(cell) != (len(alt.split()) >= 8):
            yield f"code cell {place}: a figure and a sentence in the cell's metadata mystnb.image.alt belong together"


def figures_have_numbers_beside_them(nb, number):
    cells = code(nb)
    for place, cell in enumerate(cells):
        if has_figure(cell) and not any(re.search(r"\d", compared(near)) for near in cells[place:place + 2]):
            yield f"code cell {place + 1} draws, and neither it nor the next prints a number, which nbval compares"


def no_path_of_one_machine(nb, number):
    for cell in nb.cells:
        for found in PATHS.finditer(cell.source + (text(cell) if cell.cell_type == "code" else "")):
            yield f"a path of one machine: {found.group()}"


def nothing_is_updated_live(nb, number):
    for place, cell in enumerate(code(nb), 1):
        if LIVE.search(cell.source) or "\r" in compared(cell) or any(
            output.output_type == "update_display_data" for output in cell.outputs
        ):
            yield f"code cell {place} updates its output live, which nbval cannot follow"


def nothing_is_installed_or_downloaded(nb, number):
    for place, cell in enumerate(code(nb), 1):
        for found in INSTALLS.finditer(cell.source):
            yield f"code cell {place} installs, downloads or leaves Python: {found.group().strip()}"


def it_is_small(nb, number):
    import nbformat

    size = len(nbformat.writes(nb).encode()) / 1000
    if size > 500:
        yield f"the notebook has {size:.0f} kB: expected at most 500"
    if not 12 <= len(nb.cells) <= 35:
        yield f"the notebook has {len(nb.cells)} cells: expected 12 to 35, one sitting"
    if (words := len(prose(nb).split())) > 3500:
        yield f"the prose has {words:,} words: expected at most 3,500, one sitting"


def code_cells_are_short(nb, number):
    """At most 12 lines to a cell, and no line that a laptop shows in part only."""
    for place, cell in enumerate(code(nb), 1):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if len(lines) > 12:
            yield f"code cell {place} has {len(lines)} lines: expected at most 12"
        if (widest := max(map(len, lines), default=0)) > 105:
            yield f"code cell {place} has a line of {widest} characters: expected at most 105"


def every_import_is_there(nb, number):
    """What a cell takes from the package is in it: stored outputs would hide a name that has moved."""
    for node in (node for tree in trees(nb) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)):
        if (node.module or "").split(".")[0] == "minidurnn":
            for name in (alias.name for alias in node.names):
                try:
                    there = hasattr(import_module(node.module), name) or import_module(f"{node.module}.{name}")
                except ImportError:
                    there = False
                if not there:
                    yield f"{name} is not in {node.module}"


def a_picture_explains(nb, number):
    """At least one drawing of the model or the idea, made with the primitives of plots.py."""
    if not any(re.search(r"\b(sketch|timeline)\(", cell.source) for cell in code(nb)):
        yield "no cell draws the model or the idea: expected at least one drawing made with plots.sketch"


def the_code_does_not_answer_a_question(nb, number):
    """The answer to a question with options stands in words after the run, not in a comment or an output."""
    for place, cell in enumerate(code(nb), 1):
        if found := re.search(r"#\s*\(?[a-e]\)|^\s*\(?[a-e]\) ", cell.source + "\n" + compared(cell), re.M):
            yield f"code cell {place} gives an answer away: {found.group().strip()}"


def a_static_reader_sees_pictures(nb, number):
    for place, cell in enumerate(code(nb), 1):
        if "interactive(children" in text(cell):
            yield f"code cell {place} shows a reader without a kernel the text of a widget: use plots.explore"


def exercises_are_enough(nb, number):
    """Five or more, of which one builds something and one breaks something."""
    headings = re.findall(r"^#+ Exercise (\d\d\.\d)(.*)$", prose(nb), re.M)
    if len(headings) < 5:
        yield f"there are {len(headings)} exercises: expected at least 5"
    for what in ("build it", "break it"):
        if not any(what in rest for _, rest in headings):
            yield f"no exercise is headed ({what})"


def every_equation_is_evaluated(nb, number):
    """Tags 1, 2, 3, ... of this lesson, and for each an assert whose message names it."""
    tagged, named = re.findall(r"\\tag\{(.*?)\}", prose(nb)), set(asserted(nb))
    expected = [f"{number}.{k}" for k in range(1, len(tagged) + 1)]
    if tagged != expected:
        yield f"the equations are tagged {', '.join(tagged)}: expected {', '.join(expected)}"
    for equation in expected:
        if equation not in named:
            yield f"no assert message names eq. {equation}"
    for equation in sorted(named - set(tagged)):
        if equation.startswith(f"{number}."):
            yield f"an assert message names eq. {equation}, which is tagged nowhere"


def trees(nb):
    """The syntax trees of a lesson's code cells."""
    for cell in code(nb):
        lines = cell.source.splitlines()
        yield ast.parse("\n".join(line for line in lines if not line.lstrip().startswith(("%", "!"))))


def asserted(nb):
    """The equations named in messages: of assert, in err_msg=, in calls of the notebook's functions that assert."""
    nodes = [node for tree in trees(nb) for node in ast.walk(tree)]
    checkers = {
        node.name for node in nodes if isinstance(node, ast.FunctionDef) and any(
            isinstance(inner, ast.Assert) for inner in ast.walk(node)
        )
    }
    for node in nodes:
        parts = []
        if isinstance(node, ast.Assert) and node.msg is not None:
            parts = [node.msg]
        elif isinstance(node, ast.Call):
            parts = [word.value for word in node.keywords if word.arg == "err_msg"]
            parts += node.args if isinstance(node.func, ast.Name) and node.func.id in checkers else []
        strings = [
            inner.value for part in parts for inner in ast.walk(part) if isinstance(
                inner, ast.Constant
            ) and isinstance(inner.value, str)
        ]
        for string in strings:
            yield from re.findall(r"eq\. (\d+\.\d+)", string)


def it_closes_with_what_it_shows_and_what_it_does_not(nb, number):
    headings = re.findall(r"^#+ (.*?)\s*$", prose(nb), re.M)
    for heading in CLOSING:
        if heading not in headings:
            yield f"there is no heading {heading!r}"


def links_lead_somewhere(nb, number):
    anchors = {heading.replace(" ", "-") for heading in re.findall(r"^#+ (.*?)\s*$", prose(nb), re.M)}
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(nb)):
        file, _, anchor = target.partition("#")
        if target.startswith("http"):
            continue
        if (file and not (ROOT / "lessons" / file).exists()) or (not file and anchor not in anchors):
            yield f"the link {target} leads nowhere"


def greek_letters_are_in_the_notation(nb, number):
    for letter in sorted(set(GREEK.findall(prose(nb))) - set(GREEK.findall(NOTATION.read_text()))):
        yield f"\\{letter} is not in notation.md"


RULES = [
    rule for rule in list(vars().values()) if getattr(
        rule, "__code__", None
    ) and rule.__code__.co_varnames[:2] == ("nb", "number")
]
