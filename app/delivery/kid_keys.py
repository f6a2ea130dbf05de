"""The part of a KID that a mandate fixes, computed in the database, and kept in step with the setting."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, select, update
from sqlalchemy.orm import Session

from app.core.kid import KidPositions
from app.core.settings import Settings
from app.invoices.models import Invoice, Pending
from app.residents.models import Mandate


def kid_key_sql(kid: Any, settings: Settings) -> ColumnElement[str]:
    """In SQL what `app.core.kid.fixed_part` is in Python, for the setting AVTALEGIRO_KID_FIXED."""
    positions = KidPositions.parse(settings.avtalegiro_kid_fixed)
    if positions is None:
        whole: ColumnElement[str] = kid
        return whole
    padded = literal(" " * positions.last).concat(kid)
    return case(
        (func.length(kid) < positions.last, func.substr(padded, func.length(kid) + 1, positions.last)),
        else_=func.substr(kid, positions.first, positions.last - positions.first + 1),
    )


def is_mandate_of(kid: Any, account: Any, settings: Settings) -> ColumnElement[bool]:
    """Whether a `Mandate` is in force and lets an invoice with this *kid* and *account* be claimed."""
    return and_(Mandate.kid_key == kid_key_sql(kid, settings), Mandate.account == account, Mandate.ended_at.is_(None))


def renew_kid_keys(session: Session, settings: Settings) -> bool:
    """Recompute every stored key when the setting has changed since; gives whether it had. Does not commit."""
    if session.scalar(select(Mandate.id).where(Mandate.kid_key != kid_key_sql(Mandate.kid, settings)).limit(1)) is None:
        return False
    session.execute(update(Mandate).values(kid_key=kid_key_sql(Mandate.kid, settings)))
    new_key = kid_key_sql(Invoice.kid, settings)
    session.execute(update(Invoice).where(Invoice.kid_key.is_not(None)).values(kid_key=new_key))
    of_invoice = select(Invoice.kid_key).where(Invoice.id == Pending.invoice_id).scalar_subquery()
    session.execute(update(Pending).values(kid_key=of_invoice))
    return True
