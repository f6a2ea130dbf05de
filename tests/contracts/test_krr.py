"""What we ask KRR, and what its stand-in answers, has the shape of the real samples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clients.connect import Clients, connect
from app.core.clock import Clock
from app.sandbox.transport import SandboxTransport
from app.sandbox.world import Krr, Person, write_world
from tests.conftest import TODAY, make_settings
from tests.contracts.published import SHARED, needs_shared, published
from tests.contracts.recording import Recording
from tests.contracts.shapes import differences

pytestmark = needs_shared

NUMBERS = ("13857410038", "22885399316", "21836797660", "22838497199")
DOCS = "docs.digdir.no, Kontaktregisteret, oppslagstjenesten_rest: filtered by scope and status"
# Any of the objects may be missing; a reservation has its time, a language its own.
KNOWN = {
    **{f"{name}?": DOCS for name in ("reservasjon", "varslingsstatus", "kontaktinformasjon", "digital_post",
                                     "sertifikat", "status")},
    **{f"kontaktinformasjon.{kind}{of}?": DOCS
       for kind in ("epostadresse", "mobiltelefonnummer")
       for of in ("", "_oppdatert", "_sist_verifisert", "_duplisert")},
    **{f"kontaktinformasjon.{kind}_sist_validert": DOCS for kind in ("epostadresse", "mobiltelefonnummer")},
    **dict.fromkeys(("spraak", "spraak_oppdatert", "reservasjonstidspunkt", "reservasjon_oppdatert"), DOCS),
}  # fmt: skip


def documented() -> tuple[dict[str, Any], dict[str, Any]]:
    """The printed question and answer. The answer has a comma too many, as the documentation itself does."""
    text = (SHARED / "krr" / "personer_request_and_response_from_docs.txt").read_text(encoding="utf-8")
    first, second = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    return json.loads(first.partition("\n\n")[2]), json.loads(re.sub(r",(\s*})", r"\1", second))


def people() -> list[Any]:
    """Real entries, which the look-up wraps as ``personer``."""
    listed: list[Any] = published("krr/altinn-profile_changes_1.json")["list"]
    return listed


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[tuple[Clients, Recording]]:
    settings = make_settings(tmp_path)
    known = [
        Person(NUMBERS[0], None, "Kari", krr=Krr("AKTIV", False, True, "digipost", "kari@example.com", "+4799999999",
                                                 "2026-06-10T21:00:01+02")),
        Person(NUMBERS[1], None, "Ola", krr=Krr("AKTIV", True, False, "e-boks", "ola@example.com")),
        Person(NUMBERS[2], None, "Slettet", krr=Krr("SLETTET")),
        Person(NUMBERS[3], None, "Ukjent", krr=Krr("IKKE_REGISTRERT")),
    ]  # fmt: skip
    write_world(settings.sandbox_dir, known)
    kept = Recording(SandboxTransport(settings.sandbox_dir))
    clients = connect(settings, Clock.for_day(TODAY), kept)
    yield clients, kept
    clients.close()


def asked(kept: Recording) -> httpx.Request:
    (exchange,) = kept.those(lambda request: request.url.host == "kontaktregisteret.no")
    return exchange.request


def test_the_question_is_asked_as_documented(recording: tuple[Clients, Recording]) -> None:
    clients, kept = recording
    clients.krr.look_up(list(NUMBERS))
    request, (question, _) = asked(kept), documented()
    assert (request.method, request.url.path) == ("POST", "/rest/v2/personer")
    assert request.headers["content-type"].startswith("application/json")
    assert request.headers["authorization"].startswith("Bearer ")
    assert list(differences(json.loads(request.content), [question], {})) == []


@pytest.mark.parametrize("scope", ["krr:global/digitalpost.read", "krr:global/kontaktinformasjon.read", "both"])
def test_every_entry_of_the_answer_is_shaped_as_the_real_ones(recording: tuple[Clients, Recording], scope: str) -> None:
    clients, kept = recording
    scopes = "krr:global/kontaktinformasjon.read krr:global/digitalpost.read" if scope == "both" else scope
    with httpx.Client(transport=kept) as client:
        answer = client.post(
            "https://kontaktregisteret.no/rest/v2/personer",
            json={"personidentifikatorer": list(NUMBERS)},
            headers={"Authorization": f"Bearer {clients.maskinporten.token(scopes)}"},
        )
    entries = answer.json()["personer"]
    assert {entry["personidentifikator"] for entry in entries} == set(NUMBERS)
    samples = [*people(), *documented()[1]["personer"]]
    assert [found for entry in entries for found in differences(entry, samples, KNOWN)] == []
    assert list(answer.json()) == list(documented()[1])


@pytest.mark.parametrize(
    "question",
    [
        {"personidentifikatorer": NUMBERS[0]},
        {"personidentifikatorer": [20914695016]},
        {"personidentifikator": [NUMBERS[0]]},
        {"personidentifikatorer": [NUMBERS[0]], "side": 1},
        [NUMBERS[0]],
    ],
)
def test_a_question_that_differs_from_the_sample_fails(question: Any) -> None:
    assert list(differences(question, [documented()[0]], {}))


@pytest.mark.parametrize(
    "changed",
    [
        {"reservasjon": True},
        {"digital_post": {"postkasseadresse": "x"}},
        {"kontaktinformasjon": []},
        {"epostadresse": "x"},
    ],
)
def test_an_entry_that_differs_from_the_real_ones_fails(changed: dict[str, Any]) -> None:
    assert list(differences({**people()[0], **changed}, people(), KNOWN))
