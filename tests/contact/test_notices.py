"""A former number or address is told in the end, whatever happened to the request that changed it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.contact.confirming import remove
from app.contact.desk import Desk
from app.contact.models import OwedNotice
from app.contact.notices import FIRST_WAIT, GIVEN_UP, bring_owed
from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactSource, Resident
from tests.contact.conftest import KeptMessages

OLD = "+4741234567"


@pytest.fixture
def owed(desk: Desk, messages: KeptMessages, resident: Resident, session: Session, clock: Clock) -> None:
    """A number that was removed while no message got away."""
    register_contact(
        session, resident.id, ContactKind.MOBILE, OLD, ContactSource.REGISTER, clock.now(), is_confirmed=False
    )
    session.commit()
    messages.is_down = True
    assert remove(desk, resident, ContactKind.MOBILE)


def step(app: Flask, session: Session, settings: Settings, clock: Clock) -> dict[str, int]:
    """The step of the nightly run."""
    return dict(bring_owed(session, settings, clock, app.config["TRANSPORT"], clock.now()))


def later(clock: Clock, span: dt.timedelta) -> Clock:
    """The clock, *span* on."""
    return Clock(clock.shift + span)


def texts(settings: Settings) -> list[str]:
    """What lies in the outbox."""
    return [path.read_text() for path in sorted((settings.outbox_dir / "sms").glob("*.txt"))]


@pytest.mark.usefixtures("owed")
def test_the_next_run_brings_it_once(app: Flask, session: Session, settings: Settings, clock: Clock) -> None:
    assert step(app, session, settings, clock)["brought"] == 0, "the request itself may still be at it"
    after = later(clock, FIRST_WAIT)
    assert step(app, session, settings, after) == {"brought": 1, "left": 0, "given_up": 0}
    assert len([text for text in texts(settings) if OLD in text]) == 1
    assert step(app, session, settings, later(after, FIRST_WAIT))["brought"] == 0
    assert session.scalars(select(OwedNotice)).all() == [], "and the address is forgotten"


@pytest.mark.usefixtures("owed")
def test_what_nobody_could_bring_in_a_week_is_forgotten(
    app: Flask, session: Session, settings: Settings, clock: Clock
) -> None:
    after = later(clock, GIVEN_UP + dt.timedelta(minutes=1))
    assert step(app, session, settings, after) == {"brought": 0, "left": 0, "given_up": 1}
    assert texts(settings) == []


def test_a_change_that_is_told_at_once_owes_nothing(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session, clock: Clock
) -> None:
    register_contact(
        session, resident.id, ContactKind.MOBILE, OLD, ContactSource.REGISTER, clock.now(), is_confirmed=False
    )
    session.commit()
    assert remove(replace(desk, language="nn"), resident, ContactKind.MOBILE)
    assert [message.to for message in messages.sent] == [OLD]
    assert session.scalars(select(OwedNotice)).all() == []
