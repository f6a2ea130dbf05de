"""Residents, invoices and outbox rows in a test's database, with everyday values."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.kid import KidPositions, fixed_part
from app.core.settings import Settings
from app.delivery.models import Delivery, Part, PlanRow
from app.invoices.models import Batch, Document, Invoice, Pending
from app.registries.models import Register, RegistryAnswer
from app.residents.models import ContactKind, ContactPoint, ContactSource, Mandate, Resident, StaleResident
from app.routing.channels import Answer, Kind
from app.routing.facts import InvoiceFacts

ACCOUNT = "15062295088"
NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
NEVER = object()


@dataclass(slots=True)
class PlanningTown:
    """Makes rows; ``clock`` and ``settings`` are the test's."""

    session: Session
    settings: Settings
    clock: Clock
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def resident(self, mobile: str = "", email: str = "", answers: Any = None, **values: Any) -> Resident:
        """A person in Jørpeland with a national id, whom the registers know nothing of unless *answers* say so."""
        number = next(self._numbers)
        chosen = {
            "customer_number": f"C{number}", "name": f"Resident {number}", "address_line_1": "Rådhusgata 2",
            "postal_code": "4100", "city": "Jørpeland", "national_id_index": number.to_bytes(34, "big"), **values,
        }  # fmt: skip
        resident = Resident(created_at=NOW, updated_at=NOW, **chosen)
        self.session.add(resident)
        self.session.flush()
        for kind, value in ((ContactKind.MOBILE, mobile), (ContactKind.EMAIL, email)):
            if value:
                self.contact(resident, kind, value)
        self.answers(resident, **{register.value: Answer.NO for register in Register} | (answers or {}))
        return resident

    def contact(self, resident: Resident, kind: ContactKind, value: str, **values: Any) -> None:
        """An open contact point, registered and not confirmed."""
        chosen = {"source": ContactSource.REGISTER, "registered_at": NOW, **values}
        self.session.add(ContactPoint(resident_id=resident.id, kind=kind, value=value, **chosen))
        self.touch(resident)

    def answers(self, resident: Resident, **answers: Answer) -> None:
        """What the registers say of *resident*; ``efaktura_reference`` may name the eFaktura identifier."""
        for name, answer in answers.items():
            found = self.session.scalars(
                select(RegistryAnswer).filter_by(resident_id=resident.id, register=Register(name))
            ).one_or_none()
            row = found or RegistryAnswer(resident_id=resident.id, register=Register(name), asked_at=NOW)
            row.answer = answer
            row.reference = f"ref-{resident.id}" if name == "efaktura" and answer is Answer.YES else None
            self.session.add(row)
        self.touch(resident)

    def touch(self, resident: Resident) -> None:
        """Whoever changes a resident says so."""
        self.session.add(StaleResident(resident_id=resident.id))
        self.session.flush()

    def mandate(self, kid: str, wants_notice: bool = True, **values: Any) -> Mandate:
        """An active AvtaleGiro mandate."""
        chosen = {"account": ACCOUNT, "kid_key": self._key(kid), "registered_at": NOW, "updated_at": NOW, **values}
        mandate = Mandate(kid=kid, wants_notice=wants_notice, **chosen)
        self.session.add(mandate)
        self.session.flush()
        return mandate

    def invoice(self, resident: Resident | None, kid: str = "", *, is_pending: bool = True, facts: Any = None,
                due_in: int = 30, **values: Any) -> Invoice:  # fmt: skip
        """An invoice due in thirty days, and its row in the outbox. *facts*: fields of `InvoiceFacts`."""
        number = next(self._numbers)
        kid = kid or f"{number:010d}"
        chosen = {
            "source": "946485764", "number": f"F{number}", "kind": Kind.DEMAND, "category": "default",
            "amount_ore": 50_000, "kid": kid, "kid_key": self._key(kid), "account": ACCOUNT,
            "due_on": self.clock.today() + dt.timedelta(days=due_in), **values,
        }  # fmt: skip
        invoice = Invoice(
            batch_id=self._batch().id, xml_document_id=self._document().id, issued_on=self.clock.today(),
            content_sha256=number.to_bytes(32, "big"), imported_at=NOW,
            resident_id=resident.id if resident else None, **chosen,
        )  # fmt: skip
        self.session.add(invoice)
        self.session.flush()
        if is_pending:
            bits = InvoiceFacts(kind=invoice.kind, has_buyer=resident is not None, **(facts or {})).as_bits()
            self.session.add(Pending(
                invoice_id=invoice.id, resident_id=resident.id if resident else 0, facts=bits, due_on=invoice.due_on,
                kid_key=invoice.kid_key,
            ))  # fmt: skip
            self.session.flush()
        return invoice

    def parts(self, invoice: Invoice) -> dict[Part, Delivery]:
        """The parts of *invoice* as they are now."""
        self.session.flush()
        self.session.expire_all()
        rows = self.session.scalars(select(Delivery).where(Delivery.invoice_id == invoice.id))
        return {row.part: row for row in rows}

    def plan(self, invoice: Invoice) -> PlanRow:
        """The plan of its document, or of its claim when that stands alone."""
        parts = self.parts(invoice)
        part = parts.get(Part.DOCUMENT) or parts[Part.CLAIM]
        plan = self.session.get(PlanRow, part.plan_id)
        assert plan is not None
        return plan

    def is_pending(self, invoice: Invoice) -> bool:
        """Whether *invoice* is in the outbox."""
        self.session.flush()
        self.session.expire_all()
        return self.session.get(Pending, invoice.id) is not None

    def _key(self, kid: str) -> str:
        return fixed_part(kid, KidPositions.parse(self.settings.avtalegiro_kid_fixed))

    def _batch(self) -> Batch:
        found = self.session.scalars(select(Batch)).first() or Batch(source="test", started_at=NOW)
        self.session.add(found)
        self.session.flush()
        return found

    def _document(self) -> Document:
        digest = hashlib.sha256(b"").digest()
        found = self.session.scalars(select(Document)).first()
        found = found or Document(sha256=digest, size=0, media_type="application/xml", stored_at=NOW)
        self.session.add(found)
        self.session.flush()
        return found
