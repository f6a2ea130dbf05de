"""Campaigns from the staff pages: seen before they start, started once, paced, stopped, and let go on."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, CampaignState
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactSource
from app.staff.access import Role
from tests.portal.people import add_resident, hidden
from tests.staff.people import OIDS
from tests.staff.test_needs import press

LIST = "/ansatt/tilbud"


@pytest.fixture
def people(session: Session, settings: Settings, clock: Clock) -> None:
    """Three who can be asked, one who has no address."""
    for number in range(1, 5):
        resident = add_resident(session, settings, clock, number)
        if number < 4:
            register_contact(
                session, resident.id, ContactKind.EMAIL, f"k{number}@example.com", ContactSource.REGISTER, clock.now(),
                is_confirmed=False,
            )  # fmt: skip
    session.commit()


def events(session: Session) -> list[AuditEvent]:
    session.rollback()
    return list(session.scalars(select(AuditRecord.event).order_by(AuditRecord.id)))[1:]


def started(client: FlaskClient, session: Session) -> Campaign:
    press(client, LIST, "/ansatt/tilbud/start", name="Vår 2026")
    return session.scalars(select(Campaign)).one()


@pytest.mark.usefixtures("people")
def test_a_preview_says_who_and_how_many_and_changes_nothing(session: Session, operator: FlaskClient) -> None:
    status, page = press(operator, LIST, "/ansatt/tilbud/se", name="Vår 2026")
    assert status == 200
    assert "3 innbyggere blir spurt. Det går ut 3 e-poster." in page
    assert "har ingen e-postadresse" in page
    assert session.scalars(select(Campaign)).all() == []
    assert events(session) == []
    assert hidden(page, "name") == "Vår 2026"


@pytest.mark.usefixtures("people")
def test_a_campaign_is_started_once_however_often_it_is_pressed(session: Session, operator: FlaskClient) -> None:
    for _time in range(2):
        status, page = press(operator, LIST, "/ansatt/tilbud/start", name="Vår 2026")
        assert status == 302
        assert "Kampanjen er i gang." in page
    campaign = session.scalars(select(Campaign)).one()
    assert (campaign.state, campaign.started_by) == (CampaignState.RUNNING, f"staff:{OIDS[Role.OPERATOR]}")
    assert events(session) == [AuditEvent.CAMPAIGN_STARTED]


def test_a_campaign_is_stopped_and_goes_on_and_a_second_press_is_harmless(
    session: Session, operator: FlaskClient
) -> None:
    campaign = started(operator, session)
    page = f"{LIST}/{campaign.public_id}"
    for path, state in (("stopp", CampaignState.STOPPED), ("fortsett", CampaignState.RUNNING)):
        for _time in range(2):
            assert press(operator, page, f"{page}/{path}")[0] == 302
        session.refresh(campaign)
        assert campaign.state is state
    assert events(session) == [
        AuditEvent.CAMPAIGN_STARTED, AuditEvent.CAMPAIGN_STOPPED, AuditEvent.CAMPAIGN_RESUMED,
    ]  # fmt: skip


def test_a_stopped_campaign_is_not_started_by_its_name(session: Session, operator: FlaskClient) -> None:
    campaign = started(operator, session)
    page = f"{LIST}/{campaign.public_id}"
    press(operator, page, f"{page}/stopp")
    status, shown = press(operator, LIST, "/ansatt/tilbud/se", name=campaign.name)
    assert "Start kampanjen" not in shown
    status, shown = press(operator, LIST, "/ansatt/tilbud/start", name=campaign.name)
    assert status == 302
    assert "Kampanjen er stanset. Se på den, og la den fortsette derfra." in shown
    session.refresh(campaign)
    assert campaign.state is CampaignState.STOPPED


def test_the_pace_is_set_and_taken_away(session: Session, operator: FlaskClient) -> None:
    campaign = started(operator, session)
    page = f"{LIST}/{campaign.public_id}"
    assert "Farten er lagret." in press(operator, page, f"{page}/fart", per_minute="1 200")[1]
    session.refresh(campaign)
    assert campaign.mails_per_minute == 1200
    press(operator, page, f"{page}/fart", per_minute="")
    session.refresh(campaign)
    assert campaign.mails_per_minute is None
    record = session.scalars(select(AuditRecord).where(AuditRecord.event == AuditEvent.CAMPAIGN_PACED)).first()
    assert record is not None
    assert record.details == {"from": None, "to": 1200}


@pytest.mark.parametrize("pace", ["0", "-5", "fort", "100001", "1.5"])
def test_a_pace_that_is_none_is_said(session: Session, operator: FlaskClient, pace: str) -> None:
    campaign = started(operator, session)
    page = f"{LIST}/{campaign.public_id}"
    status, shown = press(operator, page, f"{page}/fart", per_minute=pace)
    assert status == 422
    assert "Skriv et tall fra 1 til 100\u00a0000" in shown or "Skriv et tall fra 1 til 100 000" in shown


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_name_that_is_none_is_said(operator: FlaskClient, name: str) -> None:
    for path in ("se", "start"):
        assert press(operator, LIST, f"{LIST}/{path}", name=name)[0] == 422


def test_a_campaign_that_is_not_there_is_not_found(operator: FlaskClient) -> None:
    assert operator.get(f"{LIST}/00000000-0000-4000-8000-000000000000").status_code == 404
