"""Text messages: one part, no link, no number in a log, and nobody real outside production."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.clients.rules import Judgement, Verdict
from app.clients.sms import Sms, send_sms
from app.clients.sms_text import CODE_TEXTS, ONE_PART, SmsUnfit, code_text, one_part, septets
from app.core.clock import Clock
from app.core.errors import SettingsInvalid
from app.core.settings import Environment, Settings
from app.sandbox import SandboxTransport
from tests.conftest import TODAY, make_settings

TO = "+4791234567"
LONG_NAMES = ["Strand kommune", "Nord-Aurdal kommune", "Kárášjoga gielda – Karasjok kommune"]


# The text


@pytest.mark.parametrize("municipality", LONG_NAMES)
@pytest.mark.parametrize("language", CODE_TEXTS)
def test_a_code_fits_one_part_of_the_gsm_alphabet_in_every_language(language: str, municipality: str) -> None:
    text = code_text("123456", language, municipality, 10)
    assert septets(text) <= ONE_PART
    assert text.startswith("123456 ")


def test_letters_that_the_alphabet_lacks_are_written_with_those_it_has() -> None:
    assert one_part("Kárášjohka – «hei» ÆØÅ æøå é €") == "Karasjohka - <<hei>> ÆØÅ æøå é €"


def test_signs_of_the_extension_take_two() -> None:
    assert septets("a{}€") == 7
    assert one_part("a" * 160)
    with pytest.raises(SmsUnfit, match="161 septets"):
        one_part("a" * 161)
    with pytest.raises(SmsUnfit, match="162 septets"):
        one_part("{" * 81)


@pytest.mark.parametrize("text", ["Se https://strand.example", "Se www.strand", "strand.kommune.no", "FAKTURA.NO"])
def test_no_text_holds_a_link(text: str) -> None:
    with pytest.raises(SmsUnfit, match="link"):
        one_part(text)


def test_a_text_that_does_not_fit_is_not_repeated_in_the_error() -> None:
    with pytest.raises(SmsUnfit) as raised:
        one_part("hemmelig" * 40)
    assert "hemmelig" not in str(raised.value)


@given(st.text(max_size=40))
def test_whatever_comes_out_is_in_the_alphabet(text: str) -> None:
    try:
        plain = one_part(text)
    except SmsUnfit:
        return
    assert septets(plain) <= ONE_PART


# The stand-in and the folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path)


def transport(settings: Settings) -> SandboxTransport:
    return SandboxTransport(settings.sandbox_dir, Clock.for_day(TODAY).now)


def witnessed(settings: Settings) -> list[tuple[str, str, str]]:
    lines = (settings.sandbox_dir / "received.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [(line["id"], line["kind"], line["outcome"]) for line in found if line["service"] == "sms"]


def test_without_a_provider_the_code_lies_in_the_outbox_and_is_counted_as_a_code(settings: Settings) -> None:
    for _ in range(2):
        judgement = send_sms(settings, transport(settings), key="k-1", to=TO, text="123456 er koden din.")
        assert judgement.verdict is Verdict.ACCEPTED
    content = (settings.outbox_dir / "sms" / "k-1.txt").read_text()
    assert content == f"to: {TO}\nfrom: Strand\n\n123456 er koden din.\n"
    assert witnessed(settings) == [("k-1", "code", "accepted"), ("k-1", "code", "repeat")]


def test_in_production_without_a_provider_nothing_is_sent_and_somebody_must_know(settings: Settings) -> None:
    real = settings.model_copy(update={"environment": Environment.PRODUCTION, "sandbox": False})
    judgement = send_sms(real, None, key="k", to=TO, text="hei")
    assert judgement == Judgement(Verdict.UNAVAILABLE, "SMS_URL is not set", needs_alarm=True)


@pytest.mark.parametrize(("key", "to"), [("../k", TO), ("", TO), ("k", "91234567"), ("k", "+0"), ("k", "x")])
def test_a_key_or_a_number_of_another_form_is_never_sent_to(settings: Settings, key: str, to: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        send_sms(settings, transport(settings), key=key, to=to, text="hei")


# A provider by Apprise


@contextmanager
def gateway(status: int = 200) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """A provider on loopback, as Apprise's plain JSON service knows it; gives its SMS_URL and what it took."""
    taken: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.append((self.path, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"json://user:hemmelig@127.0.0.1:{server.server_port}/sms/{{to}}", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)


def test_a_provider_is_given_the_number_and_the_text(settings: Settings) -> None:
    with gateway() as (url, taken):
        real = settings.model_copy(update={"sms_url": url, "environment": Environment.PRODUCTION})
        assert send_sms(real, None, key="k", to=TO, text="123456 – koden din").verdict is Verdict.ACCEPTED
    ((path, body),) = taken
    assert "4791234567" in path
    assert body["message"] == "123456 - koden din"


def test_what_a_provider_refuses_is_not_sent(settings: Settings) -> None:
    with gateway(500) as (url, _):
        real = settings.model_copy(update={"sms_url": url, "environment": Environment.PRODUCTION})
        assert send_sms(real, None, key="k", to=TO, text="hei") == Judgement(Verdict.UNAVAILABLE, "not taken")


def test_a_provider_that_is_not_there_is_no_error_of_ours(settings: Settings) -> None:
    real = settings.model_copy(update={"sms_url": "json://127.0.0.1:9/{to}", "environment": Environment.PRODUCTION})
    assert send_sms(real, None, key="k", to=TO, text="hei").verdict is Verdict.UNAVAILABLE


def test_outside_production_a_real_provider_reaches_those_on_the_list_alone(settings: Settings) -> None:
    with gateway() as (url, taken):
        real = settings.model_copy(update={"sms_url": url, "allowed_recipients": (TO,)})
        sms = Sms(real)
        assert sms.send("a", "+4799999999", "hei") == Judgement(Verdict.UNAVAILABLE, "not in ALLOWED_RECIPIENTS")
        assert sms.send("b", TO, "hei").verdict is Verdict.ACCEPTED
        sms.close()
    assert len(taken) == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [("json://127.0.0.1/", "{to}"), ("pigeon://loft/{to}", "no address that Apprise"),
     ("jsons://127.0.0.1/{to}?verify=no", "certificate")],
)  # fmt: skip
def test_an_address_that_cannot_be_used_stops_the_start(settings: Settings, url: str, sentence: str) -> None:
    with pytest.raises(SettingsInvalid, match=sentence):
        Sms(settings.model_copy(update={"sms_url": url}))


@pytest.mark.parametrize(
    "url",
    ["46elks://user:password@Strand/{to}", f"twilio://AC{'a' * 32}:{'b' * 32}@12345/{{to}}",
     f"vonage://{'a' * 8}:{'b' * 16}@4790000000/{{to}}", f"sinch://{'a' * 32}:{'b' * 32}@12345/{{to}}"],
)  # fmt: skip
def test_several_providers_are_to_be_had(settings: Settings, url: str) -> None:
    Sms(settings.model_copy(update={"sms_url": url})).close()


def test_neither_the_number_nor_the_text_nor_the_password_is_in_a_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with gateway(500) as (url, _), structlog.testing.capture_logs() as lines:
        real = settings.model_copy(update={"sms_url": url, "environment": Environment.PRODUCTION})
        send_sms(real, None, key="k", to=TO, text="777888 er koden din")
    assert lines == [{"event": "sms", "key": "k", "kind": "code", "verdict": "unavailable", "detail": "not taken",
                      "log_level": "info"}]  # fmt: skip
    told = caplog.text
    assert not any(secret in told for secret in ("777888", "hemmelig", TO[3:]))
