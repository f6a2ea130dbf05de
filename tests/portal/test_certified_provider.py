"""Our log-in against a certified OpenID provider (npm ``oidc-provider``) with ID-porten's strict rules."""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

import pytest
import requests
from flask import Flask
from joserfc.jwk import RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.core.clock import Clock
from app.core.database import db
from app.portal.idporten_key import BACK_CHANNEL, CALLBACK, KEY_FILE, LOGGED_OUT
from app.web.frontend import build
from tests.conftest import make_settings
from tests.portal.conftest import made_key
from tests.portal.people import add_resident, national_id

SCRIPT = Path(__file__).parent / "oidc_provider.mjs"
PACKAGES = build.WORK / "node_modules"
WAIT_SECONDS = 30
CLIENT = "fakturaportalen"
HIGH = "idporten-loa-high"


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Provider:
    """The running provider: its issuer, and what it says line by line."""

    issuer: str
    lines: queue.Queue[str]

    def told(self) -> str:
        """What came of its next message by the back-channel; its other lines are passed over."""
        while not (line := self.lines.get(timeout=WAIT_SECONDS).strip()).startswith("backchannel"):
            continue
        return line.removeprefix("backchannel ")


@contextmanager
def provider(site: str) -> Iterator[Provider]:
    """Run the provider for the client at *site*."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    client = RSAKey.import_key(made_key(0), {"kid": f"{CLIENT}-1", "use": "sig", "alg": "RS256"})
    signing = RSAKey.import_key(made_key(1), {"kid": "signing", "use": "sig", "alg": "RS256"})
    given = {
        "issuer": issuer,
        "port": port,
        "packages": str(PACKAGES),
        "signing": [signing.as_dict(private=True)],
        "client_keys": [client.as_dict(private=False)],
        "client_id": CLIENT,
        "redirect_uri": site + CALLBACK,
        "logged_out_uri": site + LOGGED_OUT,
        "backchannel_uri": site + BACK_CHANNEL,
    }
    process = subprocess.Popen(
        [build.NODE, SCRIPT, json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    reading = threading.Thread(target=_read, args=(process.stdout, lines))
    reading.start()
    try:
        heard: list[str] = []
        while not heard or heard[-1].strip() != "ready":
            heard.append(lines.get(timeout=WAIT_SECONDS))
            assert process.poll() is None, "".join(heard)
        yield Provider(issuer, lines)
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)
        reading.join()
        process.stdout.close()


def _read(source: IO[str], lines: queue.Queue[str]) -> None:
    for line in source:
        lines.put(line)


@dataclass
class World:
    """Our site on a port of its own, logged in to by the certified provider."""

    app: Flask
    site: str
    provider: Provider


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    """Skipped where Node or the package is missing, but never in CI."""
    if not build.NODE.exists() or not (PACKAGES / "oidc-provider").is_dir():
        reason = "the certified provider is not installed: make setup installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    port, instance = free_port(), tmp_path_factory.mktemp("certified") / "instance"
    site = f"http://127.0.0.1:{port}"
    (instance / "keys").mkdir(parents=True)
    (instance / "keys" / KEY_FILE).write_bytes(made_key(0))
    shutil.copy(sqlite_template, instance / "fakturaportalen.db")
    with provider(site) as running:
        settings = make_settings(instance, base_url=site, idporten_issuer=running.issuer)
        app = create_app(settings)
        with app.app_context():
            add_resident(db.session(), settings, Clock.for_day(settings.today), 1)
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield World(app, site, running)
        server.shutdown()
        serving.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(autouse=True)
def keys() -> None:
    """The keys are the module's own, and one database is enough."""


@pytest.fixture
def reader() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Accept-Language"] = "nb"
        yield session


def to_choose(reader: requests.Session, world: World) -> str:
    """Begin to log in; gives the address where a person is chosen."""
    page = reader.get(f"{world.site}/logg-inn", timeout=WAIT_SECONDS)
    assert "TestID" in page.text, page.text
    return page.url


def choose(reader: requests.Session, address: str, pid: str, acr: str = HIGH) -> str:
    """Choose a person; gives the address that leads back to us, not yet followed."""
    form = {"pid": pid, "acr": acr}
    answer = reader.post(address, data=form, allow_redirects=False, timeout=WAIT_SECONDS)
    while CALLBACK not in (answer.headers.get("Location") or ""):
        assert answer.is_redirect, f"{answer.status_code}: {answer.text}"
        answer = reader.get(
            urljoin(answer.url, answer.headers["Location"]), allow_redirects=False, timeout=WAIT_SECONDS
        )
    return answer.headers["Location"]


def get(reader: requests.Session, address: str, **options: Any) -> requests.Response:
    return reader.get(address, timeout=WAIT_SECONDS, **options)


def test_a_resident_logs_in_and_out_and_the_provider_tells_us_by_the_back_channel(
    world: World, reader: requests.Session
) -> None:
    back = choose(reader, to_choose(reader, world), national_id(1))
    page = get(reader, back)
    assert page.url == f"{world.site}/min-side"
    assert "Kari Nordmann 1" in page.text
    elsewhere = requests.Session()
    elsewhere.cookies.update(reader.cookies)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0]
    # The provider's own session ends first: nothing was pressed here.
    asking = get(reader, f"{world.provider.issuer}/session/end", params={"client_id": CLIENT})
    xsrf = re.findall(r'name="xsrf" value="([^"]+)"', asking.text)[0]
    confirmed = {"xsrf": xsrf, "logout": "yes"}
    reader.post(f"{world.provider.issuer}/session/end/confirm", data=confirmed, timeout=WAIT_SECONDS)
    assert world.provider.told() == "success"
    assert get(elsewhere, f"{world.site}/min-side").status_code == 401
    elsewhere.close()
    assert token


def test_logging_out_here_leads_through_the_provider_and_back(world: World, reader: requests.Session) -> None:
    page = get(reader, choose(reader, to_choose(reader, world), national_id(1)))
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0]
    page = reader.post(f"{world.site}/logg-ut", data={"csrf_token": token}, timeout=WAIT_SECONDS)
    away = page.headers["Refresh"].removeprefix("0; url=")
    assert away.startswith(f"{world.provider.issuer}/session/end?")
    asking = get(reader, away)
    xsrf = re.findall(r'name="xsrf" value="([^"]+)"', asking.text)[0]
    done = reader.post(
        f"{world.provider.issuer}/session/end/confirm", data={"xsrf": xsrf, "logout": "yes"}, timeout=WAIT_SECONDS
    )
    assert done.url.startswith(f"{world.site}/logg-ut/ferdig")
    assert world.provider.told() == "success"


def test_a_code_is_worth_one_log_in(world: World, reader: requests.Session) -> None:
    back = choose(reader, to_choose(reader, world), national_id(1))
    assert get(reader, back).status_code == 200
    assert get(reader, back).status_code == 400


def test_a_code_of_another_browser_lets_nobody_in(world: World, reader: requests.Session) -> None:
    back = choose(reader, to_choose(reader, world), national_id(1))
    with requests.Session() as stranger:
        assert get(stranger, back).status_code == 400
        assert get(stranger, f"{world.site}/min-side", allow_redirects=False).status_code == 302


def test_too_low_a_level_lets_nobody_in(world: World, reader: requests.Session) -> None:
    answer = get(reader, choose(reader, to_choose(reader, world), national_id(1), "selfregistered-email"))
    assert answer.status_code == 400
    assert "ikke sikker nok" in answer.text


def test_someone_without_a_national_id_is_not_let_in(world: World, reader: requests.Session) -> None:
    answer = get(reader, choose(reader, to_choose(reader, world), "foreign-1"))
    assert answer.status_code == 400
    assert "uten norsk fødselsnummer" in answer.text


def test_twenty_log_ins_in_a_row_each_bring_a_new_assertion(world: World) -> None:
    for _ in range(20):
        with requests.Session() as session:
            assert get(session, choose(session, to_choose(session, world), national_id(1))).status_code == 200
