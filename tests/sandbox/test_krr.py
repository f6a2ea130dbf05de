"""The contact register shows each person as the real one does, traps included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox.world import Faults, write_world
from tests.sandbox.samples import DELETED, KARI, KRR, OLA, PEOPLE, UNKNOWN, ask_for_token, lines, register_key

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "krr"


@pytest.fixture
def token(directory: Path, client: httpx.Client) -> str:
    access_token: str = ask_for_token(client, register_key(directory)).json()["access_token"]
    return access_token


def look_up(client: httpx.Client, token: str, *ids: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return client.post(KRR, json={"personidentifikatorer": list(ids)}, headers=headers)


def people(client: httpx.Client, token: str, *ids: str) -> dict[str, dict[str, Any]]:
    answer = look_up(client, token, *ids)
    assert answer.status_code == 200
    return {person["personidentifikator"]: person for person in answer.json()["personer"]}


def test_an_active_person_with_a_mailbox_is_shown_whole(client: httpx.Client, token: str) -> None:
    kari = people(client, token, str(KARI.national_id))[str(KARI.national_id)]
    assert (kari["status"], kari["reservasjon"], kari["varslingsstatus"]) == ("AKTIV", "NEI", "KAN_VARSLES")
    assert kari["digital_post"]["postkasseleverandoeradresse"] == "984661185"
    assert kari["digital_post"]["postkasseadresse"]
    assert kari["sertifikat"]
    assert kari["kontaktinformasjon"]["epostadresse"] == "kari@example.com"
    assert kari["kontaktinformasjon"]["epostadresse_oppdatert"].endswith("+02")
    assert kari["kontaktinformasjon"]["epostadresse_sist_validert"].endswith("Z")


def test_a_reserved_person_still_carries_an_address_but_may_not_be_notified(client: httpx.Client, token: str) -> None:
    ola = people(client, token, str(OLA.national_id))[str(OLA.national_id)]
    assert (ola["reservasjon"], ola["varslingsstatus"]) == ("JA", "KAN_IKKE_VARSLES")
    assert ola["reservasjonstidspunkt"]
    assert ola["kontaktinformasjon"]["epostadresse"] == "ola@example.com"
    assert "mobiltelefonnummer" not in ola["kontaktinformasjon"]
    assert ola["digital_post"]["postkasseleverandoeradresse"] == "922020175"


def test_objects_are_missing_for_people_who_are_not_active(client: httpx.Client, token: str) -> None:
    found = people(client, token, str(DELETED.national_id), str(UNKNOWN.national_id))
    deleted, unknown = found[str(DELETED.national_id)], found[str(UNKNOWN.national_id)]
    assert (deleted["status"], unknown["status"]) == ("SLETTET", "IKKE_REGISTRERT")
    assert "reservasjon" not in deleted
    assert unknown["reservasjon"] == "NEI"
    for person in (deleted, unknown):
        assert not {"kontaktinformasjon", "digital_post", "sertifikat"} & person.keys()


def test_an_id_that_is_not_in_the_file_is_answered_the_same_every_time(client: httpx.Client, token: str) -> None:
    ids = [f"{number:011d}" for number in range(1000)]
    first, second = people(client, token, *ids), people(client, token, *reversed(ids))
    assert first == second
    assert len(first) == 1000
    assert {person["status"] for person in first.values()} == {"AKTIV", "SLETTET", "IKKE_REGISTRERT"}


def test_what_is_shown_follows_the_scopes(directory: Path, client: httpx.Client) -> None:
    key = register_key(directory)
    for scope, shown, hidden in (
        ("krr:global/kontaktinformasjon.read", "kontaktinformasjon", "digital_post"),
        ("krr:global/digitalpost.read", "digital_post", "kontaktinformasjon"),
    ):
        token = ask_for_token(client, key, scope=scope).json()["access_token"]
        kari = people(client, token, str(KARI.national_id))[str(KARI.national_id)]
        assert shown in kari
        assert hidden not in kari
        assert kari["reservasjon"] == "NEI"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic YTpi"])
def test_without_a_token_of_maskinporten_nobody_is_shown(client: httpx.Client, header: str) -> None:
    answer = client.post(
        KRR, json={"personidentifikatorer": [KARI.national_id]}, headers={"Authorization": header} if header else {}
    )
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["status"] == "401"


@pytest.mark.parametrize("ids", [[], ["20914695016"] * 1001, ["2091469501"], ["2091469501x"], [20914695016]])
def test_a_question_that_is_out_of_bounds_is_refused_in_krrs_shape(
    client: httpx.Client, token: str, ids: list[Any]
) -> None:
    answer = look_up(client, token, *ids)
    assert answer.status_code == 422
    assert set(answer.json()["errors"][0]) == {"id", "status", "title", "detail", "source"}


def test_a_person_can_be_made_absent(directory: Path, client: httpx.Client, token: str) -> None:
    write_world(directory, PEOPLE, Faults(people={str(KARI.national_id): {"krr": "refuse"}}))
    assert set(people(client, token, str(KARI.national_id), str(OLA.national_id))) == {OLA.national_id}


def test_the_log_counts_a_look_up_and_names_nobody(directory: Path, client: httpx.Client, token: str) -> None:
    people(client, token, str(KARI.national_id), str(OLA.national_id))
    [entry] = lines(directory, service="krr")
    assert (entry["kind"], entry["count"], entry["outcome"]) == ("lookup", 2, "accepted")


@pytest.mark.skipif(not SHARED.exists(), reason="the collected sample files are not on this machine")
def test_field_names_are_those_of_real_people(client: httpx.Client, token: str) -> None:
    real = json.loads((SHARED / "altinn-profile_changes_1.json").read_text())["list"][0]
    kari = people(client, token, str(KARI.national_id))[str(KARI.national_id)]
    newer = {"spraak", "spraak_oppdatert"}
    assert kari.keys() - newer == real.keys()
    known = {name for name in real["kontaktinformasjon"] if not name.endswith("_duplisert")}
    assert known <= kari["kontaktinformasjon"].keys()
    assert kari["digital_post"].keys() == real["digital_post"].keys()
