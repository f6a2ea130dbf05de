"""A municipality whose invoices have all left, over twelve months by every channel, straight into the tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.channels.contract import Outcome
from app.delivery.models import Attempt, Delivery, Part, State
from app.invoices.models import Invoice, Pending
from app.registries.models import Register, RegistryAnswer
from app.residents.models import ContactKind, ContactPoint, ContactSource, Resident
from app.routing.channels import Answer, Channel
from bench import planning_data

CATEGORIES = ("default", "kommunale-avgifter", "barnehage", "sosial", "husleie", "vedtak")
MONTHS = [(2025, 12), *((2026, month) for month in range(1, 12))]


def fill(session: Session, invoices: int) -> None:
    """*invoices* invoices of a fifth as many residents, each with its document delivered. Commits."""
    planning_data.fill(session, invoices)
    session.execute(sa.delete(Pending))
    for place, (year, month) in enumerate(MONTHS):
        day = planning_data.TODAY.replace(year=year, month=month, day=15)
        session.execute(sa.update(Invoice).where(Invoice.id % 12 == place).values(issued_on=day))
    for place, category in enumerate(CATEGORIES):
        session.execute(sa.update(Invoice).where(Invoice.id % 7 == place).values(category=category))
    _documents(session)
    _people(session)
    session.commit()
    # As the database's own upkeep would have done by now.
    session.connection().exec_driver_sql("ANALYZE")
    session.commit()


def _documents(session: Session) -> None:
    now, channels = planning_data.MOMENT, list(Channel)
    for place, channel in enumerate(channels):
        mine = Invoice.id % len(channels) == place
        part = Part.CLAIM if channel is Channel.AVTALEGIRO else Part.DOCUMENT
        _insert(
            session, Delivery, sa.select(Invoice.id, Invoice.id).where(mine), ["id", "invoice_id"],
            part=part, state=State.DELIVERED, channel=channel, position=0, is_notice=False, tries=0,
            next_try_at=now, changed_at=now,
        )  # fmt: skip
        key = sa.cast(Delivery.id, sa.String)
        query = sa.select(Delivery.id, Delivery.id, key).where(Delivery.channel == channel)
        _insert(
            session, Attempt, query, ["id", "delivery_id", "key"],
            channel=channel, number=1, is_notice=False, is_cancellation=False, opened_at=now, closed_at=now,
            outcome=Outcome.ACCEPTED, resent=False,
        )  # fmt: skip


def _people(session: Session) -> None:
    now, most = planning_data.MOMENT, session.scalar(sa.select(sa.func.max(Resident.id))) or 0
    for place, (kind, rest) in enumerate(((ContactKind.MOBILE, 10), (ContactKind.EMAIL, 4))):
        query = sa.select(Resident.id + place * most, Resident.id, sa.cast(Resident.id, sa.String))
        _insert(
            session, ContactPoint, query.where(Resident.id % rest != 0), ["id", "resident_id", "value"],
            kind=kind, source=ContactSource.REGISTER, registered_at=now,
        )  # fmt: skip
    confirmed = sa.update(ContactPoint).where(ContactPoint.resident_id % 3 == 0).values(confirmed_at=now)
    session.execute(confirmed)
    for place, answer in enumerate((Answer.NO, Answer.YES)):
        _insert(
            session, RegistryAnswer, sa.select(Resident.id, Resident.id).where(Resident.id % 2 == place),
            ["id", "resident_id"], register=Register.EFAKTURA, answer=answer, asked_at=now,
        )  # fmt: skip


def _insert(session: Session, model: Any, query: Any, names: list[str], **fixed: Any) -> None:
    """Insert a row for each that *query* gives, with the same *fixed* values in all."""
    columns = model.__table__.c
    literals = [sa.literal(value, columns[name].type) for name, value in fixed.items()]
    session.execute(
        sa.insert(model).from_select([*names, *fixed], query.add_columns(*literals), include_defaults=False)
    )
