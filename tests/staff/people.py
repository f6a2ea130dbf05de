"""The made-up employees, and a browser that logs in as one of them."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.sandbox.entra_people import PEOPLE
from app.staff.access import Role
from tests.portal.people import browser, hidden, local

OIDS = {
    Role.OPERATOR: PEOPLE[0].oid,
    Role.CASEWORKER: PEOPLE[1].oid,
    Role.STATISTICS: PEOPLE[2].oid,
    None: PEOPLE[3].oid,
}
CHOOSE = "/sandbox/entra/5a7db0c0-0000-4000-8000-0000000000e1/choose"


def choose(client: FlaskClient, role: Role | None, path: str = "/ansatt/logg-inn", **more: str) -> str:
    """Choose who has *role* on the stand-in's page; gives the address that leads back."""
    answer = client.get(path)
    assert answer.status_code == 302, answer.text
    page = client.get(local(answer.headers["Location"]))
    if page.status_code == 302:
        return local(page.headers["Location"])
    form = {"asked": hidden(page.text, "asked"), "oid": OIDS[role], **more}
    answer = client.post(CHOOSE, data=form)
    assert answer.status_code == 302, answer.text
    return local(answer.headers["Location"])


def log_in(client: FlaskClient, role: Role | None, path: str = "/ansatt/logg-inn") -> TestResponse:
    """All the way in; gives the answer to the way back."""
    return client.get(choose(client, role, path))


def staff_browser(app: Flask, role: Role) -> FlaskClient:
    """A browser in which somebody with *role* is logged in."""
    client = browser(app)
    answer = log_in(client, role)
    assert answer.status_code == 302, answer.text
    return client
