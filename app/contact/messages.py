"""The words of codes and notices, in the reader's language. A text message holds no link."""

from __future__ import annotations

from app.clients.sms_text import code_text
from app.contact.codes import CODE_LIFE
from app.contact.desk import Desk
from app.core.language import translated
from app.core.links import address
from app.residents.models import ContactKind


def _(message: str) -> str:
    """Marks *message* for extraction."""
    return message


MINUTES = int(CODE_LIFE.total_seconds() // 60)
EMAIL_SUBJECT = _("%(code)s er koden din hos %(name)s")
EMAIL_CODE = (
    _("Koden din er %(code)s. Skriv den inn på siden du kom fra. Den virker i 10 minutter."),
    _("Du kan også bekrefte adressen her. Lenken virker i et døgn:"),
)
EMAIL_NOT_YOU = _("Var det ikke du som ba om koden, kan du slette denne e-posten.")
SMS_NOTICE = _("%(name)s bruker ikke lenger dette nummeret. Var det ikke du som endret det? Ring %(phone)s.")
NOTICE_SUBJECT = _("E-postadressen din hos %(name)s er endret")
EMAIL_NOTICE = _("Vi bruker ikke lenger denne adressen. Var det ikke du som endret den? Ring oss på %(phone)s.")
SMS_REGISTERED = _(
    "%(name)s har lagt inn dette nummeret på deg etter en samtale. Stemmer det ikke? Ring %(phone)s. "
    "Du trenger ikke svare på meldingen."
)
REGISTERED_SUBJECT = _("Bekreft e-postadressen din hos %(name)s")
EMAIL_REGISTERED = (
    _("Vi har lagt inn denne e-postadressen på deg etter en samtale. "
      "Vi bruker den til å sende fakturaer og si fra om dem."),
    _("Bekreft at adressen er din. Lenken virker i et døgn:"),
)  # fmt: skip
EMAIL_NOT_RIGHT = _("Stemmer det ikke? Ring oss på %(phone)s.")
GREETING = _("Hilsen %(name)s")


def send_code(desk: Desk, kind: ContactKind, value: str, public_id: str, code: str) -> bool:
    """Send *code*, and by e-mail the link too; whether it got away. *public_id* is the confirmation's."""
    settings = desk.settings
    if kind is ContactKind.MOBILE:
        text = code_text(code, desk.language, settings.municipality_name, MINUTES)
        return desk.messenger.sms(public_id, value, text)
    link = _link(desk, public_id)
    by_code, by_link = (_said(desk, words, code) for words in EMAIL_CODE)
    text = "\n\n".join((by_code, by_link, link, _said(desk, EMAIL_NOT_YOU), _said(desk, GREETING)))
    return desk.messenger.email(public_id, value, _said(desk, EMAIL_SUBJECT, code), text)


def send_registered(desk: Desk, kind: ContactKind, value: str, key: str) -> bool:
    """Tell the new *value* that the municipality has registered it; whether it got away.

    A number is asked for nothing. An address gets the link that confirms it: *key* is the confirmation's public id.
    """
    if kind is ContactKind.MOBILE:
        return desk.messenger.sms(key, value, _said(desk, SMS_REGISTERED))
    registered, by_link = (_said(desk, words) for words in EMAIL_REGISTERED)
    link = _link(desk, key)
    text = "\n\n".join((registered, by_link, link, _said(desk, EMAIL_NOT_RIGHT), _said(desk, GREETING)))
    return desk.messenger.email(key, value, _said(desk, REGISTERED_SUBJECT), text)


def send_notice(desk: Desk, kind: ContactKind, value: str, key: str) -> bool:
    """Tell the old *value* that it is no longer used, since a stranger may have changed it."""
    if kind is ContactKind.MOBILE:
        return desk.messenger.sms(key, value, _said(desk, SMS_NOTICE))
    text = f"{_said(desk, EMAIL_NOTICE)}\n\n{_said(desk, GREETING)}"
    return desk.messenger.email(key, value, _said(desk, NOTICE_SUBJECT), text)


def _link(desk: Desk, public_id: str) -> str:
    return address(desk.settings, f"/min-side/epost/bekreft/{desk.codes.token(public_id)}")


def _said(desk: Desk, words: str, code: str = "") -> str:
    settings = desk.settings
    values = {"code": code, "name": settings.municipality_name, "phone": settings.contact_phone}
    return translated(words, desk.language) % values
