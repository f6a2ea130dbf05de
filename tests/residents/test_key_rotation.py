"""Keys change while pages and jobs go on: everyone is found before, during and after."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.crypto import VAULT_KEYS, KeyRing, NationalIdVault, vault
from app.core.errors import NotPossible
from app.core.settings import Settings
from app.residents import key_rotation
from app.residents.key_rotation import retire, rotate
from app.residents.models import Resident
from app.residents.search import find_resident_by_national_id
from tests.portal.people import add_resident, national_id

PEOPLE = 7


@pytest.fixture(autouse=True)
def town(session: Session, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 3)
    for number in range(1, PEOPLE + 1):
        add_resident(session, settings, clock, number)


def rings(settings: Settings) -> list[KeyRing]:
    return [KeyRing.load(settings.keys_dir / name) for name in VAULT_KEYS]


def everyone_is_found(session: Session, settings: Settings, clock: Clock, keys: NationalIdVault) -> bool:
    """Whether each is found by the number, and opens to it."""
    session.expire_all()
    for number in range(1, PEOPLE + 1):
        found = find_resident_by_national_id(session, settings, clock, national_id(number))
        if found is None or found.customer_number != f"K{number}":
            return False
        if keys.decrypt(found.national_id_encrypted or b"", row=found.public_id) != national_id(number):
            return False
    return True


def prefixes(session: Session) -> set[bytes]:
    rows = session.execute(select(Resident.national_id_encrypted, Resident.national_id_index)).all()
    return {bytes(value)[:2] for row in rows for value in row if value is not None}


def test_every_row_gets_the_new_keys_and_everyone_is_still_found(
    session: Session, settings: Settings, clock: Clock
) -> None:
    before = vault(settings)
    done = rotate(session, settings, 0)
    assert (done.key_id, done.renewed, done.unreadable, done.clashing) == (2, PEOPLE, [], [])
    assert prefixes(session) == {b"\x00\x02"}
    assert everyone_is_found(session, settings, clock, before), "a job that began before the change reads on"
    assert [ring.newest_id for ring in rings(settings)] == [2, 2]


def test_at_every_moment_of_the_change_everyone_is_found(
    session: Session, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, seen = vault(settings), []
    monkeypatch.setattr("app.core.crypto.FOLLOWS_WITHIN_SECONDS", 0.0)
    monkeypatch.setattr(
        "app.residents.key_rotation.time.sleep",
        lambda _seconds: seen.append(everyone_is_found(session, settings, clock, job)),
    )
    rotate(session, settings, 0, lambda _count: seen.append(everyone_is_found(session, settings, clock, job)))
    assert len(seen) >= 5
    assert all(seen)


def test_what_is_written_by_the_old_keys_meanwhile_is_renewed_too(
    session: Session, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = NationalIdVault(*rings(settings))
    added: list[Resident] = []

    def someone_moves_in(_seconds: float) -> None:
        if not added:
            newcomer = add_resident(session, settings, clock, 100)
            newcomer.national_id_encrypted = old.encrypt(national_id(100), row=newcomer.public_id)
            newcomer.national_id_index = old.blind_index(national_id(100))
            session.commit()
            added.append(newcomer)

    monkeypatch.setattr("app.residents.key_rotation.time.sleep", someone_moves_in)
    assert rotate(session, settings, 0).renewed == PEOPLE + 1
    assert prefixes(session) == {b"\x00\x02"}


def test_a_change_that_was_broken_off_goes_on_with_the_same_keys(
    session: Session, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(session, settings, 0, die)
    assert prefixes(session) == {b"\x00\x01", b"\x00\x02"}
    assert [ring.newest_id for ring in rings(settings)] == [1, 1], "nobody writes by the new keys yet"
    assert everyone_is_found(session, settings, clock, vault(settings))
    done = rotate(session, settings, 0)
    assert (done.key_id, done.renewed) == (2, PEOPLE - 3)
    assert prefixes(session) == {b"\x00\x02"}


def test_a_second_change_makes_third_keys(session: Session, settings: Settings, clock: Clock) -> None:
    rotate(session, settings, 0)
    assert rotate(session, settings, 0).key_id == 3
    assert everyone_is_found(session, settings, clock, vault(settings))


def test_old_keys_are_taken_out_when_no_row_needs_them(session: Session, settings: Settings, clock: Clock) -> None:
    rotate(session, settings, 0)
    assert retire(session, settings) == [1]
    assert [list(ring.keys) for ring in rings(settings)] == [[2], [2]]
    assert everyone_is_found(session, settings, clock, vault(settings))
    assert retire(session, settings) == []


def test_a_key_that_a_row_needs_stays(session: Session, settings: Settings) -> None:
    old = session.scalars(select(Resident.national_id_encrypted).where(Resident.customer_number == "K1")).one()
    rotate(session, settings, 0)
    session.execute(update(Resident).where(Resident.customer_number == "K1").values(national_id_encrypted=old))
    session.commit()
    with pytest.raises(NotPossible, match="1 residents"):
        retire(session, settings)


def test_what_no_key_opens_is_named_and_everything_else_is_done(
    session: Session, settings: Settings, runner: FlaskCliRunner
) -> None:
    session.execute(
        update(Resident).where(Resident.customer_number == "K1").values(national_id_encrypted=b"\x00\x01" + b"x" * 39)
    )
    session.commit()
    result = runner.invoke(args=["keys", "rotate-national-ids", "--wait", "0", "--format", "json"])
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["renewed"] == PEOPLE - 1
    assert report["unreadable"] == ["00000000-0000-4000-8000-000000000001"]


def test_the_commands_say_what_they_did_and_no_number(
    runner: FlaskCliRunner, settings: Settings, session: Session
) -> None:
    done = runner.invoke(args=["keys", "rotate-national-ids", "--wait", "0"])
    assert (done.exit_code, done.stdout) == (0, f"{PEOPLE} national ids renewed under key 2\n")
    retired = runner.invoke(args=["keys", "retire-national-ids"])
    assert (retired.exit_code, retired.stdout) == (0, "Keys taken out: 1\n")
    assert national_id(1) not in done.output + retired.output
    assert all(path.stat().st_mode & 0o077 == 0 for path in settings.keys_dir.glob("national-id-*"))
