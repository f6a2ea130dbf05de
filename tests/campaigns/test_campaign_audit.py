"""Whoever starts, stops, paces or goes on with a campaign is on the audit record, from a page or from a command."""

from __future__ import annotations

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns import service
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.errors import NotFound
from app.delivery.person_commands import actor


def events(session: Session) -> list[tuple[AuditEvent, str]]:
    """What was written down, oldest first, and by whom."""
    rows = session.scalars(select(AuditRecord).order_by(AuditRecord.id))
    return [(row.event, row.actor) for row in rows]


def test_each_change_is_written_down_once_however_often_it_is_asked_for(session: Session, clock: Clock) -> None:
    for _ in range(2):
        campaign = service.start(session, clock, "vår", "staff:a")
    for _ in range(2):
        service.set_pace(session, clock, "vår", 30, "staff:b")
    for _ in range(2):
        service.stop(session, clock, "vår", "staff:c")
    for _ in range(2):
        service.resume(session, clock, "vår", "staff:d")
    assert events(session) == [
        (AuditEvent.CAMPAIGN_STARTED, "staff:a"),
        (AuditEvent.CAMPAIGN_PACED, "staff:b"),
        (AuditEvent.CAMPAIGN_STOPPED, "staff:c"),
        (AuditEvent.CAMPAIGN_RESUMED, "staff:d"),
    ]
    subjects = session.scalars(select(AuditRecord.subject).distinct()).all()
    assert subjects == [f"campaign:{campaign.public_id}"]


def test_a_finished_campaign_that_is_started_anew_is_written_down_again(session: Session, clock: Clock) -> None:
    campaign = service.start(session, clock, "vår", "staff:a")
    service.finish(session, campaign.id)
    service.start(session, clock, "vår", "staff:b")
    assert events(session) == [(AuditEvent.CAMPAIGN_STARTED, "staff:a"), (AuditEvent.CAMPAIGN_STARTED, "staff:b")]


def test_what_was_not_possible_leaves_nothing(session: Session, clock: Clock) -> None:
    with pytest.raises(NotFound):
        service.stop(session, clock, "vår", "staff:a")
    session.commit()
    assert events(session) == []


def test_the_commands_write_down_who_gave_them(runner: FlaskCliRunner, session: Session, clock: Clock) -> None:
    service.start(session, clock, "vår", "staff:a")
    for command in ("stop", "resume"):
        assert runner.invoke(args=["offers", command, "vår"]).exit_code == 0
    assert events(session)[1:] == [(AuditEvent.CAMPAIGN_STOPPED, actor()), (AuditEvent.CAMPAIGN_RESUMED, actor())]
