"""One cell of the matrix: an invoice sent by a real channel in one situation, then in a world that works again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import FileChannel, MessageChannel, ReceiptStatus
from app.delivery import receipts, settle
from app.delivery.consignments import Consignments, Letter
from app.delivery.desk import Desk
from app.delivery.models import Receipt, State
from app.delivery.outcomes import Ledger
from app.delivery.parcels import Parcel
from app.delivery.passes import send_due, tidy
from app.delivery.workers import working
from app.invoices.models import Invoice
from app.routing.channels import Channel, Reason
from app.sandbox.witness import count
from tests.delivery.fakes import FakeFiles, FakeMessages
from tests.delivery.town import Town
from tests.providers.places import SMTP, Line, Provider, line
from tests.providers.situations import Situation

ROUNDS, HOURS = 3, 7
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Cell:
    """What came of it.

    ``answer``: the attempt's outcome. ``following``: what happens next. ``end``: where the invoice is when everything
    works again. ``seen``: what staff read of it, while it lasts and later. ``takings``: how often the resident is asked
    to pay, in the end.
    """

    situation: Situation
    answer: str
    following: str
    end: str
    seen: str
    takings: int
    alarms: int


class Letters:
    """Letters that look like PDFs from the outside."""

    def make(self, _session: Session, parcels: Sequence[Parcel]) -> Mapping[int, Letter]:
        return {parcel.delivery.id: Letter(pdf=b"%PDF-1.7 letter", sha256="00") for parcel in parcels}


@dataclass
class Everything:
    """The channel in question, and the next one."""

    messages: dict[Channel, MessageChannel]
    files: dict[Channel, FileChannel]


@dataclass
class Scene:
    """One provider in one town."""

    town: Town
    line: Line
    email: FakeMessages = field(default_factory=FakeMessages)
    paper: FakeFiles = field(default_factory=FakeFiles)

    @property
    def provider(self) -> Provider:
        return self.line.provider

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """A worker that may have begun just now."""
        town, settings = self.town, self.line.settings
        channels = Everything({Channel.EMAIL: self.email}, {Channel.PAPER: self.paper})
        channels.messages[self.provider.channel] = self.line.channel
        if self.provider.channel in channels.files:
            del channels.files[self.provider.channel]
        consignments = Consignments(
            town.session, settings, town.vault, lambda key: f"https://us.test/presentasjon/{key}"
        )
        with working() as worker:
            ledger = Ledger(town.session, settings, town.clock)
            yield Desk(town.session, settings, town.clock, channels, worker, consignments, Letters(), ledger)

    def work(self) -> int:
        """One pass; gives how many alarms there were."""
        with self.desk() as desk:
            tidy(desk)
            send_due(desk, has_brakes=False)
            self.town.clock.pass_time(seconds=1)
            receipts.collect(desk)
            settle.settle_mail(desk.session, self.town.clock.now())
            return desk.ledger.tally.alarms

    def invoice(self) -> Invoice:
        """One to be sent by this provider, then by e-mail or paper."""
        if self.provider.prints_itself:
            plan = self.town.plan(self.provider.channel, is_open_ended=True)
            plan.passed_over = {Channel.PAPER.value: Reason.MAILBOX_PRINTS.value}
        else:
            following = {Channel.EMAIL: (Channel.PAPER,), Channel.PAPER: ()}.get(
                self.provider.channel, (Channel.EMAIL,)
            )
            plan = self.town.plan(self.provider.channel, *following)
        return self.town.invoice(plan, due_on=self.town.clock.today() + dt.timedelta(days=60))

    def play(self, situation: Situation) -> Cell:
        """Send one invoice in *situation*, then let everything work again."""
        invoice = self.invoice()
        self.line.set(situation, invoice.number)
        self.line.renew()
        with self.desk() as desk:
            tidy(desk)
            send_due(desk, has_brakes=False)
            alarms = desk.ledger.tally.alarms
        answer, following, seen = self._answer(invoice), self._following(invoice), self._seen(invoice, alarms)
        self.line.set(None, invoice.number)
        self.line.renew()
        self._hear(situation, invoice)
        for _ in range(ROUNDS):
            self.town.clock.pass_time(hours=HOURS)
            alarms += self.work()
        later = self._seen(invoice, 0)
        if "taken back" in later:
            seen = f"{seen}; later: {later}"
        if situation is Situation.UNKNOWN_RECEIPT:
            seen = f"{seen}; the stray receipt is {self._fate_of_stray()}"
        return Cell(situation, answer, following, self._end(invoice), seen, self._takings(invoice), alarms)

    def _hear(self, situation: Situation, invoice: Invoice) -> None:
        """Let a word of the provider come by itself, as through a webhook."""
        if situation is Situation.LATE_REFUSAL and not self.provider.service:
            self._note(self._reference(invoice), ReceiptStatus.FAILED, "5.1.1")
        elif situation is Situation.DUPLICATE_RECEIPT:
            for days in (1, 2):
                self.town.clock.pass_time(days=days)
                with self.desk() as desk:
                    receipts.collect(desk)
        elif situation is Situation.EARLY_RECEIPT and self.provider.service:
            self._note(self._reference(invoice), ReceiptStatus.DELIVERED, "early")
        elif situation is Situation.UNKNOWN_RECEIPT:
            self._note(NOBODY, ReceiptStatus.FAILED, "unknown")
        with self.desk() as desk:
            receipts.handle(desk)

    def _note(self, reference: str, status: ReceiptStatus, detail: str) -> None:
        session = self.town.session
        session.rollback()
        row = Receipt(channel=self.provider.channel, provider_reference=reference, status=status.value, detail=detail,
                      received_at=self.town.clock.now())  # fmt: skip
        session.add(row)
        session.commit()

    def _reference(self, invoice: Invoice) -> str:
        known = self.town.attempts(invoice)[-1].provider_reference
        return known or self.line.channel.find(self.line.channel.given[invoice.number]).provider_reference or NOBODY

    def _answer(self, invoice: Invoice) -> str:
        attempt = self.town.attempts(invoice)[0]
        return attempt.outcome.value if attempt.outcome else "open"

    def _following(self, invoice: Invoice) -> str:
        part = self.town.part(invoice)
        wait = part.next_try_at - self.town.clock.now()
        if part.state is State.HELD:
            return f"held: {part.hold.value}" if part.hold else "held"
        attempts = self.town.attempts(invoice)
        if len(attempts) > 1:
            return f"{attempts[1].channel.value} at once"
        if part.state is not State.WAITING:
            return "wait for the receipt"
        if part.channel is None:
            return "plan anew without it"
        if part.channel is not self.provider.channel:
            return f"{part.channel.value} at once"
        asks = self._answer(invoice) == "uncertain"
        return f"{'ask what became of it' if asks else 'the same again'}, in {_words(wait)}"

    def _end(self, invoice: Invoice) -> str:
        part = self.town.part(invoice)
        if part.state is State.HELD:
            return f"held: {part.hold.value if part.hold else ''}"
        if part.channel is None:
            return "planned anew"
        words = {State.IN_TRANSIT: "in transit", State.DELIVERED: "delivered", State.WAITING: "waits"}
        return f"{words[part.state]} by {part.channel.value}"

    def _seen(self, invoice: Invoice, alarms: int) -> str:
        """The attempts as ``flask invoices explain`` lists them, and the exit code of the runs."""
        shown = []
        for attempt in self.town.attempts(invoice):
            outcome = attempt.outcome.value if attempt.outcome else "uncertain"
            back = ", taken back" if attempt.taken_back_at else ""
            detail = f" ({attempt.detail})" if attempt.detail else ""
            shown.append(f"{attempt.channel.value} {outcome}{back}{detail}")
        return "; ".join(shown) + (f"; {alarms} alarm{'s' * (alarms > 1)}, exit code 1" if alarms else "")

    def _fate_of_stray(self) -> str:
        self.town.session.rollback()
        stray = self.town.session.scalars(select(Receipt).where(Receipt.provider_reference == NOBODY)).one()
        return "kept, and touches no invoice" if stray.handled_at is None else "handled"

    def _takings(self, invoice: Invoice) -> int:
        """How often the resident is asked to pay, as those know it who took it."""
        settings = self.line.settings
        by_services = count(settings.sandbox_dir, settings.outbox_dir).asked_to_pay(invoice.number)
        mails = {key for key, one in self.email.other_side.taken.items() if one.number == invoice.number}
        number = f"X-Invoice-Number: {invoice.number}\r\n".encode()
        served = {_message_id(content) for content in self._mailed() if number in content}
        # What was sent back was not received.
        back = {attempt.provider_reference or "" for attempt in self.town.attempts(invoice) if attempt.taken_back_at}
        ids = [one for one in served if not any(reference and reference in one for reference in back)]
        return by_services + len(mails) + self.paper.numbers().count(invoice.number) + len(ids)

    def _mailed(self) -> list[bytes]:
        return self.line.server.mails if self.line.server else []


def _message_id(content: bytes) -> str:
    return next(one for one in content.decode("latin-1").split("\r\n") if one.lower().startswith("message-id:"))


def _words(wait: dt.timedelta) -> str:
    minutes = max(0, round(wait.total_seconds() / 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def is_possible(provider: Provider, situation: Situation) -> bool:
    """Whether the provider can be in the situation at all: SMTP has no conflict, tells nothing later but by bounces."""
    if provider.service:
        return True
    return situation in SMTP or situation in (
        Situation.ACCEPTED, Situation.SLOW, Situation.LATE_REFUSAL, Situation.UNKNOWN_RECEIPT
    )  # fmt: skip


def cells_of(provider: Provider, town: Town) -> Mapping[Situation, Cell]:
    """Every cell of one provider."""
    with line(provider, town.settings, town.clock) as opened:
        scene = Scene(town, opened)
        return {situation: scene.play(situation) for situation in Situation if is_possible(provider, situation)}
