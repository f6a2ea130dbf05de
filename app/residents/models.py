"""Residents, how they can be reached, what they chose, and their AvtaleGiro mandates."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, Id, Key, PublicId
from app.routing.channels import Channel


class ResidentKind(StrEnum):
    """Who receives invoices."""

    PERSON = "person"
    ORGANISATION = "organisation"


class AddressProtection(StrEnum):
    """Grading of the address; source: Folkeregisteret, identity.md §4."""

    NONE = "none"
    CONFIDENTIAL = "confidential"
    STRICTLY_CONFIDENTIAL = "strictly_confidential"


class Resident(Base):
    """One customer of the municipality: a person or an organisation.

    ``national_id_encrypted`` is bound to ``public_id``; ``national_id_index`` is the keyed blind index
    (`app.core.crypto.NationalIdVault`). ``register_digest`` is the SHA-256 of the register row last
    taken (`app.residents.register_digest`), None when it must be read anew.
    """

    __tablename__ = "resident"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    customer_number: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[ResidentKind] = mapped_column(default=ResidentKind.PERSON)
    name: Mapped[str] = mapped_column(String(200))
    national_id_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    national_id_index: Mapped[bytes | None] = mapped_column(LargeBinary(34), unique=True)
    organisation_number: Mapped[str | None] = mapped_column(String(9), index=True)
    address_line_1: Mapped[str] = mapped_column(String(120), default="")
    address_line_2: Mapped[str] = mapped_column(String(120), default="")
    postal_code: Mapped[str] = mapped_column(String(12), default="")
    city: Mapped[str] = mapped_column(String(80), default="")
    country: Mapped[str] = mapped_column(String(60), default="")
    language: Mapped[str] = mapped_column(String(2), default="nb")
    address_protection: Mapped[AddressProtection] = mapped_column(default=AddressProtection.NONE)
    deceased_on: Mapped[dt.date | None]
    register_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


# Prefixes are ranges of the index, so words are compared byte by byte, whatever the database's own collation.
_WORD = String(40).with_variant(postgresql.VARCHAR(40, collation="C"), "postgresql")


class ResidentName(Base):
    """Two different words of a resident's name, folded by `app.residents.names`; each two in both orders.

    So the beginning of one word, or one word and the beginning of another, is one range of the primary key, however
    many residents share either. A name of one word has ``other`` empty. Kept by `app.residents.name_index`.
    """

    __tablename__ = "resident_name"

    word: Mapped[str] = mapped_column(_WORD, primary_key=True)
    other: Mapped[str] = mapped_column(_WORD, primary_key=True)
    resident_id: Mapped[Key] = mapped_column(ForeignKey("resident.id"), primary_key=True, index=True)


class ContactKind(StrEnum):
    """What a contact point is."""

    MOBILE = "mobile"
    EMAIL = "email"


class ContactSource(StrEnum):
    """Who brought a contact point."""

    REGISTER = "register"
    RESIDENT = "resident"
    STAFF = "staff"


class ClosedReason(StrEnum):
    """Why a contact point is no longer used. Only what the register itself withdrew may the register bring back."""

    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    REMOVED = "removed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    NOT_ME = "not_me"


def _folded(context: DefaultExecutionContext) -> str:
    value: str = context.get_current_parameters()["value"]  # type: ignore[no-untyped-call]
    return value.lower()


class ContactPoint(Base):
    """One mobile number (E.164) or e-mail address of a resident, open or closed.

    At most one of each kind is open. A closed one is kept: what a person or a bounce closed, the register may not
    bring back. ``value_folded`` is the value in lower case, for people who search; it fills itself.
    """

    __tablename__ = "contact_point"
    __table_args__ = (
        UniqueConstraint("resident_id", "kind", "value"),
        Index(
            "uq_contact_point_open",
            "resident_id",
            "kind",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    resident_id: Mapped[Key] = mapped_column(ForeignKey("resident.id"))
    kind: Mapped[ContactKind]
    value: Mapped[str] = mapped_column(String(254), index=True)
    value_folded: Mapped[str | None] = mapped_column(String(254), default=_folded, index=True)
    source: Mapped[ContactSource]
    registered_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    closed_reason: Mapped[ClosedReason | None]


class Preference(Base):
    """A channel the resident closed. ``paper`` closed means nothing: "all by letter" is ``all_by_letter``."""

    __tablename__ = "preference"
    __table_args__ = (UniqueConstraint("resident_id", "channel"),)

    id: Mapped[Id]
    resident_id: Mapped[Key] = mapped_column(ForeignKey("resident.id"))
    channel: Mapped[Channel | None]
    is_all_by_letter: Mapped[bool] = mapped_column(default=False)
    chosen_at: Mapped[dt.datetime]


class Mandate(Base):
    """An AvtaleGiro mandate the bank told us of. The KID is the payer; a KID nobody has yet is kept too.

    ``kid_key`` is the fixed positions of the KID (setting AVTALEGIRO_KID_FIXED), which an invoice's must equal.
    Source: AvtaleGiro system spec 3.3, record NY219470.
    """

    __tablename__ = "mandate"
    __table_args__ = (CheckConstraint("kid <> ''", name="kid"),)

    id: Mapped[Id]
    account: Mapped[str] = mapped_column(String(11))
    kid: Mapped[str] = mapped_column(String(25), unique=True)
    kid_key: Mapped[str] = mapped_column(String(25), index=True)
    wants_notice: Mapped[bool]
    registered_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class StaleResident(Base):
    """The outbox of changed residents: whoever changes one adds its id, and planning gathers its facts anew.

    Rows are only added (several for one resident are fine) and deleted by the gathering that read them.
    """

    __tablename__ = "stale_resident"

    id: Mapped[Id]
    resident_id: Mapped[Key] = mapped_column(index=True)
