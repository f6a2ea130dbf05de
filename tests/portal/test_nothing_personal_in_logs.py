"""Whatever a resident does, the log says what happened, and never who, where to, or by which secret."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import create_app
from app.core.clock import Clock
from app.core.database import db
from app.core.settings import Settings
from tests.portal.people import add_resident, browser, choose, log_in, national_id, post

MOBILE, EMAIL = "+4798765432", "kari.hemmelig@example.com"


@pytest.fixture
def heard() -> io.StringIO:
    """What the log said."""
    return io.StringIO()


@pytest.fixture
def talkative(session: Session, settings: Settings, heard: io.StringIO) -> Iterator[Flask]:
    """The application, logging all it can; made after the test's own, whose log would take its place."""
    assert session.is_active
    app = create_app(settings.model_copy(update={"log_level": "DEBUG"}))
    (handler,) = logging.getLogger().handlers[:1]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(heard)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def walk(client: FlaskClient, settings: Settings) -> list[str]:
    """Everything a resident can do; gives the secrets that were used."""
    back = choose(client, national_id(1))
    secrets = [back.split("code=")[1].split("&")[0]]
    client.get(back)
    cookie = client.get_cookie("fakturaportalen", domain="127.0.0.1")
    assert cookie is not None
    secrets.append(cookie.value)
    post(client, "/min-side/mobil", value=MOBILE)
    (message,) = (settings.outbox_dir / "sms").iterdir()
    code = re.findall(r"\b\d{6}\b", message.read_text())[0]
    post(client, "/min-side/mobil/kode", code="000000" if code != "000000" else "000001")
    post(client, "/min-side/mobil/kode", code=code)
    post(client, "/min-side/epost", value=EMAIL)
    (mail,) = (settings.outbox_dir / "email" / "new").iterdir()
    token = re.findall(r"/bekreft/([A-Za-z0-9_.-]+)", mail.read_bytes().replace(b"=\n", b"").decode())[0]
    client.get(f"/min-side/epost/bekreft/{token}")
    client.get(f"/min-side/epost/bekreft/{token}x")
    post(client, f"/min-side/epost/bekreft/{token}")
    client.get("/min-side/innsyn")
    client.get("/min-side/innsyn/fil")
    client.get("/logg-inn/tilbake?code=secret-code&state=secret-state&iss=https://evil.example")
    client.post("/logg-ut/bak", data={"logout_token": f"{national_id(1)}.secret.token"})
    post(client, "/min-side", "/logg-ut")
    return [*secrets, token, "secret-code", "secret-state", "secret.token"]


def test_no_log_line_holds_anything_personal_or_secret(
    talkative: Flask, settings: Settings, clock: Clock, session: Session, heard: io.StringIO
) -> None:
    add_resident(session, settings, clock, 1)
    client = browser(talkative)
    secrets = walk(client, settings)
    log_in(client, national_id(2))
    lines = heard.getvalue()
    assert "logout_token_refused" in lines, "the log was on"
    for personal in (national_id(1), national_id(2), MOBILE, MOBILE[3:], EMAIL, "Nordmann", "Utsikten"):
        assert personal not in lines
    for secret in secrets:
        assert secret not in lines
    assert "code_verifier" not in lines
