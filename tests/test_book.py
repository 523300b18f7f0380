"""The book: its pages have all that the lessons have, say what is stored, and need no other host."""

import json
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from book_pages import IN_STYLE, Page, asks_another_host, has_a_dead_link, has_an_image_without_alt, in_order, read

import minidurnn
from minidurnn.records import read_records
from minidurnn.tasks import DelayedXOR

ROOT = Path(__file__).parents[1]
SITE = "browser"                                              # the lessons that run, which are pages of JupyterLite
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
lessons = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def cells(lesson, kind):
    return [cell for cell in json.loads(lesson.read_text())["cells"] if cell["cell_type"] == kind]


def prose(lesson):
    return "\n\n".join("".join(cell["source"]) for cell in cells(lesson, "markdown"))


@pytest.fixture(scope="session")
def paths(book):
    return sorted(path for path in book.rglob("*.html") if not {"_static", SITE} & set(path.parts))


@pytest.mark.book
def test_no_page_and_no_style_asks_another_host(book, paths):
    assert [(path.name, fault) for path in paths for fault in asks_another_host(read(path))] == []
    sheets = [path for path in book.rglob("*.css") if SITE not in path.parts]
    styles = {path.name: IN_STYLE.findall(path.read_text()) for path in sheets}
    assert len(styles) > 3 and not any(styles.values())


@pytest.mark.book
def test_every_image_has_alternative_text(paths):
    assert [(path.name, fault) for path in paths for fault in has_an_image_without_alt(read(path))] == []


@pytest.mark.book
def test_every_link_within_the_book_leads_to_a_page_and_an_anchor_of_it(paths):
    assert [(path.name, fault) for path in paths for fault in has_a_dead_link(path)] == []


@pytest.mark.book
def test_the_links_to_the_next_page_lead_through_every_page_with_the_lessons_in_order(book, paths):
    visited = in_order(book)
    assert set(visited) == set(paths) - {book / "search.html"}
    assert [path.stem for path in visited if path.stem[0].isdigit()] == [lesson.stem for lesson in LESSONS]


@pytest.mark.book
@lessons
def test_every_equation_of_a_lesson_has_its_number_and_its_anchor(book, lesson):
    tags = re.findall(r"\\tag\{([^}]+)\}", prose(lesson))
    page = read(book / f"{lesson.stem}.html")
    assert tags and {f"equation-{tag.replace('.', '-')}" for tag in tags} <= page.anchors
    assert all(f"({tag})" in page.words for tag in tags) and "\\tag" not in page.words


@pytest.mark.book
@lessons
def test_a_lessons_page_has_its_cells_its_stored_outputs_and_its_folded_hints(book, lesson):
    page, code = read(book / f"{lesson.stem}.html"), cells(lesson, "code")
    outputs = [output for cell in code for output in cell["outputs"]]
    assert len(page.named("div", **{"class": "cell_input"})) == len(code)
    assert len(page.named("img")) == sum("image/png" in output.get("data", {}) for output in outputs)
    for output in outputs:
        assert " ".join("".join(output.get("text", ())).split()) in page.words
    folded = page.named("details")
    assert len(folded) >= prose(lesson).count("<details") and not any("open" in own for own in folded)


@pytest.mark.book
def test_equations_that_are_cited_are_links_also_to_other_lessons(book):
    links = [own["href"] for own in read(book / "16-what-neurons-keep.html").named("a", **{"class": "internal"})]
    assert "05-independent-neurons.html#equation-5-7" in links


@pytest.mark.book
def test_the_page_of_the_library_has_every_public_name_with_its_docstring(book):
    page = read(book / "library.html")
    assert set(minidurnn.__all__) <= {anchor.rpartition(".")[2] for anchor in page.anchors}
    first = minidurnn.DuRNN.__doc__.split("\n")[0].split("    ")[0]
    assert first in page.words and "bool(x)" not in page.words


@pytest.mark.book
def test_the_page_of_records_has_a_row_for_every_record_and_its_tables_sort(book):
    page = read(book / "records.html")
    assert len(page.named("tr")) == 1 + len(read_records(ROOT / "lessons" / "results"))
    for name in ("records", "notation", "results/README"):
        tables = read(book / f"{name}.html").named("table")
        assert tables and all("sortable" in own["class"].split() for own in tables)


FAULTS = [
    (asks_another_host, '<script src="https://cdn.example/x.js"></script>', '<script src="_static/x.js"></script>'),
    (asks_another_host, '<link rel="stylesheet" href="//fonts.example/f.css">', '<a href="https://example.org">x</a>'),
    (asks_another_host, "<style>p { background: url(http://a.example/b.png) }</style>", "<style>p {}</style>"),
    (has_an_image_without_alt, '<img src="a.png">', '<img src="a.png" alt="A curve that falls.">'),
    (has_an_image_without_alt, '<img src="a.png" alt="_images/a.png">', '<img src="a.png" alt="A curve that rises.">'),
]


@pytest.mark.parametrize("check, bad, good", FAULTS)
def test_the_check_of_a_page_finds_a_planted_fault_and_no_other(check, bad, good):
    assert len(list(check(Page(bad)))) == 1 and list(check(Page(good))) == []


LINKS = [("b.html#there", 0), ("b.html#away", 1), ("c.html", 1), ("#own", 0), ("#no", 1)]


@pytest.mark.parametrize("link, faults", LINKS)
def test_the_check_of_links_finds_a_dead_one(tmp_path, link, faults):
    (tmp_path / "b.html").write_text('<p id="there">')
    (tmp_path / "a.html").write_text(f'<p id="own"><a href="{link}">x</a>')
    assert len(list(has_a_dead_link(tmp_path / "a.html"))) == faults


def memory():
    """The module that draws the first page's run; it needs NumPy only."""
    spec = spec_from_file_location("memory", ROOT / "lessons" / "book" / "memory.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("steps, sequences", [(20, 200), (100, 200), (5000, 20)])
def test_the_drawn_network_answers_delayed_xor_at_any_length(steps, sequences):
    x, target, _ = DelayedXOR(steps).batch(np.random.default_rng(0), sequences)
    assert (memory().answer(steps, x.astype(float)) == target.ravel()).all()


def test_the_drawn_network_keeps_the_constraints_of_its_cell():
    cell, p = memory().by_hand(100)
    assert cell.project(p) is p


def test_the_drawing_says_what_is_left_of_the_marked_bit():
    drawn = memory()
    _, _, _, short, long = drawn.states()
    after = short[drawn.MARKED - 1:]
    assert np.allclose(after[:drawn.KEPT], 0.9 ** np.arange(drawn.KEPT)) and not after[drawn.KEPT:].any()
    assert (abs(long[drawn.MARKED - 1:] - 1) < 1e-12).all() and not long[:drawn.MARKED - 1].any()
    assert f"to\n{0.9 ** 7:.2f} in 7 steps" in drawn.drawing()
