"""An offer that comes back marks its mail, closes the address where that is no good, and pulls the brake in time."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from app.campaigns.bounces import take_returned
from app.campaigns.models import Campaign, CampaignState, OfferMail, StopReason
from app.core.audit import AuditEvent, AuditRecord
from app.core.settings import Settings
from app.delivery.models import Receipt
from app.residents.models import ClosedReason, ContactPoint, StaleResident
from tests.campaigns.village import Village
from tests.clients import returned_samples as samples

FULL = samples.postfix("5.2.2", "smtp; 552 5.2.2 mailbox is full")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mail_return_path": "retur+{key}@example.com", "email_settle_days": 0})


@pytest.fixture
def village(app: Flask, session: Session, settings: Settings) -> Village:
    return Village(session, settings)


def come_back(village: Village, mail: OfferMail, sample: bytes) -> None:
    """Put the returned mail where the mail server delivers them."""
    folder = village.settings.bounce_maildir / "new"
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.iterdir()))
    (folder / f"returned.{number}").write_bytes(sample.replace(samples.KEY.encode(), mail.key.encode()))


def receipts(runner: FlaskCliRunner) -> None:
    done = runner.invoke(args=["invoices", "receipts", "--format", "json"])
    assert done.exit_code in (0, 1), done.output


def point_of(village: Village, resident_id: int) -> ContactPoint:
    return village.session.query(ContactPoint).populate_existing().filter_by(resident_id=resident_id).one()


@pytest.mark.parametrize(
    ("sample", "reason"),
    [(samples.postfix(), ClosedReason.BOUNCED), (samples.complaint(), ClosedReason.COMPLAINED)],
)
def test_the_job_that_reads_returned_mail_marks_the_offer_and_closes_the_address_for_all_who_have_it(
    village: Village, runner: FlaskCliRunner, sample: bytes, reason: ClosedReason
) -> None:
    both = [village.resident("home@example.com"), village.resident("home@example.com")]
    for resident in both:
        point_of(village, resident.id).confirmed_at = village.clock.now()
    village.session.commit()
    village.send()
    assert village.states() == ["delivered"]
    come_back(village, village.mails()[0], sample)
    receipts(runner)
    assert village.states() == ["bounced"]
    for resident in both:
        point = point_of(village, resident.id)
        assert (point.closed_reason, point.confirmed_at) == (reason, None)
    stale = {row.resident_id for row in village.session.query(StaleResident)}
    assert stale >= {resident.id for resident in both}
    removed = village.session.query(AuditRecord).filter_by(event=AuditEvent.ADDRESS_REMOVED)
    assert {row.subject for row in removed} == {f"resident:{resident.public_id}" for resident in both}
    assert village.session.query(Receipt).filter(Receipt.handled_at.is_(None)).count() == 0


def test_a_full_mailbox_marks_the_mail_and_keeps_the_address(village: Village, runner: FlaskCliRunner) -> None:
    resident = village.resident()
    village.send()
    come_back(village, village.mails()[0], FULL)
    receipts(runner)
    assert village.states() == ["bounced"]
    assert point_of(village, resident.id).closed_at is None


def test_an_address_that_came_after_the_mail_has_refused_nothing(village: Village, runner: FlaskCliRunner) -> None:
    village.resident("home@example.com")
    village.send()
    village.clock.pass_time(days=1)
    later = village.resident("home@example.com")
    come_back(village, village.mails()[0], samples.postfix())
    receipts(runner)
    assert point_of(village, later.id).closed_at is None


def test_a_bounce_that_is_told_twice_counts_once(village: Village, runner: FlaskCliRunner) -> None:
    village.resident()
    village.send()
    for sample in (samples.postfix(), samples.postfix()):
        come_back(village, village.mails()[0], sample)
        receipts(runner)
    assert village.states() == ["bounced"]
    assert take_returned(village.session, village.settings, village.clock) == 0


def test_a_bounce_of_no_mail_of_ours_stays_for_others(village: Village, runner: FlaskCliRunner) -> None:
    village.resident()
    village.send()
    folder: Path = village.settings.bounce_maildir / "new"
    folder.mkdir(parents=True)
    (folder / "other").write_bytes(samples.postfix())
    receipts(runner)
    assert village.states() == ["delivered"]
    assert village.session.query(Receipt).filter(Receipt.handled_at.is_(None)).count() == 1


def test_a_campaign_hears_of_bounces_before_it_goes_on_and_stops_at_ten_in_a_hundred(
    village: Village, runner: FlaskCliRunner
) -> None:
    village.settings = village.settings.model_copy(update={"offer_bounce_minimum": 20})
    village.residents(60)
    village.send(limit=20)
    for mail in village.mails()[:2]:
        come_back(village, mail, samples.postfix())
    report = village.send(collect=lambda: receipts(runner))
    campaign = village.session.query(Campaign).populate_existing().one()
    assert (campaign.state, campaign.stop_reason) == (CampaignState.STOPPED, StopReason.BOUNCES)
    assert (report.sent, report.waiting, report.ended_by) == (0, 40, "stopped")


def test_too_few_mails_pull_no_brake(village: Village, runner: FlaskCliRunner) -> None:
    village.residents(4)
    village.send()
    for mail in village.mails():
        come_back(village, mail, samples.postfix())
    report = village.send(collect=lambda: receipts(runner))
    assert (report.ended_by, report.is_warned) == ("", False)
