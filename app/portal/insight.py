"""Everything that is held about a resident: for the page, and as a file to take along (GDPR article 15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.core.audit import VIEWS, AuditRecord, seen_by
from app.core.crypto import vault
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery
from app.invoices.models import Invoice
from app.portal.insight_offers import efaktura_held
from app.registries.models import RegistryAnswer
from app.residents.models import ContactPoint, Mandate, Preference, Resident

# What a file of the whole would be with more: nobody has as many, and the memory is bounded.
MOST_ROWS = 5_000


def held_about(session: Session, settings: Settings, resident: Resident) -> dict[str, Any]:
    """Everything held, as plain values. Moments and dates as ISO 8601; money in whole øre. Changes nothing."""
    return {
        "person": _person(settings, resident),
        "contact_points": [_contact(point) for point in contact_points(session, resident)],
        "preferences": [
            {
                "closed_channel": row.channel.value if row.channel else None,
                "all_by_letter": row.is_all_by_letter,
                "chosen_at": row.chosen_at.isoformat(),
            }
            for row in session.scalars(select(Preference).where(Preference.resident_id == resident.id))
        ],
        "register_answers": [
            {"register": row.register.value, "answer": row.answer.value, "asked_at": row.asked_at.isoformat(),
             "efaktura_identifier": row.reference or None}
            for row in answers(session, resident)
        ],
        "avtalegiro": [
            {"account": row.account, "kid": row.kid, "wants_notice": row.wants_notice,
             "registered_at": row.registered_at.isoformat(),
             "ended_at": row.ended_at.isoformat() if row.ended_at else None}
            for row in mandates(session, resident)
        ],
        **efaktura_held(session, resident),
        "invoices": _invoices(session, resident),
        "seen": [
            {"at": row.at.isoformat(), "who": who(row, resident), "event": row.event.value}
            for row in seen_of(session, resident)
        ],
        "log": [
            {"at": row.at.isoformat(), "who": who(row, resident), "event": row.event.value, "reason": row.reason}
            for row in log_about(session, resident)
        ],
    }  # fmt: skip


def masked(national_id: str) -> str:
    """The date of birth of an 11-digit *national_id*, the rest hidden: a file is passed on, a page is not."""
    return f"{national_id[:6]}*****"


def contact_points(session: Session, resident: Resident) -> Sequence[ContactPoint]:
    """All contact points, open and closed, oldest first."""
    query = select(ContactPoint).where(ContactPoint.resident_id == resident.id).order_by(ContactPoint.id)
    return session.scalars(query).all()


def answers(session: Session, resident: Resident) -> Sequence[RegistryAnswer]:
    """What the registers said last."""
    query = select(RegistryAnswer).where(RegistryAnswer.resident_id == resident.id)
    return session.scalars(query.order_by(RegistryAnswer.register)).all()


def mandates(session: Session, resident: Resident) -> Sequence[Mandate]:
    """The AvtaleGiro mandates that the resident's invoices meet."""
    keys = select(Invoice.kid_key).where(Invoice.resident_id == resident.id, Invoice.kid_key.is_not(None))
    return session.scalars(select(Mandate).where(Mandate.kid_key.in_(keys)).order_by(Mandate.id)).all()


def log_about(session: Session, resident: Resident) -> Sequence[AuditRecord]:
    """What anyone did to the resident's data or invoices, newest first; who only looked is in `seen_of`."""
    about = or_(
        AuditRecord.subject == f"resident:{resident.public_id}", AuditRecord.subject.in_(_invoices_of(resident))
    )
    query = select(AuditRecord).where(about, AuditRecord.event.not_in(VIEWS))
    return session.scalars(query.order_by(AuditRecord.id.desc()).limit(MOST_ROWS)).all()


def seen_of(session: Session, resident: Resident) -> Sequence[AuditRecord]:
    """When somebody of the municipality looked at the resident's page or invoices, newest first."""
    return seen_by(session, resident.public_id, _invoices_of(resident))


def _invoices_of(resident: Resident) -> Select[str]:
    return select("invoice:" + Invoice.public_id).where(Invoice.resident_id == resident.id)


def who(row: AuditRecord, resident: Resident) -> str:
    """Who did it, as far as the resident needs to know: ``resident``, ``link`` (from a mail), ``staff`` or ``job``."""
    if row.actor == f"resident:{resident.public_id}":
        return "resident"
    if row.actor.endswith(" link"):
        return "link"
    return "staff" if row.actor.startswith(("staff:", "command:")) else "job"


def _person(settings: Settings, resident: Resident) -> dict[str, Any]:
    encrypted = resident.national_id_encrypted
    return {
        "customer_number": resident.customer_number,
        "kind": resident.kind.value,
        "name": resident.name,
        "national_id": masked(vault(settings).decrypt(encrypted, row=resident.public_id)) if encrypted else None,
        "organisation_number": resident.organisation_number,
        "address": [
            line
            for line in (resident.address_line_1, resident.address_line_2,
                         f"{resident.postal_code} {resident.city}".strip(), resident.country)
            if line
        ],
        "language": resident.language,
        "address_protection": resident.address_protection.value,
        "deceased_on": resident.deceased_on.isoformat() if resident.deceased_on else None,
        "first_seen_at": resident.created_at.isoformat(),
        "last_changed_at": resident.updated_at.isoformat(),
    }  # fmt: skip


def _contact(point: ContactPoint) -> dict[str, Any]:
    return {
        "kind": point.kind.value,
        "value": point.value,
        "source": point.source.value,
        "registered_at": point.registered_at.isoformat(),
        "confirmed_at": point.confirmed_at.isoformat() if point.confirmed_at else None,
        "closed_at": point.closed_at.isoformat() if point.closed_at else None,
        "closed_reason": point.closed_reason.value if point.closed_reason else None,
    }


def _invoices(session: Session, resident: Resident) -> list[dict[str, Any]]:
    query = select(Invoice).where(Invoice.resident_id == resident.id).order_by(Invoice.issued_on, Invoice.id)
    invoices = session.scalars(query.limit(MOST_ROWS)).all()
    tries = _tries(session, resident)
    return [
        {
            "number": invoice.number,
            "kind": invoice.kind.value,
            "category": invoice.category,
            "issued_on": invoice.issued_on.isoformat(),
            "due_on": invoice.due_on.isoformat(),
            "amount_ore": invoice.amount_ore,
            "kid": invoice.kid,
            "account": invoice.account,
            "closed": invoice.closed_reason.value if invoice.closed_reason else None,
            "sendings": tries.get(invoice.id, []),
        }
        for invoice in invoices
    ]


def _tries(session: Session, resident: Resident) -> dict[int, list[dict[str, Any]]]:
    query = (
        select(Delivery.invoice_id, Delivery.part, Attempt)
        .join(Attempt, Attempt.delivery_id == Delivery.id)
        .join(Invoice, Invoice.id == Delivery.invoice_id)
        .where(Invoice.resident_id == resident.id)
        .order_by(Attempt.id)
        .limit(MOST_ROWS)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for invoice_id, part, attempt in session.execute(query):
        found.setdefault(invoice_id, []).append(
            {
                "part": part.value,
                "channel": attempt.channel.value,
                "at": attempt.opened_at.isoformat(),
                "outcome": attempt.outcome.value if attempt.outcome else None,
                "taken_back_at": attempt.taken_back_at.isoformat() if attempt.taken_back_at else None,
            }
        )
    return found
