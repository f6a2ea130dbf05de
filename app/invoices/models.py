"""Invoices as the accounting system gave them, their documents, and what was paid."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, BigId, Id, Key, PublicId
from app.routing.channels import Kind


class Batch(Base):
    """One import of invoices: what came in together, and must be counted out together."""

    __tablename__ = "batch"

    id: Mapped[Id]
    source: Mapped[str] = mapped_column(String(300))
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    invoice_count: Mapped[int] = mapped_column(default=0)
    rejected_count: Mapped[int] = mapped_column(default=0)


class Document(Base):
    """Bytes kept once, found by their SHA-256 under DOCUMENTS_URL."""

    __tablename__ = "document"

    id: Mapped[Id]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(80))
    stored_at: Mapped[dt.datetime]


class IntakeFault(StrEnum):
    """Why an invoice was kept but must be held for a person."""

    UNKNOWN_BUYER = "unknown_buyer"
    WRONG_KID = "wrong_kid"
    WRONG_ACCOUNT = "wrong_account"


class Closure(StrEnum):
    """Why an invoice needs no demand any more."""

    PAID = "paid"
    CREDITED = "credited"
    CANCELLED = "cancelled"


class Invoice(Base):
    """One invoice or credit note. ``source`` is the supplier's organisation number.

    ``kid_key`` is the fixed positions of the KID (setting AVTALEGIRO_KID_FIXED). ``closed_at`` says that nothing is
    owed any more (paid, credited, cancelled); whether it had left by then is delivery's to know.
    ``pdf_document_id`` is the accounting system's own PDF; none means one is rendered.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("source", "number"),
        Index(None, "kid", "due_on"),
        Index(None, "original_number"),
        Index(
            "ix_invoice_open_due",
            "due_on",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    batch_id: Mapped[Key] = mapped_column(ForeignKey("batch.id"), index=True)
    source: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(100), index=True)
    kind: Mapped[Kind]
    resident_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("resident.id"), index=True)
    buyer_reference: Mapped[str | None] = mapped_column(String(40))
    buyer_organisation: Mapped[str | None] = mapped_column(String(9))
    category: Mapped[str] = mapped_column(String(60))
    issued_on: Mapped[dt.date]
    due_on: Mapped[dt.date]
    amount_ore: Mapped[int] = mapped_column(BigInteger)
    kid: Mapped[str | None] = mapped_column(String(40))
    kid_key: Mapped[str | None] = mapped_column(String(25), index=True)
    account: Mapped[str | None] = mapped_column(String(40))
    original_number: Mapped[str | None] = mapped_column(String(100))
    fault: Mapped[IntakeFault | None]
    content_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    xml_document_id: Mapped[Key] = mapped_column(ForeignKey("document.id"))
    pdf_document_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("document.id"))
    imported_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    closed_reason: Mapped[Closure | None]


class Pending(Base):
    """The outbox: an invoice that has no plan yet. Written with the invoice, deleted with the planning.

    ``facts`` are the bits of `app.routing.facts.InvoiceFacts` without what only planning knows (mandate, claim).
    ``resident_id`` 0 stands for nobody known. ``is_replan``: it had a plan before (a channel refused, a person released
    it), so its delivery exists.
    """

    __tablename__ = "pending"

    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoice.id"), primary_key=True, autoincrement=False)
    resident_id: Mapped[Key]
    facts: Mapped[int]
    due_on: Mapped[dt.date]
    kid_key: Mapped[str | None] = mapped_column(String(25))
    is_replan: Mapped[bool] = mapped_column(default=False)


class Payment(Base):
    """One line of an OCR giro file. ``amount_ore`` is negative for a reversal; source: OCR giro system manual."""

    __tablename__ = "payment"
    __table_args__ = (UniqueConstraint("file_sha256", "row"),)

    id: Mapped[Id]
    file_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    row: Mapped[int]
    account: Mapped[str] = mapped_column(String(11))
    kid: Mapped[str] = mapped_column(String(25), index=True)
    amount_ore: Mapped[int] = mapped_column(BigInteger)
    transaction_type: Mapped[str] = mapped_column(String(2))
    settled_on: Mapped[dt.date]
    imported_at: Mapped[dt.datetime]
