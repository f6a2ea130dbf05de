"""Reads every page that any test opens as strictly as the standard and WCAG do, so no test has to ask for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

from flask.testing import FlaskClient
from justhtml import Element, JustHTML
from werkzeug.test import TestResponse

from app.web.headers import HEADERS

LANGUAGES = {"nb", "nn", "en"}
SEVERAL_LANDMARKS = ("nav", "section", "aside", "form")
ENDS = ("header", "footer")
FIELDS = ("input", "select", "textarea")
INTERACTIVE = ("button", "summary", *FIELDS)
BLOCKS = {"div", "ul", "ol", "table", "form", "h2", "h3"}
ALLOWED_CHILDREN = {
    "ul": {"li"},
    "ol": {"li"},
    "dl": {"div", "dt", "dd"},
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot"},
    "tr": {"th", "td"},
}


class LintingClient(FlaskClient):
    """A browser without a browser, which refuses a page that is not in order."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """As Flask's; raises AssertionError naming every fault of an HTML page of ours."""
        response = super().open(*args, **kwargs)
        is_page = response.mimetype == "text/html" and not 300 <= response.status_code < 400
        request = response.request
        # The stand-ins imitate other people's pages.
        if is_page and request.method not in ("HEAD", "OPTIONS") and not request.path.startswith("/sandbox"):
            found = [*faults(response.text), *header_faults(response)]
            assert not found, f"{request.method} {request.path}: " + "; ".join(found)
        return response


def header_faults(response: TestResponse) -> Iterator[str]:
    """What is wrong with the headers of a page."""
    for name, value in HEADERS.items():
        if name != "X-Robots-Tag" and response.headers.get(name) != value:
            yield f"header {name} is {response.headers.get(name)!r}"
    if response.headers.get("Cache-Control") not in ("no-store", "private, no-cache"):
        yield f"header Cache-Control is {response.headers.get('Cache-Control')!r}"


def faults(html: str) -> list[str]:
    """Every fault of the page *html*, as sentences."""
    document = JustHTML(html, sanitize=False, collect_errors=True)
    page = Page(document.root)
    return [
        *(f"line {error.line}: {error.code}" for error in document.errors),
        *_frame(page),
        *_references(page),
        *_names(page),
        *_inline(page),
        *_nesting(page),
        *_forms_and_tables(page),
    ]


class Page:
    """The elements of a page, read once: selectors would walk the whole page for each of some fifty questions."""

    def __init__(self, root: Any) -> None:
        self.elements: list[Element] = list(_inside(root))

    def named(self, *names: str) -> list[Element]:
        """The elements that are called so, in the order of the page."""
        return [element for element in self.elements if element.name in names]

    @cached_property
    def by_id(self) -> dict[str, Element]:
        """The first element with each id."""
        return {_attribute(element, "id"): element for element in reversed(self.elements) if _has(element, "id")}


def _inside(element: Any) -> Iterator[Element]:
    for child in element.children or ():
        if not child.name.startswith(("#", "!")):
            yield child
            yield from _inside(child)


def _words(element: Element) -> str:
    return " ".join(element.to_text().split())


def _attribute(element: Element, name: str) -> str:
    return (element.attrs or {}).get(name) or ""


def _has(element: Element, name: str) -> bool:
    return name in (element.attrs or {})


def _parent(element: Element) -> str:
    return element.parent.name if element.parent is not None else ""


def _links(page: Page) -> list[Element]:
    return [link for link in page.named("a") if _has(link, "href")]


def _frame(page: Page) -> Iterator[str]:
    """Language, title, one h1 that begins the title, one main, landmarks that can be told apart."""
    if _attribute(page.named("html")[0], "lang") not in LANGUAGES:
        yield "the language of the page is not said"
    headings = [_words(heading) for heading in page.named("h1")]
    titles = [_words(title) for title in page.named("title") if _parent(title) == "head"]
    if len(headings) != 1 or not headings[0]:
        yield f"{len(headings)} h1"
    elif len(titles) != 1 or not re.match(rf"(\w+: )?{re.escape(headings[0])}", titles[0]):
        yield f"the title {titles} does not begin with the h1 {headings}"
    # A section has a header and a footer of its own; a page's stand right in its body.
    own = {f"body > {name}": [mark for mark in page.named(name) if _parent(mark) == "body"] for name in ENDS}
    for landmark, marks in {"main": page.named("main"), **own}.items():
        if len(marks) != 1:
            yield f"not exactly one {landmark}"
    named = Counter((mark.name, _name(page, mark)) for mark in page.named(*SEVERAL_LANDMARKS))
    yield from (f"two {kind} called {name!r}" for (kind, name), times in named.items() if name and times > 1)
    yield from ("a nav without a name" for mark in page.named("nav") if not _name(page, mark))
    viewport = [meta for meta in page.named("meta") if _attribute(meta, "name") == "viewport"]
    if not viewport or re.search("user-scalable|maximum-scale", _attribute(viewport[0], "content")):
        yield "the page cannot be zoomed"
    levels = [int(heading.name[1]) for heading in page.named("h1", "h2", "h3", "h4", "h5", "h6")]
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"h{before} is followed by h{after}"


def _name(page: Page, element: Element) -> str:
    ids = _attribute(element, "aria-labelledby").split()
    by = [_words(page.by_id[id_]) for id_ in ids if id_ in page.by_id]
    return " ".join(by) or _attribute(element, "aria-label")


def _references(page: Page) -> Iterator[str]:
    """Ids are unique, and what points to an id finds it."""
    ids = Counter(_attribute(element, "id") for element in page.elements if _has(element, "id"))
    yield from (f"the id {id_!r} is there {times} times" for id_, times in ids.items() if times > 1 or not id_)
    for element in page.elements:
        wanted = [
            *(
                id_
                for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "commandfor")
                for id_ in _attribute(element, name).split()
            ),
            *([_attribute(element, "href")[1:]] if re.match("#.", _attribute(element, "href")) else []),
        ]
        yield from (f"<{element.name}> points to the missing id {id_!r}" for id_ in wanted if id_ not in ids)


def _names(page: Page) -> Iterator[str]:
    """What can be used says what it is; pictures have a text, or say that they need none."""
    labelled = {_attribute(label, "for") for label in page.named("label") if _has(label, "for") and _words(label)}
    for element in page.named(*FIELDS):
        is_silent = _attribute(element, "type") in ("hidden", "submit", "button")
        if not is_silent and _attribute(element, "id") not in labelled and not _name(page, element):
            yield f"the field {_attribute(element, 'name')!r} has no label"
    for element in [*_links(page), *page.named("button", "summary")]:
        if not (_words(element) or _name(page, element)):
            yield f"a {element.name} without words"
    yield from ("an img without alt" for element in page.named("img") if not _has(element, "alt"))
    for element in page.named("svg"):
        if _attribute(element, "aria-hidden") != "true" and not _name(page, element):
            yield "an svg that is neither hidden nor named"


def _inline(page: Page) -> Iterator[str]:
    """Nothing that the Content-Security-Policy would stop."""
    if page.named("style"):
        yield "a style element"
    yield from ("an inline script" for script in page.named("script") if not _has(script, "src"))
    for element in page.elements:
        for name, value in (element.attrs or {}).items():
            if name == "style" or name.startswith("on"):
                yield f"{name} on <{element.name}>"
            if name in ("href", "src", "action") and (value or "").strip().lower().startswith("javascript:"):
                yield f"a javascript: address on <{element.name}>"
    for element in page.named("script", "img", "link"):
        address = _attribute(element, "src") or _attribute(element, "href")
        if re.match("([a-z]+:)?//", address):
            yield f"<{element.name}> fetches from elsewhere: {address}"


def _nesting(page: Page) -> Iterator[str]:
    """Lists hold items, tables rows, and nothing that can be used lies in another such thing."""
    for element in page.named(*ALLOWED_CHILDREN):
        names = {child.name for child in element.children if not child.name.startswith("#")}
        if names - ALLOWED_CHILDREN[element.name]:
            yield f"<{element.name}> holds {', '.join(sorted(names - ALLOWED_CHILDREN[element.name]))}"
    for outer in [*_links(page), *page.named("button", "summary")]:
        inner = [one for one in _inside(outer) if one.name in INTERACTIVE or (one.name == "a" and _has(one, "href"))]
        if inner:
            yield f"<{inner[0].name}> inside <{outer.name}>"
    for paragraph in page.named("p"):
        yield from (f"<{child.name}> inside <p>" for child in _inside(paragraph) if child.name in BLOCKS)


def _forms_and_tables(page: Page) -> Iterator[str]:
    """Forms that change something carry their token; tables say what they are, and which cells are headings."""
    for form in page.named("form"):
        is_post, leads_away = _attribute(form, "method").lower() == "post", "://" in _attribute(form, "action")
        has_token = any(_attribute(field, "name") == "csrf_token" for field in _inside(form) if field.name == "input")
        if is_post and not has_token and not leads_away:
            yield f"the form to {_attribute(form, 'action')!r} has no CSRF token"
        if has_token and leads_away:
            yield f"the form to {_attribute(form, 'action')!r} tells somebody else our CSRF token"
    for table in page.named("table"):
        headings = [cell for cell in _inside(table) if cell.name == "th"]
        if not any(part.name == "caption" for part in _inside(table)):
            yield "a table without a caption"
        if not headings or not all(_has(cell, "scope") for cell in headings):
            yield "a table whose headings are not said"
