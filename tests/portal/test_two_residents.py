"""No resident sees anything of another's by changing an address: tried on every address there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactPoint, ContactSource, Preference, Resident
from app.routing.channels import Channel
from tests.portal.invoices import add_invoice, add_pdf, send
from tests.portal.people import add_resident, browser, log_in, national_id

SECRET_PDF = b"%PDF of the other resident"
INVOICE = "F-of-the-other-resident"
ADDRESSES = {ContactKind.MOBILE: "+4798765432", ContactKind.EMAIL: "ola@example.com"}


@pytest.fixture
def other(session: Session, settings: Settings, clock: Clock) -> Resident:
    """The resident whose data nobody else may see."""
    resident = add_resident(session, settings, clock, 2)
    # These two are long enough not to turn up in a random token.
    resident.customer_number = "K-of-the-other-resident"
    for kind, value in ADDRESSES.items():
        register_contact(session, resident.id, kind, value, ContactSource.REGISTER, clock.now(), is_confirmed=False)
    session.commit()
    pdf = add_pdf(session, settings, clock, SECRET_PDF)
    invoice = add_invoice(session, resident, clock, 1, pdf=pdf)
    invoice.number = INVOICE
    send(session, invoice, clock, Channel.EMAIL, pdf)
    return resident


@pytest.fixture
def reader(app: Flask, session: Session, settings: Settings, clock: Clock) -> FlaskClient:
    """Another resident, logged in."""
    add_resident(session, settings, clock, 1)
    client = browser(app)
    log_in(client, national_id(1))
    return client


def addresses(app: Flask, other: Resident) -> Iterator[tuple[str, str]]:
    """Every address with everything that is known of the other resident in the place of its parts."""
    known = (
        f"00000000-0000-4000-9000-{other.id * 1000 + 1:012d}",
        other.public_id,
        str(other.id),
        other.customer_number,
        "..",
    )
    for rule in app.url_map.iter_rules():
        parts = re.findall("<[^>]+>", rule.rule)
        for values in product(known, repeat=len(parts)):
            path = rule.rule
            for part, value in zip(parts, values, strict=True):
                path = path.replace(part, value, 1)
            yield from ((method, path) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))


def marks(other: Resident) -> list[bytes]:
    """What would give the other resident away."""
    texts = [other.name, other.customer_number, other.public_id, INVOICE, national_id(2), *ADDRESSES.values()]
    return [*(text.encode() for text in texts), SECRET_PDF]


def test_nothing_of_another_resident_is_seen_on_any_address(app: Flask, reader: FlaskClient, other: Resident) -> None:
    tried = list(addresses(app, other))
    assert len(tried) > len(list(app.url_map.iter_rules()))
    for method, path in tried:
        if path == "/logg-ut":
            continue
        with reader.open(path, method=method) as answer:
            # The address itself may be repeated, in the choice of languages.
            content = answer.data.replace(path.encode(), b"")
            assert answer.status_code < 500, (method, path)
        assert [mark for mark in marks(other) if mark in content and mark.decode(errors="ignore") not in path] == [], (
            path
        )


def test_the_other_s_invoice_does_not_exist(reader: FlaskClient, other: Resident) -> None:
    public_id = f"00000000-0000-4000-9000-{other.id * 1000 + 1:012d}"
    never = "00000000-0000-4000-9000-999999999999"
    for path in ("/min-side/faktura/{}", "/min-side/faktura/{}/pdf"):
        answers = [reader.get(path.format(id_)) for id_ in (public_id, never)]
        assert [answer.status_code for answer in answers] == [404, 404]


def test_the_owner_does_see_it(app: Flask, other: Resident) -> None:
    client = browser(app)
    log_in(client, national_id(2))
    public_id = f"00000000-0000-4000-9000-{other.id * 1000 + 1:012d}"
    assert client.get(f"/min-side/faktura/{public_id}/pdf").data == SECRET_PDF


def test_what_one_sends_changes_nothing_of_the_other_s(
    app: Flask, reader: FlaskClient, session: Session, other: Resident
) -> None:
    token = reader.get("/min-side/levering").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    stolen = {
        "csrf_token": token,
        "resident": str(other.id),
        "resident_id": str(other.id),
        "way": "letters",
        "email": "y",
    }
    for method, path in addresses(app, other):
        if method == "POST" and path != "/logg-ut":
            reader.post(path, data=stolen | {"value": "98765432", "code": "123456"})
    assert session.scalars(select(Preference).where(Preference.resident_id == other.id)).all() == []
    session.expire_all()
    points = session.scalars(select(ContactPoint).where(ContactPoint.resident_id == other.id)).all()
    assert {point.kind: point.value for point in points if point.closed_at is None} == ADDRESSES
    assert all(point.confirmed_at is None for point in points)


def test_without_a_log_in_every_page_of_the_room_leads_to_the_log_in(app: Flask, other: Resident) -> None:
    stranger = browser(app)
    room = [(method, path) for method, path in addresses(app, other) if path.startswith("/min-side")]
    assert len(room) > 10
    for method, path in room:
        if "/bekreft/" in path:
            continue
        answer = stranger.open(path, method=method)
        assert answer.status_code in (302, 401, 404), (method, path)
        if answer.status_code == 302:
            assert answer.headers["Location"].startswith("/logg-inn?til=/min-side")
