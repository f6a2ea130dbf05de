"""What is registered for a caller is in force, unconfirmed, and confirmed by nobody but the resident."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from app.contact import for_caller
from app.contact.confirming import ask, confirm_by_code, confirm_by_link, pending
from app.contact.desk import CodeTooOld, CodeWrong, Desk
from app.contact.for_caller import Checked, Registered, ReplacesConfirmed, register_for_caller
from app.contact.messenger import Outgoing, Providers
from app.core.audit import AuditEvent, AuditRecord
from app.core.database import db
from app.core.throttle import TooOften
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactPoint, ContactSource, Resident, StaleResident
from app.residents.queries import open_contact_points
from tests.contact.conftest import KeptMessages, later

MOBILE, EMAIL = ContactKind.MOBILE, ContactKind.EMAIL
NUMBER, ADDRESS = "+4741234567", "kari@example.com"
BOTH = {MOBILE: NUMBER, EMAIL: ADDRESS}


def register(desk: Desk, resident: Resident, values: dict[ContactKind, str], *, really: bool = False) -> Registered:
    """As a case worker who asked two questions."""
    return register_for_caller(desk, resident, "staff:1", Checked.QUESTIONS, values, may_replace_confirmed=really)


def in_force(desk: Desk, resident: Resident, kind: ContactKind) -> ContactPoint:
    desk.session.expire_all()
    return open_contact_points(desk.session, [resident.id])[resident.id][kind]


def records(desk: Desk) -> list[AuditRecord]:
    query = select(AuditRecord).where(AuditRecord.event == AuditEvent.CONTACT_REGISTERED)
    return list(desk.session.scalars(query))


def test_it_is_in_force_at_once_and_unconfirmed(desk: Desk, resident: Resident) -> None:
    assert register(desk, resident, BOTH) == Registered(new=(MOBILE, EMAIL))
    for kind, value in BOTH.items():
        point = in_force(desk, resident, kind)
        assert (point.value, point.source, point.confirmed_at) == (value, ContactSource.STAFF, None)
    assert resident.id in desk.session.scalars(select(StaleResident.resident_id)).all()


def test_the_number_is_told_without_link_or_code(desk: Desk, resident: Resident, messages: KeptMessages) -> None:
    register(desk, resident, {MOBILE: NUMBER})
    (message,) = messages.sent
    assert message.to == NUMBER
    assert "Stemmer det ikke? Ring" in message.text
    assert "://" not in message.text
    assert not any(word.strip(".").isdigit() and len(word.strip(".")) == 6 for word in message.text.split())


def test_the_link_of_the_mail_confirms_the_address(desk: Desk, resident: Resident, messages: KeptMessages) -> None:
    register(desk, resident, {EMAIL: ADDRESS})
    (message,) = messages.sent
    assert message.to == ADDRESS
    link = next(line for line in message.text.splitlines() if "/min-side/epost/bekreft/" in line)
    confirm_by_link(desk, link.rpartition("/")[2])
    point = in_force(desk, resident, EMAIL)
    assert (point.value, point.source) == (ADDRESS, ContactSource.RESIDENT)
    assert point.confirmed_at is not None
    assert len(messages.sent) == 1, "nothing was replaced, so nobody is told"


def test_the_mail_holds_no_code_and_none_confirms(desk: Desk, resident: Resident, messages: KeptMessages) -> None:
    register(desk, resident, {EMAIL: ADDRESS})
    with pytest.raises(StopIteration):
        messages.code()
    with pytest.raises((CodeWrong, CodeTooOld)):
        confirm_by_code(desk, resident, EMAIL, "000000")


def test_a_second_press_changes_nothing_and_tells_nobody(
    desk: Desk, resident: Resident, messages: KeptMessages
) -> None:
    register(desk, resident, BOTH)
    assert register(desk, resident, BOTH) == Registered(unchanged=(MOBILE, EMAIL))
    assert len(messages.sent) == 2
    assert len(records(desk)) == 1


def test_a_value_that_is_confirmed_already_stays_confirmed(
    desk: Desk, resident: Resident, messages: KeptMessages
) -> None:
    _confirm(desk, resident, EMAIL, ADDRESS)
    assert register(desk, resident, {EMAIL: ADDRESS}) == Registered(unchanged=(EMAIL,))
    assert in_force(desk, resident, EMAIL).confirmed_at is not None
    assert messages.sent == []


def test_what_the_resident_confirmed_is_not_replaced_without_saying_so(
    desk: Desk, resident: Resident, messages: KeptMessages
) -> None:
    _confirm(desk, resident, EMAIL, "gammel@example.com")
    with pytest.raises(ReplacesConfirmed) as refused:
        register(desk, resident, BOTH)
    assert refused.value.kinds == (EMAIL,)
    assert in_force(desk, resident, EMAIL).value == "gammel@example.com"
    assert MOBILE not in open_contact_points(desk.session, [resident.id])[resident.id], "all or nothing"
    assert messages.sent == []
    assert register(desk, resident, BOTH, really=True).new == (MOBILE, EMAIL)
    assert records(desk)[0].details == {"kinds": ["mobile", "email"], "replaced_confirmed": ["email"]}


def test_the_old_address_is_told(desk: Desk, resident: Resident, messages: KeptMessages) -> None:
    for kind, value in ((MOBILE, "+4790000000"), (EMAIL, "gammel@example.com")):
        register_contact(
            desk.session, resident.id, kind, value, ContactSource.REGISTER, desk.clock.now(), is_confirmed=False
        )
    desk.session.commit()
    register(desk, resident, BOTH)
    assert {message.to for message in messages.sent} == {"+4790000000", "gammel@example.com", NUMBER, ADDRESS}


def test_it_stands_although_the_message_did_not_get_away(
    desk: Desk, resident: Resident, messages: KeptMessages
) -> None:
    messages.is_down = True
    assert register(desk, resident, BOTH) == Registered(new=(MOBILE, EMAIL), untold=(MOBILE, EMAIL))
    assert in_force(desk, resident, MOBILE).value == NUMBER


def test_the_record_says_who_did_it_and_how_the_caller_was_checked(desk: Desk, resident: Resident) -> None:
    register(desk, resident, {MOBILE: NUMBER})
    (entry,) = records(desk)
    assert (entry.actor, entry.subject, entry.reason) == ("staff:1", f"resident:{resident.public_id}", "questions")
    assert NUMBER not in str(entry.details)


def test_one_resident_is_not_changed_over_and_over(desk: Desk, resident: Resident) -> None:
    most = for_caller.PER_RESIDENT[0].most
    for number in range(most):
        register(desk, resident, {MOBILE: f"+479000000{number}"})
    with pytest.raises(TooOften):
        register(desk, resident, {MOBILE: NUMBER})
    assert in_force(desk, resident, MOBILE).value != NUMBER
    assert register(later(desk, days=1), resident, {MOBILE: NUMBER}).new == (MOBILE,)


def test_a_code_the_resident_waits_for_outlives_another_kind_alone(
    desk: Desk, resident: Resident, messages: KeptMessages
) -> None:
    ask(desk, resident, MOBILE, NUMBER)
    code = messages.code()
    register(desk, resident, {EMAIL: ADDRESS})
    confirm_by_code(desk, resident, MOBILE, code)
    assert in_force(desk, resident, MOBILE).confirmed_at is not None
    waiting = pending(desk, resident, EMAIL)
    assert waiting is not None
    assert waiting.value == ADDRESS


def test_two_presses_at_the_same_moment_register_once(
    app: Flask, desk: Desk, resident: Resident, messages: KeptMessages
) -> None:
    resident_id = resident.id
    start, answers = threading.Barrier(2), list[Registered]()

    def press() -> None:
        with app.app_context():
            own = replace(desk, session=db.session())
            mine = own.session.get_one(Resident, resident_id)
            own.session.rollback()
            start.wait()
            answers.append(register(own, mine, BOTH))
            db.session.remove()

    presses = [threading.Thread(target=press) for _ in range(2)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert sorted(len(answer.new) for answer in answers) == [0, 2]
    assert sorted(message.to for message in messages.sent) == [NUMBER, ADDRESS]


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_messages_fit_and_speak_the_residents_language(
    app: Flask, desk: Desk, resident: Resident, language: str
) -> None:
    providers = Providers.by(desk.settings, desk.clock, app.config["TRANSPORT"])
    spoken = replace(desk, messenger=Outgoing(providers, language), language=language)
    assert register(spoken, resident, BOTH).untold == ()


def _confirm(desk: Desk, resident: Resident, kind: ContactKind, value: str) -> None:
    register_contact(
        desk.session, resident.id, kind, value, ContactSource.RESIDENT, desk.clock.now(), is_confirmed=True
    )
    desk.session.commit()
