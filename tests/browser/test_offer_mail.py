"""The offer's mail, as a mail program shows it, can be used by everyone: no barrier that axe-core knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import AXE

SNAPSHOTS = sorted((Path(__file__).parents[1] / "campaigns" / "snapshots").glob("*.html"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: str(path.stem))
def test_the_mail_has_no_barrier_and_fits_a_small_telephone(chromium: Browser, path: Path, scheme: Any) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 800}, color_scheme=scheme)
    page.set_content(path.read_text(encoding="utf-8"))
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert [violation["id"] for violation in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.close()


def test_every_form_is_there() -> None:
    assert len(SNAPSHOTS) == 4
