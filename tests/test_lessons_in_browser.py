"""Lessons that run in the browser: their site, the pages that link to it, and two of them in headless Chromium.

What a lesson claims is tested elsewhere, with NumPy as it is installed. Here each cell has to run in the browser, so
the two lessons train for fewer updates than in the course: WebAssembly takes three to ten times as long.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import browser
import forked
import pytest

ROOT = Path(__file__).parents[1]
STAND_IN = ROOT / "lessons" / "book" / "kernel"
SHORTER = {                                                   # lesson -> what is replaced in it, each found once
    "00-start-here": [
        ("Adding(T), 200,", "Adding(T), 20,"), ('"log_every": 10,', '"log_every": 1,'),
        ("assert losses[6:9, -1].max() <", "losses[6:9, -1].max() <"),
    ],
    "05-independent-neurons": [
        ("Adding(500).test()", "Adding(500).batch(rng, 50)"), ("Adding(100).test()", "Adding(100).batch(rng, 50)"),
        ("for updates in (1, 100):", "for updates in (1, 2):"), ("Adding(100), 400,", "Adding(100), 8,"),
        ('"log_every": 50, "validate_every": 50,', '"log_every": 1, "validate_every": 1,'),
    ],
}
ANSWERS = {                                                   # lesson -> a wrong and a right answer, and what is said
    "00-start-here": [('exercise.check_1("b")', "that is how far h_2 grows"),
                      ('exercise.check_1("c")', "exercise 00.1: correct")],
    "05-independent-neurons": [("exercise.check_4([0.1] * 10)", "no step is silent"),
                               ("exercise.check_4([-1, 1] + [0] * 8)", "exercise 05.4: correct")],
}
CELLS = """() => [...document.querySelectorAll(".jp-Notebook .jp-CodeCell")].map((cell) => ({
    ran: /^\\[\\d+\\]:$/.test(cell.querySelector(".jp-InputPrompt").textContent.trim()),
    failed: cell.querySelector(".jp-Cell-outputArea")?.innerText.includes("Traceback (most recent call last)") ?? false,
    pictures: cell.querySelectorAll('[data-mime-type="image/svg+xml"] img').length,
    said: cell.querySelector(".jp-Cell-outputArea")?.innerText ?? "",
}))"""
ENDED = f"""() => {{
    const cells = ({CELLS})();
    return cells.length > 5 && (cells.every((cell) => cell.ran) || cells.some((cell) => cell.failed));
}}"""
PATIENCE = 900_000                                            # milliseconds, for machines with much else to do


@pytest.mark.book
def test_each_lesson_of_part_one_links_to_where_it_runs_and_no_page_does_without_the_site(book):
    linked = {path.stem for path in book.glob("*.html") if 'class="run-in-browser"' in path.read_text()}
    assert linked == (set() if browser.lacking() else {path.stem for path in browser.lessons()})
    assert bool(linked) == (book / "browser" / "jupyter-lite.json").exists()


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("name", ["05-independent-neurons", "12-predict-the-next-character", "notation"])
def test_the_link_is_on_lessons_that_run_where_the_site_is_asked_for(asked, name):
    nodes = pytest.importorskip("docutils.nodes", reason="the book's tools: pip install -e '.[book]'")
    pages = pytest.importorskip("pages", reason="the book's tools: pip install -e '.[book]'")
    page, section = nodes.document(None, None), nodes.section()
    section += nodes.title("", "A title")
    section += nodes.paragraph("", "A text.")
    page += section
    pages.link_to_run(SimpleNamespace(config=SimpleNamespace(lessons_in_browser=asked)), page, name)
    links = [link["refuri"] for link in page.findall(nodes.reference)]
    assert links == ([f"browser/notebooks/index.html?path={name}.ipynb"] if asked and name[:2] == "05" else [])
    assert isinstance(section[0], nodes.title)


def test_what_is_missing_for_the_site_is_said_in_a_sentence(monkeypatch, tmp_path):
    def found(name):
        raise browser.PackageNotFoundError(name)

    monkeypatch.setattr(browser, "distribution", found)
    with pytest.raises(RuntimeError, match="^jupyterlite-core is not installed: pip install"):
        browser.build(tmp_path / "site")
    monkeypatch.setattr(browser, "distribution", lambda name: SimpleNamespace(version="0.21.0"))
    assert browser.lacking().startswith("jupyterlite-core is 0.21.0, and the site needs 0.2: pip install")


def test_no_folder_of_other_things_is_overwritten(monkeypatch, tmp_path):
    monkeypatch.setattr(browser, "lacking", lambda: None)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="is no site of lessons"):
        browser.build(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_lesson_of_the_site_says_what_is_different_and_was_not_run(tmp_path):
    browser.gather(tmp_path / "files")
    made = sorted(path.name for path in (tmp_path / "files").glob("*.ipynb"))
    assert made == [path.name for path in browser.lessons()] and {"00", "08", "14"} <= {name[:2] for name in made}
    for name in made:
        notebook = json.loads((tmp_path / "files" / name).read_text(encoding="utf-8"))
        source = json.loads((ROOT / "lessons" / name).read_text(encoding="utf-8"))
        first, *cells = notebook["cells"]
        assert first["source"].startswith("**Try it.**") and "times as long" in first["source"]
        assert [cell["source"] for cell in cells] == [cell["source"] for cell in source["cells"]]
        assert not any(cell.get("outputs") for cell in cells) and notebook["metadata"]["kernelspec"] == browser.KERNEL


def drawn(code):
    """Code that draws with the stand-in  ->  what it prints; it runs in a process that has no other matplotlib."""
    start = f"import sys; sys.path.insert(0, {str(STAND_IN)!r}); sys.path.insert(1, {str(ROOT)!r})\n"
    done = forked.run([sys.executable, "-c", start + code])
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_stand_in_draws_every_kind_of_figure_as_a_picture_that_is_well_formed():
    picture = ElementTree.fromstring(drawn("""
import numpy as np
from minidurnn.plots import arrow, box, curves, line, panels, plt, reference, sketch, timeline
figure, (one, two) = panels("a < b & two panels: $h_{t-1}$", 2)
line(one, [1, 10, 100], [1e-3, np.nan, 10], "falls", 3, marker="o"); reference(one, 0.1, "chance")
one.set(xscale="log", yscale="log", title="left", xlabel="x", ylabel="y"); one.legend()
two.bar([1, 2], [3, 4], 0.5); two.scatter([1, 2], [1, 2], c=["#000000", "#D55E00"]); two.axvspan(1, 1.5, alpha=0.3)
two.step([1, 2, 3], [1, 2, 3], "--", where="mid", c="k", label="steps"); two.fill_between([1, 2], 0, 1)
two.set_xticks([1, 2], ["one", "two\\nlines"]); two.text(1, 1, "words", backgroundcolor="white")
figure.legend(loc="outside lower center")
print(figure.svg())
"""))
    kinds = [element.tag.rpartition("}")[2] for element in picture.iter()]
    assert kinds.count("rect") > 4 and kinds.count("circle") > 3 and kinds.count("path") > 8
    said = "".join(picture.itertext())
    assert "a < b & two panels" in said and "chance" in said and "steps" in said and "nan" not in said
    bent = drawn("""
from minidurnn.plots import arrow, box, plt, sketch
axes = sketch("a drawing", (0, 4), (0, 2))
arrow(axes, box(axes, 1, 1, "$x_t$", filled=True), box(axes, 3, 1, "b"), "W", bend=0.3, dashed=True)
print(axes.figure.svg())
""")
    ElementTree.fromstring(bent)
    assert "stroke-dasharray" in bent and "nan" not in bent


@pytest.mark.parametrize("call", [
    "axes.hist([1])", "axes.plot([1], zorder=3)", "figure.colorbar()", "plt.imshow([[1]])", "plt.subplots(2)",
    "matplotlib.colormaps", "axes.annotate('a', (0, 0), xycoords='figure pixels')", "axes.axis('equal')",
])
def test_what_the_stand_in_lacks_is_said_in_a_sentence(call):
    said = drawn(f"""
import matplotlib, matplotlib.pyplot as plt
figure, axes = plt.subplots()
try:
    {call}
except (AttributeError, TypeError, ValueError) as error:
    print(error)
""")
    assert "not among the calls that figures have in the browser" in said


def test_numbers_have_places_and_names_as_matplotlib_gives_them():
    assert drawn("""
import matplotlib.scales as s
print(s._plain(s._steps(0, 1, 5)), s._plain([0.25, 0.5]), s._decades(0.5, 2000)[1], s._decades(2, 8)[1])
one = s.Scale(); one.see([1, 3]); print(*one.range(), one.place([1.0, 3.0]).round(3))
two = s.Scale(); two.see([0], margin=False); two.see([4]); print(*two.range())
""").splitlines() == [
        "['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'] ['0.25', '0.50'] ['$10^{0}$', '$10^{1}$', '$10^{2}$', '$10^{3}$'] "
        "['2', '5']",
        "0.9 3.1 [0.045 0.955]", "0.0 4.2",
    ]


def shortened(path, changes):
    """Let a lesson of the site train for fewer updates."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        old, new = (json.dumps(part, ensure_ascii=False)[1:-1] for part in (old, new))
        assert text.count(old) == 1, f"{path.name} has changed: {old!r} stands in it {text.count(old)} times, not once"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


@pytest.mark.book
@pytest.mark.parametrize("lesson", SHORTER)
def test_a_lesson_runs_whole_in_the_browser_and_checks_an_exercise(book, chromium, address, lesson):
    if browser.lacking():
        pytest.skip(f"no lessons in the browser: {browser.lacking()}")
    shortened(book / "browser" / "files" / f"{lesson}.ipynb", SHORTER[lesson])
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, wrong = context.new_page(), []
    context.on("request", lambda asked: wrong.append(f"asks {asked.url}")
               if not asked.url.startswith((address, "data:", "blob:")) else None)
    context.on("response", lambda got: wrong.append(f"{got.status} for {got.url}") if got.status >= 400 else None)
    page.goto(f"{address}/{lesson}.html")
    page.click("p.run-in-browser a")
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    assert page.locator(".jp-MarkdownCell").first.inner_text().startswith("Try it.")
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
    page.wait_for_function(ENDED, polling=500)
    cells = page.evaluate(CELLS)
    assert [cell["said"] for cell in cells if cell["failed"]] == []
    assert all(cell["ran"] for cell in cells)
    stored = json.loads((ROOT / "lessons" / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell, seen in zip((cell for cell in stored if cell["cell_type"] == "code"), cells, strict=True):
        kinds = [kind for output in cell["outputs"] for kind in output.get("data", {"text": 0})]
        assert seen["pictures"] == kinds.count("image/png") and bool(seen["said"]) >= ("text" in kinds)
    last = page.locator(".jp-Notebook .jp-CodeCell").last
    for answer, said in ANSWERS[lesson]:
        last.locator(".cm-content").click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(answer)
        page.keyboard.press("Control+Enter")
        last.locator(".jp-OutputArea").get_by_text(said).first.wait_for()
    assert wrong == []
    context.close()
