"""The kill test at a small size: `python -m bench.offers_kill` runs it in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.offers_kill import run


@pytest.mark.parametrize(("way", "kind"), [("smtp", "sqlite"), ("smtp", "postgresql"), ("maildir", "sqlite")])
def test_a_campaign_that_is_killed_again_and_again_gives_every_mailbox_one_mail(
    way: str, kind: str, tmp_path: Path
) -> None:
    verdict = run(mails=200, kills=4, seed=5, way=way, kind=kind, instance=tmp_path)
    assert verdict["kills"] >= 3
    assert (verdict["lost"], verdict["double"]) == (0, 0)
