"""The book as a person meets it: every page in headless Chromium, on a phone, a laptop and a wide screen.

A page is loaded once, on the laptop, and all looks at it follow: it is walked by the keyboard, turned to the other
screens, then taken apart for axe, in its light and its dark colours.
"""

from pathlib import Path

import pytest

pytestmark = pytest.mark.book
LESSONS = Path(__file__).parents[1] / "lessons"
SOURCES = [*LESSONS.glob("*.ipynb"), *LESSONS.glob("*.md"), LESSONS / "results" / "README.md"]
NAMES = sorted(str(path.relative_to(LESSONS).with_suffix(".html").as_posix()) for path in SOURCES)
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
COLOURS = ["color-contrast", "link-in-text-block"]            # of axe's rules, those that ask for colours
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"],
    "rules": {rule: {"enabled": False} for rule in COLOURS},
}
KINDS = """() => {
    const seen = new Set();
    for (const element of document.body.querySelectorAll("*")) {
        element.removeAttribute("data-kind");
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
        const { color, fontSize, fontWeight } = getComputedStyle(element);
        let kind = color + fontSize + fontWeight;
        for (let above = element; above; above = above.parentElement) {
            const { backgroundColor, opacity } = getComputedStyle(above);
            kind += above.tagName + above.className + backgroundColor + opacity;
        }
        if (!seen.has(kind)) element.setAttribute("data-kind", "");
        seen.add(kind);
    }
}"""                                                          # one text of each colour, size, ground and place
FAINT = 'async (rules) => (await axe.run("[data-kind]", { runOnly: rules, resultTypes: ["violations"] })).violations'
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 400)))"    # the theme waits 300 ms
DARK = "() => { document.documentElement.dataset.theme = 'dark'; }"
GROUND = "getComputedStyle(document.body).backgroundColor"

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


def screen(size):
    return dict(zip(("width", "height"), WIDTHS[size]))


def fetched(context, address, name):
    """A page that has drawn its formulas, and the list of what went wrong on the way."""
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


@pytest.fixture
def opened(chromium, address):
    """opened(name, size, scheme) -> a page of its own, and what went wrong on the way."""
    contexts = []

    def open_page(name, size="laptop", scheme="light"):
        contexts.append(chromium.new_context(viewport=screen(size), color_scheme=scheme, reduced_motion="reduce"))
        return fetched(contexts[-1], address, name)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module", params=NAMES)
def loaded(request, chromium, address):
    """Each page of the book in turn, loaded once on a laptop, and what went wrong on the way."""
    context = chromium.new_context(viewport=screen("laptop"), color_scheme="light", reduced_motion="reduce")
    yield fetched(context, address, request.param)
    context.close()


def assert_it_fits(page, size):
    assert page.evaluate(UNDRAWN) == [] and page.evaluate(PICTURES) == [], size
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (size, page.evaluate(TOO_WIDE))
    assert page.evaluate(TOO_WIDE) == [], size


def faults(violations):
    return [(fault["id"], [node["html"][:160] for node in fault["nodes"]][:3]) for fault in violations]


def faint(page):
    """The texts that their ground does not let stand out, one of each kind."""
    page.evaluate(KINDS)
    return faults(page.evaluate(FAINT, COLOURS))


def test_the_keyboard_reaches_all_that_can_be_pressed_or_scrolled(loaded):
    page, _ = loaded
    walk(page)
    assert page.evaluate(MISSED) == []


def walk(page):
    """Hold the Tab key until it has been at every place, and some more."""
    for _ in range(page.evaluate(REACHABLE) + 30):
        page.keyboard.down("Tab")
    page.keyboard.up("Tab")


def test_a_page_fits_every_screen_and_all_of_it_arrives(loaded):
    page, wrong = loaded
    for size in WIDTHS:
        page.set_viewport_size(screen(size))
        assert_it_fits(page, size)
    assert wrong == []


def test_a_page_keeps_the_rules_of_accessibility_in_light_and_dark_colours(loaded):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    page, _ = loaded
    page.set_viewport_size(screen("laptop"))
    page.evaluate(SETTLED)                                    # what can be scrolled now can be reached
    page.evaluate(ALIKE)
    found = axe.Axe().run(page, options=RULES).response["violations"]
    assert faults(found) == [] and faint(page) == []
    light = page.evaluate(GROUND)
    page.emulate_media(color_scheme="dark")
    page.evaluate(DARK)                                       # as it is where dark is asked for from the start: below
    assert page.evaluate(GROUND) != light and faint(page) == []


@pytest.mark.parametrize("size, scheme", [("phone", "light"), ("wide", "dark")])
def test_a_page_that_is_loaded_on_another_screen_or_in_the_dark_is_as_one_that_is_turned_so(opened, size, scheme):
    page, wrong = opened("16-what-neurons-keep.html", size, scheme)
    assert_it_fits(page, size)
    assert wrong == [] and page.evaluate("document.documentElement.dataset.theme") == scheme


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
    walk(page)
    assert len(page.evaluate(MISSED)) == 1 and len(wrong) == 1 and wrong[0].startswith("404")


@pytest.mark.parametrize("scheme, colour", [("light", "#c0c0c0"), ("dark", "#404040")])
def test_a_faint_word_among_a_thousand_of_its_kind_is_found(opened, scheme, colour):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    page, _ = opened("notation.html", "laptop", scheme)
    page.evaluate(ALIKE)
    axe.Axe().run(page, options={**RULES, "runOnly": ["wcag2a"]})     # brings axe into the page
    assert faint(page) == []
    last = page.locator("main article td").last
    last.evaluate("(cell, colour) => { cell.style.color = colour; }", colour)
    assert [rule for rule, _ in faint(page)] == ["color-contrast"]
