"""AvtaleGiro: claims and cancellations as one file to the bank.

Source of every rule: AvtaleGiro system specification 3.3 and the operator's developer pages. The records are
netsgiro's; counting, texts, line ends and every check that netsgiro leaves out are ours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.channels.avtalegiro_file import (
    MOST_ASSIGNMENTS,
    Assignment,
    Claim,
    assignment_number,
    file_lines,
    foreign_reference,
    specification,
)
from app.channels.contract import Consignment, Outcome, Result
from app.channels.outbox import HiddenPlace, private_file
from app.core.account import AccountInvalid, check_account
from app.core.calendar import add_months, earliest_avtalegiro_due
from app.core.clock import Clock
from app.core.errors import SettingsInvalid
from app.core.kid import KidInvalid, check_kid
from app.core.latin1 import to_latin1
from app.core.money import LARGEST_ORE
from app.core.settings import Settings
from app.routing.channels import Channel

# The bank refuses what is due sooner; how much earlier we send is AVTALEGIRO_LEAD_DAYS, which the plan has applied.
SHORTEST_LEAD_DAYS = 4
LONGEST_LEAD_MONTHS = 12

_SENDER = re.compile(r"[0-9]{8}")
_RUNNING_NUMBER = re.compile(r"[0-9]{1,18}\Z")


class Avtalegiro:
    """The bank file. A hand-over's name must end in its running number, which numbers transmission and assignments."""

    channel = Channel.AVTALEGIRO
    batch_size = 10_000

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if _SENDER.fullmatch(settings.avtalegiro_data_sender) is None:
            raise SettingsInvalid("AVTALEGIRO_DATA_SENDER must be the eight digits the bank gave you")
        self._sender = settings.avtalegiro_data_sender
        self._folder = settings.outbox_dir / "avtalegiro"
        self._clock = clock

    def prepare(self, name: str, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Write one transmission under a hidden name; one result a ``key``.

        Refused: what the bank would never take (``wrong_kid``, ``wrong_account``, ``wrong_amount``, ``due_too_soon``,
        ``due_too_far``) and a second claim with the same KID and due date (``claim_exists``). Unavailable: what must
        wait for the next file (``reference_taken``, ``cancelled_in_same_file``, ``file_full``). ``text_cut`` on an
        accepted one: the bank's notice had no room for all lines. Raises FileExistsError for a name handed over before.
        """
        place, draft = self._place(name), _Draft(self._clock, running_number(name), name)
        # Cancellations first: a claim that replaces a cancelled one must not reach the bank in the same file.
        for consignment in sorted(consignments, key=lambda one: not one.is_cancellation):
            draft.add(consignment)
        if draft.assignments:
            lines = file_lines(self._sender, draft.number, list(draft.assignments.values()))
            place.fill(lambda path: _write(path, lines))
        return draft.results

    def hand_over(self, name: str) -> None:
        """Rename to ``<name>.txt``. Safe to repeat, even when the bank's fetcher has taken it."""
        self._place(name).publish()

    def discard(self, name: str) -> None:
        """Remove the hidden file."""
        self._place(name).discard()

    def _place(self, name: str) -> HiddenPlace:
        return HiddenPlace(self._folder, name, ".txt")


def running_number(name: str) -> int:
    """The digits that *name* ends in. Raises ValueError when it ends in none."""
    found = _RUNNING_NUMBER.search(name)
    if found is None:
        raise ValueError(f"the name of an AvtaleGiro hand-over must end in its running number: {name!r}")
    return int(found[0])


def _write(path: Path, lines: Sequence[bytes]) -> None:
    with os.fdopen(private_file(path), "wb") as file:
        file.writelines(lines)


class _Draft:
    """A file under way: its assignments by (is it cancellations, account), and the results so far."""

    def __init__(self, clock: Clock, number: int, name: str) -> None:
        self.number = number
        self.assignments: dict[tuple[bool, str], Assignment] = {}
        self.results: dict[str, Result] = {}
        self._name = name
        self._today = clock.today()
        self._earliest = earliest_avtalegiro_due(clock.now(), SHORTEST_LEAD_DAYS)
        self._claimed: set[tuple[str, object]] = set()
        self._cancelled: set[tuple[str, object]] = set()
        self._references: set[tuple[bool, str]] = set()
        self._sum_ore = 0

    def add(self, consignment: Consignment) -> None:
        """Take *consignment* into the file, or note why not."""
        self.results[consignment.key] = self._taken(consignment)

    def _taken(self, consignment: Consignment) -> Result:
        try:
            kid = check_kid(consignment.kid or "")
        except KidInvalid:
            return Result(Outcome.REFUSED, detail="wrong_kid")
        try:
            account = check_account(consignment.account or "")
        except AccountInvalid:
            return Result(Outcome.REFUSED, detail="wrong_account")
        reference = foreign_reference(consignment.number)
        objection = self._objection(consignment) or self._clash(consignment, kid, account, reference)
        if objection:
            return objection
        lines = specification(consignment.lines) if consignment.claim_type == "21" else specification(())
        claim = Claim(
            type="93" if consignment.is_cancellation else consignment.claim_type or "02",
            kid=kid,
            due_on=consignment.due_on,
            amount_ore=consignment.amount_ore,
            payer_name=to_latin1(consignment.recipient.name).strip()[:10].strip(),
            reference=reference,
            lines=() if consignment.is_cancellation else lines.lines,
        )
        return self._entered(claim, account, consignment.is_cancellation, lines.is_cut)

    def _objection(self, consignment: Consignment) -> Result | None:
        if not 0 < consignment.amount_ore <= LARGEST_ORE:
            return Result(Outcome.REFUSED, detail="wrong_amount")
        # A cancellation must come the day before at the latest; a claim needs its lead.
        is_late = (
            consignment.due_on <= self._today if consignment.is_cancellation else consignment.due_on < self._earliest
        )
        if is_late:
            return Result(Outcome.REFUSED, detail="due_too_soon")
        if consignment.due_on > add_months(self._today, LONGEST_LEAD_MONTHS):
            return Result(Outcome.REFUSED, detail="due_too_far")
        return None

    def _clash(self, consignment: Consignment, kid: str, account: str, reference: str) -> Result | None:
        """What the file itself has no room for."""
        pair = (kid, consignment.due_on)
        if pair in (self._cancelled if consignment.is_cancellation else self._claimed):
            return Result(Outcome.REFUSED, detail="claim_exists")
        if pair in self._cancelled:
            return Result(Outcome.UNAVAILABLE, detail="cancelled_in_same_file")
        if (consignment.is_cancellation, reference) in self._references:
            return Result(Outcome.UNAVAILABLE, detail="reference_taken")
        is_new = (consignment.is_cancellation, account) not in self.assignments
        has_no_room = is_new and len(self.assignments) == MOST_ASSIGNMENTS
        if has_no_room or self._sum_ore + consignment.amount_ore > LARGEST_ORE:
            return Result(Outcome.UNAVAILABLE, detail="file_full")
        return None

    def _entered(self, claim: Claim, account: str, is_cancellation: bool, is_cut: bool) -> Result:
        (self._cancelled if is_cancellation else self._claimed).add((claim.kid, claim.due_on))
        self._references.add((is_cancellation, claim.reference))
        self._sum_ore += claim.amount_ore
        number = assignment_number(self.number, len(self.assignments))
        assignment = self.assignments.setdefault(
            (is_cancellation, account), Assignment(number, account, is_cancellation)
        )
        assignment.claims.append(claim)
        place = f"{self._name}/{assignment.number}-{len(assignment.claims):07d}"
        return Result(Outcome.ACCEPTED, provider_reference=place, detail="text_cut" if is_cut else None)
