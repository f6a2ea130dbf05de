"""Which of a campaign's mails are whose: begun, ended, and left open by a process that is gone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, exists, select, update
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, CampaignState, MailState, OfferMail
from app.campaigns.outgoing import Outgoing
from app.clients.rules import Judgement, Verdict
from app.core.database import Base
from app.core.dialect import picked
from app.core.settings import Settings
from app.delivery.workers import Worker, is_gone, is_here

log = structlog.get_logger(__name__)

MAILS = Base.metadata.tables[OfferMail.__tablename__]
SENT_TWICE = "sent_twice_without_answer"
QUIET = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Ended:
    """What one mail came to. ``was_resent``: it had been begun once before."""

    mail_id: int
    was_resent: bool
    judgement: Judgement

    @property
    def is_sent(self) -> bool:
        """Whether it was taken, or counts as taken."""
        verdict = self.judgement.verdict
        return verdict is Verdict.ACCEPTED or (verdict is Verdict.UNCERTAIN and self.was_resent)

    def values(self, now: dt.datetime) -> dict[str, Any]:
        """What is written down.

        Surely not taken: it waits as if nothing had been. May be taken: it is begun once more, under the same
        ``Message-ID``, and after that counts as sent.
        """
        verdict, detail = self.judgement.verdict, self.judgement.detail[:200]
        state, was_begun = MailState.SENT, self.was_resent
        if verdict is Verdict.REFUSED:
            state = MailState.REFUSED
        elif verdict is Verdict.UNAVAILABLE:
            state = MailState.WAITING
        elif verdict is Verdict.UNCERTAIN and self.was_resent:
            detail = SENT_TWICE
        elif verdict is Verdict.UNCERTAIN:
            state, was_begun = MailState.WAITING, True
        has_left = state is not MailState.WAITING
        return {
            "mail_id": self.mail_id, "to_state": state, "to_detail": detail, "to_sent_at": now if has_left else None,
            "to_settled_at": now if state is MailState.REFUSED else None, "to_resent": was_begun,
            "forgets": not has_left and not was_begun,
        }  # fmt: skip


def begin(
    session: Session, worker: Worker, campaign_id: int, ids: Sequence[int], now: dt.datetime
) -> Sequence[Row[int, bool]]:
    """Begin those of *ids* that wait, unless the campaign was stopped; gives their ids and whether each was begun
    before. The caller commits before any of them leaves."""
    is_running = exists().where(Campaign.id == campaign_id, Campaign.state == CampaignState.RUNNING)
    waiting = select(OfferMail.id).where(OfferMail.id.in_(ids), OfferMail.state == MailState.WAITING, is_running)
    return session.execute(
        update(OfferMail)
        .where(picked(session, OfferMail.id, waiting.with_for_update(skip_locked=True, of=OfferMail)))
        .where(OfferMail.state == MailState.WAITING)
        .values(state=MailState.SENDING, worker=worker.name, opened_at=now)
        .returning(OfferMail.id, OfferMail.resent),
        execution_options=QUIET,
    ).all()


def end(session: Session, worker: Worker, ended: Sequence[Ended], now: dt.datetime) -> None:
    """Write down what mails of ours came to; what another has settled meanwhile stays as it is. Does not commit."""
    mine = (MAILS.c.id == bindparam("mail_id"), MAILS.c.worker == worker.name, MAILS.c.state == MailState.SENDING)
    to = {
        "state": bindparam("to_state", type_=MAILS.c.state.type),
        "detail": bindparam("to_detail"),
        "sent_at": bindparam("to_sent_at", type_=MAILS.c.sent_at.type),
        "settled_at": bindparam("to_settled_at", type_=MAILS.c.settled_at.type),
        "resent": bindparam("to_resent", type_=MAILS.c.resent.type),
        "worker": None,
    }
    for forgets in (False, True):
        rows = [values for one in ended if (values := one.values(now)).pop("forgets") is forgets]
        if rows:
            session.execute(update(MAILS).where(*mine).values(to | ({"opened_at": None} if forgets else {})), rows)


def free_gone(session: Session, settings: Settings, way: Outgoing, now: dt.datetime) -> int:
    """Settle the mails that ended workers left open: what may have been taken leaves once more. Commits.

    Gives how many there were. Raises OSError when it cannot be looked.
    """
    query = select(OfferMail.id, OfferMail.worker, OfferMail.key, OfferMail.resent, OfferMail.opened_at)
    left: dict[str, list[Any]] = {}
    for row in session.execute(query.where(OfferMail.state == MailState.SENDING)):
        if _is_abandoned(row.worker, row.opened_at, settings, now):
            left.setdefault(row.worker or "", []).append(row)
    session.commit()
    for worker, rows in left.items():
        found = way.found(worker, [row.key for row in rows])
        for row in rows:
            _settle(session, row, Ended(row.id, row.resent, Judgement(found[row.key], "left open")), now)
        session.commit()
        way.settled(worker)
        log.warning("offers of an ended worker settled", mails=len(rows))
    return sum(map(len, left.values()))


def _settle(session: Session, row: Any, ended: Ended, now: dt.datetime) -> None:
    values = ended.values(now)
    session.execute(
        update(OfferMail)
        .where(OfferMail.id == row.id, OfferMail.worker == row.worker, OfferMail.state == MailState.SENDING)
        .values(
            state=values["to_state"], detail=values["to_detail"], sent_at=values["to_sent_at"] and row.opened_at,
            resent=values["to_resent"], worker=None, opened_at=None if values["forgets"] else row.opened_at,
        ),
        execution_options=QUIET,
    )  # fmt: skip


def _is_abandoned(worker: str | None, opened_at: dt.datetime | None, settings: Settings, now: dt.datetime) -> bool:
    if worker is None or opened_at is None or is_gone(worker):
        return True
    return not is_here(worker) and opened_at < now - settings.lease


def is_stopped(session: Session, campaign_id: int) -> bool:
    """Whether the campaign may not send. Does not commit."""
    return session.scalar(select(Campaign.state).where(Campaign.id == campaign_id)) is not CampaignState.RUNNING
