"""What staff are told of the offers: mails by what became of them, residents by what they answered, day by day."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from app.campaigns.figures import Counts, figures
from app.campaigns.models import (
    Activation,
    Agreement,
    AgreementSource,
    AgreementState,
    MailState,
    Offer,
    OfferAnswer,
)
from app.channels.contract import Outcome
from app.core.settings import Settings
from app.delivery.models import Attempt, Delivery
from app.routing.channels import Channel
from tests.campaigns.village import Village
from tests.delivery.town import Town


@pytest.fixture
def village(session: Session, settings: Settings) -> Village:
    return Village(session, settings)


def answer(village: Village, offer: Offer, what: OfferAnswer, state: AgreementState | None = None) -> None:
    offer.answer, offer.answered_at = what, village.clock.now()
    if state is not None:
        village.session.add(
            Agreement(resident_id=offer.resident_id, offer_id=offer.id, source=AgreementSource.OFFER,
                      activation=Activation.AGREEMENT, state=state, key=f"key {offer.id}",
                      requested_at=village.clock.now())
        )  # fmt: skip
    village.session.commit()


def first_invoice(town: Town, resident_id: int, opened_at: dt.datetime) -> None:
    """An invoice that eFaktura took."""
    invoice = town.invoice(town.plan(Channel.EFAKTURA))
    invoice.resident_id = resident_id
    delivery = town.session.query(Delivery).filter_by(invoice_id=invoice.id).one()
    town.session.add(
        Attempt(delivery_id=delivery.id, channel=Channel.EFAKTURA, key=f"attempt {invoice.id}", number=1,
                is_notice=False, opened_at=opened_at, outcome=Outcome.ACCEPTED)
    )  # fmt: skip
    town.session.commit()


def test_without_campaigns_everything_is_nothing(session: Session) -> None:
    found = figures(session)
    assert found.total == Counts()
    assert found.campaigns == []


def test_each_figure_counts_what_its_name_says(village: Village) -> None:
    village.residents(8)
    village.send()
    mails, offers = village.mails(), village.offers()
    mails[0].state, mails[1].state = MailState.BOUNCED, MailState.REFUSED
    for mail in mails[2:7]:
        mail.state = MailState.DELIVERED
    answer(village, offers[2], OfferAnswer.YES, AgreementState.ACTIVE)
    answer(village, offers[3], OfferAnswer.YES, AgreementState.REQUESTED)
    answer(village, offers[4], OfferAnswer.NO)
    answer(village, offers[5], OfferAnswer.NOT_ME)
    offers[6].unsubscribed_at = village.clock.now()
    village.session.commit()
    assert figures(village.session).total == Counts(
        sent=8, delivered=5, bounced=2, answered=4, yes=2, active=1, first_invoice=0, unsubscribed=1
    )


def test_an_invoice_counts_when_efaktura_took_it_after_the_yes(village: Village) -> None:
    village.residents(2)
    village.send()
    early, late = village.offers()
    for offer in (early, late):
        answer(village, offer, OfferAnswer.YES, AgreementState.ACTIVE)
    town = Town(village.session, village.settings)
    first_invoice(town, early.resident_id, village.clock.now() - dt.timedelta(days=1))
    first_invoice(town, late.resident_id, village.clock.now() + dt.timedelta(days=1))
    assert figures(village.session).total.first_invoice == 1


def test_mails_belong_to_the_day_in_oslo_on_which_they_left_and_to_their_campaign(village: Village) -> None:
    village.residents(3)
    village.clock.moments.append(dt.datetime(2026, 11, 24, 22, 59, tzinfo=dt.UTC))  # type: ignore[attr-defined]
    village.send("first", limit=1)
    village.clock.pass_time(minutes=1)
    village.send("first", limit=1)
    village.send("second")
    found = figures(village.session)
    assert [one.name for one in found.campaigns] == ["second", "first"]
    days = {day.day.isoformat(): day.counts.sent for day in found.campaigns[1].days}
    assert days == {"2026-11-24": 1, "2026-11-25": 1}
    assert found.total.sent == 3
    assert figures(village.session, "second").total.sent == 1


def test_what_waits_is_told_beside(village: Village) -> None:
    village.residents(2)
    village.send()
    village.mails()[0].state = MailState.WAITING
    village.mails()[0].sent_at = None
    village.session.commit()
    (found,) = figures(village.session).campaigns
    assert (found.waiting, found.counts.sent) == (1, 1)
