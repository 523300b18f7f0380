"""What every lesson keeps, so that nbval's comparison means something; and that nbval itself sees a wrong digit.

nbval runs a cell without an execution count and compares nothing, never compares pictures, and passes a cell that no
longer raises. The rules below close these holes and keep the anatomy of a lesson. Each yields what it finds wrong.
"""

import ast
import copy
import re
import subprocess
import sys
from pathlib import Path

import fake_cupy
import nbformat
import pytest

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
NOTATION = ROOT / "lessons" / "notation.md"
PATHS = re.compile(r"(?<![\w.])/(home|root|tmp|Users|work|usr|opt|mnt|var)/|\b[A-Z]:\\\\|site-packages")
LIVE = re.compile(r"clear_output|update_display|display_id")
INSTALLS = re.compile(r"^\s*[!%]|\b(pip|conda|mamba|apt|apt-get) install|\bwget\b|\bcurl\b|urlopen|urlretrieve|requests\.get|pooch", re.M)
GREEK = re.compile(r"\\(?:var)?(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|rho|sigma|tau|phi|chi|psi|omega)\b")
CLOSING = ("Summary", "What this does not show", "References")


def read(path):
    """The notebook at a path, which keeps the path's name for messages and its lesson number."""
    return nbformat.read(path, as_version=4)


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
    parts += [output.data.get("text/plain", "") for output in cell.outputs if "data" in output and "image/png" not in output.data]
    return "".join(parts)


def compared(cell):
    """The text that nbval compares when it runs the cell again."""
    skipped = {"nbval-ignore-output", "nbval-skip"} & set(tags(cell)) or cell.execution_count is None
    return "" if skipped else text(cell)


def kernel_is_python3(nb, number):
    if nb.metadata.get("kernelspec", {}).get("name") != "python3":
        yield f"the kernel is {nb.metadata.get('kernelspec', {}).get('name')!r}: expected 'python3', which every machine has"


def every_code_cell_ran_in_order(nb, number):
    counts = [cell.execution_count for cell in code(nb)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"the execution counts are {counts}: expected 1, 2, 3, ...; nbval compares no output of a cell that has none"


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
            yield f"code cell {place + 1} draws, and neither it nor the next prints a number: nbval compares no pictures"


def no_path_of_one_machine(nb, number):
    for cell in nb.cells:
        for found in PATHS.finditer(cell.source + (text(cell) if cell.cell_type == "code" else "")):
            yield f"a path of one machine: {found.group()}"


def nothing_is_updated_live(nb, number):
    for place, cell in enumerate(code(nb), 1):
        if LIVE.search(cell.source) or "\r" in compared(cell) or any(output.output_type == "update_display_data" for output in cell.outputs):
            yield f"code cell {place} updates its output live, which nbval cannot follow"


def nothing_is_installed_or_downloaded(nb, number):
    for place, cell in enumerate(code(nb), 1):
        for found in INSTALLS.finditer(cell.source):
            yield f"code cell {place} installs, downloads or leaves Python: {found.group().strip()}"


def it_is_small(nb, number):
    size = len(nbformat.writes(nb).encode()) / 1000
    if size > 500:
        yield f"the notebook has {size:.0f} kB: expected at most 500"
    if not 15 <= len(nb.cells) <= 50:
        yield f"the notebook has {len(nb.cells)} cells: expected 15 to 50"


def code_cells_are_short(nb, number):
    for place, cell in enumerate(code(nb), 1):
        lines = sum(bool(line.strip()) for line in cell.source.splitlines())
        if lines > 15:
            yield f"code cell {place} has {lines} lines: expected at most 15"


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


def asserted(nb):
    """The equations named in messages: of assert, in err_msg=, and in calls of a function of the notebook that asserts."""
    trees = [ast.parse("\n".join(line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!")))) for cell in code(nb)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    checkers = {node.name for node in nodes if isinstance(node, ast.FunctionDef) and any(isinstance(inner, ast.Assert) for inner in ast.walk(node))}
    for node in nodes:
        parts = []
        if isinstance(node, ast.Assert) and node.msg is not None:
            parts = [node.msg]
        elif isinstance(node, ast.Call):
            parts = [word.value for word in node.keywords if word.arg == "err_msg"]
            parts += node.args if isinstance(node.func, ast.Name) and node.func.id in checkers else []
        strings = [inner.value for part in parts for inner in ast.walk(part) if isinstance(inner, ast.Constant) and isinstance(inner.value, str)]
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


RULES = [rule for rule in list(vars().values()) if getattr(rule, "__code__", None) and rule.__code__.co_varnames[:2] == ("nb", "number")]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_lesson(lesson, rule):
    assert list(rule(read(lesson), int(lesson.name[:2]))) == []


# Each way to spoil lesson 00, and the rule that must see it.

def first(nb, wanted):
    return next(cell for cell in code(nb) if wanted(cell))


def spoil(change, wanted=lambda cell: True):
    return lambda nb: change(first(nb, wanted))


def strip(nb):
    """What a filter that strips outputs does to a notebook."""
    for cell in code(nb):
        cell.execution_count, cell.outputs = None, []


def silence(nb):
    """No output beside any figure."""
    for cell in code(nb):
        cell.outputs = [output for output in cell.outputs if output.output_type != "stream"]


def printing(cell):
    return cell.outputs and cell.outputs[-1].get("name") == "stdout"


def print_also(words):
    return spoil(lambda cell: cell.outputs[-1].update(text=words), printing)


def write_also(words):
    return spoil(lambda cell: cell.update(source=f"{cell.source}\n{words}"))


def say_also(words):
    return lambda nb: nb.cells[0].update(source=f"{nb.cells[0].source}\n\n{words}")


def rewrite(old, new):
    def change(nb):
        for cell in nb.cells:
            cell.source = cell.source.replace(old, new)
    return change


SPOILT = [
    (kernel_is_python3, lambda nb: nb.metadata.kernelspec.update(name="my-laptop")),
    (every_code_cell_ran_in_order, strip),
    (every_code_cell_ran_in_order, spoil(lambda cell: cell.update(execution_count=7))),
    (errors_are_announced, spoil(lambda cell: cell.metadata.update(tags=["raises-exception"]))),
    (errors_are_announced, spoil(lambda cell: cell.outputs.append(nbformat.v4.new_output("error", ename="ValueError", evalue="", traceback=[])))),
    (nothing_is_stored_of_standard_error, spoil(lambda cell: cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="slow")))),
    (there_is_something_to_compare, strip),
    (there_is_something_to_compare, silence),
    (printed_numbers_are_short, print_also("loss 0.12345678")),
    (printed_numbers_are_short, print_also("np.float64(0.5)")),
    (figures_have_alternative_text, spoil(lambda cell: cell.metadata.pop("mystnb"), has_figure)),
    (figures_have_numbers_beside_them, silence),
    (no_path_of_one_machine, print_also("wrote /home/me/figure.png")),
    (no_path_of_one_machine, write_also("data = '/Users/me/data'")),
    (nothing_is_updated_live, write_also("clear_output()")),
    (nothing_is_updated_live, print_also("10 %\r20 %")),
    (nothing_is_installed_or_downloaded, write_also("!pip install minidurnn")),
    (nothing_is_installed_or_downloaded, write_also("urlretrieve(address)")),
    (it_is_small, say_also("x" * 500_000)),
    (it_is_small, lambda nb: nb.update(cells=nb.cells[:14])),
    (code_cells_are_short, write_also("\n".join(["pass"] * 15))),
    (every_equation_is_evaluated, rewrite("eq. 0.3", "the slope")),
    (every_equation_is_evaluated, rewrite(r"\tag{0.3}", "")),
    (every_equation_is_evaluated, say_also(r"$$1 = 1 \tag{1.1}$$")),
    (it_closes_with_what_it_shows_and_what_it_does_not, rewrite("## What this does not show", "## Limits")),
    (links_lead_somewhere, say_also("[lesson 99](99-nowhere.ipynb)")),
    (links_lead_somewhere, say_also("[above](#nowhere)")),
    (greek_letters_are_in_the_notation, say_also(r"$\omega$")),
]


@pytest.mark.parametrize("rule, change", SPOILT, ids=lambda part: getattr(part, "__name__", ""))
def test_a_spoilt_lesson_is_refused(rule, change):
    nb = copy.deepcopy(read(LESSONS[0]))
    assert list(rule(nb, 0)) == []
    change(nb)
    assert list(rule(nb, 0))


def test_every_rule_has_been_seen_to_refuse():
    assert {rule for rule, _ in SPOILT} == set(RULES)


def test_nbval_accepts_a_lesson_as_it_is_and_refuses_one_wrong_digit(tmp_path):
    """The first cells of lesson 00 under the project's own settings; stripped of outputs they would pass unseen."""
    nb = read(LESSONS[0])
    last = next(place for place, cell in enumerate(nb.cells) if cell.cell_type == "code" and re.search(r"\d", compared(cell)))
    nb.cells = nb.cells[:last + 1]
    nbformat.write(nb, tmp_path / "right.ipynb")
    output = next(output for output in nb.cells[last].outputs if re.search(r"\d", output.get("text", "")))
    output.text = re.sub(r"\d(?=\D*$)", lambda digit: str((int(digit.group()) + 1) % 10), output.text)     # the last one
    nbformat.write(nb, tmp_path / "wrong.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    report = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    verdicts = re.findall(r"^(PASSED|FAILED|ERROR) .*?(right|wrong)\.ipynb::", report.stdout, re.M)
    cells = sum(cell.cell_type == "code" for cell in nb.cells)
    assert sorted(verdicts) == sorted([("PASSED", "right")] * cells + [("PASSED", "wrong")] * (cells - 1) + [("FAILED", "wrong")]), report.stdout


def test_the_swapped_backend_prints_the_same(monkeypatch, capsys):
    """Lesson 00's cells without CuPy and with its stand-in."""
    cells, printed = {cell.id: cell.source for cell in read(LESSONS[0]).cells}, []
    for swap in (lambda: None, lambda: fake_cupy.install(monkeypatch)):
        library, scope = swap(), {"__name__": "lesson"}
        for name in ("setup", "data", "anatomy-forward", "backend-move", "backend-run"):
            capsys.readouterr()
            exec(compile(cells[name].replace("plt.show()", "plt.close()"), name, "exec"), scope)
        printed.append(capsys.readouterr().out)
        assert library is None or type(scope["h_there"]) is library.ndarray
    assert printed[0] == printed[1] != ""


def test_the_code_names_of_the_notation_exist():
    """A code name is a word of the library or of the lessons' code; its first lesson, where that exists, has it too."""
    library = "\n".join(path.read_text() for path in (ROOT / "minidurnn").rglob("*.py"))
    lessons = {int(path.name[:2]): read(path) for path in LESSONS}
    everything = library + "\n".join(cell.source for nb in lessons.values() for cell in code(nb))
    rows = [line.split(" | ") for line in NOTATION.read_text().splitlines() if line.startswith("| ") and "code name" not in line]
    assert len(rows) > 30
    for symbol, names, *_, lesson in rows:
        number = int(lesson.strip(" |"))
        for name in re.findall(r"`(\w+)`", names):
            word = re.compile(rf"(?<!\w){name}(?!\w)")
            assert word.search(everything), f"{name} ({symbol}) is in no code"
            assert number not in lessons or word.search("\n".join(cell.source for cell in lessons[number].cells)), f"{name} ({symbol}) is not in lesson {lesson}"
