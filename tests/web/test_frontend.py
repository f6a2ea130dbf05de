"""What the pages load: built from locked packages, small, our own, and by nobody's leave but ours."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import html

from app.web.frontend import build

HERE = build.HERE
STATIC = build.ROOT / "static"
MOST_BYTES, MOST_REQUESTS = 90_000, 10


def test_the_result_is_of_these_very_inputs() -> None:
    assert build.is_current(), "run make setup"


def test_every_package_is_locked_by_its_content_and_no_registry_is_named() -> None:
    text = (HERE / "package-lock.json").read_text(encoding="utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
    assert json.loads(text)["packages"][""].get("dependencies") == read("package.json")["dependencies"]


def read(name: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return found


def test_versions_are_named_exactly() -> None:
    package = read("package.json")
    for version in (package["dependencies"] | package["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_the_licences_of_what_we_serve_lie_beside_it() -> None:
    assert "SIL OPEN FONT LICENSE" in (build.VENDOR / "LICENSE-inter.txt").read_text(encoding="utf-8").upper()
    mit = (build.VENDOR / "LICENSE-designsystemet-css.txt").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in mit


def test_the_theme_has_a_light_and_a_dark_side_in_the_municipality_s_colour() -> None:
    style = (build.VENDOR / "designsystemet.css").read_text(encoding="utf-8")
    assert "--ds-color-accent-base-default: #0b5a6b" in style
    assert "prefers-color-scheme: dark" in style.replace("prefers-color-scheme:dark", "prefers-color-scheme: dark")


def test_a_part_left_out_that_the_design_system_does_not_have_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "UNUSED", frozenset({"no-such-part"}))
    with pytest.raises(build.BuildFailed, match="no-such-part"):
        build.components()


def test_a_package_tool_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "script.js"
    script.write_text("console.error('registry not reached'); process.exit(3)")
    monkeypatch.setattr(build, "WORK", tmp_path)
    with pytest.raises(build.BuildFailed, match="registry not reached"):
        build.run(script, "ci")


@pytest.mark.parametrize(
    "path", sorted(STATIC.rglob("*.css")) + sorted(STATIC.rglob("*.js")), ids=lambda path: path.name
)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"url\([\"']?(?:https?:)?//|@import", text)
    assert not re.search(r"(?:fetch|import)\(\s*[\"'`]https?:", text)


def test_our_own_script_is_small() -> None:
    assert sum(path.stat().st_size for path in (STATIC / "web").glob("*.js")) <= 2_000


@pytest.mark.parametrize("path", ["/", "/personvern", "/finnes-ikke"])
def test_a_first_visit_is_light(visitor: FlaskClient, path: str) -> None:
    page = visitor.get(path)
    addresses = html.fromstring(page.text).xpath("//link/@href | //script/@src | //img/@src")
    assert isinstance(addresses, list)
    fetched = {str(address) for address in addresses}
    total = len(gzip.compress(page.data, 9))
    for address in fetched:
        with visitor.get(address) as answer:
            assert answer.status_code == 200
            is_packed = address.partition("?")[0].endswith(".woff2")
            total += len(answer.data if is_packed else gzip.compress(answer.data, 9))
    assert len(fetched) + 1 <= MOST_REQUESTS
    assert total <= MOST_BYTES
    print(f"{path}: {total} bytes packed in {len(fetched) + 1} requests")  # noqa: T201 - a figure for the report
