"""The charts: clean under the policy, escaped, in the page's own colours, kept, and no page falls with them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from lxml import etree

from app.core.settings import Settings
from app.staff import charts
from app.staff.charts import Bar, Drawing, Numbers, Series, draw
from tests.conftest import make_settings

NORWEGIAN = Numbers(",", "\u00a0")
BARS = Drawing(
    "bars", 'Hva "kom" fram?', NORWEGIAN, items=(Bar("Brev & <b>post</b>", 3, "3 %"), Bar("Vipps", 0, "færre enn 5"))
)
PANELS = Drawing(
    "panels", "Måned for måned", NORWEGIAN, months=("des", "jan. 2026", "feb"), label="datum.label + ' %'",
    series=(Series("Brev 12 %", (60, None, 12)), Series("Vipps 3 %", (1, 2, 3))),
)  # fmt: skip
COLUMNS = replace(PANELS, mark="bar", series=(Series("Spart", (10_000, 25_000, -3000)),), label="'kr ' + datum.label")
ALL = [one for drawing in (BARS, PANELS, COLUMNS) for one in (drawing, replace(drawing, is_narrow=True))]


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    return make_settings(tmp_path / "instance")


@pytest.fixture(scope="module")
def drawn() -> dict[Drawing, str]:
    """All of them by the real program, once."""
    asked = json.dumps([asdict(drawing) for drawing in ALL]).encode()
    done = subprocess.run([sys.executable, "-P", str(charts.PROGRAM)], input=asked, capture_output=True, check=True)
    return dict(zip(ALL, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("drawing", ALL, ids=lambda one: f"{one.kind}-{one.mark}-{one.is_narrow}")
def test_nothing_in_a_drawing_needs_a_style_a_script_or_another_file(
    drawn: dict[Drawing, str], drawing: Drawing
) -> None:
    root = etree.fromstring(drawn[drawing])
    known = {"svg", "g", "path", "text", "line", "rect", "tspan"}
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in known
        for name, value in ((str(name), str(value)) for name, value in element.attrib.items()):
            assert name != "style"
            assert not name.startswith("on")
            assert "href" not in name
            assert "url(" not in value
            if name in ("fill", "stroke"):
                assert value == "none" or value.startswith("var(--chart-"), "colours are the page's own"
            if name == "font-family":
                assert value == "Inter, system-ui, sans-serif"
            if name == "font-size":
                assert value in ("14px", "15px")


@pytest.mark.parametrize("drawing", ALL, ids=lambda one: f"{one.kind}-{one.mark}-{one.is_narrow}")
def test_a_drawing_has_a_name_and_fits_its_place(drawn: dict[Drawing, str], drawing: Drawing) -> None:
    root = etree.fromstring(drawn[drawing])
    assert (root.get("role"), root.get("aria-label")) == ("img", drawing.title)
    width = float(root.get("viewBox", "0 0 0 0").split()[2])
    assert width <= (360 if drawing.is_narrow else 1000)


def test_every_name_and_figure_stands_in_it_as_text(drawn: dict[Drawing, str]) -> None:
    words = [element.text for element in etree.fromstring(drawn[BARS]).iter() if element.text]
    assert {"Brev & <b>post</b>", "Vipps", "3 %", "færre enn 5"} <= set(words)
    assert "<b>" not in drawn[BARS]
    assert "Brev 12 %" in drawn[PANELS]
    assert "jan. 2026" in drawn[COLUMNS]
    assert ">20 %<" in drawn[PANELS]
    assert ">kr 20\u00a0000<" in drawn[COLUMNS]


def test_a_month_without_a_figure_breaks_the_line(drawn: dict[Drawing, str]) -> None:
    whole = replace(PANELS, series=(Series("Brev 12 %", (60, 30, 12)), PANELS.series[1]))
    done = charts._draw([whole])
    points = [drawing.count("<path") for drawing in (*done, drawn[PANELS])]
    assert points[0] > points[1]


def test_what_was_drawn_is_kept_and_drawn_no_more(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = draw(place, [BARS, BARS])
    assert list(first) == [BARS]

    def fail(drawings: list[Drawing]) -> list[str]:
        raise AssertionError("drawn twice")

    monkeypatch.setattr(charts, "_draw", fail)
    assert draw(place, [BARS]) == first


def test_a_program_that_fails_leaves_the_page_without_charts(
    place: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no engine here')")
    monkeypatch.setattr(charts, "PROGRAM", broken)
    assert draw(place, [PANELS]) == {}


def test_the_oldest_drawings_go_when_there_are_too_many(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "_draw", lambda drawings: ["<svg/>" for _ in drawings])
    monkeypatch.setattr(charts, "KEPT", 3)
    for number in range(5):
        draw(place, [replace(BARS, title=str(number))])
    assert len(list((place.instance_dir / "cache" / "charts").glob("*.svg"))) == 3


def test_other_figures_words_or_widths_are_another_drawing() -> None:
    others = [BARS, replace(BARS, title="x"), replace(BARS, is_narrow=True), replace(BARS, items=BARS.items[:1])]
    assert len({one.name for one in others}) == len(others)
