"""A few residents with waiting invoices, and registers that say as told."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.core.crypto import vault
from app.core.settings import Settings
from app.invoices.models import Batch, Document, Invoice, Pending
from app.registries.contract import Reply, Target
from app.registries.models import Register, RegistryAnswer
from app.residents.models import ContactKind, ContactPoint, ContactSource, Resident, ResidentKind
from app.routing.channels import Answer
from app.routing.facts import InvoiceFacts

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)


@dataclass
class Town:
    """Builds rows; each is committed at once."""

    session: Session
    settings: Settings
    count: int = 0
    batch: Batch = field(init=False)
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        self.vault = vault(self.settings)
        self.batch = Batch(source="test", started_at=NOW)
        self.document = Document(sha256=b"x" * 32, size=1, media_type="application/xml", stored_at=NOW)
        self.session.add_all([self.batch, self.document])
        self.session.commit()

    def resident(
        self, national_id: str | None = None, mobile: str | None = None, *, has_invoice: bool = True, **values: Any
    ) -> Resident:
        """A person with an invoice that waits for a plan."""
        self.count += 1
        usual = {
            "customer_number": f"C{self.count}",
            "kind": ResidentKind.PERSON,
            "name": f"Resident {self.count}",
            "address_line_1": "Tauvegen 1",
            "postal_code": "4100",
            "city": "JØRPELAND",
            "created_at": NOW,
            "updated_at": NOW,
        }
        resident = Resident(**{**usual, **values})
        self.session.add(resident)
        self.session.flush()
        if national_id:
            resident.national_id_encrypted = self.vault.encrypt(national_id, row=resident.public_id)
            resident.national_id_index = self.vault.blind_index(national_id)
        if mobile:
            self.mobile(resident, mobile)
        if has_invoice:
            self.invoice(resident)
        self.session.commit()
        return resident

    def mobile(self, resident: Resident, value: str, **values: Any) -> None:
        """A mobile number, open unless *values* say otherwise."""
        self.session.add(
            ContactPoint(
                resident_id=resident.id,
                kind=ContactKind.MOBILE,
                value=value,
                source=ContactSource.REGISTER,
                registered_at=NOW,
                **values,
            )
        )
        self.session.commit()

    def invoice(self, resident: Resident, **facts: Any) -> None:
        """An invoice of *resident* that waits for a plan; *facts* are those of `InvoiceFacts`."""
        self.count += 1
        found = InvoiceFacts(**facts)
        invoice = Invoice(
            batch_id=self.batch.id,
            source="946485764",
            number=f"F-{self.count}",
            kind=found.kind,
            resident_id=resident.id,
            category="default",
            issued_on=NOW.date(),
            due_on=NOW.date() + dt.timedelta(days=30),
            amount_ore=10_000,
            content_sha256=b"y" * 32,
            xml_document_id=self.document.id,
            imported_at=NOW,
        )
        self.session.add(invoice)
        self.session.flush()
        self.session.add(
            Pending(invoice_id=invoice.id, resident_id=resident.id, facts=found.as_bits(), due_on=invoice.due_on)
        )
        self.session.commit()

    def answers(self, resident: Resident) -> dict[Register, tuple[Answer, str | None]]:
        """What is stored about *resident*."""
        rows = self.session.query(RegistryAnswer).filter_by(resident_id=resident.id).all()
        return {row.register: (row.answer, row.reference) for row in rows}


class ToldRegistry:
    """A register that replies as told and remembers whom it was asked about."""

    def __init__(
        self, registers: tuple[Register, ...], reply: Callable[[Sequence[Target]], Reply], chunk: int = 1000
    ) -> None:
        self.registers, self.provider, self.chunk = registers, registers[0].value, chunk
        self._reply, self._lock = reply, threading.Lock()
        self.asked: list[Sequence[Target]] = []

    def ask(self, targets: Sequence[Target]) -> Reply:
        """Reply as told."""
        with self._lock:
            self.asked.append(targets)
        return self._reply(targets)

    @property
    def people(self) -> set[int]:
        """Everyone it was asked about."""
        return {target.resident_id for targets in self.asked for target in targets}
