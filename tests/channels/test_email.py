from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from app.channels.contract import Consignment, Outcome, Result
from app.channels.email import Email
from app.channels.email_text import LANGUAGES, TEMPLATES, TRANSLATIONS, invoice_text
from app.channels.names import document_name
from app.core.clock import Clock
from app.core.errors import SettingsInvalid
from tests.channels.consignments import consignment
from tests.clients.smtp_servers import HANG_UP, scripted
from tests.conftest import TODAY, make_settings

CLOCK = Clock.for_day(TODAY)
PDF = b"%PDF-1.7 " + bytes(range(256)) * 9


def invoice(number: str = "20260001", **values: Any) -> Consignment:
    return consignment(number, **{"pdf": PDF, **values})


def by_server(tmp_path: Path, port: int) -> Email:
    settings = make_settings(tmp_path, mail_server="127.0.0.1", mail_port=port, mail_use_tls=False, mail_timeout=2.0)
    return Email(settings, CLOCK)


@pytest.fixture
def maildir(tmp_path: Path) -> Email:
    return Email(make_settings(tmp_path), CLOCK)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "outbox" / "email" / "new"


def read(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body_of(message: EmailMessage) -> str:
    body = message.get_body()
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


def only(channel: Email, one: Consignment) -> Result:
    results = channel.send([one])
    assert list(results) == [one.key]
    return results[one.key]


# Into a Maildir


def test_a_mail_carries_what_counts_and_bounces_need(maildir: Email, new: Path) -> None:
    one = invoice("A-17/Ø")
    assert only(maildir, one) == Result(Outcome.ACCEPTED, f"{one.key}@example.com")
    message = read(new / one.key)
    assert message["Message-ID"] == f"<{one.key}@example.com>"
    assert message["X-Invoice-Number"] == "A-17/Ø"
    assert message["X-Invoice-Kind"] == "demand"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"] == "Strand kommune <faktura@example.com>"
    assert message["To"] == "kari@example.com"
    assert message["Content-Language"] == "nb"
    assert message["Date"].datetime.date() == TODAY
    assert message["List-Unsubscribe"] is None
    [attachment] = message.iter_attachments()
    assert attachment.get_content() == PDF
    assert attachment.get_filename() == "faktura-A-17-O.pdf"


def test_the_subject_is_the_neutral_one_that_was_given(maildir: Email, new: Path) -> None:
    one = invoice(subject="Faktura 17, Strand kommune")
    only(maildir, one)
    assert read(new / one.key)["Subject"] == "Faktura 17, Strand kommune"


def test_a_repeat_leaves_one_mail(maildir: Email, new: Path) -> None:
    one = invoice()
    first, second = only(maildir, one), only(maildir, one)
    assert second == Result(Outcome.ACCEPTED, first.provider_reference, "repeat")
    assert len(list(new.iterdir())) == 1


def test_an_attempt_left_open_is_settled_by_looking_into_the_maildir(maildir: Email) -> None:
    one = invoice()
    assert maildir.find(one) == Result(Outcome.UNAVAILABLE)
    only(maildir, one)
    assert maildir.find(one) == Result(Outcome.ACCEPTED, f"{one.key}@example.com")
    assert not maildir.commit_each


def test_a_maildir_that_cannot_be_written_waits_and_needs_a_person(maildir: Email, new: Path) -> None:
    new.parent.parent.mkdir(parents=True)
    new.parent.write_text("a file where the folder should be")
    result = only(maildir, invoice())
    assert (result.outcome, result.needs_alarm) == (Outcome.UNAVAILABLE, True)


@pytest.mark.parametrize(
    ("address", "detail"),
    [(None, "no_address"), ("", "no_address"), ("kari", "bad_address"), ("åse@example.com", "bad_address"),
     ("kari@example.com\r\nBcc: all@example.com", "bad_address")],
)  # fmt: skip
def test_an_address_that_cannot_be_sent_to_is_refused(
    maildir: Email, new: Path, address: str | None, detail: str
) -> None:
    assert only(maildir, invoice(recipient_email=address)) == Result(Outcome.REFUSED, detail=detail)
    assert not new.exists()


def test_an_international_domain_is_written_as_mail_servers_know_it(maildir: Email, new: Path) -> None:
    one = invoice(recipient_email="kari@blåbær.example.no")
    only(maildir, one)
    assert read(new / one.key)["To"] == "kari@xn--blbr-roah.example.no"


def test_an_invoice_without_its_document_never_leaves(maildir: Email, new: Path) -> None:
    assert only(maildir, invoice(pdf=b"")) == Result(Outcome.UNAVAILABLE, detail="no_document", needs_alarm=True)
    assert not new.exists()


def test_the_national_id_stands_nowhere_in_the_mail(maildir: Email, new: Path) -> None:
    one = invoice()
    assert one.recipient.national_id
    only(maildir, one)
    assert one.recipient.national_id.encode() not in (new / one.key).read_bytes()


def test_a_sender_that_is_no_address_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="MAIL_DEFAULT_SENDER"):
        Email(make_settings(tmp_path, mail_default_sender="Strand kommune"), CLOCK)


# To a mail server


def test_a_mail_is_handed_to_the_server_with_its_sender_as_return_path(tmp_path: Path) -> None:
    with scripted() as server:
        channel = by_server(tmp_path, server.port)
        one = invoice(witness_kind="notice")
        assert only(channel, one).provider_reference == f"{one.key}@example.com"
        channel.close()
    assert "MAIL FROM:<faktura@example.com>" in server.commands
    assert b"X-Invoice-Kind: notice\r\n" in server.mails[0]
    assert b"X-Invoice-Resend" not in server.mails[0]
    assert not (tmp_path / "outbox" / "email").exists()


def test_each_mail_has_a_return_address_of_its_own_where_one_is_set(tmp_path: Path) -> None:
    one, returned = invoice(), "retur+{key}@bounces.example.com"
    with scripted() as server:
        settings = make_settings(tmp_path, mail_server="127.0.0.1", mail_port=server.port, mail_use_tls=False,
                                 mail_return_path=returned)  # fmt: skip
        channel = Email(settings, CLOCK)
        assert only(channel, one).provider_reference == f"{one.key}@example.com"
        channel.close()
    assert f"MAIL FROM:<{returned.format(key=one.key)}>" in server.commands


def test_a_refused_address_leads_on_and_a_lost_answer_does_not(tmp_path: Path) -> None:
    with scripted(RCPT=["550 5.1.1 No such user"], end=[HANG_UP]) as server:
        channel = by_server(tmp_path, server.port)
        assert only(channel, invoice("1")).outcome is Outcome.REFUSED
        lost = invoice("2")
        assert only(channel, lost) == Result(
            Outcome.UNCERTAIN, f"{lost.key}@example.com", detail="no answer to the whole mail"
        )
        assert only(channel, invoice("3")).outcome is Outcome.ACCEPTED
        channel.close()


def test_over_smtp_each_attempt_is_committed_by_itself(tmp_path: Path) -> None:
    channel = by_server(tmp_path, 9)
    assert channel.commit_each
    assert channel.provider == "smtp"
    assert channel.receipts(["x"]) == ()


def test_an_attempt_left_open_over_smtp_is_resent_once_marked_and_under_the_same_message_id(tmp_path: Path) -> None:
    with scripted(end=[HANG_UP]) as server:
        channel = by_server(tmp_path, server.port)
        first, again = invoice(), invoice(is_resend=True)
        assert only(channel, first).outcome is Outcome.UNCERTAIN
        assert channel.find(first) == Result(Outcome.UNAVAILABLE, detail="resend_once")
        assert only(channel, again).outcome is Outcome.ACCEPTED
        channel.close()
    messages = [email.message_from_bytes(content) for content in server.mails]
    assert messages[0]["Message-ID"] == messages[1]["Message-ID"]
    assert [message["X-Invoice-Resend"] for message in messages] == [None, "yes"]


def test_what_was_resent_without_an_answer_is_not_resent_again(tmp_path: Path) -> None:
    one = invoice(is_resend=True)
    assert by_server(tmp_path, 9).find(one) == Result(
        Outcome.UNCERTAIN, f"{one.key}@example.com", detail="sent_twice_without_answer", is_for_a_person=True
    )


# The words


def text(tmp_path: Path, **values: Any) -> str:
    return invoice_text(invoice(**values), make_settings(tmp_path))


def test_a_demand_says_what_to_pay_and_how(tmp_path: Path) -> None:
    words = text(tmp_path)
    assert "Beløp: 1\u00a0543,34 kr\nForfall: 21. desember 2026\nKID: 1234567897\nTil konto: 1234.56.78911\n" in words
    assert "http" not in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_holds_nothing_that_could_be_paid(tmp_path: Path, language: str) -> None:
    words = text(tmp_path, witness_kind="notice", recipient_language=language)
    assert "AvtaleGiro" in words
    assert "1234567897" not in words
    assert "1234.56.78911" not in words
    assert re.search(r"2026\n", words)


@pytest.mark.parametrize("kind", ["credit_note", "information"])
def test_what_is_no_demand_asks_for_no_money(tmp_path: Path, kind: str) -> None:
    words = text(tmp_path, kind=kind, witness_kind="notice", amount_ore=-5000)
    assert "Du skal ikke betale noe." in words
    assert "1234567897" not in words
    assert "Forfall" not in words


def test_without_a_kid_nothing_is_said_about_one(tmp_path: Path) -> None:
    assert "KID" not in text(tmp_path, kid=None)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("nn", "her er faktura 20260001 frå Strand kommune"),
        ("en", "Due date: 21 December 2026"),
        ("se", "her er faktura"),
    ],
)
def test_the_mail_speaks_the_recipients_language(tmp_path: Path, language: str, expected: str) -> None:
    assert expected in text(tmp_path, recipient_language=language)


@pytest.mark.parametrize("language", ["nn", "en"])
def test_every_sentence_is_translated(language: str) -> None:
    sentences = {found[1] for found in extract_from_file("jinja2.ext:babel_extract", TEMPLATES / "faktura.txt",
                                                         options={"newstyle_gettext": "true"})}  # fmt: skip
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        translated = {message.id: message.string for message in read_po(file) if message.id}
    assert len(sentences) >= 15
    assert sentences == set(translated)
    assert all(translated.values())


@pytest.mark.parametrize(
    ("kind", "number", "expected"),
    [
        ("demand", "20260001", "faktura-20260001.pdf"),
        ("credit_note", "K 1/2", "kreditnota-K-1-2.pdf"),
        ("demand", "../../etc/passwd", "faktura-etc-passwd.pdf"),
        ("demand", "Ærø\r\n", "faktura-Aero.pdf"),
        ("demand", "田", "faktura-Tian.pdf"),
        ("demand", "…", "faktura.pdf"),
    ],
)
def test_file_names_are_plain(kind: str, number: str, expected: str) -> None:
    assert document_name(kind, number) == expected


def test_a_long_number_keeps_its_end_in_sixty_characters() -> None:
    name = document_name("demand", "0123456789" * 10)
    assert len(name) == 60
    assert name.endswith("6789.pdf")


def test_the_date_is_the_clocks(maildir: Email, new: Path) -> None:
    one = invoice()
    only(maildir, one)
    assert read(new / one.key)["Date"].datetime.utcoffset() == dt.timedelta(hours=1)
