"""A small municipality in the database: residents, invoices and plans, made in a line each."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clients.bounce_box import BounceBox
from app.clients.sftp import SftpFolder
from app.core.clock import Clock
from app.core.crypto import KeyRing, NationalIdVault
from app.core.settings import Settings
from app.delivery.consignments import Consignments
from app.delivery.desk import Desk
from app.delivery.models import Attempt, Delivery, Part, PlanRow, State
from app.delivery.outcomes import Ledger
from app.delivery.workers import working
from app.invoices.models import Batch, Document, Invoice
from app.registries.models import Register, RegistryAnswer
from app.residents.models import ContactKind, ContactPoint, ContactSource, Mandate, Resident
from app.routing.channels import Answer, Channel, Kind, Reason
from app.routing.facts import InvoiceFacts
from tests.delivery.fakes import FakeChannels, FakeLetters

DUE_ON = dt.date(2026, 12, 24)
ROUTE = (Channel.EFAKTURA, Channel.VIPPS, Channel.MAILBOX, Channel.EMAIL, Channel.PAPER)


class MovingClock(Clock):
    """A clock that stands until it is moved."""

    __slots__ = ("moments",)

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "moments", [dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)])

    def now(self) -> dt.datetime:
        moments: list[dt.datetime] = self.moments  # type: ignore[attr-defined]
        return moments[-1]

    def pass_time(self, **span: float) -> None:
        """Let time pass: days=1, minutes=5."""
        self.moments.append(self.now() + dt.timedelta(**span))  # type: ignore[attr-defined]


@dataclass
class Town:
    """Everything a test of sending needs."""

    session: Session
    settings: Settings
    channels: FakeChannels = field(default_factory=FakeChannels.all)
    clock: MovingClock = field(default_factory=lambda: MovingClock())
    serial: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    ledger: Ledger = field(init=False)
    boxes: list[BounceBox] = field(default_factory=list)
    bank: SftpFolder | None = None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.session, self.settings, self.clock)
        document = Document(sha256=b"\0" * 32, size=0, media_type="application/xml", stored_at=self.clock.now())
        self.session.add(document)
        self.batch = self.new_batch()
        self.session.flush()
        self.document_id = document.id
        # Everybody's KID is the same, and has a mandate.
        now = self.clock.now()
        self.mandate = Mandate(account="86011117947", kid="12345678903", kid_key="12345678903", wants_notice=True,
                               registered_at=now, updated_at=now)  # fmt: skip
        self.session.add(self.mandate)
        keys = self.settings.keys_dir
        keys.mkdir(parents=True, exist_ok=True)
        self.vault = NationalIdVault(KeyRing.create(keys / "a.keys"), KeyRing.create(keys / "b.keys"))
        self.session.commit()

    def new_batch(self) -> Batch:
        """Another import."""
        now = self.clock.now()
        batch = Batch(source="inbox", started_at=now, finished_at=now, invoice_count=0, rejected_count=0)
        self.session.add(batch)
        return batch

    def resident(self) -> Resident:
        """Somebody who can be reached in every way."""
        number, now = next(self.serial), self.clock.now()
        resident = Resident(
            customer_number=f"K{number}", name=f"Innbygger {number}", address_line_1="Utsikten 1", postal_code="4100",
            city="JØRPELAND", language="nb", created_at=now, updated_at=now,
        )  # fmt: skip
        self.session.add(resident)
        self.session.flush()
        resident.national_id_encrypted = self.vault.encrypt("12345678901", row=resident.public_id)
        for kind, value in ((ContactKind.EMAIL, f"k{number}@example.com"), (ContactKind.MOBILE, "+4799999999")):
            self.session.add(
                ContactPoint(resident_id=resident.id, kind=kind, value=value, source=ContactSource.REGISTER,
                             registered_at=now)
            )  # fmt: skip
        self.session.add(
            RegistryAnswer(resident_id=resident.id, register=Register.EFAKTURA, answer=Answer.YES, asked_at=now,
                           reference=f"EF{number}")
        )  # fmt: skip
        return resident

    def plan(
        self, *route: Channel, claim: str | None = None, is_open_ended: bool = False, hold: Reason | None = None
    ) -> PlanRow:
        """A plan of its own."""
        plan = PlanRow(
            policy="test", resident_facts=next(self.serial), invoice_facts=InvoiceFacts().as_bits(), day_facts=0,
            claim=claim, route=[channel.value for channel in route], passed_over={}, hold=hold,
            is_notice=bool(claim and route), is_waiting=False, is_open_ended=is_open_ended,
        )  # fmt: skip
        self.session.add(plan)
        return plan

    def invoice(self, plan: PlanRow | None = None, *, due_on: dt.date = DUE_ON, kind: Kind = Kind.DEMAND) -> Invoice:
        """An invoice to a new resident, planned; without a plan it goes by every channel in order."""
        plan = plan or self.plan(*ROUTE)
        number, now = next(self.serial), self.clock.now()
        invoice = Invoice(
            batch_id=self.batch.id, source="946485764", number=f"F{number}", kind=kind, resident_id=self.resident().id,
            category="default", issued_on=now.date(), due_on=due_on, amount_ore=100_00, kid="12345678903",
            account="86011117947", content_sha256=b"\0" * 32, xml_document_id=self.document_id, imported_at=now,
        )  # fmt: skip
        self.session.add(invoice)
        self.batch.invoice_count += 1
        self.session.flush()
        parts = ([Part.CLAIM] if plan.claim else []) + ([Part.DOCUMENT] if plan.route or plan.hold else [])
        for part in parts:
            channel = Channel.AVTALEGIRO if part is Part.CLAIM else Channel(plan.route[0]) if plan.route else None
            self.session.add(
                Delivery(
                    invoice_id=invoice.id, part=part, plan_id=plan.id, channel=channel, next_try_at=now,
                    state=State.HELD if plan.hold else State.WAITING, hold=plan.hold, changed_at=now,
                    is_notice=plan.is_notice and part is Part.DOCUMENT,
                )
            )  # fmt: skip
        self.session.commit()
        return invoice

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """A worker at its desk, with the session of the test."""
        with working() as worker:
            self.ledger = Ledger(self.session, self.settings, self.clock)
            consignments = Consignments(self.session, self.settings, self.vault, lambda public_id: public_id)
            yield Desk(
                self.session, self.settings, self.clock, self.channels, worker, consignments, FakeLetters(),
                self.ledger, boxes=self.boxes, bank=self.bank,
            )  # fmt: skip

    def part(self, invoice: Invoice, part: Part = Part.DOCUMENT) -> Delivery:
        """The delivery of one part, as the database has it now."""
        self.session.rollback()
        query = select(Delivery).where(Delivery.invoice_id == invoice.id, Delivery.part == part)
        return self.session.scalars(query.execution_options(populate_existing=True)).one()

    def attempts(self, invoice: Invoice, part: Part = Part.DOCUMENT) -> list[Attempt]:
        """Its attempts, oldest first."""
        query = select(Attempt).where(Attempt.delivery_id == self.part(invoice, part).id).order_by(Attempt.number)
        return list(self.session.scalars(query.execution_options(populate_existing=True)))

    def outcomes(self, invoice: Invoice, part: Part = Part.DOCUMENT) -> list[tuple[str, str | None]]:
        """Channel and outcome of each attempt."""
        attempts = self.attempts(invoice, part)
        return [(attempt.channel.value, attempt.outcome and attempt.outcome.value) for attempt in attempts]
