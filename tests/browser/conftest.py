"""A real browser on the real pages: Debian's Chromium, driven by Playwright, on a server in a thread of its own."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, abort
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.core.database import db
from app.web.frontend import build
from tests.browser import town
from tests.conftest import make_settings
from tests.portal.conftest import put_keys
from tests.support.gallery import add_gallery

# Without these Chromium, as root in a closed network, does not start or looks for its maker's hosts.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
AXE = build.WORK / "node_modules" / "axe-core" / "axe.min.js"
# What a browser says by itself about an error page is no fault of the page.
EXPECTED_NOISE = "Failed to load resource: the server responded with a status of"


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The installed Chromium. Where there is none, these tests are skipped with the reason, but never in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        reason = "no chromium is installed: apt-get install chromium brings the browser tests to life"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Flask]:
    """The application with its residents, the gallery of components and an address for each error."""
    instance = tmp_path_factory.mktemp("site") / "instance"
    instance.mkdir()
    shutil.copy(sqlite_template, instance / "fakturaportalen.db")
    settings = make_settings(instance, base_url=f"http://127.0.0.1:{free_port()}")
    put_keys(settings)
    app = create_app(settings)
    add_gallery(app)
    app.add_url_rule("/feil/<int:status>", "fail", view_func=lambda status: abort(status))
    with app.app_context():
        town.settle(db.session(), settings, app.config["CLOCK"])
        db.session.remove()
    yield app
    with app.app_context():
        db.engine.dispose()


def free_port() -> int:
    """A port of this machine that nobody listens on: the log-in's way back must name it before there is a site."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@pytest.fixture(scope="package")
def address(site: Flask) -> Iterator[str]:
    """Where the site is served on this machine alone."""
    port = urlsplit(site.config["BASE_URL"]).port or 0
    server = make_server("127.0.0.1", port, site, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Visit:
    """How someone looks at a page."""

    language: str = "nb"
    scheme: str = "light"
    width: int = 1280
    has_javascript: bool = True
    forced_colors: str = "none"

    def __str__(self) -> str:
        script = "" if self.has_javascript else "-no-script"
        forced = "-forced-colours" if self.forced_colors == "active" else ""
        return f"{self.language}-{self.scheme}-{self.width}{script}{forced}"


def faces(*more: Visit) -> list[Visit]:
    """In which ways every page is looked at: each language where there is least room, dark, and in *more*.

    What axe-core says of colours does not depend on the language. More only for people who want pictures to look at.
    """
    visits = [*(Visit(language, "light", 320) for language in ("nb", "nn", "en")), Visit(scheme="dark"), *more]
    if screenshots():
        visits += [Visit(width=1280), Visit(width=375), Visit(scheme="dark", width=375)]
    return visits


# Colours of the reader's own choosing: for what is drawn, and for each component once.
FORCED = Visit(forced_colors="active")


class Doorman:
    """Logs residents in once, and lends their session to every browser that asks."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._address = browser, address
        self._known: dict[str, list[Any]] = {}

    def cookies(self, national_id: str) -> list[Any]:
        """The cookies of a browser in which this person has logged in."""
        if national_id not in self._known:
            context = self._browser.new_context()
            page = context.new_page()
            town.log_in(page, self._address, national_id)
            self._known[national_id] = [*context.cookies()]
            context.close()
        return self._known[national_id]


class Reader:
    """A page in the browser that may not complain: every error it reports is kept, to be asserted empty."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page: Page = context.new_page()
        self.address = address
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self._hear("error", str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(EXPECTED_NOISE):
            self.complaints.append(text)

    def open(self, path: str) -> Page:
        """The page at *path*, with its fonts loaded."""
        self.requests.clear()
        self.page.goto(self.address + path)
        self.page.evaluate("document.fonts.ready.then(() => true)")
        return self.page

    def speak(self, language: str) -> None:
        """Choose the *language* of the pages, over the profile's."""
        self.page.context.add_cookies([{"name": "sprak", "value": language, "url": self.address}])

    def barriers(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 A and AA and good practice, as sentences."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", tags
        )
        return [
            f"{violation['id']}: {violation['help']} – {node['html'][:160]}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wider


@pytest.fixture(scope="package")
def doorman(chromium: Browser, address: str) -> Doorman:
    """Whoever must be logged in comes by here."""
    return Doorman(chromium, address)


@pytest.fixture
def visit(request: pytest.FixtureRequest) -> Visit:
    """How this test looks at pages; by parametrisation."""
    chosen: Visit = getattr(request, "param", Visit())
    return chosen


@pytest.fixture
def reader(chromium: Browser, address: str, visit: Visit) -> Iterator[Reader]:
    """Someone with a browser. At the end nothing may have been complained about: no script error, no broken policy."""
    context = chromium.new_context(
        viewport={"width": visit.width, "height": 900},
        locale=visit.language,
        color_scheme="dark" if visit.scheme == "dark" else "light",
        forced_colors="active" if visit.forced_colors == "active" else "none",
        reduced_motion="reduce",
        java_script_enabled=visit.has_javascript,
    )
    found = Reader(context, address)
    yield found
    context.close()
    assert found.complaints == []


def screenshots() -> Path | None:
    """Where pictures go for people to look at: the folder SCREENSHOTS names, or nowhere."""
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else None
