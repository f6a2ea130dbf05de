"""The reader of pages finds each kind of fault: a lint that cannot fail would prove nothing."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.lint import LintingClient, faults

GOOD = """<!doctype html><html lang="nb"><head><title>Faktura – Strand</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><header>x</header><main><h1>Faktura</h1>{}</main><footer>y</footer></body></html>"""


def test_a_page_in_order_has_no_fault() -> None:
    assert faults(GOOD.format("<p>Hei</p>")) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<h1>To</h1>", "2 h1"),
        ("<main>to</main>", "not exactly one main"),
        ("<h3>x</h3>", "h1 is followed by h3"),
        ("<nav><a href='/'>x</a></nav>", "a nav without a name"),
        ("<nav aria-label='a'>x</nav><nav aria-label='a'>y</nav>", "two nav called 'a'"),
        ("<p id='a'>x</p><p id='a'>y</p>", "the id 'a' is there 2 times"),
        ("<a href='#b'>x</a>", "<a> points to the missing id 'b'"),
        ("<p aria-describedby='b'>x</p>", "<p> points to the missing id 'b'"),
        ("<input name='a'>", "the field 'a' has no label"),
        ("<label for='a'></label><input id='a' name='a'>", "the field 'a' has no label"),
        ("<label>A</label><input name='a'>", "the field 'a' has no label"),
        ("<a href='/'></a>", "a a without words"),
        ("<img src='/x.png'>", "an img without alt"),
        ("<svg></svg>", "an svg that is neither hidden nor named"),
        ("<script>1</script>", "an inline script"),
        ("<p style='color:red'>x</p>", "style on <p>"),
        ("<p onclick='x()'>x</p>", "onclick on <p>"),
        ("<a href='javascript:x()'>x</a>", "a javascript: address on <a>"),
        ("<script src='https://elsewhere.example/x.js'></script>", "fetches from elsewhere"),
        ("<ul><p>x</p></ul>", "<ul> holds p"),
        ("<a href='/'><button>x</button></a>", "<button> inside <a>"),
        ("<p><div>x</div></p>", "unexpected-end-tag"),
        ("<form method='post' action='/x'><button>x</button></form>", "has no CSRF token"),
        ("<form method='post' action='/x'><button name='csrf_token'>x</button></form>", "has no CSRF token"),
        ("<table><tbody><tr><th scope='row'>x</th></tr></tbody></table>", "a table without a caption"),
        ("<table><caption>x</caption><tbody><tr><td>x</td></tr></tbody></table>", "headings are not said"),
    ],
)
def test_each_fault_is_found(body: str, fault: str) -> None:
    assert fault in "; ".join(faults(GOOD.format(body)))


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('lang="nb"', 'lang="xx"', "the language of the page is not said"),
        ("Faktura – Strand", "Annet", "does not begin with the h1"),
        ("initial-scale=1", "maximum-scale=1", "cannot be zoomed"),
        ("<footer>y</footer>", "", "not exactly one body > footer"),
    ],
)
def test_each_fault_of_the_frame_is_found(right: str, wrong: str, fault: str) -> None:
    assert fault in "; ".join(faults(GOOD.format("").replace(right, wrong)))


def test_the_client_refuses_a_faulty_page_and_says_which(app: Flask) -> None:
    app.add_url_rule("/feil", view_func=lambda: "<p>no page</p>")
    app.test_client_class = LintingClient
    with pytest.raises(AssertionError, match=r"GET /feil: .*0 h1"):
        app.test_client().get("/feil")
