"""The offer's mail as bytes: each form of it is rendered once, and what differs from mail to mail is put in after."""

from __future__ import annotations

import binascii
import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime, formataddr
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape
from mjml import mjml2html

from app.campaigns.links import OfferLinks
from app.campaigns.models import Activation
from app.campaigns.words import words
from app.channels.email_text import long_date
from app.clients.mime import Prepared, header
from app.clients.return_path import ReturnPath
from app.core.clock import OSLO
from app.core.settings import Settings

TEMPLATES = Path(__file__).parents[2] / "templates" / "email"
# What differs from mail to mail, as it stands in a form until it is known: nothing that escaping or MJML changes.
SLOTS = {"first_name": "qFIRSTNAMEq", "date": "qDATEq", "link": "https://q.invalid/LINKq",
         "unsubscribe_link": "https://q.invalid/UNSUBSCRIBEq"}  # fmt: skip
_SLOT = re.compile("(" + "|".join(map(re.escape, SLOTS.values())) + ")")
_NAMES = {slot: name for name, slot in SLOTS.items()}
# MJML calls the mail an article; by itself it is a page without a main part, which screen readers look for.
_AS_ARTICLE = (' aria-roledescription="email"', ' role="article"')
_BETWEEN_TAGS = re.compile(r">\s+<")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to write. ``first_name`` is empty where several share the address. repr shows ids alone.

    ``offer``: the public id of the offer that the link is of; ``mail``: the mail's own.
    """

    key: str
    mail: str
    offer: str
    link_number: int
    recipient: str = field(repr=False)
    first_name: str = field(repr=False)
    language: str
    is_resend: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with slots, in quoted-printable: its fixed pieces, encoded once, and the names of what goes between."""

    pieces: tuple[bytes, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str, line_end: bytes) -> Filled:
        """Cut *text* at its slots. Each piece but the last ends in a soft break, so no line grows too long."""
        parts = _SLOT.split(text)
        soft = b"=" + line_end
        pieces = [_quoted(part, line_end) + soft for part in parts[:-1:2]] + [_quoted(parts[-1], line_end)]
        return cls(tuple(pieces), tuple(_NAMES[part] for part in parts[1::2]))

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """With *values*, encoded by `_slot_value`, in the slots."""
        filled = [self.pieces[0]]
        for name, piece in zip(self.names, self.pieces[1:], strict=True):
            filled += (values[name], piece)
        return b"".join(filled)


@dataclass(frozen=True, slots=True)
class Form:
    """One form of the mail, rendered."""

    subject: str
    text: Filled
    html: Filled


@dataclass
class Writer:
    """Writes the mails of a campaign. ``line_end``: of the way they leave by."""

    settings: Settings
    links: OfferLinks
    line_end: bytes
    _forms: dict[tuple[str, bool], Form] = field(default_factory=dict)

    @cached_property
    def _path(self) -> ReturnPath:
        return ReturnPath.by(self.settings)

    @cached_property
    def _sender(self) -> str:
        return formataddr(self._path.sender)

    def prepare(self, letter: Letter, now: dt.datetime) -> Prepared:
        """The bytes of *letter*, dated *now* (aware)."""
        form = self._form(letter.language, is_shared=not letter.first_name)
        local = now.astimezone(OSLO)
        until = local.date() + dt.timedelta(days=self.settings.offer_link_days)
        unsubscribe_link = self.links.unsubscribe_url(letter.mail)
        values = {
            "first_name": self._slot_value(letter.first_name),
            "date": self._slot_value(long_date(until, letter.language)),
            "link": self._slot_value(self.links.offer_url(letter.offer, letter.link_number)),
            "unsubscribe_link": self._slot_value(unsubscribe_link),
        }
        safe = {**values, "first_name": self._slot_value(str(escape(letter.first_name)))}
        # Text in quoted-printable cannot hold "=_".
        boundary, end = f"=_{letter.key}", self.line_end
        head = "\n".join(
            [
                *self._headers(letter, form, local, unsubscribe_link),
                f'Content-Type: multipart/alternative; boundary="{boundary}"',
                "",
                "",
            ]
        )
        parts = [
            head.encode("ascii").replace(b"\n", end),
            _part(boundary, "plain", end),
            form.text.fill(values),
            end,
            _part(boundary, "html", end),
            form.html.fill(safe),
            end,
        ]
        return Prepared(b"".join(parts), f"--{boundary}--".encode("ascii") + end)

    def _slot_value(self, text: str) -> bytes:
        return _quoted(text, self.line_end) + b"=" + self.line_end

    def _headers(self, letter: Letter, form: Form, now: dt.datetime, unsubscribe_link: str) -> list[str]:
        return [
            f"From: {self._sender}",
            f"To: <{letter.recipient}>",
            form.subject,
            f"Date: {format_datetime(now)}",
            f"Message-ID: <{self._path.message_id(letter.key)}>",
            # RFC 8058. Never encoded or folded inside: programs read the address from it.
            f"List-Unsubscribe: <{unsubscribe_link}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            # RFC 3834: nobody's holiday message should answer it.
            "Auto-Submitted: auto-generated",
            *(["X-Offer-Resend: yes"] if letter.is_resend else []),
            f"Content-Language: {letter.language}",
            "MIME-Version: 1.0",
        ]

    def _form(self, language: str, *, is_shared: bool) -> Form:
        form = self._forms.get((language, is_shared))
        if form is None:
            form = self._forms[language, is_shared] = self._rendered(language, is_shared)
        return form

    def _rendered(self, language: str, is_shared: bool) -> Form:
        settings = self.settings
        values = {
            "name": settings.municipality_name,
            "phone": settings.contact_phone,
            "site": urlsplit(settings.base_url).netloc,
            **SLOTS,
        }
        said = words(Activation(settings.efaktura_activation), language, values, is_shared=is_shared)
        given = {"words": said, "language": language, **values}
        html = mjml2html(_template("tilbud.mjml", is_html=True)(given), fonts={}, disable_comments=False)
        return Form(
            header("Subject", said["subject"]),
            Filled.of(_template("tilbud.txt", is_html=False)(given), self.line_end),
            Filled.of(_BETWEEN_TAGS.sub(">\n<", _as_page(html)), self.line_end),
        )


def _part(boundary: str, subtype: str, line_end: bytes) -> bytes:
    lines = (
        f"--{boundary}",
        f"Content-Type: text/{subtype}; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "",
    )
    return "\n".join(lines).encode("ascii").replace(b"\n", line_end)


def _quoted(text: str, line_end: bytes) -> bytes:
    return binascii.b2a_qp(text.encode(), istext=True).replace(b"\n", line_end)


def _as_page(html: str) -> str:
    description, role = _AS_ARTICLE
    return html.replace(description, "", 1).replace(role, ' role="main"', 1)


def _template(name: str, *, is_html: bool) -> Callable[[Mapping[str, object]], str]:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=is_html,  # noqa: S701 - off for plain text alone, where escaping would show
    )
    return environment.get_template(name).render
