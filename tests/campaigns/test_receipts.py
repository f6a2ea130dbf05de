"""The receipt: once, in the resident's language, and of nothing but what happened."""

from __future__ import annotations

from typing import NoReturn

import pytest
from sqlalchemy.orm import Session

from app.campaigns.answers import answer
from app.campaigns.follow import follow_agreements
from app.campaigns.models import OfferAnswer
from app.campaigns.receipts import send_due_receipts
from app.clients.efaktura_agreement import Standing
from app.clients.post import Note
from app.clients.rules import Judgement, Verdict
from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.contacts import close_contact
from app.residents.models import ClosedReason, ContactKind, Resident
from tests.campaigns.office import Office


@pytest.fixture
def office(session: Session, settings: Settings, clock: Clock) -> Office:
    return Office(session, settings, clock)


def activated(office: Office, resident: Resident) -> None:
    answer(office.desk, office.offer(resident), OfferAnswer.YES)
    office.provider.stands(Standing.ACTIVE)
    follow_agreements(office.later(minutes=6))


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("nb", "Kvittering: eFaktura er slått på", "Nå er det slått på"),
        ("nn", "Kvittering: eFaktura er slått på", "No er det slått på"),
        ("en", "Receipt: eFaktura is turned on", "It is now turned on"),
    ],
)
def test_it_says_when_the_yes_came_and_whom_to_call(office: Office, language: str, subject: str, words: str) -> None:
    activated(office, office.resident("kari@example.com", language=language))
    [note] = office.mails.notes
    assert (note.recipient, note.subject, note.language) == ("kari@example.com", subject, language)
    assert words in note.text
    assert "2026" in note.text
    assert "51 74 30 00" in note.text
    assert "%(" not in note.text


def test_it_is_sent_once(office: Office) -> None:
    activated(office, office.resident())
    assert send_due_receipts(office.later(minutes=30)) == 0
    assert len(office.mails.notes) == 1


def test_while_the_mail_server_is_down_it_waits(office: Office) -> None:
    office.mails.verdict = Verdict.UNAVAILABLE
    activated(office, office.resident())
    assert office.mails.notes == []
    office.mails.verdict = Verdict.ACCEPTED
    assert send_due_receipts(office.later(minutes=7)) == 1


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.UNCERTAIN])
def test_what_was_refused_or_may_have_arrived_is_not_sent_again(office: Office, verdict: Verdict) -> None:
    office.mails.verdict = verdict
    activated(office, office.resident())
    assert send_due_receipts(office.later(hours=1)) == 0


def test_a_process_that_dies_while_it_sends_leaves_one_mail_to_a_reader(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = office.mails.send

    def die(note: Note) -> NoReturn:
        send(note)
        raise KeyboardInterrupt

    monkeypatch.setattr(office.mails, "send", die)
    with pytest.raises(KeyboardInterrupt):
        activated(office, office.resident())
    office.session.rollback()
    monkeypatch.setattr(office.mails, "send", send)
    assert send_due_receipts(office.later(minutes=7)) == 0, "it may be at work still"
    assert send_due_receipts(office.later(minutes=20)) == 1
    assert (len(office.mails.notes), len(office.mails.keys)) == (2, 1)


def test_without_an_address_nothing_is_sent_and_old_news_is_no_news(office: Office) -> None:
    resident = office.resident("kari@example.com")
    token = office.offer(resident)
    answer(office.desk, token, OfferAnswer.YES)
    close_contact(
        office.session, resident.id, ContactKind.EMAIL, "kari@example.com", ClosedReason.BOUNCED, office.clock.now()
    )
    office.session.commit()
    office.provider.stands(Standing.ACTIVE)
    assert follow_agreements(office.later(minutes=6)).told == 0
    office.has_address(resident, "ny@example.com")
    assert send_due_receipts(office.later(days=8)) == 0
    assert send_due_receipts(office.later(days=6)) == 1


def test_a_judgement_is_no_receipt_for_a_request_that_only_waits(office: Office) -> None:
    answer(office.desk, office.offer(office.resident()), OfferAnswer.YES)
    assert follow_agreements(office.later(minutes=6)).told == 0
    assert office.mails.notes == []
    assert isinstance(office.mails.send(Note("k", "a@example.com", "s", "t", "nb")), Judgement)
