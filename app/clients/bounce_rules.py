"""What the status code of a returned mail says about its address: a table beside its sources."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BounceRule:
    """Codes that equal *code*, or begin with it where it ends in a dot; empty: any. ``is_hard``: write no more."""

    code: str
    is_hard: bool
    source: str

    def fits(self, code: str) -> bool:
        """Whether the row is about *code*."""
        return code.startswith(self.code) if self.code.endswith(".") else self.code in ("", code)


# The first row that fits counts. In every case the mail came back, so its invoice goes on by the next channel; a soft
# one leaves the address open, and is counted.
RULES = (
    BounceRule("5.1.7", False, "RFC 3463 X.1.7: the sender's address is bad"),
    BounceRule("5.1.8", False, "RFC 3463 X.1.8: the sender's address is bad"),
    BounceRule("5.1.90", False, "Exchange Online: the sender has sent too much today"),
    BounceRule("5.1.", True, "RFC 3463 X.1: the recipient's address"),
    BounceRule("5.2.1", True, "RFC 3463 X.2.1: the mailbox is closed"),
    BounceRule("5.4.1", True, "Exchange Online: no such recipient in this domain"),
    BounceRule("5.4.4", True, "RFC 3463 X.4.4: no route to the recipient's domain"),
    BounceRule("5.4.310", True, "Exchange Online: the recipient's domain does not exist"),
    BounceRule("550", True, "RFC 5321 §4.2.3: no such mailbox"),
    BounceRule("551", True, "RFC 5321 §4.2.3: the user is not here"),
    BounceRule("553", True, "RFC 5321 §4.2.3: no such mailbox name"),
    BounceRule("5.", False, "RFC 3463: a full mailbox, a refusal of content or of us, a fault on the way"),
    BounceRule("4.", False, "RFC 3463 §3.1: a passing fault that lasted until the other side gave up"),
    BounceRule("", False, "our judgement: a code that says nothing of the address leaves it open"),
)

_ENHANCED = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_BASIC = re.compile(r"(?<![\d.])(5\d\d)(?=[ \-])")


def is_hard(code: str) -> bool:
    """Whether a returned mail with this status code closes its address."""
    return next((rule.is_hard for rule in RULES if rule.fits(code)), False)


def code_in(*texts: str) -> str:
    """The most telling code in *texts*: an enhanced one other than ``5.0.0``, else a reply code, else empty."""
    enhanced = [code for text in texts for code in _ENHANCED.findall(text)]
    telling = [code for code in enhanced if not code.endswith(".0.0")]
    basic = [code for text in texts for code in _BASIC.findall(text)]
    return next(iter((*telling, *basic, *enhanced)), "")
