"""What each answer of a channel does to a part: the table of DESIGN's four outcomes, in one place."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field

import structlog
from sqlalchemy.orm import Session

from app.channels.contract import Outcome, Result
from app.clients.return_path import ReturnPath
from app.core.calendar import latest_safe_day
from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.bounces import note_refused_address
from app.delivery.models import Attempt, State
from app.delivery.parcels import Parcel
from app.delivery.replans import REFUSED_FIELDS, bits_of, close_notice, refused_bits, replan, rest
from app.routing.channels import Channel, Reason

log = structlog.get_logger(__name__)

# So that one hiccup near the due date does not cost a letter: as often a channel is tried before it is passed over.
FEWEST_TRIES = 3


@dataclass(slots=True)
class Tally:
    """What one pass did, by outcome. ``alarms``: our own faults, which somebody must look at. ``bounces``: mails that
    came back; ``unmatched_mails``: those in the box for them that a person must read."""

    accepted: int = 0
    refused: int = 0
    unavailable: int = 0
    uncertain: int = 0
    held: int = 0
    closed: int = 0
    not_allowed: int = 0
    alarms: int = 0
    bounces: int = 0
    unmatched_mails: int = 0
    uploaded_files: int = 0
    closed_boxes: set[str] = field(default_factory=set)
    resting: set[Channel] = field(default_factory=set)
    faults: set[tuple[Channel, str | None]] = field(default_factory=set)

    @property
    def moved(self) -> int:
        """How many parts came further: none means that another pass now would do nothing either."""
        return self.accepted + self.refused + self.held + self.closed

    def as_json(self) -> dict[str, int]:
        """The counts, by outcome."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}


@dataclass(frozen=True, slots=True)
class Ledger:
    """Writes outcomes into the caller's transaction; never commits."""

    session: Session
    settings: Settings
    clock: Clock
    tally: Tally = field(default_factory=Tally)

    def record(self, parcel: Parcel, attempt: Attempt, result: Result, *, is_handed_over: bool = False) -> None:
        """Write what became of *attempt*. ``is_handed_over``: it lies in a file that is in place."""
        attempt.detail = result.detail[:200] if result.detail else attempt.detail
        attempt.provider_reference = result.provider_reference or attempt.provider_reference
        if result.needs_alarm:
            self._alarm(attempt, result)
        outcome = result.outcome
        if outcome is Outcome.REFUSED and result.needs_alarm:
            outcome = Outcome.UNAVAILABLE
        attempt.outcome = outcome
        attempt.closed_at = None if outcome is Outcome.UNCERTAIN else self.clock.now()
        match outcome:
            case Outcome.ACCEPTED:
                self._accepted(parcel, attempt, is_handed_over)
            case Outcome.REFUSED:
                self.tally.refused += 1
                if attempt.channel is Channel.EMAIL:
                    limit = self.settings.bounce_soft_limit
                    note_refused_address(self.session, limit, parcel.invoice, attempt, self.clock.now())
                self.lead_on(parcel)
            case Outcome.UNAVAILABLE:
                self._unavailable(parcel, attempt, result)
            case Outcome.UNCERTAIN:
                self.tally.uncertain += 1
                if result.is_for_a_person:
                    self._hold_sent_twice(parcel, attempt)
                else:
                    self.wait(parcel, result.retry_after)

    def _alarm(self, attempt: Attempt, result: Result) -> None:
        """Count it, and say so once for each fault: a thousand invoices may meet the same."""
        self.tally.alarms += 1
        fault = (attempt.channel, result.detail)
        if fault not in self.tally.faults:
            self.tally.faults.add(fault)
            log.error("a channel needs a person", channel=attempt.channel, attempt=attempt.key, detail=result.detail)

    def _accepted(self, parcel: Parcel, attempt: Attempt, is_handed_over: bool) -> None:
        self.tally.accepted += 1
        delivery, now = parcel.delivery, self.clock.now()
        if attempt.is_notice and not delivery.is_notice:
            # It was a notice of a claim that is lost by now: the demand is still to be sent.
            rest(delivery, State.WAITING, now)
            return
        rest(delivery, State.DELIVERED if is_handed_over else State.IN_TRANSIT, now)
        delivery.channel, delivery.tries = attempt.channel, 0
        if not is_handed_over:
            delivery.ask_at = now
        if attempt.channel is Channel.EMAIL:
            delivery.settle_at = now + dt.timedelta(days=self.settings.email_settle_days or 0)

    def _unavailable(self, parcel: Parcel, attempt: Attempt, result: Result) -> None:
        self.tally.unavailable += 1
        patience = max(FEWEST_TRIES, len(self.settings.retry_waits or ()))
        safe_day = latest_safe_day(parcel.invoice.due_on, self.settings.letter_lead_days)
        is_out_of_time = self.clock.today() > safe_day and parcel.delivery.tries + 1 >= patience
        if not is_out_of_time or result.needs_alarm:
            self.wait(parcel, result.retry_after)
        elif attempt.resent:
            self._hold_sent_twice(parcel, attempt)
        elif self._has_next(parcel) or _is_printed_for(parcel):
            log.warning(
                "channel passed over: past the safe day and still unavailable",
                invoice=parcel.invoice.public_id,
                channel=parcel.delivery.channel,
            )
            self.lead_on(parcel)
        else:
            self.wait(parcel, result.retry_after)

    def _hold_sent_twice(self, parcel: Parcel, attempt: Attempt) -> None:
        """The first of two mails may have arrived, so no other channel may take it; a bounce will name it."""
        attempt.outcome, attempt.closed_at = Outcome.UNCERTAIN, None
        reference = attempt.provider_reference or ReturnPath.by(self.settings).message_id(attempt.key)
        attempt.provider_reference = reference
        self.hold(parcel, Reason.SENT_TWICE)

    def wait(self, parcel: Parcel, at_least: dt.timedelta | None = None) -> None:
        """The same channel, later; each wait is longer than the last."""
        delivery, now = parcel.delivery, self.clock.now()
        waits = self.settings.retry_waits or (dt.timedelta(0),)
        wait = max(waits[min(delivery.tries, len(waits) - 1)], at_least or dt.timedelta(0))
        rest(delivery, State.WAITING, now)
        delivery.tries += 1
        delivery.next_try_at = now + wait

    def _has_next(self, parcel: Parcel) -> bool:
        return not parcel.is_claim and parcel.delivery.position + 1 < len(parcel.plan.route)

    def lead_on(self, parcel: Parcel) -> None:
        """The next channel of the plan, now. None left: planned anew while a register may still answer, else held.

        A claim has no next channel: it is lost, and `app.delivery.settle` makes the document a demand again.
        """
        delivery, now = parcel.delivery, self.clock.now()
        if parcel.invoice.closed_at is not None:
            self.close(parcel)
        elif parcel.is_claim:
            self.hold(parcel, Reason.CLAIM_LOST)
        elif self._has_next(parcel):
            rest(delivery, State.WAITING, now)
            delivery.position += 1
            delivery.channel = Channel(parcel.plan.route[delivery.position])
            delivery.next_try_at, delivery.tries = now, 0
        elif parcel.plan.is_open_ended:
            self.session.flush()
            # Passed over for being unavailable, the channel has refused nothing; it is over all the same.
            over = refused_bits(self.session, delivery.id) | bits_of(*_field_of(delivery.channel))
            replan(self.session, parcel.invoice, parcel.plan, now, add=over)
        elif _is_claim_enough(parcel):
            rest(delivery, State.CLOSED, now)
        else:
            self.hold(parcel, Reason.NOTHING_LEFT)

    def hold(self, parcel: Parcel, reason: Reason) -> None:
        """A person decides."""
        self.tally.held += 1
        rest(parcel.delivery, State.HELD, self.clock.now())
        parcel.delivery.hold = reason

    def close(self, parcel: Parcel) -> None:
        """Nothing is owed any more, and nothing left."""
        self.tally.closed += 1
        rest(parcel.delivery, State.CLOSED, self.clock.now())
        if parcel.is_claim:
            close_notice(self.session, parcel.invoice.id, self.clock.now())


def _is_printed_for(parcel: Parcel) -> bool:
    """Whether paper was passed over because the mailbox prints by itself: what it never took, we may print."""
    return not parcel.is_claim and parcel.plan.passed_over.get(Channel.PAPER.value) == Reason.MAILBOX_PRINTS.value


def _field_of(channel: Channel | None) -> tuple[str, ...]:
    return (REFUSED_FIELDS[channel],) if channel in REFUSED_FIELDS else ()


def _is_claim_enough(parcel: Parcel) -> bool:
    """Whether the payer, or the bank, needs no notice of ours: then none is missed when it cannot be brought."""
    is_needless = parcel.plan.passed_over.get(Channel.PAPER.value) in (Reason.CLAIM_ALONE, Reason.BANK_NOTIFIES)
    return parcel.delivery.is_notice and is_needless
