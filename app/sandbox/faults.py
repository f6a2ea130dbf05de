"""Faults on demand, the same at every run.

``refuse``          the service says no to this recipient or message, in its own words
``429`` ``500``     not taken, with that answer (429 with ``Retry-After: 1``)
``500_after``       taken, but answered with 500
``timeout_before``  not taken, no answer: `SandboxTransport` raises ConnectTimeout
``timeout_after``   taken, the answer is lost: `SandboxTransport` raises ReadTimeout
``late_refusal``    taken; refused when it is asked about later
``slow``            taken, after ``SLOW_SECONDS``
``lost``            answered as taken, and forgotten (agreements at the eFaktura gateway alone, as the next)
``ended_later``     taken and carried out; ended after that was told

A fault is drawn from the seed, the service, the step, the message's id and the number of times the log has seen that
id, so that a repeat may succeed, in whichever process it comes. A message that was taken is never refused by a draw.
Overrides by invoice or person replace the draw: ``refuse`` at every step, other kinds only where the message is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from app.sandbox.world import Faults

NOT_TAKEN = frozenset({"429", "500", "timeout_before"})
ANSWER_LOST = frozenset({"timeout_after", "500_after"})
WHILE_SENDING = frozenset({"refuse", "late_refusal", "slow"}) | NOT_TAKEN | ANSWER_LOST
WHILE_PREPARING = WHILE_SENDING - {"late_refusal"}
WHILE_AGREEING = WHILE_SENDING | {"lost", "ended_later"}
WHILE_ASKING = frozenset({"slow"}) | NOT_TAKEN
TAKING_STEPS = frozenset({"send", "shipment", "agreement"})
SLOW_SECONDS = 0.05


def _drawn(seed: int, *parts: str) -> tuple[float, int]:
    """A number from 0 to below 1, and one to choose by."""
    digest = hashlib.sha256("\0".join((str(seed), *parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56, int.from_bytes(digest[8:12], "big")


def draw(
    faults: Faults,
    service: str,
    step: str,
    identifier: str,
    tries: int,
    possible: Collection[str],
    invoice: str | None = None,
    national_id: str | None = None,
) -> str:
    """The fault of this try, or ``""``; *possible* are the kinds that make sense at this step."""
    for override in (faults.invoices.get(invoice or ""), faults.people.get(national_id or "")):
        if override and service in override:
            kinds = override[service]
            kind = kinds if isinstance(kinds, str) else kinds[tries] if tries < len(kinds) else ""
            return kind if kind in possible and (kind == "refuse" or step in TAKING_STEPS) else ""
    given = faults.services.get(service)
    if given is None:
        return ""
    fitting = [kind for kind in given.kinds if kind in possible]
    share, choice = _drawn(faults.seed, service, step, identifier, str(tries))
    return fitting[choice % len(fitting)] if fitting and share < given.rate else ""
