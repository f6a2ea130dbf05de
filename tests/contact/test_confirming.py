"""A new address counts when its owner has confirmed it, and not before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.contact.confirming import ask, confirm_by_code, confirm_by_link, linked, pending, remove
from app.contact.desk import (
    AskedTooSoon,
    CodeNotSent,
    CodeTooOld,
    CodeWrong,
    Desk,
    LinkSpent,
    TriesSpent,
)
from app.contact.models import Confirmation, OwedNotice
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.contact import EmailInvalid, MobileInvalid
from app.core.crypto import KeyFile
from app.core.settings import Settings
from app.core.throttle import ThrottleCount, TooOften
from app.core.tokens import LinkExpired, LinkInvalid
from app.residents.contacts import register_contact
from app.residents.models import ClosedReason, ContactKind, ContactPoint, ContactSource, Resident, StaleResident
from tests.contact.conftest import KeptMessages, later
from tests.portal.people import add_resident

MOBILE, EMAIL = ContactKind.MOBILE, ContactKind.EMAIL
OLD, NEW = "+4741234567", "+4798765432"


def point(session: Session, resident: Resident, kind: ContactKind) -> ContactPoint | None:
    """The open one, as the database has it now."""
    query = select(ContactPoint).where(
        ContactPoint.resident_id == resident.id, ContactPoint.kind == kind, ContactPoint.closed_at.is_(None)
    )
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def has(session: Session, resident: Resident, kind: ContactKind, value: str) -> ContactPoint:
    found = register_contact(
        session, resident.id, kind, value, ContactSource.REGISTER, Clock().now(), is_confirmed=False
    )
    session.query(StaleResident).delete()
    session.commit()
    return found


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def link_in(messages: KeptMessages) -> str:
    return next(word for word in messages.sent[-1].text.split() if "/bekreft/" in word).rpartition("/")[2]


def test_the_old_number_stays_until_the_new_one_is_confirmed(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session
) -> None:
    has(session, resident, MOBILE, OLD)
    ask(desk, resident, MOBILE, "987 65 432")
    assert messages.sent[0].to == NEW
    current = point(session, resident, MOBILE)
    assert current is not None
    assert current.value == OLD
    confirm_by_code(desk, resident, MOBILE, messages.code())
    current = point(session, resident, MOBILE)
    assert current is not None
    assert (current.value, current.source) == (NEW, ContactSource.RESIDENT)
    assert current.confirmed_at is not None
    closed = session.scalars(select(ContactPoint.closed_reason).where(ContactPoint.value == OLD)).one()
    assert closed is ClosedReason.REPLACED


def test_a_change_tells_the_old_address_marks_the_resident_stale_and_is_on_record(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session
) -> None:
    has(session, resident, EMAIL, "old@example.com")
    ask(desk, resident, EMAIL, "new@example.com")
    assert session.scalar(select(func.count()).select_from(StaleResident)) == 0
    confirm_by_code(desk, resident, EMAIL, messages.code())
    assert [message.to for message in messages.sent] == ["new@example.com", "old@example.com"]
    assert "Var det ikke du" in messages.sent[1].text
    assert "new@example.com" not in messages.sent[1].text
    assert session.scalars(select(StaleResident.resident_id)).all() == [resident.id]
    events = session.execute(select(AuditRecord.event, AuditRecord.subject, AuditRecord.reason)).all()
    subject = f"resident:{resident.public_id}"
    assert events == [
        (AuditEvent.CONTACT_CODE_SENT, subject, "email"),
        (AuditEvent.CONTACT_CONFIRMED, subject, "email"),
    ]


def test_the_code_comes_in_the_reader_s_language_and_without_a_link(
    desk: Desk, messages: KeptMessages, resident: Resident
) -> None:
    ask(replace(desk, language="en"), resident, MOBILE, NEW)
    assert f"{messages.code()} is your code" in messages.sent[0].text
    assert "http" not in messages.sent[0].text


def test_the_mail_holds_a_code_and_a_link_and_either_confirms_once(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session
) -> None:
    ask(desk, resident, EMAIL, "kari@Example.com")
    token, code = link_in(messages), messages.code()
    assert messages.sent[0].subject.startswith(code)
    assert linked(desk, token).confirmed_at is None
    assert point(session, resident, EMAIL) is None, "looking changes nothing"
    confirm_by_link(desk, token)
    current = point(session, resident, EMAIL)
    assert current is not None
    assert (current.value, current.confirmed_at is not None) == ("kari@example.com", True)
    confirm_by_link(desk, token)
    assert len(messages.sent) == 1, "a second press does nothing again"
    with pytest.raises(CodeTooOld):
        confirm_by_code(desk, resident, EMAIL, code)


def test_a_code_is_used_once(desk: Desk, messages: KeptMessages, resident: Resident) -> None:
    ask(desk, resident, MOBILE, NEW)
    confirm_by_code(desk, resident, MOBILE, messages.code())
    with pytest.raises(CodeTooOld):
        confirm_by_code(desk, resident, MOBILE, messages.code())


def test_five_tries_and_no_more(desk: Desk, messages: KeptMessages, resident: Resident, session: Session) -> None:
    ask(desk, resident, MOBILE, NEW)
    for left in (4, 3, 2, 1):
        with pytest.raises(CodeWrong) as refused:
            confirm_by_code(desk, resident, MOBILE, wrong(messages.code()))
        assert refused.value.left == left
    with pytest.raises(TriesSpent):
        confirm_by_code(desk, resident, MOBILE, wrong(messages.code()))
    with pytest.raises(TriesSpent):
        confirm_by_code(desk, resident, MOBILE, messages.code())
    assert point(session, resident, MOBILE) is None


def test_a_code_lives_ten_minutes_and_the_link_beside_it_a_day(
    desk: Desk, messages: KeptMessages, resident: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(desk, resident, EMAIL, "kari@example.com")
    code, token = messages.code(), link_in(messages)
    with pytest.raises(CodeTooOld):
        confirm_by_code(later(desk, minutes=10, seconds=1), resident, EMAIL, code)
    assert linked(later(desk, hours=23), token).value == "kari@example.com"
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: Clock().now().timestamp() + 25 * 3600)
    with pytest.raises(LinkExpired):
        linked(desk, token)


def test_a_new_code_makes_the_old_one_and_its_link_worthless(
    desk: Desk, messages: KeptMessages, resident: Resident
) -> None:
    ask(desk, resident, EMAIL, "one@example.com")
    code, token = messages.code(), link_in(messages)
    after = later(desk, seconds=61)
    ask(after, resident, EMAIL, "two@example.com")
    if code != messages.code():
        with pytest.raises(CodeWrong):
            confirm_by_code(after, resident, EMAIL, code)
    with pytest.raises(LinkSpent):
        confirm_by_link(after, token)


def test_a_code_of_another_resident_or_kind_is_worth_nothing(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session, settings: Settings, clock: Clock
) -> None:
    other = add_resident(session, settings, clock, 2)
    ask(desk, resident, MOBILE, NEW)
    code = messages.code()
    ask(desk, other, MOBILE, OLD)
    with pytest.raises(CodeTooOld):
        confirm_by_code(desk, resident, EMAIL, code)
    if code != messages.code():
        with pytest.raises(CodeWrong):
            confirm_by_code(desk, other, MOBILE, code)
    assert point(session, other, MOBILE) is None


def test_whether_somebody_else_has_the_address_makes_no_difference(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session, settings: Settings, clock: Clock
) -> None:
    other = add_resident(session, settings, clock, 2)
    has(session, other, EMAIL, "both@example.com")
    first = ask(desk, resident, EMAIL, "both@example.com")
    second = ask(desk, add_resident(session, settings, clock, 3), EMAIL, "nobody@example.com")
    assert first is not None
    assert second is not None
    texts = [
        message.text.replace(link, "").replace(code, "")
        for message, link, code in (
            (sent, sent.text.split("døgn:")[1].split()[0], sent.subject.split()[0]) for sent in messages.sent
        )
    ]
    assert texts[0] == texts[1]
    confirm_by_link(desk, messages.sent[0].text.split("/bekreft/")[1].split()[0])
    for who in (resident, other):
        current = point(session, who, EMAIL)
        assert current is not None
        assert current.value == "both@example.com"


def test_nothing_of_the_code_stands_in_the_database(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session
) -> None:
    ask(desk, resident, MOBILE, NEW)
    row = session.scalars(select(Confirmation)).one()
    assert messages.code().encode() not in row.code_hash
    assert len(row.code_hash) == 32
    again = desk.codes.hashed("another", messages.code())
    assert again != row.code_hash, "equal codes do not look equal"


def test_a_changed_key_leaves_codes_and_links_working(
    desk: Desk, messages: KeptMessages, resident: Resident, settings: Settings, session: Session
) -> None:
    ask(desk, resident, EMAIL, "kari@example.com")
    code, token = messages.code(), link_in(messages)
    path = settings.keys_dir / KeyFile.LINKS
    path.write_text(path.read_text() + "2:" + "QUFB" * 10 + "QUE=\n")
    renewed = replace(desk, codes=type(desk.codes).by(settings))
    assert renewed.codes.ring.newest_id == 2
    assert linked(renewed, token).value == "kari@example.com"
    confirm_by_code(renewed, resident, EMAIL, code)
    assert point(session, resident, EMAIL) is not None


def test_a_link_of_another_purpose_or_changed_on_the_way_is_refused(desk: Desk, resident: Resident) -> None:
    ask(desk, resident, EMAIL, "kari@example.com")
    gone = desk.codes.token("gone")
    changed = gone[:-1] + ("A" if gone[-1] != "A" else "B")
    for token in ("", "x", changed, "é"):
        with pytest.raises(LinkInvalid):
            confirm_by_link(desk, token)
    with pytest.raises(LinkSpent):
        confirm_by_link(desk, gone)


@pytest.mark.parametrize(
    ("kind", "text", "error"),
    [
        (MOBILE, "123", MobileInvalid),
        (MOBILE, "51743000", MobileInvalid),
        (EMAIL, "kari", EmailInvalid),
        (EMAIL, "åse@example.com", EmailInvalid),
        (EMAIL, "a@example.com\nBcc: b@example.com", EmailInvalid),
    ],
)
def test_what_is_no_address_is_refused_and_nothing_is_sent(
    desk: Desk, messages: KeptMessages, resident: Resident, kind: ContactKind, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(desk, resident, kind, text)
    assert messages.sent == []
    assert pending(desk, resident, kind) is None


def test_what_is_confirmed_already_is_not_asked_again(desk: Desk, messages: KeptMessages, resident: Resident) -> None:
    ask(desk, resident, MOBILE, NEW)
    confirm_by_code(desk, resident, MOBILE, messages.code())
    assert ask(desk, resident, MOBILE, NEW) is None
    assert len(messages.sent) == 1


def test_a_registered_address_is_confirmed_by_its_own_code(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session
) -> None:
    has(session, resident, MOBILE, NEW)
    ask(desk, resident, MOBILE, NEW)
    confirm_by_code(desk, resident, MOBILE, messages.code())
    current = point(session, resident, MOBILE)
    assert current is not None
    assert current.confirmed_at is not None
    assert len(messages.sent) == 1, "nobody is told that nothing changed"


def test_a_message_that_does_not_get_away_leaves_nothing_waiting(
    desk: Desk, messages: KeptMessages, resident: Resident
) -> None:
    messages.is_down = True
    with pytest.raises(CodeNotSent):
        ask(desk, resident, MOBILE, NEW)
    messages.is_down = False
    assert ask(desk, resident, MOBILE, NEW) is not None, "and the next try need not wait"


def test_a_notice_that_does_not_get_away_does_not_undo_the_change(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session
) -> None:
    has(session, resident, MOBILE, OLD)
    ask(desk, resident, MOBILE, NEW)
    code = messages.code()
    messages.is_down = True
    confirm_by_code(desk, resident, MOBILE, code)
    current = point(session, resident, MOBILE)
    assert current is not None
    assert current.value == NEW
    assert [notice.value for notice in session.scalars(select(OwedNotice))] == [OLD], "and it is still owed"


def test_removing_closes_the_address_tells_it_and_keeps_it_from_coming_back(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session
) -> None:
    has(session, resident, EMAIL, "old@example.com")
    ask(desk, resident, EMAIL, "new@example.com")
    token = link_in(messages)
    assert remove(desk, resident, EMAIL)
    assert point(session, resident, EMAIL) is None
    assert messages.sent[-1].to == "old@example.com"
    with pytest.raises(LinkSpent):
        confirm_by_link(desk, token)
    assert not remove(desk, resident, EMAIL)
    assert session.scalars(select(StaleResident.resident_id)).all() == [resident.id]


def test_a_minute_between_codes(desk: Desk, resident: Resident) -> None:
    ask(desk, resident, MOBILE, NEW)
    with pytest.raises(AskedTooSoon) as refused:
        ask(later(desk, seconds=20), resident, MOBILE, NEW)
    assert 35 < refused.value.wait.total_seconds() <= 41
    assert ask(later(desk, seconds=61), resident, MOBILE, NEW) is not None


def test_a_resident_gets_five_codes_an_hour(desk: Desk, messages: KeptMessages, resident: Resident) -> None:
    def go_on() -> None:
        for step in range(11):
            ask(later(desk, minutes=step * 2), resident, MOBILE, f"+479876543{step % 10}")

    with pytest.raises(TooOften):
        go_on()
    assert 5 <= len(messages.sent) <= 10, "a window may end in between, once"


def test_an_address_gets_five_codes_an_hour_whoever_asks(
    desk: Desk, messages: KeptMessages, session: Session, settings: Settings, clock: Clock
) -> None:
    town = [add_resident(session, settings, clock, number) for number in range(1, 12)]

    def go_on() -> None:
        for who in town:
            ask(desk, who, MOBILE, NEW)

    with pytest.raises(TooOften):
        go_on()
    assert 5 <= len(messages.sent) <= 10


def test_a_network_address_asks_for_sixty_codes_an_hour(
    desk: Desk, messages: KeptMessages, resident: Resident, session: Session, settings: Settings, clock: Clock
) -> None:
    def go_on() -> None:
        for number in range(2, 125):
            ask(desk, add_resident(session, settings, clock, number), EMAIL, f"a{number}@example.com")

    with pytest.raises(TooOften) as refused:
        go_on()
    assert 60 <= len(messages.sent) <= 120
    assert refused.value.limit.name.startswith("codes asked for by a network address")
    assert ask(replace(desk, network="192.0.2.2"), resident, EMAIL, "b@example.com") is not None


def test_the_counts_hide_who_and_what(desk: Desk, resident: Resident, session: Session) -> None:
    ask(desk, resident, MOBILE, NEW)
    rows = session.scalars(select(ThrottleCount)).all()
    assert len(rows) == 5
    assert all(len(row.key_hash) == 32 for row in rows)
