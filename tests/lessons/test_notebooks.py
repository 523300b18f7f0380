"""Every lesson keeps the rules, every rule refuses a lesson that breaks it, and nbval itself sees a wrong digit."""

import copy
import inspect
import re

import fake_cupy
import lesson_rules as rules
import pytest
from lesson_rules import LESSONS, NOTATION, ROOT, code, has_figure, read

import minidurnn
from minidurnn import Network, analysis, arrays, cells, gradcheck, optim, records, tasks, training

pytest_plugins = "pytester"                                  # for nbval in this process


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_lesson(lesson):
    found = {rule.__name__: list(rule(read(lesson), int(lesson.name[:2]))) for rule in rules.RULES}
    assert {rule: broken for rule, broken in found.items() if broken} == {}


# Each way to spoil lesson 00, and the rule that must see it.

def first(nb, wanted):
    return next(cell for cell in code(nb) if wanted(cell))


def add_output(kind, **contents):
    """An output more in the first code cell."""
    def change(nb):
        import nbformat

        code(nb)[0].outputs.append(nbformat.v4.new_output(kind, **contents))
    return change


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
    (rules.kernel_is_python3, lambda nb: nb.metadata.kernelspec.update(name="my-laptop")),
    (rules.every_code_cell_ran_in_order, strip),
    (rules.every_code_cell_ran_in_order, spoil(lambda cell: cell.update(execution_count=7))),
    (rules.errors_are_announced, spoil(lambda cell: cell.metadata.update(tags=["raises-exception"]))),
    (rules.errors_are_announced, add_output("error", ename="ValueError", evalue="", traceback=[])),
    (rules.nothing_is_stored_of_standard_error, add_output("stream", name="stderr", text="slow")),
    (rules.there_is_something_to_compare, strip),
    (rules.there_is_something_to_compare, silence),
    (rules.printed_numbers_are_short, print_also("loss 0.12345678")),
    (rules.printed_numbers_are_short, print_also("np.float64(0.5)")),
    (rules.figures_have_alternative_text, spoil(lambda cell: cell.metadata.pop("mystnb"), has_figure)),
    (rules.figures_have_numbers_beside_them, silence),
    (rules.no_path_of_one_machine, print_also("wrote /home/me/figure.png")),
    (rules.no_path_of_one_machine, write_also("data = '/Users/me/data'")),
    (rules.nothing_is_updated_live, write_also("clear_output()")),
    (rules.nothing_is_updated_live, print_also("10 %\r20 %")),
    (rules.nothing_is_installed_or_downloaded, write_also("!pip install minidurnn")),
    (rules.nothing_is_installed_or_downloaded, write_also("urlretrieve(address)")),
    (rules.it_is_small, say_also("x" * 500_000)),
    (rules.it_is_small, lambda nb: nb.update(cells=nb.cells[:11])),
    (rules.it_is_small, say_also("word " * 3500)),
    (rules.code_cells_are_short, write_also("\n".join(["pass"] * 12))),
    (rules.code_cells_are_short, write_also("#" * 106)),
    (rules.every_import_is_there, write_also("from minidurnn.cells import Nothing")),
    (rules.every_import_is_there, write_also("from minidurnn.exercises.nowhere import check")),
    (rules.a_picture_explains, lambda nb: (rewrite("sketch(", "panels(")(nb), rewrite("timeline(", "panels(")(nb))),
    (rules.the_code_does_not_answer_a_question, write_also("1 + 1    # (c)")),
    (rules.the_code_does_not_answer_a_question, print_also("(b) it is")),
    (rules.a_static_reader_sees_pictures, print_also("interactive(children=(")),
    (rules.exercises_are_enough, rewrite("### Exercise 00.1", "### Question")),
    (rules.exercises_are_enough, rewrite("(build it)", "")),
    (rules.exercises_are_enough, rewrite("(break it)", "")),
    (rules.every_equation_is_evaluated, rewrite("eq. 0.3", "the slope")),
    (rules.every_equation_is_evaluated, rewrite(r"\tag{0.3}", "")),
    (rules.every_equation_is_evaluated, say_also(r"$$1 = 1 \tag{1.1}$$")),
    (rules.it_closes_with_what_it_shows_and_what_it_does_not, rewrite("## What this does not show", "## Limits")),
    (rules.links_lead_somewhere, say_also("[lesson 99](99-nowhere.ipynb)")),
    (rules.links_lead_somewhere, say_also("[above](#nowhere)")),
    (rules.greek_letters_are_in_the_notation, say_also(r"$\omega$")),
]


@pytest.mark.parametrize("rule, change", SPOILT, ids=lambda part: getattr(part, "__name__", ""))
def test_a_spoilt_lesson_is_refused(rule, change):
    nb = copy.deepcopy(read(LESSONS[0]))
    assert list(rule(nb, 0)) == []
    change(nb)
    assert list(rule(nb, 0))


def test_every_rule_has_been_seen_to_refuse():
    assert {rule for rule, _ in SPOILT} == set(rules.RULES)


@pytest.mark.system
def test_nbval_accepts_a_cell_as_it_is_and_refuses_one_wrong_digit(pytester):
    """A cell of lesson 00 that needs no other, twice, under the project's own settings: in this process, one kernel."""
    import nbformat

    nb = copy.deepcopy(read(LESSONS[0]))
    right, = (cell for cell in nb.cells if cell.id == "two-derivatives-check")
    wrong = copy.deepcopy(right)
    wrong.id, (output,) = "wrong", wrong.outputs
    output.text = re.sub(r"\d(?=\D*$)", lambda digit: str((int(digit.group()) + 1) % 10), output.text)  # its last digit
    nb.cells = [right, wrong]
    nbformat.write(nb, pytester.path / "twice.ipynb")
    sanitize = f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval_sanitize.cfg'}"
    settings = "-c", ROOT / "pyproject.toml", "--numprocesses=0", sanitize, "-p", "no:cacheprovider"
    found = pytester.inline_run(*settings, pytester.path / "twice.ipynb")
    passed, skipped, failed = found.listoutcomes()
    assert [report.nodeid.rpartition("::")[2] for report in passed + skipped + failed] == ["Cell 0", "Cell 1"]
    assert not skipped and len(passed) == 1


def test_the_swapped_backend_prints_the_same(monkeypatch, capsys):
    """Lesson 00's cells without CuPy and with its stand-in."""
    cells, printed = {cell.id: cell.source for cell in read(LESSONS[0]).cells}, []
    for swap in (lambda: None, lambda: fake_cupy.install(monkeypatch)):
        library, scope = swap(), {"__name__": "lesson"}
        for name in ("setup", "data", "anatomy-forward", "backend-move"):
            capsys.readouterr()
            exec(compile(cells[name].replace("plt.show()", "plt.close()"), name, "exec"), scope)
        printed.append(capsys.readouterr().out.splitlines()[-1])      # the first lines say where it computes
        assert library is None or type(scope["h_there"]) is library.ndarray
    assert printed[0] == printed[1] != ""


def words(*texts):
    """All words of these texts."""
    return {word for text in texts for word in re.findall(r"\w+", text)}


def test_the_code_names_of_the_notation_exist():
    """A code name is a word of the library or of the lessons' code; its first lesson, where that exists, has it too."""
    lessons = {int(path.name[:2]): read(path) for path in LESSONS}
    inside = {number: words(*(cell.source for cell in nb.cells)) for number, nb in lessons.items()}
    library = words(*(path.read_text() for path in (ROOT / "minidurnn").rglob("*.py")))
    everything = library | words(*(cell.source for nb in lessons.values() for cell in code(nb)))
    rows = [
        line.split(" | ") for line in NOTATION.read_text().split("## What the library's")[0].splitlines()
        if line.startswith("| ") and "code name" not in line
    ]
    assert len(rows) > 30
    for symbol, names, *_, lesson in rows:
        named, first_lesson = set(re.findall(r"`(\w+)`", names)), int(lesson.strip(" |"))
        assert named <= everything, f"{names} ({symbol}) are not all in the code"
        there = not named or first_lesson not in inside or named & inside[first_lesson]
        assert there, f"{names} ({symbol}) is not in lesson {lesson}"


def test_the_calls_of_the_notation_stand_in_their_lessons_and_have_these_arguments():
    lessons = {int(path.name[:2]): read(path) for path in LESSONS}
    owners = {"cell": [cells.RNN], "task": [tasks.Adding], "network": [Network], "optimizer": [optim.Adam]}
    homes = [minidurnn, analysis, gradcheck, training, arrays.trees, optim, records]
    table = NOTATION.read_text().split("## What the library's")[1].splitlines()
    calls = [
        (*re.fullmatch(r"(?:(\w+)\.)?(\w+)\((.*)\)", call).groups(), int(line.split(" | ")[-1].strip(" |")))
        for line in table if line.startswith("| `") for call in re.findall(r"`([^`]+)`", line.split(" | ")[0])
    ]
    assert len(calls) >= 20
    for owner, name, arguments, lesson in calls:
        function = next(getattr(home, name) for home in owners.get(owner, homes) if hasattr(home, name))
        given = [word.split("=")[0].strip() for word in arguments.split(",") if word]
        known = [known for known in inspect.signature(function).parameters if known != "self"]
        assert set(given) <= set(known), (name, given, known)
        if lesson in lessons:
            assert any(f"{name}(" in cell.source for cell in lessons[lesson].cells), f"{name} is not in lesson {lesson}"
