"""Offer campaigns: whom one would reach, start, stop, go on. What staff pages and commands both call.

What is changed is put on the audit record in the same transaction, in the name of *actor*.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.asking import LastLook
from app.campaigns.models import Campaign, CampaignState, StopReason
from app.campaigns.select import (
    CANDIDATE,
    Rules,
    candidate_ids,
    candidates_at,
    count_addresses,
    count_by_reason,
    next_addresses,
)
from app.core.audit import AuditEvent, record
from app.core.clock import Clock
from app.core.dialect import begin_writing
from app.core.errors import NotFound, NotPossible
from app.core.settings import Settings

DEFAULT_NAME = "efaktura"
LONGEST_NAME = 80
FASTEST = 100_000
CHUNK = 1000


@dataclass(slots=True)
class Preview:
    """Whom a campaign would write to now. ``asked``: residents, ``mails``: addresses, so many mails.

    ``skipped``: residents by reason. ``resident_ids``: row ids of the asked ones, rising. ``is_silent``: the gateway
    for eFaktura did not answer, so the rest counts as unknown.
    """

    asked: int
    mails: int
    skipped: Mapping[str, int]
    resident_ids: Sequence[int] = field(repr=False)
    is_silent: bool = False


def preview(
    session: Session, settings: Settings, clock: Clock, name: str | None = None, look: LastLook | None = None
) -> Preview:
    """Whom the campaign *name* would write to now, beside those its mails wait for. Changes nothing.

    With *look* everybody is looked up as before a mail; without, whoever has eFaktura already is counted as asked, and
    only the database is read, once.
    """
    campaign = _by_name(session, name) if name else None
    rules = rules_for(settings, clock, campaign)
    skipped = Counter(count_by_reason(session, rules))
    asked = skipped.pop(CANDIDATE, 0)
    if look is None:
        return Preview(asked, count_addresses(session, rules), dict(skipped), candidate_ids(session, rules))
    ids, mails, after = array("q"), 0, ""
    while addresses := next_addresses(session, rules, after, CHUNK):
        after = addresses[-1]
        kept = look.still_to_ask(candidates_at(session, rules, addresses))
        ids.extend(one.resident_id for one in kept)
        mails += len({one.address for one in kept})
    return Preview(len(ids), mails, dict(skipped + look.skipped), array("q", sorted(ids)), look.is_silent)


def rules_for(settings: Settings, clock: Clock, campaign: Campaign | None, *, is_waiting: bool = False) -> Rules:
    """What choosing for *campaign* depends on."""
    return Rules(campaign.id if campaign else None, clock.now(), settings.offer_again_days, is_waiting)


def start(session: Session, clock: Clock, name: str, actor: str) -> Campaign:
    """The campaign *name*, running; begun when there is none. *actor* as the audit record names people. Commits.

    Raises `NotPossible` when it was stopped: only `resume` lets it go on; and for a name that is none.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise NotPossible(f"the name of a campaign has 1 to {LONGEST_NAME} characters")
    campaign = _locked(session, name)
    if campaign is None:
        campaign = Campaign(name=name, state=CampaignState.RUNNING, started_at=clock.now(), started_by=actor)
        session.add(campaign)
        session.flush()
        _note(session, clock, actor, AuditEvent.CAMPAIGN_STARTED, campaign)
    elif campaign.state is CampaignState.STOPPED:
        session.rollback()
        why = "its mails came back" if campaign.stop_reason is StopReason.BOUNCES else "somebody stopped it"
        raise NotPossible(f"the campaign {name} is stopped, since {why}: flask offers resume lets it go on")
    elif campaign.state is not CampaignState.RUNNING:
        campaign.state = CampaignState.RUNNING
        _note(session, clock, actor, AuditEvent.CAMPAIGN_STARTED, campaign)
    session.commit()
    return campaign


def stop(session: Session, clock: Clock, name: str, actor: str) -> Campaign:
    """Let no more mails of *name* leave; those a server is taking now are taken. Commits. Raises `NotFound`."""
    campaign = _there(session, name)
    if campaign.state is not CampaignState.STOPPED:
        campaign.state, campaign.stop_reason = CampaignState.STOPPED, StopReason.PERSON
        campaign.stopped_at, campaign.stopped_by = clock.now(), actor
        _note(session, clock, actor, AuditEvent.CAMPAIGN_STOPPED, campaign)
    session.commit()
    return campaign


def resume(session: Session, clock: Clock, name: str, actor: str) -> Campaign:
    """Let *name* go on; the next ``flask offers send`` does. Mails that came back until now count no more. Commits.

    Raises `NotFound`.
    """
    campaign = _there(session, name)
    if campaign.state is CampaignState.STOPPED:
        campaign.state, campaign.stop_reason = CampaignState.RUNNING, None
        campaign.stopped_at, campaign.stopped_by = clock.now(), actor
        _note(session, clock, actor, AuditEvent.CAMPAIGN_RESUMED, campaign)
    session.commit()
    return campaign


def set_pace(session: Session, clock: Clock, name: str, per_minute: int | None, actor: str) -> Campaign:
    """At most *per_minute* mails of *name* a minute from now on; None: as OFFER_MAILS_PER_MINUTE says. Commits.

    A run that is under way takes it up with its next mails. Raises `NotFound`, and `NotPossible` for no such pace.
    """
    if per_minute is not None and not 0 < per_minute <= FASTEST:
        raise NotPossible(f"a campaign sends 1 to {FASTEST} mails a minute")
    campaign = _there(session, name)
    if campaign.mails_per_minute != per_minute:
        details = {"from": campaign.mails_per_minute, "to": per_minute}
        campaign.mails_per_minute = per_minute
        _note(session, clock, actor, AuditEvent.CAMPAIGN_PACED, campaign, details)
    session.commit()
    return campaign


def finish(session: Session, campaign_id: int) -> None:
    """Nobody is left to write to; whoever comes to qualify later may still be, by the next start. Commits."""
    campaign = session.get_one(Campaign, campaign_id, populate_existing=True)
    if campaign.state is CampaignState.RUNNING:
        campaign.state = CampaignState.FINISHED
    session.commit()


def current_name(session: Session) -> str:
    """The campaign to go on with where none is named: the newest that runs, else the newest, else a first one."""
    query = select(Campaign.name).order_by((Campaign.state == CampaignState.RUNNING).desc(), Campaign.id.desc())
    return session.scalar(query.limit(1)) or DEFAULT_NAME


def _by_name(session: Session, name: str) -> Campaign | None:
    return session.scalars(select(Campaign).filter_by(name=name.strip())).one_or_none()


def _locked(session: Session, name: str) -> Campaign | None:
    session.commit()
    begin_writing(session)
    query = select(Campaign).filter_by(name=name).with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def _there(session: Session, name: str) -> Campaign:
    campaign = _locked(session, name.strip())
    if campaign is None:
        session.rollback()
        raise NotFound(f"there is no campaign {name}")
    return campaign


def _note(
    session: Session,
    clock: Clock,
    actor: str,
    event: AuditEvent,
    campaign: Campaign,
    details: dict[str, Any] | None = None,
) -> None:
    subject = f"campaign:{campaign.public_id}"
    record(session, at=clock.now(), actor=actor, event=event, subject=subject, details=details)
