"""The webhook: who knows the secret is heard, each word is kept once, and nothing is done before the next run."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.core.settings import Settings
from app.delivery.models import Receipt, State
from app.delivery.passes import send_due
from app.delivery.receipts import collect
from app.routing.channels import Channel
from tests.delivery.town import Town

SECRET = "a-secret-of-at-least-24-characters"
KEY = "bdb5d59e-6819-483e-a2a5-aafa2cfb09e2"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"eformidling_webhook_secret": SECRET})


@pytest.fixture
def town(session: Session, settings: Settings) -> Town:
    return Town(session, settings)


def event(status: str | None = "LEVERT", key: str = KEY, **values: Any) -> dict[str, Any]:
    """As Digdir's documentation shows it."""
    return {
        "createdTs": "2026-11-24T12:38:23+01:00", "resource": "messages", "event": "status", "messageId": key,
        "conversationId": "9a62cb73-b122-4ad4-aa8e-b73130aff58b", "direction": "OUTGOING", "serviceIdentifier": "DPI",
        "status": status, "description": "Meldingen er levert", **values,
    }  # fmt: skip


def tell(client: FlaskClient, body: object, secret: str | None = SECRET) -> TestResponse:
    headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
    return client.post("/hendelser/eformidling", json=body, headers=headers)


def kept(session: Session) -> list[tuple[Channel, str, str]]:
    session.rollback()
    found = session.scalars(select(Receipt).order_by(Receipt.id))
    return [(receipt.channel, receipt.provider_reference, receipt.status) for receipt in found]


def test_a_status_is_kept_once_however_often_it_is_told(client: FlaskClient, session: Session) -> None:
    for body in (event(), event(), event(status="levert")):
        answer = tell(client, body)
        assert (answer.status_code, answer.data) == (204, b"")
    assert kept(session) == [(Channel.MAILBOX, KEY, "delivered")]
    assert "Set-Cookie" not in answer.headers


def test_a_letter_of_ours_is_handled_by_the_next_run_and_by_the_channel_that_sent_it(
    client: FlaskClient, town: Town
) -> None:
    invoice = town.invoice(town.plan(Channel.MAILBOX, Channel.PAPER))
    town.channels.messages[Channel.MAILBOX].other_side.taken.clear()
    with town.desk() as desk:
        send_due(desk)
    (attempt,) = town.attempts(invoice)
    attempt.provider_reference = attempt.key
    town.session.commit()
    assert tell(client, event(status="FEIL", key=attempt.key)).status_code == 204
    assert town.part(invoice).state is State.IN_TRANSIT
    with town.desk() as desk:
        assert collect(desk) == 1
    assert town.part(invoice).channel is Channel.PAPER


def test_what_the_print_service_took_is_kept_for_paper(client: FlaskClient, town: Town) -> None:
    invoice = town.invoice(town.plan(Channel.MAILBOX, Channel.PAPER))
    with town.desk() as desk:
        send_due(desk)
    (attempt,) = town.attempts(invoice)
    attempt.channel = Channel.PAPER
    town.session.commit()
    tell(client, event(key=attempt.key))
    assert kept(town.session) == [(Channel.PAPER, attempt.key, "delivered")]


@pytest.mark.parametrize(
    "body",
    [{"createdTs": "2026-11-24T12:38:23+01:00", "event": "ping"}, event(direction="INCOMING"),
     event(status="INNKOMMENDE_MOTTATT"), event(key="../../etc/passwd"), event(status=None), {}, event(messageId=7)],
)  # fmt: skip
def test_pings_and_what_is_about_nothing_of_ours_are_answered_and_not_kept(
    client: FlaskClient, session: Session, body: dict[str, Any]
) -> None:
    assert tell(client, body).status_code == 204
    assert kept(session) == []


@pytest.mark.parametrize("secret", [None, "", "a-secret-of-at-least-24-character", SECRET + "x", "æøå"])
def test_who_does_not_know_the_secret_is_not_heard(client: FlaskClient, session: Session, secret: str | None) -> None:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}".encode().decode("latin-1")}
    assert client.post("/hendelser/eformidling", json=event(), headers=headers).status_code == 403
    assert kept(session) == []


def test_the_secret_may_stand_in_the_address_or_be_a_password(client: FlaskClient, session: Session) -> None:
    assert client.post(f"/hendelser/eformidling?nokkel={SECRET}", json=event()).status_code == 204
    basic = base64.b64encode(f"any:{SECRET}".encode()).decode()
    answer = client.post("/hendelser/eformidling", json=event("LEST"), headers={"Authorization": f"Basic {basic}"})
    assert answer.status_code == 204
    assert len(kept(session)) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b"\xff", 400), (b"{", 400), (json.dumps({"a": "b" * 20_000}).encode(), 413)],
)
def test_what_is_no_event_is_refused(client: FlaskClient, session: Session, body: bytes, status: int) -> None:
    answer = client.post(
        "/hendelser/eformidling", data=body, headers={"Authorization": f"Bearer {SECRET}"}, content_type="text/plain"
    )
    assert answer.status_code == status
    assert kept(session) == []


def test_without_a_secret_there_is_no_such_address(site: Flask) -> None:
    site.test_client_class = FlaskClient
    assert tell(site.test_client(), event()).status_code == 404
