"""Every exercise: stub and reference pass, wrong and ill-typed answers are refused, notebook and module agree."""

import ast
import importlib
import inspect
import json
import pkgutil
import re
import textwrap
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import forked
import numpy as np
import pytest
from support import rng

from minidurnn import exercises
from minidurnn.exercises import by_hand, choose, compare, judge, lesson_23
from minidurnn.exercises.companions import compact_records, memory_cases, memory_costs
from minidurnn.gradcheck import assert_cell
from minidurnn.records import read_records

LESSONS = Path(__file__).parents[2] / "lessons"
MODULES = [
    importlib.import_module(
        f"{exercises.__name__}.{module.name}"
    ) for module in pkgutil.iter_modules(exercises.__path__) if module.name.startswith("lesson_")
]
of_every_lesson = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__[-9:])


@cache
def cells_of(module):
    """The cells of the lesson that a module of checkers belongs to: type, source, and what a code cell printed."""
    names = list(LESSONS.glob(f"{module.__name__[-2:]}-*.ipynb"))
    assert len(names) == 1, f"{module.__name__} has {len(names)} notebooks: expected one"
    return [                                                  # nbformat would take seconds to be imported
        SimpleNamespace(
            cell_type=cell["cell_type"], source="".join(cell["source"]),
            printed="".join("".join(output.get("text", "")) for output in cell.get("outputs", ())),
        ) for cell in json.loads(names[0].read_text(encoding="utf-8"))["cells"]
    ]


def stub(reference):
    """What a student finds: `...`, a function that returns it, or a cell whose forward and backward do."""
    def untouched(*_, **__):
        return ...

    if inspect.isclass(reference):
        return type("Stub", (reference,), {"forward": untouched, "backward": untouched})
    return untouched if callable(reference) else ...


@cache
def called(source):
    """The names of the functions that a code cell calls."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return {ast.unparse(function).rpartition(".")[2] for function in calls}


def place(module, number):
    """Where the notebook calls the checker of an exercise: the cells, the only place."""
    cells, checker = cells_of(module), module.CHECKS[number].__name__
    found = [k for k, cell in enumerate(cells) if cell.cell_type == "code" and checker in called(cell.source)]
    assert len(found) == 1, f"exercise {number} is checked in {len(found)} cells of its notebook: expected one"
    return cells, found[0]


@of_every_lesson
def test_a_lesson_has_three_exercises_or_more_each_with_two_wrong_answers(module):
    lesson = module.__name__[-2:]
    assert module.CHECKS.keys() == module.REFERENCE.keys() == module.WRONG.keys()
    assert list(module.CHECKS) == [f"{lesson}.{k}" for k in range(1, len(module.CHECKS) + 1)]
    assert len(module.CHECKS) >= 3
    assert all(len(wrong) >= 2 for wrong in module.WRONG.values())
    kinds = [callable(reference) for reference in module.REFERENCE.values()]
    assert any(kinds) and not all(kinds), "expected something to predict and something to code"
    mentioned = re.findall(rf"xercise ({lesson}\.\d+)", "\n".join(cell.source for cell in cells_of(module)))
    assert set(mentioned) <= module.CHECKS.keys(), "the notebook speaks of an exercise that nobody checks"


@of_every_lesson
def test_stubs_pass_and_say_so(module, capsys):
    for number, check in module.CHECKS.items():
        check(stub(module.REFERENCE[number]))
        assert capsys.readouterr().out == f"exercise {number}: not attempted yet\n"


@of_every_lesson
def test_the_references_pass(module, capsys):
    for number, check in module.CHECKS.items():
        check(module.REFERENCE[number])
        assert capsys.readouterr().out == f"exercise {number}: correct\n"


@pytest.fixture
def forked_trials(monkeypatch):
    """The kernels of lesson 23 run in forked processes; the reference runs in one that it starts."""
    monkeypatch.setattr(lesson_23, "subprocess", forked)


@of_every_lesson
@pytest.mark.usefixtures("forked_trials")
def test_wrong_answers_are_refused_by_name_and_number(module):
    for number, check in module.CHECKS.items():
        for wrong in module.WRONG[number]:
            with pytest.raises(AssertionError, match=rf"^exercise {re.escape(number)}: "):
                check(wrong)


@of_every_lesson
def test_the_notebook_checks_the_exercises_and_leaves_them_unattempted(module):
    for number in module.CHECKS:
        cells, k = place(module, number)
        assert cells[k].printed == f"exercise {number}: not attempted yet\n"
        assert any(
            f"xercise {number}" in cell.source for cell in cells[:k + 1]
        ), f"no cell up to the stub is headed exercise {number}"


@of_every_lesson
def test_the_folded_solutions_are_the_references(module):
    for number, reference in module.REFERENCE.items():
        cells, k = place(module, number)
        folded = next(cell.source for cell in cells[k + 1:] if cell.cell_type == "markdown")
        hint, solution = (
            re.search(
                rf"<details><summary>{name}</summary>\n\n(.*?)\n\n</details>", folded, re.S
            ) for name in ("Hint", "Solution")
        )
        assert hint and solution, f"expected a folded hint and a folded solution below exercise {number}"
        blocks = re.findall(r"```python\n(.*?)\n```", solution[1], re.S)
        expected = textwrap.dedent(
            inspect.getsource(reference)
        ).strip() if callable(reference) else f"answer = {reference!r}".replace("'", '"')
        assert expected in blocks
        if callable(reference):                               # the student starts from the same name and arguments
            stubs = "\n".join(cell.source for cell in cells[:k + 1] if cell.cell_type == "code")
            assert all(
                line in stubs for line in expected.splitlines() if line.lstrip().startswith(
                    ("def ", "class ")
                ) and "(" in line
            )


@of_every_lesson
@pytest.mark.usefixtures("forked_trials")
def test_ill_typed_answers_get_one_sentence(module):
    for number, check in module.CHECKS.items():
        callable_ = callable(module.REFERENCE[number])
        own = getattr(module, "ILL_TYPED", {}).get(number, [])
        general = [None, 3.5, ["b"]] if not callable_ else [None, "b", lambda *_, **__: None, lambda *_, **__: "b"]
        assert len(own) >= 3, f"exercise {number} has {len(own)} planted ill-typed answers: expected at least 3"
        for answer in [*own, *general]:
            with pytest.raises(AssertionError, match=rf"^exercise {re.escape(number)}: .+"):
                check(answer)


# What the checkers are made of.

def test_judge_names_the_case_the_entry_that_is_furthest_off_and_both_numbers():
    def double(x):
        return np.array([[1.0, 2.5], [5.0, 4.0]])

    case = (np.array([[1.0, 2.0], [3.0, 4.0]]),)
    with pytest.raises(
        AssertionError, match=r"^exercise 99\.1: dx\[1, 0\] is 5, expected 3 for x of shape \(2, 2\)\.$"
    ):
        judge("99.1", double, lambda x: x, [case], ("dx",))


def test_judge_names_a_known_mistake():
    with pytest.raises(AssertionError, match=r"\(the sign is turned\)"):
        judge("99.1", lambda x: -x, lambda x: x, [(np.ones(3),)], mistakes={"the sign is turned": lambda x: -x})


def test_judge_tells_what_is_half_done_from_what_is_wrong(capsys):
    judge("99.1", lambda x: (x, ...), lambda x: (x, 2 * x), [(np.ones(3),)], ("dx", "dW"))
    assert capsys.readouterr().out == "exercise 99.1: not finished: dW still `...`, the rest is correct\n"
    with pytest.raises(AssertionError, match="dx"):
        judge("99.1", lambda x: (3 * x, ...), lambda x: (x, 2 * x), [(np.ones(3),)], ("dx", "dW"))


@pytest.mark.parametrize("attempt, words", [
    (lambda x: None, "returned nothing"), (lambda x: x + "b", "your function stopped for x of shape"),
    (lambda x: x.__iadd__(1), "writes into an argument"), ("b", "expected a function"),
])
def test_judge_makes_one_sentence_of_what_is_no_answer(attempt, words):
    given = np.ones(3)
    with pytest.raises(AssertionError, match=rf"^exercise 99\.1: .*{words}"):
        judge("99.1", attempt, lambda x: x, [(given,)])
    assert (given == 1).all()


@pytest.mark.parametrize("yours, words", [
    (np.zeros((3, 2)), r"h has shape \(3, 2\), expected \(2, 3\) \(it is the transpose\)"),
    ((np.zeros((2, 3)), 1.0), r"got 2 results, expected one \(h\)"),
    (np.full((2, 3), np.nan), r"h\[0, 0\] is nan, expected 0"),
    ({"h": 0.0}, r"h is a dict, expected an array of numbers of shape \(2, 3\)"),
    ("b", r"h is the text 'b', expected an array of numbers"),
    ([[1.0], [1.0, 2.0]], "h is a list, expected an array of numbers"),
])
def test_compare_says_what_is_wrong_with_an_answer(yours, words):
    with pytest.raises(AssertionError, match=words):
        compare("99.1", yours, np.zeros((2, 3)), ("h",))


def test_compare_asks_for_results_separated_by_commas():
    with pytest.raises(AssertionError, match="got a list, expected 2 results separated by commas: dx, dh0"):
        compare("99.1", [np.zeros(3), np.zeros(2)], (np.zeros(3), np.zeros(2)), ("dx", "dh0"))


def test_choose_says_why_an_option_is_wrong_and_takes_any_way_to_write_one(capsys):
    options = {"a": "", "b": "that is the radius."}
    for wrong in ("b", "B", "(b)", " b. "):
        with pytest.raises(AssertionError, match=r"\(b\) is wrong: that is the radius\."):
            choose("99.1", wrong, "a", options)
    choose("99.1", "(A)", "a", options)
    assert capsys.readouterr().out == "exercise 99.1: correct\n"
    with pytest.raises(AssertionError, match="none of the options: expected one of 'a', 'b'"):
        choose("99.1", "c", "a", options)
    with pytest.raises(AssertionError, match="got an int, expected one of 'a', 'b'"):
        choose("99.1", 1, "a", options)


def test_the_cell_of_lesson_00_keeps_the_contract():
    from minidurnn.exercises.lesson_00 import Blend

    assert_cell(Blend(2, 4), rng())


def test_the_checkers_need_no_matplotlib():
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from importlib import import_module\n"
        "for number in range(24): import_module(f'minidurnn.exercises.lesson_{number:02}')"
    )
    done = forked.Python(program).end()
    assert done.returncode == 0, done.stderr


def test_lesson_17_reads_the_median_slopes_and_the_median_gate_of_recorded_gradients():
    from minidurnn.exercises.companions import gate_time_scales

    lag = [1, 2, 3]
    records = [SimpleNamespace(
        trial={"experiment": "time-scales-co2", "length": 48, "model": "gru"},
        seen={when: {"lag": lag, "norm": np.exp(slope * np.array(lag)),
                     "direct": 7 * np.exp(5 * slope * np.array(lag)), "log_kept": [-1, 3 * slope]}
              for when, slope in (("start", start), ("trained", 2 * start))}) for start in (-0.1, -0.2, -0.9)]
    readings = gate_time_scales.gate_readings(records, [("co2", 48)], ["gru"])
    assert np.allclose(readings[("co2", 48), "start"], [[-0.2, -1.0, -0.8]])
    assert np.allclose(readings[("co2", 48), "trained"], [[-0.4, -2.0, -1.1]])


def test_the_controls_of_lesson_18_keep_the_contract():
    from minidurnn.exercises.companions.gated_controls import WithoutTanh, WithTanh

    assert_cell(WithoutTanh(3, 4, horizon=50), rng())
    assert_cell(WithTanh(3, 4, horizon=50), rng())


def test_the_tree_of_lesson_18_is_counted_and_its_neighbours_in_time_are_found():
    from minidurnn.exercises.companions.long_scans import count_tree, difference_and_middle, step_after, step_before

    assert count_tree(4) == (4, 3)                            # 1-2, 3-4; 1-4; 1-3
    assert count_tree(8) == (11, 5)
    steps = np.array([[1.0], [2.0], [3.0]])
    assert step_before(steps, np.array([0.0])).ravel().tolist() == [0, 1, 2]
    assert step_after(steps, 9.0).ravel().tolist() == [2, 3, 9]
    difference, middle = difference_and_middle(np.array([-2.0, 0.0, 4.0, 1.0]))      # behind +e₁ twice, then -e₁
    assert difference.tolist() == [6, 1]
    assert middle.tolist() == [1, 0.5]


def test_the_unit_of_lesson_19_adds_up_its_steps_by_the_taps_that_it_is_given():
    layer, p = memory_cases.one_unit(past=[1, 10], future=[100], bias=1.0)
    y, _ = layer.forward(p, memory_cases.steps(2, 3))
    assert y[:, 0].tolist() == [[3, 403], [4, 34]]


def test_lesson_19_calls_a_model_cheaper_where_its_worst_seed_is_below_the_others_best():
    runs = {("words", model): [SimpleNamespace(test=bits) for bits in seeds] for model, seeds in {
        "low": (4.0, 4.2), "next": (4.3, 4.5), "across": (4.4, 5.0)}.items()}
    assert memory_costs.below(runs, "words", "low", "next")
    assert memory_costs.below(runs, "words", "low", "across")
    assert not memory_costs.below(runs, "words", "low", "next", "across")
    assert memory_costs.by_median(runs, "words") == ["low", "next", "across"]


def test_rounds_of_lesson_21_hold_the_copies_of_the_language_in_rounds():
    from minidurnn.exercises.companions.translation_measures import Rounds
    from minidurnn.tasks import Copies

    task, (x, target, lengths) = Rounds(5), Rounds(5).batch(rng(), 20)
    same, places = Copies(5).answer(x, lengths)
    assert (np.sort(target, axis=0) == np.sort(same, axis=0)).all()
    for b, written in enumerate(task.answer(x, lengths)[1].T):
        written = list(written[written >= 0])
        rounds = [written[:n].count(place) for n, place in enumerate(written)]
        assert rounds == sorted(rounds)
        first = [place for place, n in zip(written, rounds) if n == 0]
        assert first == list(dict.fromkeys(places[places[:, b] >= 0, b]))


class Counting:
    """Looks at the true place and remembers how often it has looked."""

    memory, window = 1, 1

    def __init__(self, task):
        self.task = task

    def attention_on(self, p, x, target, lengths):
        true = self.task.answer(x, lengths)[1]
        weights = (true[:, None] == np.arange(len(x))[:, None]).astype(float)
        return weights, weights.cumsum(0)[..., None]


def test_the_read_out_of_lesson_21_finds_a_count_and_beats_the_constant_guess():
    from minidurnn.exercises.companions.translation_measures import count_errors, mean_memory
    from minidurnn.tasks import Copies

    task = Copies(3)
    constant, late, untrained, trained = count_errors(Counting(task), None, task, rng())
    assert trained < 1e-8 < untrained < constant
    x, target, lengths = task.test()
    true = task.answer(x, lengths)[1]
    counts = [
        (true[:t + 1, b] == j).sum() for b, n in enumerate(lengths) for t in range((true[:, b] >= 0).sum())
        for j in range(n)
    ]
    assert mean_memory(Counting(task), None, task)[0] == pytest.approx(np.mean(counts))
    assert constant == pytest.approx(np.std(counts), rel=0.1)
    fitted, tried = {}, []
    for half in (0, 1):                                       # every second sentence, then the others
        for b in range(half, len(lengths), 2):
            for t, j in np.ndindex((true[:, b] >= 0).sum(), lengths[b]):
                count = (true[:t + 1, b] == j).sum()
                if half:
                    tried.append(np.mean(fitted.get((t, j), 0)) - count)
                else:
                    fitted.setdefault((t, j), []).append(count)
    assert late == pytest.approx(np.sqrt(np.mean(np.square(tried)))) and trained < late < constant


@pytest.mark.parametrize("error", [ValueError("no good."), ValueError("no good"), ValueError("no good: "), KeyError()])
def test_a_sentence_has_one_full_stop_whatever_the_students_error_says(error):
    def attempt(x):
        raise error

    with pytest.raises(AssertionError) as caught:
        judge("99.1", attempt, lambda x: x, [(np.ones(3),)])
    assert str(caught.value).endswith("no good." if error.args else "KeyError.")


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize("error, said", [
    (Silent("x"), "Silent"), (SystemExit(2), "SystemExit: 2"), (GeneratorExit(), "GeneratorExit"),
    (ValueError("two\n  lines."), "ValueError: two lines"),
    (ValueError("x" * 100_000), f"ValueError: {'x' * 180} [...]"),
], ids=["no words", "exit", "another", "lines", "long"])
def test_whatever_an_answer_raises_is_one_short_sentence(error, said):
    def attempt(x):
        raise error

    with pytest.raises(AssertionError) as caught:
        judge("99.1", attempt, lambda x: x, [(np.ones(3),)])
    assert str(caught.value) == f"exercise 99.1: your function stopped for x of shape (3,) with {said}."


def test_ctrl_c_in_an_answer_is_no_wrong_answer():
    def attempt(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge("99.1", attempt, lambda x: x, [(np.ones(3),)])


def test_an_answer_of_several_results_of_which_none_was_begun_is_not_attempted(capsys):
    for attempt in (lambda x: (..., ...), lambda x: ...):
        judge("99.1", attempt, lambda x: (x, x), [(1.0,), (2.0,)], ("dx", "dW"))
    by_hand("99.1", (..., ...), (1.0, 2.0), ("dx", "dW"), {})
    by_hand("99.1", [..., ...], (1.0, 2.0), ("dx", "dW"), {})
    assert capsys.readouterr().out == 4 * "exercise 99.1: not attempted yet\n"


@pytest.mark.parametrize("first", [True, False])
def test_what_is_begun_in_one_case_alone_is_not_finished(first, capsys):
    judge("99.1", lambda x: x if (x == 1.0) == first else ..., lambda x: x, [(1.0,), (2.0,)], ("h",))
    judge("99.1", lambda x: (x, x if (x == 1.0) == first else ...), lambda x: (x, x), [(1.0,), (2.0,)], ("h", "dh"))
    one, two = capsys.readouterr().out.splitlines()
    assert one.endswith("not finished: h still `...`, the rest is correct") and "finished: dh still" in two


class Unready:
    def __array__(self, *_, **__):
        raise RuntimeError("detach it first.")


@pytest.mark.parametrize("yours, words", [
    (Unready(), "h is a Unready that is no array (RuntimeError: detach it first), expected an array of numbers"),
    ("x" * 100_000, f"h is the text '{'x' * 59} ..., expected an array of numbers"),
    (10**5000, "h is an int of 16610 bits, expected an array of numbers"),
    (type("", (), {})(), "h is a nameless object, expected an array of numbers"),
    (np.array([True, False]), "h[1] is 0, expected 1."),
], ids=["no array", "long", "large", "nameless", "bools"])
def test_numbers_says_what_is_none_in_one_short_sentence(yours, words):
    with pytest.raises(AssertionError) as caught:
        compare("99.1", yours, np.array([True, True]), ("h",))
    assert words in str(caught.value) and len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def test_a_choice_of_any_length_is_refused_in_a_short_sentence():
    with pytest.raises(AssertionError) as caught:
        choose("99.1", "a" * 100_000, "a", {"a": "", "b": "no."})
    assert "is none of the options: expected one of 'a', 'b'" in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_the_tables_of_lesson_20_take_any_subset_of_the_records(kept, capsys):
    records = [one for one in read_records(LESSONS / "results") if one.trial["experiment"] == "compact"]
    runs = compact_records.grouped(records[:kept], "compact")
    compact_records.print_sizes(runs)
    compact_records.print_medians(runs, 3)
    assert sum(map(len, runs.values())) == kept
    names = {name for name, part in runs}
    lines = 3 + 2 * len(names) + bool(kept)                   # two heads, the number of seeds, how far they lie apart
    assert len(capsys.readouterr().out.splitlines()) == lines
    compact_records.print_ranges(runs, 3)
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(names)


def test_the_tables_of_lesson_20_show_a_networks_numbers_ranks_seeds_and_median(capsys):
    runs = compact_records.grouped(read_records(LESSONS / "results"), "compact")
    compact_records.print_sizes(runs)
    compact_records.print_medians(runs, 3)
    sizes, medians = capsys.readouterr().out.split("seeds of each network: 3")
    middle = sorted(one.test for one in runs["Toeplitz-like", 2])[1]
    assert re.search(r"Toeplitz-like +60,455 \(22 22 22\) +29,735 \(9 9 8\)", sizes)
    assert re.search(rf"Toeplitz-like +{middle:.3f} \(", medians)
    assert "lie up to 0.375 apart (projection, 1/4)" in medians
    compact_records.print_ranges(runs, 3)
    assert "3.270 to 3.645" in capsys.readouterr().out
    assert compact_records.ranks(runs["hybrid", 2][0]) == [2, 54, 54]
    assert compact_records.ranks(runs["projection", 4][0]) == [19, 19]
    assert compact_records.ranks(runs["fewer units", 1][0]) == []
    assert [one.trial["seed"] for one in runs["Toeplitz-like", 2]] == [0, 1, 2]
