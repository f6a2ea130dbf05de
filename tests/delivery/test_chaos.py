"""The kill test at a small size: `make chaos` runs it in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.chaos import run


@pytest.mark.parametrize(("kind", "workers"), [("sqlite", 1), ("postgresql", 2)])
def test_killed_again_and_again_it_loses_nothing_and_sends_nothing_twice(
    kind: str, workers: int, tmp_path: Path
) -> None:
    verdict = run(invoices=160, kills=4, seed=3, kind=kind, workers=workers, instance=tmp_path)
    assert verdict["kills"] >= 4
    assert (verdict["lost"], verdict["double"], verdict["held_without_reason"]) == (0, 0, 0)
    assert verdict["balanced"]


def test_with_the_stand_ins_behind_a_socket_and_killed_as_well_it_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path,
) -> None:
    verdict = run(invoices=80, kills=3, seed=4, kind="sqlite", workers=1, instance=tmp_path, has_sockets=True)
    assert verdict["kills"] >= 3
    assert (verdict["lost"], verdict["double"], verdict["held_without_reason"]) == (0, 0, 0)
    assert verdict["balanced"]
