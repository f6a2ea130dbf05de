"""Small requests as the outside services take them, and made-up people to send them to."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.sandbox.maskinporten import GRANT, JWKS_FILE
from app.sandbox.received import read_log
from app.sandbox.world import Efaktura, Krr, Person, Vipps

ISSUER = "946485764"
KID = "123456782"
ACCOUNT = "15038366383"
VIPPS = "https://invoice-api.vipps.no/vipps-isp/v1"
EFAKTURA = "https://efaktura-gateway.sandbox/v1"
POINT = "http://localhost:9093/api"
KRR = "https://kontaktregisteret.no/rest/v2/personer"
TOKEN = "https://maskinporten.no/token"
VEDTAK = "urn:no:difi:profile:digitalpost:vedtak:ver1.0"
INFO = "urn:no:difi:profile:digitalpost:info:ver1.0"
BOTH_SCOPES = "krr:global/kontaktinformasjon.read krr:global/digitalpost.read"
PDF = b"%PDF-1.7\n%a letter"

KARI = Person(
    national_id="20914695016",
    mobile="+4799999991",
    name="Kari Nordmann",
    krr=Krr("AKTIV", False, True, "digipost", "kari@example.com", "+4799999991", "2026-06-10T21:00:01+02"),
    efaktura=Efaktura("EF000000000000001", True, ()),
    vipps=Vipps(True),
    address_line_1="Utsikten 1",
    postal_code="4100",
    city="JØRPELAND",
)
OLA = Person(
    national_id="22885399316",
    mobile="+4799999992",
    name="Ola Nordmann",
    krr=Krr("AKTIV", True, False, "e-boks", "ola@example.com", None, "2023-06-10T21:00:01+02"),
    efaktura=Efaktura("EF000000000000002", True, (ISSUER,)),
    vipps=Vipps(False),
    address_line_1="Langtoppilia 1",
    postal_code="4100",
    city="JØRPELAND",
)
DELETED = Person(national_id="21836797660", mobile=None, name="Slettet Person", krr=Krr("SLETTET"))
UNKNOWN = Person(national_id="22838497199", mobile=None, name="Ikke Registrert", krr=Krr("IKKE_REGISTRERT"))
PEOPLE = (KARI, OLA, DELETED, UNKNOWN)


def lines(directory: Path, **wanted: Any) -> list[dict[str, Any]]:
    """The log's entries that have these values."""
    return [dict(one) for one in read_log(directory) if all(one.get(key) == value for key, value in wanted.items())]


def outcomes(directory: Path, identifier: str) -> list[str]:
    """What happened to one id, in order."""
    return [one["outcome"] for one in lines(directory, id=identifier)]


@cache
def client_key() -> RSAKey:
    """One key for all tests: it takes a while to make."""
    return RSAKey.generate_key(2048, {"kid": "test-1", "use": "sig", "alg": "RS256"})


def register_key(directory: Path) -> RSAKey:
    """A client key whose public part Maskinporten's stand-in knows."""
    key = client_key()
    (directory / JWKS_FILE).write_text(json.dumps({"keys": [key.as_dict(private=False)]}), encoding="utf-8")
    return key


def grant_claims(**changed: Any) -> dict[str, Any]:
    """Right claims, but for *changed*; None leaves one out."""
    now = int(time.time())
    claims = {
        "aud": "https://maskinporten.no/",
        "iss": "fakturaportalen",
        "scope": BOTH_SCOPES,
        "iat": now,
        "exp": now + 100,
        "jti": str(uuid.uuid4()),
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def ask_for_token(
    client: httpx.Client, key: RSAKey, header: dict[str, Any] | None = None, **changed: Any
) -> httpx.Response:
    """One grant to Maskinporten."""
    header = header or {"alg": "RS256", "kid": "test-1"}
    assertion = jwt.encode(header, grant_claims(**changed), key, algorithms=["RS256", "PS256"])
    return client.post(TOKEN, data={"grant_type": GRANT, "assertion": assertion})


def vipps_headers(client: httpx.Client, **witness: str) -> dict[str, str]:
    """A fresh access token, and what the witness shall know."""
    answer = client.post(
        "https://invoice-api.vipps.no/accesstoken/get", headers={"client_id": "a", "client_secret": "b"}
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}", "Ocp-Apim-Subscription-Key": "c", **witness}


def vipps_invoice(token: str, **changed: Any) -> dict[str, Any]:
    """An invoice that Vipps takes."""
    due = dt.datetime.now(dt.UTC) + dt.timedelta(days=20)
    return {
        "recipientToken": token,
        "paymentInformation": {"type": "kid", "value": KID, "account": ACCOUNT},
        "invoiceType": "invoice",
        "due": due.strftime("%Y-%m-%dT00:00:00Z"),
        "amount": 105000,
        "minAmount": 105000,
        "subject": "Kommunale avgifter",
        "issuerName": "Strand kommune",
        "commercialInvoice": [{"mimeType": "application/pdf", "url": "https://faktura.example.com/abc.pdf"}],
        **changed,
    }


def transaction(**changed: Any) -> dict[str, Any]:
    """A transaction that the gateway takes, to Kari."""
    return {
        "transactionId": str(uuid.uuid4()),
        "paymentType": "EFAKTURA",
        "documentType": "INVOICE",
        "efakturaIdentifier": "EF000000000000001",
        "invoiceNumber": "F-1001",
        "kid": KID,
        "account": ACCOUNT,
        "amount": 105000,
        "dueDate": "2026-12-15",
        "presentationUrl": "https://faktura.example.com/abc",
        "issuerName": "Strand kommune",
        **changed,
    }


def shipment(*transactions: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A shipment of these transactions, of one right one when none is given."""
    given = list(transactions) or [transaction()]
    return {"shipmentId": str(uuid.uuid4()), "issuer": ISSUER, "transactions": given, **changed}


def message(kind: str, receiver: str, content: dict[str, Any], process: str = VEDTAK) -> dict[str, Any]:
    """A document for the integrasjonspunkt with an id of ours."""
    standards = {"digital": "xsd:digital::digital", "print": "xsd:fysisk::print"}
    return {
        "standardBusinessDocumentHeader": {
            "headerVersion": "1.0",
            "receiver": [{"identifier": {"value": receiver, "authority": "iso6523-actorid-upis"}}],
            "documentIdentification": {
                "standard": f"urn:no:difi:digitalpost:{standards[kind]}",
                "typeVersion": "1.0",
                "instanceIdentifier": str(uuid.uuid4()),
                "type": kind,
            },
            "businessScope": {
                "scope": [{"type": "ConversationId", "instanceIdentifier": str(uuid.uuid4()), "identifier": process}]
            },
        },
        kind: content,
    }


def digital(receiver: str = "20914695016", **changed: Any) -> dict[str, Any]:
    """A letter to a mailbox."""
    content = {
        "sikkerhetsnivaa": 3,
        "hoveddokument": "faktura.pdf",
        "tittel": "Faktura fra kommunen",
        "spraak": "nb",
        "digitalPostInfo": {"virkningsdato": "2026-11-24", "aapningskvittering": False},
        **changed,
    }
    return message("digital", receiver, content)


def printed(receiver: str = "22838497199", **changed: Any) -> dict[str, Any]:
    """A letter to print."""
    content = {
        "hoveddokument": "faktura.pdf",
        "mottaker": {
            "navn": "Ola Nordmann",
            "adresselinje1": "Langtoppilia 1",
            "postnummer": "4100",
            "poststed": "JØRPELAND",
            "land": "Norge",
        },
        "utskriftsfarge": "SORT_HVIT",
        "posttype": "B_OEKONOMI",
        "retur": {"mottaker": {"navn": "Strand kommune"}, "returhaandtering": "DIREKTE_RETUR"},
        **changed,
    }
    return message("print", receiver, content)


def message_id(document: dict[str, Any]) -> str:
    """The id of a document."""
    identifier: str = document["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"]
    return identifier


def attach(client: httpx.Client, identifier: str, name: str = "faktura.pdf", content: bytes = PDF) -> httpx.Response:
    """Attach one file."""
    disposition = f"attachment; name=Faktura; filename={name}"
    headers = {"Content-Type": "application/pdf", "Content-Disposition": disposition}
    return client.put(f"{POINT}/messages/out/{identifier}", content=content, headers=headers)


def send_message(client: httpx.Client, document: dict[str, Any], invoice: str = "F-1001", kind: str = "demand") -> str:
    """Create, attach and send; returns the id."""
    identifier = message_id(document)
    client.post(f"{POINT}/messages/out", json=document).raise_for_status()
    attach(client, identifier).raise_for_status()
    witness = {b"X-Witness-Invoice": invoice.encode(), b"X-Witness-Kind": kind.encode()}
    client.post(f"{POINT}/messages/out/{identifier}", headers=witness).raise_for_status()
    return identifier
