"""Offers' mails that came back: the mail is marked, and an address that is no good is closed for whoever has it.

The returned mails themselves are read with those of the invoices (`app.delivery.returned_mail`), which keeps what they
say under the ``Message-ID``; here those of the offers are taken out again.
"""

from __future__ import annotations

import datetime as dt

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.campaigns.models import MailState, OfferMail
from app.channels.contract import ReceiptStatus
from app.clients.return_path import ReturnPath
from app.core.audit import AuditEvent, record
from app.core.clock import Clock
from app.core.dialect import begin_writing, one_of
from app.core.settings import Settings
from app.delivery.bounces import closing_reason, is_about_address
from app.delivery.models import Receipt
from app.residents.contacts import close_contact
from app.residents.models import ContactKind, ContactPoint, Resident
from app.routing.channels import Channel

log = structlog.get_logger(__name__)

AT_ONCE = 500
MAY_COME_BACK = (MailState.WAITING, MailState.SENDING, MailState.SENT, MailState.DELIVERED, MailState.SKIPPED)


def take_returned(session: Session, settings: Settings, clock: Clock) -> int:
    """Mark the offers' mails that came back, and count those as arrived that did not in time; gives how many came back.

    Every receipt is handled once. Commits.
    """
    path, after, found = ReturnPath.by(settings), 0, 0
    while True:
        session.commit()
        begin_writing(session)
        query = select(Receipt.id, Receipt.provider_reference, Receipt.detail).where(
            Receipt.channel == Channel.EMAIL,
            Receipt.handled_at.is_(None),
            Receipt.status == ReceiptStatus.FAILED.value,
            Receipt.id > after,
        )
        rows = session.execute(query.order_by(Receipt.id).limit(AT_ONCE)).all()
        if not rows:
            break
        after = rows[-1].id
        by_key = {key: row for row in rows for key in path.keys_in(row.provider_reference)}
        found += _mark(session, settings, clock.now(), {key: (row.id, row.detail) for key, row in by_key.items()})
    settle_arrived(session, settings, clock.now())
    session.commit()
    return found


def _mark(session: Session, settings: Settings, now: dt.datetime, returned: dict[str, tuple[int, str | None]]) -> int:
    if not returned:
        return 0
    query = select(OfferMail).where(one_of(session, OfferMail.key, list(returned))).order_by(OfferMail.id)
    mails = session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
    for mail in mails:
        receipt_id, detail = returned[mail.key]
        if mail.state in MAY_COME_BACK:
            mail.state, mail.detail, mail.settled_at, mail.worker = MailState.BOUNCED, detail, now, None
            mail.sent_at = mail.sent_at or mail.opened_at or now
        session.execute(update(Receipt).where(Receipt.id == receipt_id).values(handled_at=now))
        session.flush()
        close_address(session, settings, mail.id, detail, now)
    if mails:
        log.info("offers came back", mails=len(mails))
    return len(mails)


def close_address(session: Session, settings: Settings, mail_id: int, detail: str | None, now: dt.datetime) -> int:
    """Close the address of a mail whose refusal says that it is no good, for all who had it when the mail left.

    A mailbox that is full today stays. Gives how many were closed. Does not commit.
    """
    if not is_about_address(detail):
        return 0
    address, opened_at = session.execute(
        select(OfferMail.address, OfferMail.opened_at).where(OfferMail.id == mail_id)
    ).one()
    query = (
        select(ContactPoint.resident_id, Resident.public_id)
        .join(Resident, Resident.id == ContactPoint.resident_id)
        .where(
            ContactPoint.kind == ContactKind.EMAIL,
            ContactPoint.value == address,
            ContactPoint.closed_at.is_(None),
            ContactPoint.registered_at <= (opened_at or now),
        )
        .order_by(ContactPoint.resident_id)
    )
    reason = closing_reason(detail)
    closed = 0
    for resident_id, public_id in session.execute(query).all():
        closed += close_contact(session, resident_id, ContactKind.EMAIL, address, reason, now)
        record(
            session,
            at=now,
            actor="offers",
            event=AuditEvent.ADDRESS_REMOVED,
            subject=f"resident:{public_id}",
            reason=reason,
        )
    return closed


def settle_arrived(session: Session, settings: Settings, now: dt.datetime) -> None:
    """Count as delivered what has not come back for EMAIL_SETTLE_DAYS. Does not commit."""
    before = now - dt.timedelta(days=settings.email_settle_days or 0)
    session.execute(
        update(OfferMail)
        .where(OfferMail.state == MailState.SENT, OfferMail.sent_at <= before)
        .values(state=MailState.DELIVERED, settled_at=now)
        .execution_options(synchronize_session=False)
    )
