"""Residents for the tests of the pages, and a browser that logs in as one of them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask, g, has_app_context
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.core.clock import Clock
from app.core.crypto import vault
from app.core.settings import Settings
from app.residents.models import Resident
from app.sandbox.people import made_up_person
from tests.support.lint import LintingClient

BASE = "http://127.0.0.1:8000"


class AtHome(FlaskClient):
    """A browser without a browser, at the site's own address."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """As the client's; the fixture's application context lends nothing from one request to the next."""
        for name in list(g) if has_app_context() else ():
            g.pop(name)
        if args and isinstance(args[0], str):
            kwargs.setdefault("base_url", BASE)
        return super().open(*args, **kwargs)


class Browser(AtHome, LintingClient):
    """One that reads every page strictly."""


class Unread(AtHome):
    """One that reads nothing."""


def national_id(number: int) -> str:
    """A made-up national id, another one for each *number*."""
    return made_up_person(7, number).national_id


def add_resident(session: Session, settings: Settings, clock: Clock, number: int = 1, **values: Any) -> Resident:
    """A resident with a national id and an address, committed."""
    keys, now = vault(settings), clock.now()
    resident = Resident(
        public_id=f"00000000-0000-4000-8000-{number:012d}",
        customer_number=f"K{number}",
        name=f"Kari Nordmann {number}",
        address_line_1="Utsikten 1",
        postal_code="4100",
        city="Jørpeland",
        created_at=now,
        updated_at=now,
        **values,
    )
    resident.national_id_encrypted = keys.encrypt(national_id(number), row=resident.public_id)
    resident.national_id_index = keys.blind_index(national_id(number))
    session.add(resident)
    session.commit()
    return resident


def browser(app: Flask, *, lints: bool = True) -> FlaskClient:
    """Someone who reads bokmål, at the site's own address; *lints* off where a page's headers are its own."""
    client = (Browser if lints else Unread)(app, app.response_class, use_cookies=True)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "nb"
    return client


def hidden(page: str, name: str) -> str:
    """The value of the hidden field *name* on *page*."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def local(address: str) -> str:
    """The path and query of an address on this site."""
    assert address.startswith((BASE, "/")), address
    return address.removeprefix(BASE)


def to_testid(client: FlaskClient, path: str = "/logg-inn") -> TestResponse:
    """Follow the log-in to the page where a person is chosen."""
    answer = client.get(path)
    assert answer.status_code == 302, answer.text
    return client.get(local(answer.headers["Location"]))


def choose(client: FlaskClient, pid: str, **more: str) -> str:
    """Choose a person on TestID, unless logged in there already; gives the address that leads back."""
    page = to_testid(client)
    if page.status_code == 302:
        return local(page.headers["Location"])
    form = {"asked": hidden(page.text, "asked"), "typed": pid, "acr": "idporten-loa-substantial", **more}
    answer = client.post("/sandbox/idporten/testid", data=form)
    assert answer.status_code == 302, answer.text
    return local(answer.headers["Location"])


def log_in(client: FlaskClient, pid: str, **more: str) -> TestResponse:
    """All the way in; gives the answer to the way back."""
    return client.get(choose(client, pid, **more))


def query(address: str) -> dict[str, str]:
    """The query of *address*."""
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def post(client: FlaskClient, page: str, path: str = "", **form: str) -> TestResponse:
    """Send the form of *page* with its token."""
    return client.post(path or page, data={"csrf_token": hidden(client.get(page).text, "csrf_token"), **form})
