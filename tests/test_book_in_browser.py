"""The book as a person meets it: every page in headless Chromium, on a phone, a laptop and a wide screen."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.book
LESSONS = Path(__file__).parents[1] / "lessons"
SOURCES = [*LESSONS.glob("*.ipynb"), *LESSONS.glob("*.md"), LESSONS / "results" / "README.md"]
NAMES = sorted(str(path.relative_to(LESSONS).with_suffix(".html").as_posix()) for path in SOURCES)
pages = pytest.mark.parametrize("name", NAMES)
WIDTHS = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1080)}
ALIKE = """() => {
    document.querySelectorAll("details").forEach((folded) => { folded.open = true; });
    document.querySelectorAll("tbody tr:nth-child(n + 8), mjx-container").forEach((element) => element.remove());
    const seen = new Set();
    for (const word of document.querySelectorAll("pre span[class]")) {
        const kind = word.className + word.closest("pre").parentElement.parentElement.className;
        if (seen.has(kind)) word.replaceWith(word.textContent);
        seen.add(kind);
    }
}"""                                                          # one of each kind: axe takes its time for each element
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}

DRAWN = "async () => { if (window.MathJax) await MathJax.startup.promise; await document.fonts.ready; }"
UNDRAWN = """() => [...document.querySelectorAll(".math")].filter(
    (formula) => !formula.querySelector("mjx-container svg") || formula.querySelector("[data-mml-node=merror]")
).map((formula) => formula.textContent.slice(0, 80))"""
PICTURES = """() => Promise.all([...document.images].map(async (image) => {
    image.loading = "eager"; await image.decode().catch(() => {});
    return image.naturalWidth && image.alt.trim() ? null : image.src;
})).then((faults) => faults.filter(Boolean))"""
TOO_WIDE = """() => [...document.querySelectorAll("main *")].filter((element) => {
    for (let above = element.parentElement; above && !above.matches("article, main"); above = above.parentElement)
        if (getComputedStyle(above).overflowX !== "visible") return false;
    return element.getBoundingClientRect().right > innerWidth + 1;
}).map((element) => element.outerHTML.slice(0, 120)).slice(0, 5)"""
REACHABLE = """() => {
    document.addEventListener("focusin", (event) => event.target.setAttribute("data-reached", ""));
    const pressed = "a[href], button, summary, input, select, textarea, [tabindex='0']";
    const wanted = [...document.querySelectorAll(`${pressed}, main *`)]
        .filter((element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length
            && !element.disabled && !element.closest("[inert], dialog:not([open])"))
        .filter((element) => element.matches(pressed) || (element.scrollWidth > element.clientWidth + 1
            && /auto|scroll/.test(getComputedStyle(element).overflowX)));
    for (const element of wanted) element.setAttribute("data-wanted", "");
    return wanted.length;
}"""
MISSED = """() => [...document.querySelectorAll("[data-wanted]:not([data-reached])")].filter(
    (element) => !element.querySelector("[data-reached]")).map((element) => element.outerHTML.slice(0, 160))"""


@pytest.fixture
def opened(chromium, address):
    """opened(name, size, scheme) -> a page that has drawn its formulas, and the list of what went wrong on the way."""
    contexts = []

    def open_page(name, size="laptop", scheme="light"):
        width, height = WIDTHS[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        page, wrong = context.new_page(), []
        page.set_default_timeout(120_000)
        page.on("request", lambda asked: wrong.append(f"asks {asked.url}")
                if not asked.url.startswith((address, "data:", "blob:")) else None)
        page.on("requestfailed", lambda asked: wrong.append(f"no answer for {asked.url}"))
        page.on("response", lambda got: wrong.append(f"{got.status} for {got.url}") if got.status >= 400 else None)
        page.on("pageerror", lambda error: wrong.append(f"a script fails: {error}"))
        page.goto(f"{address}/{name}")
        page.evaluate(DRAWN)
        return page, wrong

    yield open_page
    for context in contexts:
        context.close()


@pages
@pytest.mark.parametrize("size", WIDTHS)
def test_a_page_fits_its_screen_and_all_of_it_arrives(opened, name, size):
    page, wrong = opened(name, size)
    assert page.evaluate(UNDRAWN) == [] and page.evaluate(PICTURES) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.evaluate(TOO_WIDE)
    assert page.evaluate(TOO_WIDE) == [] and wrong == []


@pages
def test_the_keyboard_reaches_all_that_can_be_pressed_or_scrolled(opened, name):
    page, _ = opened(name)
    for _ in range(page.evaluate(REACHABLE) + 30):
        page.keyboard.press("Tab")
    assert page.evaluate(MISSED) == []


@pages
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_keeps_the_rules_of_accessibility(opened, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    page, _ = opened(name, "laptop", scheme)
    page.evaluate(ALIKE)
    found = axe.Axe().run(page, options=RULES).response["violations"]
    assert [(fault["id"], [node["html"][:160] for node in fault["nodes"]][:3]) for fault in found] == []


def test_search_finds_a_word_of_a_lesson(opened):
    page, wrong = opened("search.html?q=chrono")
    page.wait_for_selector("ul.search li a")
    found = [link.get_attribute("href") for link in page.query_selector_all("ul.search li a")]
    assert any("09-the-adding-problem" in link for link in found)
    assert wrong == []


def test_the_records_sort_and_filter(opened):
    page, _ = opened("records.html")
    shown = "[...document.querySelectorAll('table.filtered tbody tr:not([hidden])')]"
    tests = f"{shown}.map((row) => row.cells[8].innerText)"
    page.fill(".filter input", "delayed-xor durnn solved")
    everything = page.evaluate(tests)
    page.click("table.filtered th:nth-child(9) button")
    assert 0 < len(everything) < 100 and page.evaluate(tests) == sorted(everything, key=float)
    page.click("table.filtered th:nth-child(9) button")
    assert page.evaluate(tests) == sorted(everything, key=float, reverse=True)


def test_a_cited_equation_leads_to_its_line_in_another_lesson(opened):
    page, _ = opened("16-what-neurons-keep.html")
    page.click("main a[href$='05-independent-neurons.html#equation-5-7']")
    page.wait_for_url("**/05-independent-neurons.html#equation-5-7")       # and it is loaded
    page.evaluate(DRAWN)
    assert "(5.7)" in page.inner_text("#equation-5-7") and page.locator("#equation-5-7").is_visible()


def test_a_folded_hint_opens_by_the_keyboard(opened):
    page, _ = opened("01-backpropagation-through-time.html")
    page.locator("main summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("main details[open]").count() == 1


PLANTED = [
    (UNDRAWN, '<span class="math">\\(x\\)</span>'),
    (PICTURES, '<img src="_static/icon.svg" alt="">'),
    (PICTURES, '<img src="_static/none.svg" alt="A picture that is not there.">'),
    (TOO_WIDE, '<p style="width: 2000px">wide</p>'),
]


@pytest.mark.parametrize("look, fault", PLANTED)
def test_what_looks_at_a_page_finds_a_planted_fault(opened, look, fault):
    page, _ = opened("index.html", "phone")
    page.evaluate("(html) => document.querySelector('main article').insertAdjacentHTML('beforeend', html)", fault)
    assert len(page.evaluate(look)) == 1


def test_the_walk_with_the_keyboard_misses_what_it_cannot_reach(opened):
    page, wrong = opened("search.html")
    page.evaluate("() => { document.querySelector('main a, main input, main button').tabIndex = -1; fetch('/none'); }")
    for _ in range(page.evaluate(REACHABLE) + 30):
        page.keyboard.press("Tab")
    assert len(page.evaluate(MISSED)) == 1 and len(wrong) == 1 and wrong[0].startswith("404")
