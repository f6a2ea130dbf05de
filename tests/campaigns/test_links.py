"""Links to offers: ours alone, for one purpose, however old, under every live key."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import time_machine
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.campaigns.answers import read_link
from app.campaigns.links import OfferLink, OfferLinks
from app.campaigns.states import LinkState
from app.campaigns.unsubscribing import can_unsubscribe
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings
from app.core.tokens import LinkInvalid, LinkSigner
from tests.campaigns.forgeries import forgeries
from tests.campaigns.office import Office

OFFER, MAIL = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
# The millions are the benchmark's.
FORGERIES = 20_000


@pytest.fixture
def links(settings: Settings) -> OfferLinks:
    return OfferLinks.under(("old", "new"), settings)


def test_a_link_says_which_offer_and_which_of_its_links(links: OfferLinks) -> None:
    assert links.read_offer(links.offer_token(OFFER, 3)) == OfferLink(OFFER, 3)
    assert links.offer_url(OFFER, 1) == f"http://127.0.0.1:8000/efaktura/{links.offer_token(OFFER, 1)}"


def test_a_token_is_short_enough_for_a_line_of_a_mail(links: OfferLinks) -> None:
    assert len(links.offer_token(OFFER, 99)) <= 140


def test_an_old_link_is_still_known_for_ours(links: OfferLinks) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = links.offer_token(OFFER, 1)
        clock.shift(dt.timedelta(days=60))
        assert links.read_offer(token) == OfferLink(OFFER, 1)
        clock.shift(dt.timedelta(seconds=1))
        assert links.read_offer(token) == OfferLink(OFFER, 1, is_expired=True)
        clock.shift(dt.timedelta(days=3650))
        with pytest.raises(LinkInvalid):
            links.read_offer(token)


def test_who_wants_no_more_is_heard_for_two_years(links: OfferLinks) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = links.unsubscribe_token(MAIL)
        clock.shift(dt.timedelta(days=730))
        assert links.read_unsubscribe(token) == MAIL
        clock.shift(dt.timedelta(seconds=1))
        with pytest.raises(LinkInvalid):
            links.read_unsubscribe(token)


def test_a_link_for_one_purpose_is_noise_to_the_other(links: OfferLinks) -> None:
    with pytest.raises(LinkInvalid):
        links.read_offer(links.unsubscribe_token(OFFER))
    with pytest.raises(LinkInvalid):
        links.read_unsubscribe(links.offer_token(MAIL, 1))


def test_keys_rotate_without_breaking_links_until_the_old_one_is_taken_away(settings: Settings) -> None:
    before, both, after = (OfferLinks.under(keys, settings) for keys in (("old",), ("old", "new"), ("new",)))
    assert both.read_offer(before.offer_token(OFFER, 1)) == OfferLink(OFFER, 1)
    assert after.read_offer(both.offer_token(OFFER, 1)) == OfferLink(OFFER, 1)
    with pytest.raises(LinkInvalid):
        after.read_offer(before.offer_token(OFFER, 1))


@pytest.mark.parametrize("payload", [{}, {"o": OFFER}, {"n": 1}, {"o": 7, "n": 1}, {"o": OFFER, "n": "1"}])
def test_a_signed_payload_of_another_shape_is_no_link(links: OfferLinks, payload: dict[str, str | int]) -> None:
    signer = LinkSigner(links.offers.keys, "offer", links.offers.lifetime)
    with pytest.raises(LinkInvalid):
        links.read_offer(signer.sign(payload))


def test_forged_and_mangled_tokens_are_never_taken_and_never_an_error(
    session: Session, settings: Settings, clock: Clock
) -> None:
    office = Office(session, settings, clock)
    tokens = [office.offer(office.resident()) for _ in range(4)]
    assert {read_link(office.desk, token).state for token in tokens} == {LinkState.FRESH}
    ids = [office.links.read_offer(token).offer for token in tokens]
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    for token in forgeries(office.links, settings, ids, FORGERIES):
        assert read_link(office.desk, token).state is LinkState.UNKNOWN, token
    assert asked == [], "a forged token must not reach the database"


def test_forged_tokens_unsubscribe_nobody(session: Session, settings: Settings, clock: Clock) -> None:
    office = Office(session, settings, clock)
    mail = str(uuid.UUID(int=9))
    ids = [str(uuid.UUID(int=number)) for number in range(4)]
    right = {office.links.unsubscribe_token(one) for one in ids}
    for token in forgeries(office.links, settings, ids, 2_000):
        if token not in right:
            assert not can_unsubscribe(office.desk, token)
    assert not can_unsubscribe(office.desk, office.links.unsubscribe_token(mail))
