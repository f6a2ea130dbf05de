"""What a mail server's reply means for one mail to one recipient: a table beside its sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from app.clients.rules import Judgement, Verdict


class Stage(StrEnum):
    """The step of handing a mail over that a reply belongs to."""

    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    DATA = "DATA"
    CONTENT = "end of mail"


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """One row: a permanent reply (5xx) at one of *stages* whose code or enhanced code begins with *start*."""

    stages: frozenset[Stage]
    start: str
    verdict: Verdict
    needs_alarm: bool
    source: str

    def fits(self, stage: Stage, code: int, enhanced: str) -> bool:
        """Whether the row is about this reply."""
        return stage in self.stages and (enhanced or str(code)).startswith(self.start)


_ABOUT_RECIPIENT = frozenset({Stage.RECIPIENT, Stage.CONTENT})
_RECIPIENT = frozenset({Stage.RECIPIENT})
_ANY = frozenset(Stage)

# The first row that fits counts. Only what is about this address leads on to another channel.
PERMANENT = (
    ReplyRule(_ABOUT_RECIPIENT, "5.1.8", Verdict.UNAVAILABLE, True, "RFC 3463 X.1.8: the sender's address is bad"),
    ReplyRule(_ABOUT_RECIPIENT, "5.1.7", Verdict.UNAVAILABLE, True, "RFC 3463 X.1.7: the sender's address is bad"),
    ReplyRule(_ABOUT_RECIPIENT, "5.1.", Verdict.REFUSED, False, "RFC 3463 X.1: the recipient's address"),
    ReplyRule(_ABOUT_RECIPIENT, "5.2.", Verdict.REFUSED, False, "RFC 3463 X.2: the recipient's mailbox"),
    ReplyRule(_RECIPIENT, "5.4.1", Verdict.REFUSED, False, "Exchange Online's reply for an unknown recipient"),
    ReplyRule(_RECIPIENT, "5.4.4", Verdict.REFUSED, False, "RFC 3463 X.4.4: no route to the recipient's domain"),
    ReplyRule(_ANY, "5.", Verdict.UNAVAILABLE, True, "RFC 3463: system, network, protocol, content or policy: ours"),
    ReplyRule(_RECIPIENT, "530", Verdict.UNAVAILABLE, True, "RFC 4954: we must log in first"),
    ReplyRule(_RECIPIENT, "535", Verdict.UNAVAILABLE, True, "RFC 4954: our log-in is not accepted"),
    ReplyRule(_RECIPIENT, "538", Verdict.UNAVAILABLE, True, "RFC 4954: we must encrypt first"),
    ReplyRule(_RECIPIENT, "50", Verdict.UNAVAILABLE, True, "RFC 5321 §4.2: our command was wrong"),
    ReplyRule(_RECIPIENT, "55", Verdict.REFUSED, False, "RFC 5321 §3.3, §4.2.3: this mailbox is not to be had"),
    ReplyRule(_ANY, "5", Verdict.UNAVAILABLE, True, "our judgement: a refusal of the mail or of us, not of an address"),
)  # fmt: skip

_ENHANCED = re.compile(rb"([245])\.([0-9]{1,3})\.([0-9]{1,3})\b")
_RELAY = re.compile(rb"relay", re.IGNORECASE)


def judge_reply(stage: Stage, code: int, reply: bytes) -> Judgement:
    """What the server's last word on a mail means. ``detail`` is its codes, never its text, which names the address."""
    found = _ENHANCED.match(reply)
    enhanced = found[0].decode() if found and int(found[1]) == code // 100 else ""
    detail = f"{code} {enhanced} at {stage.value}" if enhanced else f"{code} at {stage.value}"
    if stage is Stage.CONTENT and code // 100 == 2:
        return Judgement(Verdict.ACCEPTED, detail)
    if code // 100 == 4:
        return Judgement(Verdict.UNAVAILABLE, detail)
    if code // 100 != 5:
        return Judgement(Verdict.UNCERTAIN if stage is Stage.CONTENT else Verdict.UNAVAILABLE, detail, True)
    if not enhanced and stage is Stage.RECIPIENT and _RELAY.search(reply):
        # Said without an enhanced code by older servers: they do not know us, whoever the recipient is.
        return Judgement(Verdict.UNAVAILABLE, f"{detail}: relaying denied", True)
    row = next(row for row in PERMANENT if row.fits(stage, code, enhanced))
    return Judgement(row.verdict, detail, row.needs_alarm)
