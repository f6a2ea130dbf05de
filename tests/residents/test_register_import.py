"""The register in the database: created, brought up to date, left alone, and who is marked as changed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.crypto import vault
from app.core.errors import FileRejected
from app.core.reports import ImportReport, Rejection
from app.core.settings import Settings
from app.residents import register as register_module
from app.residents.contacts import close_contact, register_contact
from app.residents.models import (
    AddressProtection,
    ClosedReason,
    ContactKind,
    ContactSource,
    Resident,
    ResidentKind,
)
from app.residents.register import import_register
from app.residents.register_batch import apply_batch
from app.residents.register_file import ADDRESS
from tests.residents.conftest import (
    Row,
    TakeRegister,
    open_value,
    person_id,
    points,
    resident,
    take_stale,
    write_register,
)

MOBILE, EMAIL = ContactKind.MOBILE, ContactKind.EMAIL
NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
KARI: Row = {
    "customer_number": "1001",
    "kind": "person",
    "national_id": person_id(1),
    "name": "Kari Berg",
    "address_line_1": "Torget 1",
    "postal_code": "4100",
    "city": "Jørpeland",
    "country": "NO",
    "mobile": "900 12 345",
    "email": "kari@example.com",
    "language": "nb",
    "address_protection": "none",
    "deceased_on": "",
}
OLA: Row = {"customer_number": "1002", "name": "Ola Vik", "national_id": person_id(2), "address_protection": ""}


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    """Read, created, updated, unchanged, rejected."""
    return report.read, report.created, report.updated, report.unchanged, len(report.rejected)


def reasons(report: ImportReport) -> list[tuple[int | None, str | None, str]]:
    """Row, field and reason of each rejection."""
    return [(rejection.row, rejection.field, rejection.reason) for rejection in report.rejected]


def test_a_new_resident_is_stored_whole(session: Session, settings: Settings, take: TakeRegister) -> None:
    assert counts(take(KARI)) == (1, 1, 0, 0, 0)
    kari = resident(session, "1001")
    assert (kari.name, kari.kind, kari.language) == ("Kari Berg", ResidentKind.PERSON, "nb")
    assert (kari.address_line_1, kari.postal_code, kari.city, kari.country) == ("Torget 1", "4100", "Jørpeland", "NO")
    assert kari.national_id_encrypted is not None
    assert vault(settings).decrypt(kari.national_id_encrypted, row=kari.public_id) == person_id(1)
    assert kari.national_id_index == vault(settings).blind_index(person_id(1))
    assert open_value(session, "1001", MOBILE) == "+4790012345"
    (email,) = points(session, "1001", EMAIL)
    assert (email.value, email.source, email.confirmed_at) == ("kari@example.com", ContactSource.REGISTER, None)
    assert take_stale(session) == [kari.id]


def test_what_the_file_does_not_say_gets_the_defaults(session: Session, settings: Settings, take: TakeRegister) -> None:
    take({"customer_number": "1", "name": "Kari"})
    kari = resident(session, "1")
    assert (kari.kind, kari.address_protection) == (ResidentKind.PERSON, AddressProtection.NONE)
    assert kari.language == settings.default_language
    assert (kari.national_id_index, kari.deceased_on, kari.postal_code) == (None, None, "")


def test_the_same_file_again_changes_nothing(session: Session, take: TakeRegister) -> None:
    take(KARI, OLA)
    take_stale(session)
    before = [(row.id, row.updated_at, row.national_id_encrypted) for row in session.scalars(select(Resident))]
    assert counts(take(KARI, OLA)) == (2, 0, 0, 2, 0)
    session.expire_all()
    assert [(row.id, row.updated_at, row.national_id_encrypted) for row in session.scalars(select(Resident))] == before
    assert take_stale(session) == []


def test_only_the_changed_resident_is_touched_and_marked(session: Session, take: TakeRegister) -> None:
    take(KARI, OLA)
    take_stale(session)
    assert counts(take(KARI | {"city": "Tau", "deceased_on": "2026-11-01"}, OLA)) == (2, 0, 1, 1, 0)
    kari = resident(session, "1001")
    assert (kari.city, kari.deceased_on, kari.name) == ("Tau", dt.date(2026, 11, 1), "Kari Berg")
    assert take_stale(session) == [kari.id]


def test_another_spelling_of_the_same_value_is_no_change(session: Session, take: TakeRegister) -> None:
    take(KARI)
    take_stale(session)
    spelt = KARI | {"mobile": "+47 90012345", "national_id": f"{person_id(1)[:6]} {person_id(1)[6:]}"}
    assert counts(take(spelt)) == (1, 0, 0, 1, 0)
    assert take_stale(session) == []


def test_who_is_absent_from_the_file_stays(session: Session, take: TakeRegister) -> None:
    take(KARI, OLA)
    take(OLA)
    assert open_value(session, "1001", MOBILE) == "+4790012345"


def test_a_missing_column_leaves_values_and_an_empty_field_takes_them_away(
    session: Session, take: TakeRegister
) -> None:
    take(KARI)
    take({"customer_number": "1001", "name": "Kari Berg"})
    assert resident(session, "1001").city == "Jørpeland"
    assert resident(session, "1001").national_id_index is not None
    assert open_value(session, "1001", EMAIL) == "kari@example.com"
    take(KARI | {"city": "", "national_id": "", "email": ""})
    kari = resident(session, "1001")
    assert (kari.city, kari.national_id_index, kari.national_id_encrypted) == ("", None, None)
    assert open_value(session, "1001", EMAIL) is None


def test_a_bad_field_keeps_its_old_value_and_is_told_of_every_night(session: Session, take: TakeRegister) -> None:
    take(KARI)
    bad = KARI | {"name": "Kari Vik", "mobile": "ukjent", "national_id": "123", "language": "xx", "postal_code": "x"}
    for expected in [(1, 0, 1, 0, 4), (1, 0, 0, 1, 4)]:
        report = take(bad)
        assert counts(report) == expected
        assert {rejection.field for rejection in report.rejected} == {
            "mobile",
            "national_id",
            "language",
            "postal_code",
        }
    kari = resident(session, "1001")
    assert (kari.name, kari.language, kari.postal_code) == ("Kari Vik", "nb", "4100")
    assert kari.national_id_index is not None
    assert open_value(session, "1001", MOBILE) == "+4790012345"
    assert counts(take(KARI)) == (1, 0, 1, 0, 0)


def test_rows_without_number_or_name_and_repeated_numbers_are_rejected(session: Session, take: TakeRegister) -> None:
    report = take(KARI, {"name": "Nobody"}, {"customer_number": "1003"}, OLA, KARI | {"name": "Another"})
    assert counts(report) == (5, 2, 0, 0, 3)
    assert reasons(report) == [
        (3, "customer_number", "missing"),
        (4, "name", "missing"),
        (6, "customer_number", "the customer number stands in an earlier row"),
    ]
    assert report.rejected[0] == Rejection("register.csv", 3, "customer_number", "missing")
    assert resident(session, "1001").name == "Kari Berg"


def test_of_two_residents_with_one_id_the_first_is_kept(session: Session, take: TakeRegister) -> None:
    twin = OLA | {"national_id": person_id(1)}
    for created, unchanged in [(1, 0), (0, 1)]:
        report = take(KARI, twin)
        assert counts(report) == (2, created, 0, unchanged, 1)
        assert report.rejected[0].row == 3
        assert report.rejected[0].field == "national_id"
    assert session.scalar(select(func.count(Resident.id))) == 1


def test_an_id_that_a_resident_of_an_earlier_file_has_is_refused(session: Session, take: TakeRegister) -> None:
    take(KARI)
    assert reasons(take(OLA | {"national_id": person_id(1)})) == [
        (2, "national_id", "another resident has this national id")
    ]
    take(KARI, OLA)
    report = take(KARI, OLA | {"national_id": person_id(1), "name": "Changed"})
    assert counts(report) == (2, 0, 0, 1, 1)
    assert resident(session, "1002").name == "Ola Vik"


@pytest.mark.parametrize("batch", [1, 2, 1_000])
def test_swapped_ids_are_put_right_wherever_the_rows_stand(
    session: Session, settings: Settings, take: TakeRegister, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(register_module, "BATCH", batch)
    others = [{"customer_number": f"2{number}", "name": "Somebody"} for number in range(3)]
    take(KARI, *others, OLA)
    report = take(KARI | {"national_id": person_id(2)}, *others, OLA | {"national_id": person_id(1)})
    assert counts(report) == (5, 0, 2, 3, 0)
    assert resident(session, "1001").national_id_index == vault(settings).blind_index(person_id(2))
    assert resident(session, "1002").national_id_index == vault(settings).blind_index(person_id(1))


@pytest.mark.parametrize("batch", [1, 1_000])
def test_an_id_passes_to_a_row_that_stands_before_its_former_holder(
    session: Session, settings: Settings, take: TakeRegister, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(register_module, "BATCH", batch)
    take(KARI)
    report = take(OLA | {"national_id": person_id(1)}, KARI | {"national_id": ""})
    assert counts(report) == (2, 1, 1, 0, 0)
    assert resident(session, "1002").national_id_index == vault(settings).blind_index(person_id(1))


def test_protection_removes_the_address_and_none_comes_back(session: Session, take: TakeRegister) -> None:
    take(KARI)
    take_stale(session)
    hidden = KARI | {"address_protection": "confidential"}
    assert counts(take(hidden)) == (1, 0, 1, 0, 0)
    kari = resident(session, "1001")
    assert {getattr(kari, name) for name in ADDRESS} == {""}
    assert kari.register_digest is None
    assert take_stale(session) == [kari.id]
    (record,) = session.scalars(select(AuditRecord))
    assert (record.event, record.subject) == (AuditEvent.ADDRESS_REMOVED, f"resident:{kari.public_id}")
    assert "confidential" not in record.reason
    assert counts(take(hidden)) == (1, 0, 0, 1, 0)
    assert session.scalar(select(func.count(AuditRecord.id))) == 1
    without_column = {name: value for name, value in KARI.items() if name != "address_protection"}
    take(without_column)
    assert resident(session, "1001").address_line_1 == ""
    take(KARI)
    assert resident(session, "1001").address_line_1 == "Torget 1"


def test_a_new_resident_with_protection_gets_no_address(session: Session, take: TakeRegister) -> None:
    take(KARI | {"address_protection": "strictly_confidential"})
    kari = resident(session, "1001")
    assert kari.address_protection is AddressProtection.STRICTLY_CONFIDENTIAL
    assert {getattr(kari, name) for name in ADDRESS} == {""}


def test_an_unreadable_grading_stores_nothing_of_the_row(session: Session, take: TakeRegister) -> None:
    report = take(KARI | {"address_protection": "hemmelig"})
    assert counts(report) == (1, 0, 0, 0, 1)
    assert session.scalar(select(func.count(Resident.id))) == 0


def test_an_organisation_is_found_by_its_number(session: Session, take: TakeRegister) -> None:
    take({"customer_number": "9", "name": "Strand Bygg AS", "kind": "organisation", "national_id": "946485764"})
    found = resident(session, "9")
    assert (found.kind, found.organisation_number) == (ResidentKind.ORGANISATION, "946485764")
    assert found.national_id_index is None


def test_a_changed_register_value_replaces_the_registers_own(session: Session, take: TakeRegister) -> None:
    take(KARI)
    take_stale(session)
    assert counts(take(KARI | {"email": "ny@example.com"})) == (1, 0, 1, 0, 0)
    assert open_value(session, "1001", EMAIL) == "ny@example.com"
    old, _ = points(session, "1001", EMAIL)
    assert old.closed_reason is ClosedReason.WITHDRAWN
    assert len(take_stale(session)) == 1
    take(KARI)
    assert open_value(session, "1001", EMAIL) == "kari@example.com"
    assert len(points(session, "1001", EMAIL)) == 2


def test_a_register_value_never_replaces_one_the_resident_confirmed(session: Session, take: TakeRegister) -> None:
    take(KARI)
    kari = resident(session, "1001").id
    register_contact(session, kari, EMAIL, "min@example.com", ContactSource.RESIDENT, NOW, is_confirmed=True)
    session.commit()
    take(KARI | {"city": "Tau", "email": "register@example.com"})
    assert open_value(session, "1001", EMAIL) == "min@example.com"
    assert resident(session, "1001").city == "Tau"


@pytest.mark.parametrize("reason", [ClosedReason.REMOVED, ClosedReason.BOUNCED, ClosedReason.NOT_ME])
def test_a_closed_value_stays_closed_until_a_different_one_comes(
    session: Session, take: TakeRegister, reason: ClosedReason
) -> None:
    take(KARI)
    assert close_contact(session, resident(session, "1001").id, EMAIL, "kari@example.com", reason, NOW)
    session.commit()
    take(KARI)
    take(KARI | {"city": "Tau"})
    assert open_value(session, "1001", EMAIL) is None
    take(KARI | {"email": "ny@example.com"})
    assert open_value(session, "1001", EMAIL) == "ny@example.com"


def test_a_run_broken_off_keeps_whole_batches_and_the_next_one_goes_on(
    session: Session, settings: Settings, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_module, "BATCH", 2)
    path = write_register(tmp_path / "r.csv", [{"customer_number": str(n), "name": "Kari"} for n in range(5)])
    whole, calls = apply_batch, []

    def dies_in_the_second(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        outcome = whole(*arguments, **options)  # type: ignore[arg-type]
        if len(calls) == 2:
            raise KeyboardInterrupt
        return outcome

    monkeypatch.setattr("app.residents.register.apply_batch", dies_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        import_register(session, path, settings, clock)
    assert session.scalar(select(func.count(Resident.id))) == 2
    monkeypatch.setattr("app.residents.register.apply_batch", whole)
    assert counts(import_register(session, path, settings, clock)) == (5, 3, 0, 2, 0)


def test_a_residents_change_that_comes_in_between_is_respected(
    session: Session, settings: Settings, take: TakeRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(KARI)
    kari = resident(session, "1001").id
    whole, calls = apply_batch, []

    def clashes_once(*arguments: object, **options: object) -> object:
        outcome = whole(*arguments, **options)  # type: ignore[arg-type]
        calls.append(outcome)
        if len(calls) == 1:
            # As if the UNIQUE had told of it: the batch is undone, and the resident's change is what it finds next.
            session.rollback()
            register_contact(session, kari, EMAIL, "min@example.com", ContactSource.RESIDENT, NOW, is_confirmed=True)
            session.commit()
            raise IntegrityError("clash", None, Exception())
        return outcome

    monkeypatch.setattr("app.residents.register.apply_batch", clashes_once)
    assert counts(take(KARI | {"email": "register@example.com"})) == (1, 0, 1, 0, 0)
    assert len(calls) == 2
    assert open_value(session, "1001", EMAIL) == "min@example.com"


def test_new_rules_for_national_ids_read_every_row_anew(
    session: Session, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    path = write_register(tmp_path / "r.csv", [KARI])
    import_register(session, path, settings, clock)
    other = settings.model_copy(update={"national_id_offsets": ("65",)})
    assert reasons(import_register(session, path, other, clock)) == [
        (2, "national_id", "a made-up national id, which this installation refuses")
    ]


@pytest.mark.parametrize("content", [b"", b"customer_number;city\n1;Tau\n", b"\xff\xfe1\x00", b"a;b\n1;2\n"])
def test_a_refused_file_stores_nothing(
    session: Session, settings: Settings, clock: Clock, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(content)
    with pytest.raises(FileRejected):
        import_register(session, path, settings, clock)
    assert session.scalar(select(func.count(Resident.id))) == 0


def test_an_index_made_with_an_older_key_is_still_the_residents_own(
    session: Session, settings: Settings, take: TakeRegister
) -> None:
    take(KARI)
    keys = settings.keys_dir / "national-id-index.keys"
    keys.write_text(keys.read_text() + "2:" + "A" * 43 + "=\n")
    assert counts(take(KARI | {"city": "Tau"}, OLA | {"national_id": person_id(1)})) == (2, 0, 1, 0, 1)
