"""What goes wrong during an import harms nothing else."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.invoices import intake, storing
from app.invoices.examine import examine_all as intake_examine
from app.invoices.models import Batch, Invoice, Pending
from app.residents.models import Resident
from tests.invoices.builders import ehf, pdf
from tests.invoices.counting import Drop, Take, counts, rows


def test_bad_files_stop_no_good_one_and_leave_nothing(session: Session, take: Take, drop: Drop, kari: Resident) -> None:
    folder = drop(a_xml=ehf()[:900], b_xml=ehf(), c_xml=b"", d_txt=b"hei", e_pdf=pdf(), f_xml=ehf("2", currency="EUR"))
    report = take(folder)
    assert counts(report) == (6, 1, 0, 5)
    assert {found.source for found in report.rejected} == {"a.xml", "c.xml", "d.txt", "e.pdf", "f.xml"}
    assert (rows(session, Invoice), rows(session, Pending)) == (1, 1)
    batch = session.scalars(select(Batch)).one()
    assert (batch.invoice_count, batch.rejected_count) == (1, 5)


def test_a_file_of_200_mb_is_refused_by_its_size_unread(
    session: Session, take: Take, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = drop(a_xml=b"<")
    with (folder / "a.xml").open("r+b") as file:
        file.truncate(200_000_000)
    report = take(folder)
    assert report.rejected[0].reason == "the file has 200000000 bytes, more than MAX_FILE_BYTES allows (20000000)"
    assert rows(session, Invoice) == 0


def test_hidden_and_half_written_files_are_left_alone(take: Take, drop: Drop) -> None:
    folder = drop(a_xml=ehf())
    shutil.move(folder / "a.xml", folder / "a.xml.part")
    (folder / ".b.xml").write_bytes(b"")
    assert counts(take(folder)) == (0, 0, 0, 0)


def test_a_chunk_that_cannot_be_stored_leaves_nothing_of_it(
    session: Session, take: Take, drop: Drop, kari: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "CHUNK_FILES", 2)
    monkeypatch.setattr(intake, "examine_chunks", lambda chunks: ((chunk, intake_examine(chunk)) for chunk in chunks))
    stored = storing.count_in
    calls: list[int] = []

    def fail_the_second_time(*values: int) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("disk full")
        stored(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "count_in", fail_the_second_time)
    folder = drop(a_xml=ehf("1"), b_xml=ehf("2"), c_xml=ehf("3"))
    with pytest.raises(OSError, match="disk full"):
        take(folder)
    session.rollback()
    assert (rows(session, Invoice), rows(session, Pending)) == (2, 2)
    monkeypatch.setattr(intake, "count_in", stored)
    assert counts(take(folder)) == (3, 1, 2, 0)


def test_another_import_of_the_same_files_meanwhile_is_no_error(
    session: Session,
    settings: Settings,
    clock: Clock,
    take: Take,
    drop: Drop,
    kari: Resident,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = drop(a_xml=ehf())
    real, calls = storing.known_invoices, []

    def blind_the_first_time(*values: object) -> object:
        calls.append(1)
        return {} if len(calls) == 1 else real(*values)  # type: ignore[arg-type]

    take(folder)
    monkeypatch.setattr(intake, "known_invoices", blind_the_first_time)
    assert counts(take(folder)) == (1, 0, 1, 0)
    assert rows(session, Invoice) == 1
