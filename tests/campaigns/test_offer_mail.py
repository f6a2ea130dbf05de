"""The offer's mail: what it says, what it carries, and that every form of it is as it was last looked at."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from justhtml import JustHTML

from app.campaigns.links import OfferLinks
from app.campaigns.mail import Letter, Writer
from app.clients.mime import UNIX, WIRE
from app.core.settings import Settings
from tests.campaigns.village import read
from tests.conftest import make_settings

SNAPSHOTS = Path(__file__).parent / "snapshots"
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
KEY, MAIL, OFFER = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "123")
LARGEST = 25_000
FORMS = [
    (mode, language, is_shared)
    for mode in ("agreement", "guide")
    for language in ("nb", "nn", "en")
    for is_shared in (False, True)
]


@pytest.fixture
def plain_settings(tmp_path: Path) -> Settings:
    """No database is needed to write a mail."""
    return make_settings(
        tmp_path, base_url="https://faktura.strand.kommune.no", mail_return_path="retur+{key}@example.com"
    )


def written(settings: Settings, line_end: bytes = WIRE, **values: object) -> bytes:
    """A mail as it leaves."""
    kept: dict[str, object] = {"recipient": "kari@example.com", "first_name": "Kari", "language": "nb"}
    letter = Letter(KEY, MAIL, OFFER, 1, **(kept | values))  # type: ignore[arg-type]
    prepared = Writer(settings, OfferLinks.by(settings), line_end).prepare(letter, NOW)
    return prepared.head + prepared.rest


def bodies(content: bytes) -> tuple[str, str]:
    """Its two versions: as text and as HTML."""
    mail = read(content)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def without_tokens(text: str) -> str:
    """Tokens differ with the key and the second."""
    return re.sub(r"(/(?:efaktura|avmeld)/)[\w.-]+", r"\1TOKEN", text)


@pytest.mark.parametrize(("mode", "language", "is_shared"), FORMS)
def test_each_form_is_as_it_was_last_looked_at(
    plain_settings: Settings, mode: str, language: str, is_shared: bool
) -> None:
    settings = plain_settings.model_copy(update={"efaktura_activation": mode})
    content = written(settings, UNIX, language=language, first_name="" if is_shared else "Kari")
    text, html = (without_tokens(part) for part in bodies(content))
    name = f"{mode}-{language}{'-shared' if is_shared else ''}"
    # One language is enough for what the pages look like.
    for suffix, part in (("txt", text), ("html", html)) if language == "nb" else (("txt", text),):
        path = SNAPSHOTS / f"{name}.{suffix}"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(part, encoding="utf-8")
            pytest.fail(f"{path.name} was not there and is written now: look at it, and run the test again")
        assert part == path.read_text(encoding="utf-8"), f"{path.name}: look at the mail, then remove the old one"


@pytest.mark.parametrize(("mode", "language", "is_shared"), FORMS)
def test_each_form_is_small_whole_and_loads_nothing_from_outside(
    plain_settings: Settings, mode: str, language: str, is_shared: bool
) -> None:
    settings = plain_settings.model_copy(update={"efaktura_activation": mode})
    content = written(settings, language=language, first_name="" if is_shared else "Kari")
    assert len(content) <= LARGEST
    assert max(map(len, content.split(b"\r\n"))) <= 998
    text, html = bodies(content)
    assert "q.invalid" not in text + html
    assert not re.search(r"%\(|qFIRST|qDATE|\{\{", text + html)
    page = JustHTML(html, strict=False)
    assert page.query("img, link, script, iframe, object, form") == []
    assert "url(" not in html
    assert "@import" not in html
    assert [(node.attrs or {})["lang"] for node in page.query("html")] == [language]
    assert len(page.query("h1")) == 1
    links = {str((node.attrs or {})["href"]) for node in page.query("a")}
    assert len(links) == 2
    assert all(link.startswith("https://faktura.strand.kommune.no/") for link in links)
    assert all(link in text for link in links)
    assert "prefers-color-scheme: dark" in html


def test_a_program_that_answers_mail_or_unsubscribes_finds_what_it_needs(plain_settings: Settings) -> None:
    content = written(plain_settings)
    mail = read(content)
    assert mail["Message-ID"] == f"<{KEY}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Content-Language"] == "nb"
    assert mail["X-Invoice-Number"] is None
    link = re.search(rb"^List-Unsubscribe: <(https://faktura\.strand\.kommune\.no/avmeld/([\w.-]+))>\r$", content, re.M)
    assert link is not None
    assert OfferLinks.by(plain_settings).read_unsubscribe(link[2].decode()) == MAIL


def test_the_link_is_of_this_offer_and_number_and_stands_in_full_beside_the_button(plain_settings: Settings) -> None:
    text, html = bodies(written(plain_settings))
    tokens = re.findall(r"/efaktura/([\w.-]+)", text)
    link = OfferLinks.by(plain_settings).read_offer(tokens[0])
    assert (link.offer, link.number, link.is_expired) == (OFFER, 1, False)
    assert html.count(f"https://faktura.strand.kommune.no/efaktura/{tokens[0]}") == 3


def test_a_name_is_written_as_text_whatever_it_holds(plain_settings: Settings) -> None:
    text, html = bodies(written(plain_settings, first_name="<b>Åse & =Co.\n.</b>"))
    assert "Hei, <b>Åse & =Co." in text
    assert "Hei, &lt;b&gt;Åse &amp; =Co." in html


def test_no_form_claims_that_the_invoices_come_by_post(plain_settings: Settings) -> None:
    text, html = bodies(written(plain_settings))
    assert not re.search(r"posten\b|papir|i dag", (text + html).replace("e-posten", ""), re.IGNORECASE)


def test_a_mail_begun_a_second_time_says_so(plain_settings: Settings) -> None:
    assert read(written(plain_settings, is_resend=True))["X-Offer-Resend"] == "yes"
    assert read(written(plain_settings))["X-Offer-Resend"] is None
