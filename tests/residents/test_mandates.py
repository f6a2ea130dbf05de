"""Mandates in the database: registration types, the same file twice, and files that are taken whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.errors import FileRejected, SettingsInvalid
from app.core.reports import ImportReport
from app.core.settings import Settings
from app.residents.mandates import import_mandate_file, import_mandates
from app.residents.models import Mandate
from tests.residents.fbo import ACCOUNT, OTHER_ACCOUNT, assignment, mandate, transmission, write

PUBLIC_SAMPLE = Path("/work/shared/data/avtalegiro/avtalegiro_agreements.txt")
FIRST, SECOND, THIRD = "000112000507155", "001006300507304", "001020200507462"

Take = Callable[..., tuple[int, int, int, int]]


@pytest.fixture
def take(session: Session, settings: Settings, clock: Clock, tmp_path: Path) -> Take:
    """Import one file of the given assignments; gives read, created, updated, unchanged."""

    def take(*assignments: list[str]) -> tuple[int, int, int, int]:
        path = write(tmp_path / "fbo.txt", transmission(*assignments))
        report = import_mandate_file(session, path, settings, clock)
        assert report.rejected == []
        return report.read, report.created, report.updated, report.unchanged

    return take


def stored(session: Session) -> dict[str, bool | None]:
    """Whether a notice is wanted, by KID; None for a mandate that has ended."""
    found = session.scalars(select(Mandate).execution_options(populate_existing=True))
    return {row.kid: None if row.ended_at else row.wants_notice for row in found}


def test_new_mandates_are_stored_whoever_they_belong_to(session: Session, take: Take) -> None:
    assert take(assignment(mandate(FIRST), mandate(SECOND, "N"))) == (2, 2, 0, 0)
    assert stored(session) == {FIRST: True, SECOND: False}
    row = session.scalars(select(Mandate).where(Mandate.kid == FIRST)).one()
    assert (row.account, row.kid_key, row.registered_at) == (ACCOUNT, FIRST, row.updated_at)


def test_the_same_file_again_changes_nothing(session: Session, take: Take) -> None:
    lists = assignment(mandate(FIRST, "J", 0), mandate(SECOND, "N", 0))
    take(lists)
    before = session.execute(select(Mandate.id, Mandate.registered_at, Mandate.updated_at)).all()
    assert take(lists) == (2, 0, 0, 2)
    assert session.execute(select(Mandate.id, Mandate.registered_at, Mandate.updated_at)).all() == before


def test_a_known_mandate_that_comes_as_new_is_applied_again(session: Session, take: Take) -> None:
    take(assignment(mandate(FIRST, "J")))
    assert take(assignment(mandate(FIRST, "N"))) == (1, 0, 1, 0)
    assert stored(session) == {FIRST: False}


def test_a_deleted_mandate_ends_and_may_begin_anew(session: Session, take: Take) -> None:
    take(assignment(mandate(FIRST), mandate(SECOND)))
    assert take(assignment(mandate(FIRST, "J", 2))) == (1, 0, 1, 0)
    assert stored(session) == {FIRST: None, SECOND: True}
    assert take(assignment(mandate(FIRST, "J", 2))) == (1, 0, 0, 1)
    assert take(assignment(mandate(FIRST, "N", 1))) == (1, 0, 1, 0)
    assert stored(session) == {FIRST: False, SECOND: True}
    assert session.scalar(select(func.count(Mandate.id))) == 2


def test_deleting_a_mandate_nobody_knows_is_fine(session: Session, take: Take) -> None:
    assert take(assignment(mandate(FIRST, "J", 2), mandate(SECOND))) == (2, 1, 0, 1)
    assert stored(session) == {SECOND: True}


def test_a_complete_list_ends_what_it_does_not_name_of_its_own_account(session: Session, take: Take) -> None:
    take(assignment(mandate(FIRST), mandate(SECOND)), assignment(mandate(THIRD), account=OTHER_ACCOUNT))
    assert take(assignment(mandate(FIRST, "J", 0))) == (1, 0, 1, 1)
    assert stored(session) == {FIRST: True, SECOND: None, THIRD: True}


def test_a_complete_list_may_lie_in_several_assignments(session: Session, take: Take) -> None:
    take(assignment(mandate(FIRST)), assignment(mandate(SECOND)))
    assert take(assignment(mandate(FIRST, "J", 0)), assignment(mandate(SECOND, "J", 0))) == (2, 0, 0, 2)
    assert stored(session) == {FIRST: True, SECOND: True}


def test_changes_alone_end_nothing(session: Session, take: Take) -> None:
    take(assignment(mandate(FIRST)))
    take(assignment(mandate(SECOND)))
    assert stored(session) == {FIRST: True, SECOND: True}


def test_the_last_word_on_a_kid_counts(session: Session, take: Take) -> None:
    assert take(assignment(mandate(FIRST, "J"), mandate(FIRST, "J", 2), mandate(FIRST, "N"))) == (3, 1, 0, 2)
    assert stored(session) == {FIRST: False}


def test_more_mandates_than_one_statement_takes(session: Session, take: Take) -> None:
    kids = [f"{number:09d}" for number in range(2_500)]
    assert take(assignment(*[mandate(kid) for kid in kids])) == (2_500, 2_500, 0, 0)
    assert take(assignment(*[mandate(kid, "N", 0) for kid in kids[:2_400]])) == (2_400, 0, 2_500, 0)
    assert sum(notice is None for notice in stored(session).values()) == 100


def test_the_key_is_the_part_of_the_kid_that_the_setting_names(
    session: Session, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    path = write(tmp_path / "fbo.txt", transmission(assignment(mandate(FIRST), mandate(SECOND))))
    import_mandate_file(session, path, settings, clock)
    fixed = settings.model_copy(update={"avtalegiro_kid_fixed": "1-9"})
    empty = write(tmp_path / "other.txt", transmission(assignment(mandate(THIRD))))
    import_mandate_file(session, empty, fixed, clock)
    assert set(session.scalars(select(Mandate.kid_key))) == {FIRST[:9], SECOND[:9], THIRD[:9]}
    with pytest.raises(SettingsInvalid, match="AVTALEGIRO_KID_FIXED"):
        import_mandate_file(session, path, settings.model_copy(update={"avtalegiro_kid_fixed": "9-1"}), clock)


def test_a_refused_file_stores_nothing_and_the_others_are_taken(
    session: Session, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    good = write(tmp_path / "good.txt", transmission(assignment(mandate(FIRST))))
    bad = write(tmp_path / "bad.txt", transmission(assignment(mandate(SECOND), mandate(THIRD)[:79])))
    told: list[int] = []
    report = import_mandates(session, [bad, good], settings, clock, told.append)
    assert (report.read, report.created) == (1, 1)
    (rejection,) = report.rejected
    assert (rejection.source, rejection.row, rejection.field) == ("bad.txt", 4, None)
    assert rejection.reason == "79 characters where a record has 80"
    assert stored(session) == {FIRST: True}
    assert told == [bad.stat().st_size, good.stat().st_size]


def test_wrong_sums_store_nothing(session: Session, settings: Settings, clock: Clock, tmp_path: Path) -> None:
    path = write(tmp_path / "fbo.txt", transmission(assignment(mandate(FIRST)), transactions=7))
    with pytest.raises(FileRejected, match="count of transactions is wrong"):
        import_mandate_file(session, path, settings, clock)
    assert stored(session) == {}


@pytest.mark.skipif(not PUBLIC_SAMPLE.exists(), reason="the public sample file is not on this machine")
def test_the_public_sample_gives_its_sixteen_mandates(session: Session, settings: Settings, clock: Clock) -> None:
    report: ImportReport = import_mandates(session, [PUBLIC_SAMPLE], settings, clock)
    assert (report.read, report.created, report.rejected) == (16, 16, [])
    assert sorted(stored(session).values(), key=bool) == [False] * 5 + [True] * 11
