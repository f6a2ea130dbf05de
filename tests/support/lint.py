"""Reads every page that any test opens as strictly as the standard and WCAG do, so no test has to ask for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from flask.testing import FlaskClient
from justhtml import Element, JustHTML
from werkzeug.test import TestResponse

from app.web.headers import HEADERS

LANGUAGES = {"nb", "nn", "en"}
SEVERAL_LANDMARKS = ("nav", "section", "aside", "form")
INTERACTIVE = "a[href], button, input, select, textarea, summary"
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
    page = document.root
    return [
        *(f"line {error.line}: {error.code}" for error in document.errors),
        *_frame(page),
        *_references(page),
        *_names(page),
        *_inline(page),
        *_nesting(page),
        *_forms_and_tables(page),
    ]


def _words(element: Element) -> str:
    return " ".join(element.to_text().split())


def _attribute(element: Element, name: str) -> str:
    return (element.attrs or {}).get(name) or ""


def _has(element: Element, name: str) -> bool:
    return name in (element.attrs or {})


def _frame(page: Any) -> Iterator[str]:
    """Language, title, one h1 that begins the title, one main, landmarks that can be told apart."""
    if _attribute(page.query("html")[0], "lang") not in LANGUAGES:
        yield "the language of the page is not said"
    headings = [_words(heading) for heading in page.query("h1")]
    titles = [_words(title) for title in page.query("title") if title.parent.name == "head"]
    if len(headings) != 1 or not headings[0]:
        yield f"{len(headings)} h1"
    elif len(titles) != 1 or not re.match(rf"(\w+: )?{re.escape(headings[0])}", titles[0]):
        yield f"the title {titles} does not begin with the h1 {headings}"
    for landmark in ("main", "body > header", "body > footer"):
        if len(page.query(landmark)) != 1:
            yield f"not exactly one {landmark}"
    named = Counter((mark.name, _name(page, mark)) for kind in SEVERAL_LANDMARKS for mark in page.query(kind))
    yield from (f"two {kind} called {name!r}" for (kind, name), times in named.items() if name and times > 1)
    yield from ("a nav without a name" for mark in page.query("nav") if not _name(page, mark))
    viewport = page.query('meta[name="viewport"]')
    if not viewport or re.search("user-scalable|maximum-scale", _attribute(viewport[0], "content")):
        yield "the page cannot be zoomed"
    levels = [int(heading.name[1]) for heading in page.query("h1, h2, h3, h4, h5, h6")]
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"h{before} is followed by h{after}"


def _name(page: Any, element: Element) -> str:
    by = [_words(found) for id_ in _attribute(element, "aria-labelledby").split() for found in page.query(f"#{id_}")]
    return " ".join(by) or _attribute(element, "aria-label")


def _references(page: Any) -> Iterator[str]:
    """Ids are unique, and what points to an id finds it."""
    ids = Counter(_attribute(element, "id") for element in page.query("[id]"))
    yield from (f"the id {id_!r} is there {times} times" for id_, times in ids.items() if times > 1 or not id_)
    for element in page.query("*"):
        wanted = [
            *(
                id_
                for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "commandfor")
                for id_ in _attribute(element, name).split()
            ),
            *([_attribute(element, "href")[1:]] if re.match("#.", _attribute(element, "href")) else []),
        ]
        yield from (f"<{element.name}> points to the missing id {id_!r}" for id_ in wanted if id_ not in ids)


def _names(page: Any) -> Iterator[str]:
    """What can be used says what it is; pictures have a text, or say that they need none."""
    labelled = {_attribute(label, "for") for label in page.query("label[for]") if _words(label)}
    for element in page.query("input, select, textarea"):
        is_silent = _attribute(element, "type") in ("hidden", "submit", "button")
        if not is_silent and _attribute(element, "id") not in labelled and not _name(page, element):
            yield f"the field {_attribute(element, 'name')!r} has no label"
    for element in page.query("a[href], button, summary"):
        if not (_words(element) or _name(page, element)):
            yield f"a {element.name} without words"
    yield from ("an img without alt" for element in page.query("img") if not _has(element, "alt"))
    for element in page.query("svg"):
        if _attribute(element, "aria-hidden") != "true" and not _name(page, element):
            yield "an svg that is neither hidden nor named"


def _inline(page: Any) -> Iterator[str]:
    """Nothing that the Content-Security-Policy would stop."""
    if page.query("style"):
        yield "a style element"
    yield from ("an inline script" for script in page.query("script") if not _has(script, "src"))
    for element in page.query("*"):
        for name, value in (element.attrs or {}).items():
            if name == "style" or name.startswith("on"):
                yield f"{name} on <{element.name}>"
            if name in ("href", "src", "action") and (value or "").strip().lower().startswith("javascript:"):
                yield f"a javascript: address on <{element.name}>"
    for element in page.query("script[src], img[src], link[href]"):
        address = _attribute(element, "src") or _attribute(element, "href")
        if re.match("([a-z]+:)?//", address):
            yield f"<{element.name}> fetches from elsewhere: {address}"


def _nesting(page: Any) -> Iterator[str]:
    """Lists hold items, tables rows, and nothing that can be used lies in another such thing."""
    for parent, allowed in ALLOWED_CHILDREN.items():
        for element in page.query(parent):
            names = {child.name for child in element.children if not child.name.startswith("#")}
            if names - allowed:
                yield f"<{parent}> holds {', '.join(sorted(names - allowed))}"
    for outer in page.query("a[href], button, summary, label"):
        inner = outer.query(INTERACTIVE)
        if inner and outer.name != "label":
            yield f"<{inner[0].name}> inside <{outer.name}>"
    yield from (f"<{child.name}> inside <p>" for child in page.query("p div, p ul, p ol, p table, p form, p h2, p h3"))


def _forms_and_tables(page: Any) -> Iterator[str]:
    """Forms that change something carry their token; tables say what they are, and which cells are headings."""
    for form in page.query("form"):
        is_post, leads_away = _attribute(form, "method").lower() == "post", "://" in _attribute(form, "action")
        has_token = bool(form.query('input[name="csrf_token"]'))
        if is_post and not has_token and not leads_away:
            yield f"the form to {_attribute(form, 'action')!r} has no CSRF token"
        if has_token and leads_away:
            yield f"the form to {_attribute(form, 'action')!r} tells somebody else our CSRF token"
    for table in page.query("table"):
        if not table.query("caption"):
            yield "a table without a caption"
        if not all(_has(cell, "scope") for cell in table.query("th")) or not table.query("th"):
            yield "a table whose headings are not said"
