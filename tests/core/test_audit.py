"""The audit record: written with the transaction it belongs to, linked, and found out when it was tampered with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session

from app.core.audit import AuditEvent, AuditHead, AuditRecord, record, seen_by
from app.core.audit_chain import Links, audit_links
from app.core.audit_verify import Anchor, verify
from app.core.clock import Clock
from app.core.crypto import KEY_BYTES, KeyRing
from app.core.settings import Settings
from app.core.throttle import ThrottleCount


def note(session: Session, clock: Clock, number: int, **values: object) -> None:
    """One event about resident *number*."""
    given = {"actor": "staff:a", "event": AuditEvent.RESIDENT_VIEWED, "subject": f"resident:{number}", **values}
    record(session, at=clock.now(), **given)  # type: ignore[arg-type]


@pytest.fixture
def links(settings: Settings, app: Flask) -> Links:
    return audit_links(settings)


@pytest.fixture
def ten(session: Session, clock: Clock) -> None:
    for number in range(1, 11):
        note(session, clock, number, details={"fields": ["mobile", "æøå"], "count": number})
        if number % 3 == 0:
            session.commit()
    session.commit()


def found(session: Session, links: Links) -> list[tuple[int | None, str]]:
    return [(fault.row_id, fault.text) for fault in verify(session, links).faults]


@pytest.mark.usefixtures("ten")
def test_what_was_recorded_holds(session: Session, links: Links) -> None:
    verdict = verify(session, links)
    assert (verdict.rows, verdict.faults) == (10, [])
    assert session.scalars(select(AuditRecord.id).order_by(AuditRecord.id)).all() == list(range(1, 11))


def test_an_empty_record_holds(session: Session, links: Links) -> None:
    assert verify(session, links).faults == []


CHANGES = {
    "actor": "UPDATE audit_record SET actor = 'staff:b' WHERE id = 5",
    "reason": "UPDATE audit_record SET reason = 'another' WHERE id = 5",
    "event": "UPDATE audit_record SET event = 'searched' WHERE id = 5",
    "subject": "UPDATE audit_record SET subject = 'resident:6' WHERE id = 5",
    "details": "UPDATE audit_record SET details = '{\"fields\":[]}' WHERE id = 5",
    "at": "UPDATE audit_record SET at = '2026-01-01 00:00:00.000000' WHERE id = 5",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.usefixtures("ten")
def test_a_changed_row_is_found_whatever_was_changed(session: Session, links: Links, change: str) -> None:
    session.execute(text(change))
    faults = found(session, links)
    assert [row for row, _ in faults] == [5]
    assert "changed" in faults[0][1]


@pytest.mark.usefixtures("ten")
def test_a_removed_row_is_found(session: Session, links: Links) -> None:
    session.execute(text("DELETE FROM audit_record WHERE id IN (5, 6)"))
    assert found(session, links) == [
        (7, "2 rows before it are gone (5 to 6), or it was changed"),
        (None, "10 rows should be there, not 8"),
    ]


@pytest.mark.usefixtures("ten")
def test_the_first_row_cannot_be_removed_either(session: Session, links: Links) -> None:
    session.execute(text("DELETE FROM audit_record WHERE id = 1"))
    assert [row for row, _ in found(session, links)] == [2, None]


@pytest.mark.usefixtures("ten")
def test_reordered_rows_are_found(session: Session, links: Links) -> None:
    for old, new in ((4, 99), (5, 4), (99, 5)):
        session.execute(text("UPDATE audit_record SET id = :new WHERE id = :old"), {"old": old, "new": new})
    assert [row for row, _ in found(session, links)] == [4, 5, 6]


@pytest.mark.usefixtures("ten")
def test_a_row_that_was_put_in_is_found(session: Session, links: Links) -> None:
    copy = "INSERT INTO audit_record (id, at, actor, event, subject, reason, details, link) SELECT "
    rest = "at, actor, event, subject, reason, details, {} FROM audit_record WHERE id = 10"
    session.execute(text(f"{copy} 11, {rest.format('link')}"))
    assert (11, "was changed, or what stood before it was changed, moved or removed") in found(session, links)
    session.execute(text(f"{copy} 12, {rest.format('NULL')}"))
    assert (12, "was put in beside the chain") in found(session, links)


@pytest.mark.usefixtures("ten")
def test_a_tail_that_was_cut_off_is_found_by_the_head(session: Session, links: Links) -> None:
    session.execute(text("DELETE FROM audit_record WHERE id > 8"))
    assert found(session, links) == [
        (None, "the end is cut off: row 10 should be the last, not 8"),
        (None, "10 rows should be there, not 8"),
    ]


@pytest.mark.usefixtures("ten")
def test_the_head_cannot_be_moved_without_the_key(session: Session, links: Links) -> None:
    session.execute(text("DELETE FROM audit_record WHERE id > 8"))
    session.execute(
        text("UPDATE audit_head SET last_id = 8, count = 8, link = (SELECT link FROM audit_record WHERE id = 8)")
    )
    assert found(session, links) == [(None, "the head was changed")]
    session.execute(text("DELETE FROM audit_head"))
    assert found(session, links) == [(None, "the head is gone: where the chain ends cannot be told")]


@pytest.mark.usefixtures("ten")
def test_an_old_head_put_back_is_found_by_an_anchor_that_was_written_down(
    session: Session, links: Links, clock: Clock
) -> None:
    old = session.execute(select(AuditHead.__table__)).mappings().one()
    note(session, clock, 11)
    session.commit()
    anchor = verify(session, links).anchor
    session.execute(text("DELETE FROM audit_record WHERE id = 11"))
    session.execute(AuditHead.__table__.update().values(dict(old)))  # type: ignore[attr-defined]
    assert found(session, links) == [], "nothing in the database tells"
    faults = verify(session, links, Anchor.read(str(anchor))).faults
    assert [str(fault) for fault in faults] == ["row 11: is not the row that the anchor names"]


@pytest.mark.usefixtures("ten")
def test_another_key_does_not_make_the_same_chain(session: Session, app: Flask) -> None:
    stranger = Links(KeyRing([(1, bytes(KEY_BYTES))]))
    assert len(verify(session, stranger).faults) > 10


def test_rows_from_before_the_chain_become_its_beginning(session: Session, clock: Clock, links: Links) -> None:
    old = "INSERT INTO audit_record (id, at, actor, event, subject, reason) VALUES "
    for number in (3, 7):
        values = f"({number}, '2026-11-01 10:00:00.000000', 'job', 'invoice_held', 'invoice:{number}', '')"
        session.execute(text(old + values))
    session.commit()
    assert found(session, links) == [], "not begun"
    note(session, clock, 1)
    session.commit()
    assert session.scalars(select(AuditRecord.id).order_by(AuditRecord.id)).all() == [3, 7, 8]
    assert found(session, links) == []
    session.execute(text("UPDATE audit_record SET reason = 'x' WHERE id = 3"))
    assert [row for row, _ in found(session, links)] == [3]


def test_what_is_rolled_back_is_not_recorded(session: Session, clock: Clock) -> None:
    note(session, clock, 1)
    session.rollback()
    note(session, clock, 2)
    savepoint = session.begin_nested()
    note(session, clock, 3)
    inner = session.begin_nested()
    note(session, clock, 4)
    inner.commit()
    savepoint.rollback()
    with session.begin_nested():
        note(session, clock, 5)
    session.commit()
    note(session, clock, 6)
    session.close()
    session.commit()
    assert session.scalars(select(AuditRecord.subject).order_by(AuditRecord.id)).all() == ["resident:2", "resident:5"]


def test_a_record_falls_with_the_change_that_could_not_be_written(session: Session, clock: Clock) -> None:
    session.add_all([ThrottleCount(key_hash=b"a", count=1, ends_at=clock.now()) for _ in range(2)])
    note(session, clock, 1)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate|conflicts"):
        session.commit()
    session.rollback()
    session.commit()
    assert session.scalars(select(AuditRecord)).all() == []


def test_nobody_adds_or_changes_rows_but_by_record(session: Session, clock: Clock) -> None:
    session.add(AuditRecord(id=1, at=clock.now(), actor="a", event=AuditEvent.SEARCHED, subject="s", reason=""))
    with pytest.raises(TypeError, match="only added to"):
        session.commit()
    session.rollback()
    note(session, clock, 1)
    session.commit()
    row = session.scalars(select(AuditRecord)).one()
    row.reason = "another"
    with pytest.raises(TypeError, match="only added to"):
        session.commit()
    session.rollback()
    session.delete(row)
    with pytest.raises(TypeError, match="only added to"):
        session.commit()
    session.rollback()


def count_statements(engine: Engine, work: Callable[[], None]) -> list[str]:
    seen: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", see)
    work()
    event.remove(engine, "before_cursor_execute", see)
    return seen


@pytest.mark.usefixtures("ten")
def test_recording_costs_three_short_statements_however_many_events(session: Session, clock: Clock) -> None:
    engine = session.get_bind()
    assert isinstance(engine, Engine)

    def work() -> None:
        for number in range(50):
            note(session, clock, number)
        session.commit()

    assert len(count_statements(engine, work)) == 3
    assert count_statements(engine, session.commit) == [], "a commit without events costs nothing"


def test_many_at_once_make_one_chain(session: Session, app: Flask, clock: Clock, links: Links) -> None:
    engine, errors = session.get_bind(), []

    def write(actor: str) -> None:
        try:
            with Session(engine) as own:
                for number in range(20):
                    note(own, clock, number, actor=actor)
                    own.commit()
        except Exception as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=write, args=(f"staff:{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    verdict = verify(session, links)
    assert (verdict.rows, verdict.faults) == (80, [])


def test_who_has_seen_a_resident_and_the_invoices(session: Session, clock: Clock) -> None:
    note(session, clock, 1)
    note(session, clock, 2)
    note(session, clock, 1, event=AuditEvent.CONTACT_CONFIRMED)
    note(session, clock, 0, subject="invoice:9", event=AuditEvent.INVOICE_VIEWED)
    session.commit()
    assert [row.subject for row in seen_by(session, "1")] == ["resident:1"]
    invoices = select(AuditRecord.subject).where(AuditRecord.subject == "invoice:9")
    assert [row.subject for row in seen_by(session, "1", invoices)] == ["invoice:9", "resident:1"]


@pytest.mark.usefixtures("ten")
def test_the_command_says_which_row_and_ends_with_1(session: Session, runner: FlaskCliRunner) -> None:
    done = runner.invoke(args=["audit", "verify", "--format", "json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["rows"], said["faults"]) == (10, [])
    assert runner.invoke(args=["audit", "verify", "--anchor", said["anchor"]]).exit_code == 0
    session.execute(text("UPDATE audit_record SET reason = 'another' WHERE id = 5"))
    session.commit()
    broken = runner.invoke(args=["audit", "verify"])
    assert broken.exit_code == 1
    assert "row 5: was changed" in broken.stderr
    assert runner.invoke(args=["audit", "verify", "--anchor", "nonsense"]).exit_code == 2
