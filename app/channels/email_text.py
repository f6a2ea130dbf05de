"""The words of an invoice e-mail in nb, nn and en; needs no web request, so any thread may write one."""

from __future__ import annotations

import datetime as dt
import io
from functools import cache
from pathlib import Path

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from app.channels.contract import Consignment
from app.core.money import format_ore
from app.core.settings import Settings

LANGUAGES = ("nb", "nn", "en")
TEMPLATES = Path(__file__).parents[2] / "templates" / "email"
TRANSLATIONS = Path(__file__).parent / "translations"

# Babel's plain "en" writes dates the American way.
_LOCALES = {"en": "en_GB"}


def invoice_text(consignment: Consignment, settings: Settings) -> str:
    """The mail's body in the recipient's language: payment details on a demand, none on a notice."""
    language = language_of(consignment)
    return _template(language).render(
        kind=consignment.kind,
        is_notice=consignment.witness_kind == "notice",
        issuer=consignment.issuer_name,
        number=consignment.number,
        amount=format_ore(_shown_ore(consignment), language),
        due_on=long_date(consignment.due_on, language),
        kid=consignment.kid,
        account=_grouped(consignment.account),
        phone=settings.contact_phone,
        email=settings.contact_email,
        postal_address=settings.municipality_address,
    )


def _shown_ore(consignment: Consignment) -> int:
    """A credit note says how much it credits, whatever sign it came with."""
    return abs(consignment.amount_ore) if consignment.kind == "credit_note" else consignment.amount_ore


def language_of(consignment: Consignment) -> str:
    """The recipient's language where we have it, else bokmål."""
    return consignment.recipient.language if consignment.recipient.language in LANGUAGES else LANGUAGES[0]


@cache
def long_date(day: dt.date, language: str) -> str:
    """*day* as people write it: ``21. desember 2026``, ``21 December 2026``."""
    return format_date(day, "long", locale=_LOCALES.get(language, language))


@cache
def _template(language: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - plain text, where escaping would show
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(_translations(language), newstyle=True)  # type: ignore[attr-defined]
    return environment.get_template("faktura.txt")


def _translations(language: str) -> NullTranslations:
    """Read from the .po file itself: the program needs no compiled catalogue."""
    if language == LANGUAGES[0]:
        return NullTranslations()
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def _grouped(account: str | None) -> str | None:
    """Eleven digits as banks print them: ``1234.56.78911``."""
    if account is None or len(account) != 11 or not account.isdigit():
        return account
    return f"{account[:4]}.{account[4:6]}.{account[6:]}"
