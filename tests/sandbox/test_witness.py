"""The witness counts what stands, from the log and the outbox, without the product's database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox import SandboxTransport
from app.sandbox.received import ReceivedLog
from app.sandbox.witness import Count, claims_in, count_instance, main
from app.sandbox.world import write_world
from tests.sandbox.samples import (
    EFAKTURA,
    KARI,
    KRR,
    PEOPLE,
    VIPPS,
    ask_for_token,
    digital,
    printed,
    register_key,
    send_message,
    shipment,
    transaction,
    vipps_headers,
    vipps_invoice,
)

Line = Callable[..., None]


@pytest.fixture
def log(tmp_path: Path) -> Line:
    """Writes a line of the log under INSTANCE_DIR/sandbox."""

    def write(
        identifier: str, invoice: str | None, kind: str = "demand", outcome: str = "accepted", **more: Any
    ) -> None:
        entry = {"service": "vipps", "id": identifier, "invoice": invoice, "kind": kind, "outcome": outcome, **more}
        with ReceivedLog(tmp_path / "sandbox").held() as held:
            held.append(entry)

    return write


def record(kind: str, *parts: tuple[int, str]) -> str:
    """An 80-character record: type and the texts at their 1-based positions."""
    text = list(f"NY21{kind}".ljust(80, "0"))
    for position, value in parts:
        text[position - 1 : position - 1 + len(value)] = value
    return "".join(text)


def claim(number: int, reference: str, kid: str = "123456782", tt: str = "02", due: str = "151226") -> str:
    amount = (33, "00000000000105000")
    first = record(f"{tt}30", (9, f"{number:07d}"), (16, due), (22, " " * 11), amount, (50, kid.rjust(25)))
    second = record(f"{tt}31", (9, f"{number:07d}"), (16, "KARI".ljust(35)), (51, reference.ljust(25)))
    return f"{first}\r\n{second}\r\n"


def write_claims(tmp_path: Path, name: str, *claims: str) -> None:
    folder = tmp_path / "outbox" / "avtalegiro"
    folder.mkdir(parents=True, exist_ok=True)
    frame = "NY000010".ljust(80, "0") + "\r\n"
    (folder / name).write_bytes((frame + "".join(claims) + frame).encode("iso-8859-1"))


def write_mail(tmp_path: Path, name: str, invoice: str, message_id: str, kind: str = "demand") -> None:
    folder = tmp_path / "outbox" / "email" / ("cur" if name.endswith("S") else "new")
    folder.mkdir(parents=True, exist_ok=True)
    head = f"X-Invoice-Number: {invoice}\nX-Invoice-Kind: {kind}\nMessage-ID: <{message_id}>\nSubject: Faktura\n"
    (folder / name).write_bytes(f"{head}\nX-Invoice-Number: not a header\n".encode())


def write_manifest(tmp_path: Path, batch: str, *rows: str, delimiter: str = ";") -> None:
    folder = tmp_path / "outbox" / "print" / batch
    folder.mkdir(parents=True)
    head = delimiter.join(("invoice", "kind", "customer_number", "name", "first_page", "pages"))
    (folder / "manifest.csv").write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")


def test_an_empty_instance_counts_nothing(tmp_path: Path) -> None:
    totals = count_instance(tmp_path).totals()
    assert (totals["invoices"], totals["demands"], totals["double"]) == (0, 0, {})


def test_repeats_failures_and_look_ups_do_not_count(tmp_path: Path, log: Line) -> None:
    log("a", "F-1")
    log("a", "F-1", outcome="repeat")
    log("a", "F-1", outcome="failed")
    log("b", "F-2", outcome="failed")
    log("c", "F-3", outcome="refused")
    log("d", None, kind="lookup")
    log("e", None, kind="code")
    counted = count_instance(tmp_path)
    assert counted.totals()["demands"] == 1
    assert (counted.asked_to_pay("F-1"), counted.asked_to_pay("F-2"), counted.asked_to_pay("F-3")) == (1, 0, 0)


def test_a_late_refusal_takes_back_and_the_next_channel_counts(tmp_path: Path, log: Line) -> None:
    log("a", "F-1")
    log("a", "F-1", outcome="refused")
    log("b", "F-1")
    assert [one.id for one in count_instance(tmp_path).of("F-1", "demand")] == ["b"]


def test_two_ids_for_one_invoice_are_a_double(tmp_path: Path, log: Line) -> None:
    log("a", "F-1")
    log("b", "F-1")
    log("c", "F-2", kind="notice")
    assert list(count_instance(tmp_path).doubles()) == ["F-1"]


def test_a_claim_and_a_notice_are_right_and_a_claim_and_a_demand_are_not(tmp_path: Path, log: Line) -> None:
    write_claims(tmp_path, "1.txt", claim(1, "F-1"), claim(2, "F-2", kid="1234567890128"))
    log("a", "F-1", kind="notice")
    log("b", "F-2", kind="demand")
    counted = count_instance(tmp_path)
    assert list(counted.doubles()) == ["F-2"]
    assert (counted.totals()["claims"], counted.totals()["notices"]) == (2, 1)


def test_a_cancellation_by_file_takes_one_claim_back(tmp_path: Path) -> None:
    write_claims(tmp_path, "1.txt", claim(1, "F-1"), claim(2, "F-2", kid="1234567890128"))
    write_claims(tmp_path, "2.txt", claim(1, "F-1", tt="93"))
    assert [one.invoice for one in claims_in(tmp_path / "outbox" / "avtalegiro")] == ["F-2"]


def test_a_long_number_is_known_by_the_last_25_characters_of_its_claim(tmp_path: Path) -> None:
    number = "STRAND-KOMMUNE-2026-00000000001"
    write_claims(tmp_path, "1.txt", claim(1, number[-25:]))
    assert count_instance(tmp_path).asked_to_pay(number) == 1


def test_a_claim_record_that_is_cut_short_is_an_error_naming_its_line(tmp_path: Path) -> None:
    write_claims(tmp_path, "1.txt", claim(1, "F-1")[:60])
    with pytest.raises(ValueError, match=r"1\.txt: line 2"):
        claims_in(tmp_path / "outbox" / "avtalegiro")


def test_mails_count_by_distinct_message_id_and_a_bounce_takes_one_back(tmp_path: Path, log: Line) -> None:
    write_mail(tmp_path, "1", "F-1", "one@example.com")
    write_mail(tmp_path, "2:2,S", "F-1", "one@example.com")
    write_mail(tmp_path, "3", "F-2", "two@example.com")
    write_mail(tmp_path, "4", "F-3", "three@example.com", kind="notice")
    assert count_instance(tmp_path).totals()["by_way"] == {"email demand": 2, "email notice": 1}
    log("two@example.com", "F-2", outcome="refused", service="email")
    counted = count_instance(tmp_path)
    assert (counted.asked_to_pay("F-1"), counted.asked_to_pay("F-2")) == (1, 0)


def test_a_mail_that_is_no_invoice_is_not_counted(tmp_path: Path) -> None:
    folder = tmp_path / "outbox" / "email" / "new"
    folder.mkdir(parents=True)
    (folder / "offer").write_text("Message-ID: <o@example.com>\nSubject: Tilbud\n\nHei\n", encoding="utf-8")
    assert count_instance(tmp_path).totals()["invoices"] == 0


@pytest.mark.parametrize("delimiter", [";", ","])
def test_letters_count_when_their_batch_was_handed_over(tmp_path: Path, delimiter: str) -> None:
    rows = [
        delimiter.join(("F-1", "demand", "7", "Kari", "1", "1")),
        delimiter.join(("F-2", "notice", "8", "Å", "2", "1")),
    ]
    write_manifest(tmp_path, "batch-1", *rows, delimiter=delimiter)
    write_manifest(tmp_path, ".batch-2.part", rows[0], delimiter=delimiter)
    assert count_instance(tmp_path).totals()["by_way"] == {"print demand": 1, "print notice": 1}


def test_the_command_prints_one_json_object_and_says_by_its_exit_code_whether_there_are_doubles(
    tmp_path: Path, log: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    log("a", "F-1")
    assert main([str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["demands"] == 1
    log("b", "F-1")
    assert main([str(tmp_path)]) == 1
    assert list(json.loads(capsys.readouterr().out)["double"]) == ["F-1"]


def everything(client: httpx.Client, directory: Path) -> None:
    """One of each through the stand-ins."""
    token = ask_for_token(client, register_key(directory)).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    client.post(KRR, json={"personidentifikatorer": [KARI.national_id]}, headers=bearer).raise_for_status()
    people = [{"ref": "1", "nationalId": KARI.national_id}]
    client.post(f"{EFAKTURA}/identifiers", json={"issuer": "946485764", "people": people}).raise_for_status()
    client.post(f"{EFAKTURA}/shipments", json=shipment(transaction(invoiceNumber="E-1"))).raise_for_status()
    headers = vipps_headers(client, **{"X-Witness-Invoice": "V-1", "X-Witness-Kind": "demand"})
    asked = {"type": "msisdn", "value": str(KARI.mobile).lstrip("+")}
    recipient = client.post(f"{VIPPS}/recipients/tokens", json=asked, headers=headers).json()["recipientToken"]
    body = vipps_invoice(recipient)
    client.put(f"{VIPPS}/invoices/orgno-no.946485764.V-1", json=body, headers=headers).raise_for_status()
    send_message(client, digital(), invoice="M-1")
    send_message(client, printed(), invoice="P-1", kind="notice")
    text = {"id": "code-1", "to": KARI.mobile, "from": "Strand", "text": "Koden er 123456"}
    assert client.post("https://sms.sandbox/v1/messages", json=text).status_code == 202


def test_the_witness_sees_every_service_and_the_log_names_nobody(tmp_path: Path) -> None:
    directory = tmp_path / "sandbox"
    write_world(directory, PEOPLE)
    with httpx.Client(transport=SandboxTransport(directory)) as client:
        everything(client, directory)
    counted: Count = count_instance(tmp_path)
    assert counted.totals()["by_way"] == {
        "efaktura demand": 1,
        "eformidling digital demand": 1,
        "eformidling print notice": 1,
        "vipps demand": 1,
    }
    text = (directory / "received.jsonl").read_text(encoding="utf-8")
    for secret in ("20914695016", "22838497199", "4799999991", "@", '123456"', "Nordmann"):
        assert secret not in text


def test_a_text_message_is_taken_once_and_lies_where_a_developer_finds_it(tmp_path: Path) -> None:
    with httpx.Client(transport=SandboxTransport(tmp_path)) as client:
        message = {"id": "code-1", "to": "+4799999991", "from": "Strand", "text": "Koden er 4711"}
        answers = [client.post("https://sms.sandbox/v1/messages", json=message) for _ in range(2)]
        assert [one.status_code for one in answers] == [202, 202]
        wrong = client.post("https://sms.sandbox/v1/messages", json={**message, "to": "99999991"})
        assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid")
    assert "Koden er 4711" in (tmp_path / "sms" / "code-1.txt").read_text(encoding="utf-8")
    entries = [json.loads(one) for one in (tmp_path / "received.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(one["kind"], one["outcome"]) for one in entries] == [("code", "accepted"), ("code", "repeat")]
