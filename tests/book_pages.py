"""What is wrong with the pages of the book, one sentence for each fault, from their HTML alone."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {
    "script": ("src",), "link": ("href",), "img": ("src", "srcset"), "source": ("src", "srcset"), "iframe": ("src",),
    "video": ("src", "poster"), "audio": ("src",), "object": ("data",), "embed": ("src",), "form": ("action",),
    "use": ("href", "xlink:href"), "image": ("href", "xlink:href"),
}
ELSEWHERE = re.compile(r"^\s*(?:[a-z][a-z+.-]*:)?//", re.I)
IN_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//[^)\"'\s]*", re.I)


class Page(HTMLParser):
    """The tags of a page with their attributes, its anchors, and the text that a reader sees, scripts aside."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.text, self.styles, self.inside = [], [], [], []
        self.feed(source)
        self.anchors = {own[name] for _, own in self.tags for name in ("id", "name") if name in own}
        self.words = " ".join("".join(self.text).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, {name: value or "" for name, value in attributes}))
        self.inside = [tag] if tag in ("script", "style") else []

    def handle_endtag(self, tag):
        self.inside = []

    def handle_data(self, data):
        if self.inside == ["style"]:
            self.styles.append(data)
        elif not self.inside:
            self.text.append(data)

    def named(self, tag, **attributes):
        """The attributes of every tag of this name that has these among its own; class: one of its classes."""
        return [own for name, own in self.tags if name == tag and all(
            value in own.get(key, "").split() for key, value in attributes.items())]


@cache
def read(path):
    return Page(path.read_text(encoding="utf-8"))


def asks_another_host(page):
    for tag, attributes in page.tags:
        for name in LOADED.get(tag, ()):
            if ELSEWHERE.match(attributes.get(name, "")) and attributes.get("rel") not in ("canonical", "author"):
                yield f"<{tag}> loads {attributes[name]} from another host"
        yield from (f"a style loads {found}" for found in IN_STYLE.findall(attributes.get("style", "")))
    yield from (f"a style loads {found}" for style in page.styles for found in IN_STYLE.findall(style))


def has_an_image_without_alt(page):
    for attributes in page.named("img"):
        alt = attributes.get("alt", "").strip()
        if len(alt) < 10 or re.search(r"\.(png|svg|jpe?g|gif)$", alt) or " " not in alt:
            yield f"the image {attributes.get('src')} has no alternative text (it says {alt!r})"


def has_a_dead_link(path):
    for attributes in read(path).named("a"):
        link = urlsplit(attributes.get("href", ""))
        if link.scheme or link.netloc or "href" not in attributes:
            continue
        target = (path.parent / unquote(link.path)).resolve() if link.path else path
        if not target.is_file():
            yield f"a link leads to {attributes['href']}, which is no file of the book"
        elif link.fragment and target.suffix == ".html" and unquote(link.fragment) not in read(target).anchors:
            yield f"a link leads to {attributes['href']}, and that page has no such anchor"


def in_order(book):
    """The pages in the order of their links to the next, from the first on."""
    path, seen = Path(book) / "index.html", []
    while path not in seen:
        seen.append(path)
        following = read(path).named("a", **{"class": "right-next"})
        path = (path.parent / following[0]["href"]).resolve() if following else path
    return seen
