"""KRR's answers become outcomes: yes only where all says yes, unknown where nothing is said, and no contact data."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from app.clients.krr import KrrAnswer, months_before, read_person
from app.routing.channels import Answer
from tests.clients.krr_support import NO, POST, UNKNOWN, YES, person

NOW = dt.datetime(2026, 11, 24, 10, tzinfo=dt.UTC)


def certificate(until: dt.datetime, encoding: serialization.Encoding = serialization.Encoding.DER) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, until - dt.timedelta(700), until)
    data = made.sign(key, hashes.SHA256()).public_bytes(encoding)
    return data.decode() if encoding is serialization.Encoding.PEM else base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("fields", "mailbox", "reserved"),
    [
        ({}, YES, NO),
        ({"sertifikat": "MIIBnotreadable"}, YES, NO),
        ({"sertifikat": certificate(NOW + dt.timedelta(1))}, YES, NO),
        ({"sertifikat": certificate(NOW + dt.timedelta(1), serialization.Encoding.PEM)}, YES, NO),
        ({"sertifikat": certificate(NOW - dt.timedelta(1))}, NO, NO),
        ({"sertifikat": certificate(NOW - dt.timedelta(1), serialization.Encoding.PEM)}, NO, NO),
        ({"sertifikat": ""}, NO, NO),
        ({"sertifikat": None}, NO, NO),
        ({"reservasjon": "JA"}, NO, YES),
        ({"reservasjon": "absent"}, UNKNOWN, UNKNOWN),
        ({"reservasjon": None}, UNKNOWN, UNKNOWN),
        ({"reservasjon": "KANSKJE"}, UNKNOWN, UNKNOWN),
        ({"reservasjon": None, "digital_post": "absent"}, NO, UNKNOWN),
        ({"digital_post": "absent"}, NO, NO),
        ({"digital_post": None}, NO, NO),
        ({"digital_post": {}}, NO, NO),
        ({"digital_post": {**POST, "postkasseadresse": ""}}, NO, NO),
        ({"digital_post": "kari#1"}, NO, NO),
        ({"status": "SLETTET", "reservasjon": None}, NO, NO),
        ({"status": "SLETTET", "reservasjon": "JA"}, NO, YES),
        ({"status": "IKKE_REGISTRERT"}, NO, NO),
        ({"status": "absent"}, UNKNOWN, NO),
        ({"status": "NOE_NYTT", "reservasjon": "absent"}, UNKNOWN, UNKNOWN),
    ],
)
def test_one_entry(fields: dict[str, Any], mailbox: Answer, reserved: Answer) -> None:
    found = read_person(person(**fields), NOW)
    assert (found.mailbox, found.reserved) == (mailbox, reserved)


@pytest.mark.parametrize(
    ("number", "provider"),
    [("984661185", "digipost"), ("922020175", "e-boks"), ("123456785", "123456785"), (None, None), ("", None)],
)
def test_the_mailbox_provider_is_named(number: str | None, provider: str | None) -> None:
    found = read_person(person(digital_post={**POST, "postkasseleverandoeradresse": number}), NOW)
    assert found.mailbox_provider == provider


def contact(field: str, **fields: str) -> dict[str, str]:
    return {field: "someone", **{f"{field}_{name}": value for name, value in fields.items()}}


@pytest.mark.parametrize("field", ["epostadresse", "mobiltelefonnummer"])
@pytest.mark.parametrize(
    ("fields", "is_usable"),
    [
        ({"oppdatert": "2025-05-24T12:00:01+02"}, True),
        ({"oppdatert": "2025-05-24T11:59:59+02"}, False),
        ({"sist_verifisert": "2025-05-24T10:00:00.001Z"}, True),
        ({"oppdatert": "2020-01-01T00:00:00+01", "sist_verifisert": "2026-08-05T10:45:15.768Z"}, True),
        ({"oppdatert": "2026-01-01T00:00:00+01", "sist_verifisert": "2020-08-05T10:45:15.768Z"}, True),
        ({"oppdatert": "2026-01-01T00:00:00+01", "duplisert": "JA"}, False),
        ({"oppdatert": "2026-01-01T00:00:00+01", "duplisert": "NEI"}, True),
        ({"oppdatert": "i fjor"}, False),
        ({}, False),
    ],
)
def test_contact_data_may_be_used_for_eighteen_months_by_its_own_kind(
    field: str, fields: dict[str, str], is_usable: bool
) -> None:
    found = read_person(person(varslingsstatus="KAN_VARSLES", kontaktinformasjon=contact(field, **fields)), NOW)
    by_kind = {"epostadresse": found.may_notify_email, "mobiltelefonnummer": found.may_notify_mobile}
    assert by_kind.pop(field) == is_usable
    assert not any(by_kind.values())


@pytest.mark.parametrize("status", ["KAN_IKKE_VARSLES", None])
def test_whoever_may_not_be_notified_is_not_whatever_address_there_is(status: str | None) -> None:
    fresh = contact("epostadresse", oppdatert="2026-11-01T00:00:00+01")
    assert not read_person(person(varslingsstatus=status, kontaktinformasjon=fresh), NOW).may_notify_email


def test_contact_data_of_nulls_is_none() -> None:
    nulls = dict.fromkeys(("epostadresse", "epostadresse_oppdatert", "mobiltelefonnummer"))
    found = read_person(person(varslingsstatus="KAN_VARSLES", kontaktinformasjon=nulls), NOW)
    assert not found.may_notify_email
    assert not found.may_notify_mobile


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-08-31", "2025-02-28"),
        ("2025-08-31", "2024-02-29"),
        ("2026-06-30", "2024-12-30"),
        ("2026-07-01", "2025-01-01"),
    ],
)
def test_months_are_calendar_months(moment: str, expected: str) -> None:
    noon = dt.datetime.fromisoformat(f"{moment}T12:00:00+00:00")
    assert months_before(noon, 18).isoformat() == f"{expected}T12:00:00+00:00"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["JA", "NEI", "AKTIV"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


FIELDS = ("status", "reservasjon", "digital_post", "sertifikat", "varslingsstatus", "kontaktinformasjon")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_no_entry_whatever_it_holds_breaks_the_reading(entry: dict[str, Any]) -> None:
    assert isinstance(read_person(entry, NOW), KrrAnswer)
