"""What a mail in the box for returned mail says: a bounce, a complaint, a delay, an automatic reply, or none of these.

Sources: RFC 3464 (delivery status), RFC 5965 (complaints), RFC 8098 (read receipts), RFC 3834 (automatic replies); what
follows no RFC is left to flufl.bounce.
"""

from __future__ import annotations

import email
import email.header
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from flufl.bounce import all_failures

from app.clients.bounce_rules import code_in, is_hard
from app.clients.return_path import ReturnPath

# It tells of every detector that stumbles over a mail; what comes of the mail is told by us.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
# So much of a mail is read: the report, and the head of the mail it is about. The rest is our own PDF.
READ_BYTES = 256 * 1024
MOST_TEXT = 20_000


class Kind(StrEnum):
    """What came back. hard: the address is no good. soft: not delivered, another time it may be. complaint: delivered
    and not wanted. delayed: still on its way. reply: a program's answer. other: nothing of these."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    REPLY = "reply"
    OTHER = "other"


# From the worst on: a report on several recipients counts by the worst.
FAILED = (Kind.HARD, Kind.COMPLAINT, Kind.SOFT)
# Somebody does not want it; "not-spam" and reports on authentication are about something else (RFC 5965 §7.3).
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out"})
# Where an enclosed mail or a complaint about it is named, the address this mail came to, and the mail it answers.
ENCLOSED = ("Message-ID", "Return-Path", "Original-Mail-From")
DELIVERED_TO = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To")
ANSWERED = ("In-Reply-To", "References", "X-Original-Message-ID")
REPLY_MARKS = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")
REPLY_SUBJECT = re.compile(
    r"\s*(automatic reply|auto(matisk)?[ -]?(reply|svar)|out of (the )?office|fravær|ikk?je? på kontoret)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Returned:
    """``detail``: kind and code, as ``hard 5.1.1``, never personal. ``key``: of our mail that it is about, or empty."""

    kind: Kind
    detail: str = ""
    key: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether the mail it is about did not arrive, or should not have come."""
        return self.kind in FAILED


def read_returned(content: bytes, path: ReturnPath) -> Returned:
    """What *content* (the first `READ_BYTES` are enough) says about which mail of ours. Never raises for bad mail."""
    try:
        message = email.message_from_bytes(content[:READ_BYTES])
        kind, code = _judged(message)
        return Returned(kind, f"{kind.value} {code}".strip(), _key(message, path) if kind in FAILED else "")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError):
        # The standard library's parser raises these for some mails that no program should write.
        return Returned(Kind.OTHER, "unreadable")


def _judged(message: Message) -> tuple[Kind, str]:
    match _report_type(message):
        case "feedback-report":
            feedback = _fields(message, "message/feedback-report").get("feedback-type", "").lower()
            return (Kind.COMPLAINT if feedback in COMPLAINTS else Kind.REPLY), feedback
        case "disposition-notification":
            return Kind.REPLY, ""
    statuses = list(_statuses(message))
    if statuses:
        order = (*FAILED, Kind.DELAYED, Kind.REPLY)
        return min(statuses, key=lambda status: order.index(status[0]))
    if _is_marked_as_reply(message):
        return Kind.REPLY, ""
    temporary, permanent = all_failures(message)
    if permanent:
        code = code_in(_text(message))
        # A program that says "permanently" without any code means the address.
        return (Kind.HARD if not code or is_hard(code) else Kind.SOFT), code
    if temporary:
        return Kind.DELAYED, ""
    # Asked last: Exim marks its bounces so too.
    submitted = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    return (Kind.OTHER if submitted == "no" else Kind.REPLY), ""


def _report_type(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    return str(message.get_param("report-type", "")).lower()


def _fields(message: Message, content_type: str) -> dict[str, str]:
    """The fields of the first part of this type. Some systems send them as an attachment in base64."""
    for part in message.walk():
        if part.get_content_type() == content_type:
            blocks = _blocks(part) or [email.message_from_string(_decoded(part))]
            return {name.lower(): str(value) for block in blocks for name, value in block.items()}
    return {}


def _statuses(message: Message) -> Iterator[tuple[Kind, str]]:
    """What a delivery status says about each recipient; success is no news."""
    for part in message.walk():
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        for block in _blocks(part):
            action = str(block.get("Action", "")).split("(")[0].strip().lower()
            code = code_in(str(block.get("Diagnostic-Code", "")), str(block.get("Status", "")))
            if action == "failed" or (not action and str(block.get("Status", "")).startswith("5")):
                yield (Kind.HARD if is_hard(code) else Kind.SOFT), code
            elif action == "delayed":
                yield Kind.DELAYED, code
            elif action:
                yield Kind.REPLY, code


def _blocks(part: Message) -> list[Message]:
    """The blocks of fields that a part of a report consists of."""
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _is_marked_as_reply(message: Message) -> bool:
    """Whether a program that answers mail says so in the ways that are older than RFC 3834."""
    return (
        str(message.get("Precedence", "")).strip().lower() == "auto_reply"
        or any(str(message.get(mark, "")).strip() for mark in REPLY_MARKS)
        or REPLY_SUBJECT.match(_subject(message)) is not None
    )


def _subject(message: Message) -> str:
    parts = email.header.decode_header(str(message.get("Subject", "")))
    return "".join(
        text.decode(charset or "ascii", "replace") if isinstance(text, bytes) else text for text, charset in parts
    )


def _key(message: Message, path: ReturnPath) -> str:
    """Read from the mail that is enclosed, the address it came to, the mail it answers, its text: the surest first."""
    enclosed: list[str] = []
    for part in message.walk():
        if part is not message:
            enclosed += [str(part.get(name, "")) for name in ENCLOSED]
        if part.get_content_type() == "text/rfc822-headers":
            head = email.message_from_string(_decoded(part))
            enclosed += [str(head.get(name, "")) for name in ENCLOSED]
    headers = [str(message.get(name, "")) for name in (*DELIVERED_TO, *ANSWERED)]
    # Joined in order, so that a mail that names several of ours counts for the one it encloses.
    found = path.keys_in("\n".join([*enclosed, *headers])) or path.keys_in(_text(message))
    return found[0] if found else ""


def _text(message: Message) -> str:
    """The words of a mail, as far as they are needed."""
    texts = [_decoded(part) for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join(texts)[:MOST_TEXT]


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
