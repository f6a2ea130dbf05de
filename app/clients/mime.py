"""A mail with one PDF as bytes, made without the standard library's flattening, which takes ten times as long."""

from __future__ import annotations

import binascii
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.header import Header
from email.utils import format_datetime, formataddr

WIRE, UNIX = b"\r\n", b"\n"

_LINE = 76
# Cuts faster than slicing in a loop.
_LINES = re.compile(rb".{1,76}").findall
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,60}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. ``recipient``: one checked ASCII address. ``file_name``: ASCII letters, digits, ``._-``.

    ``message_id`` without angle brackets. ``headers``: more of them, any text. repr shows neither address nor content.
    """

    message_id: str
    sender: tuple[str, str]
    recipient: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    language: str
    file_name: str
    pdf: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail's bytes: ``head`` up to the attachment's content, and ``rest``, no line of which begins with a dot."""

    head: bytes = field(repr=False)
    rest: bytes = field(repr=False)


def prepare(mail: Mail, at: dt.datetime, line_end: bytes = WIRE) -> Prepared:
    """The bytes of *mail*, dated *at* (aware). Raises ValueError for a file or header name that is not plain ASCII."""
    if _TOKEN.fullmatch(mail.file_name) is None:
        raise ValueError("the attachment's name must be plain ASCII")
    # Neither text in quoted-printable nor base64 can hold "=_".
    boundary = f"=_{mail.message_id.partition('@')[0]}"
    head = "\n".join(
        [
            f"From: {formataddr(mail.sender)}",
            f"To: <{mail.recipient}>",
            header("Subject", mail.subject),
            f"Date: {format_datetime(at)}",
            f"Message-ID: <{mail.message_id}>",
            *(header(name, value) for name, value in mail.headers.items()),
            header("Content-Language", mail.language),
            "MIME-Version: 1.0",
            f'Content-Type: multipart/mixed; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            "",
            _quoted_printable(mail.text),
            f"--{boundary}",
            f'Content-Type: application/pdf; name="{mail.file_name}"',
            "Content-Transfer-Encoding: base64",
            f'Content-Disposition: attachment; filename="{mail.file_name}"',
            "",
            "",
        ]
    )
    rest = line_end.join([_base64(mail.pdf, line_end), f"--{boundary}--".encode(), b""])
    return Prepared(head.encode("ascii").replace(b"\n", line_end), rest)


def header(name: str, value: str) -> str:
    """One header, folded and encoded where needed; control characters in *value*, line breaks too, become blanks."""
    if _HEADER_NAME.fullmatch(name) is None:
        raise ValueError(f"not the name of a header: {name!r}")
    text = _CONTROLS.sub(" ", value).strip()
    is_plain = text.isascii() and "=?" not in text and len(name) + len(text) + 2 <= _LINE
    return f"{name}: {text if is_plain else Header(text, 'utf-8', header_name=name).encode()}"


def _quoted_printable(text: str) -> str:
    """*text* in lines of at most 76 characters, its line breaks kept."""
    return binascii.b2a_qp("\n".join(text.splitlines()).encode(), istext=True).decode("ascii")


def _base64(content: bytes, line_end: bytes) -> bytes:
    return line_end.join(_LINES(binascii.b2a_base64(content, newline=False)))
