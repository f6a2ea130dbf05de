from __future__ import annotations

import datetime as dt
import email
import email.policy
import itertools
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.clients import mail as mail_module
from app.clients import mail_connection
from app.clients.mail import MailServer
from app.clients.mail_connection import Envelope
from app.clients.mail_rules import PERMANENT, Stage, judge_reply
from app.clients.maildir import Maildir
from app.clients.mime import UNIX, WIRE, Mail, Prepared, header, prepare
from app.clients.rules import Judgement, Verdict
from tests.clients.smtp_servers import HANG_UP, SILENCE, ScriptedServer, scripted, self_signed
from tests.conftest import make_settings

AT = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
ENVELOPE = Envelope("faktura@example.com", "kari@example.net")
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40


def a_mail(**values: Any) -> Mail:
    usual: dict[str, Any] = {
        "message_id": "0b7c@example.com",
        "sender": ("Strand kommune", "faktura@example.com"),
        "recipient": "kari@example.net",
        "subject": "Faktura 17, Strand kommune",
        "text": "Hei,\n\n.punktum først\nFrom here\nÆØÅ æøå\n",
        "language": "nb",
        "file_name": "faktura-17.pdf",
        "pdf": PDF,
    }
    return Mail(**{**usual, **values})


def read(prepared: Prepared) -> EmailMessage:
    whole = (prepared.head + prepared.rest).replace(WIRE, UNIX)
    message = email.message_from_bytes(whole, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


READY = prepare(a_mail(), AT)


@pytest.fixture
def server_for(tmp_path: Path) -> Iterator[Callable[..., MailServer]]:
    """Makes a client of a server on loopback that gives up waiting after 0.3 s, without encryption unless asked."""
    made: list[MailServer] = []

    def make(port: int, **values: Any) -> MailServer:
        usual = {"mail_server": "127.0.0.1", "mail_port": port, "mail_use_tls": False, "mail_timeout": 0.3}
        made.append(MailServer(make_settings(tmp_path, **{**usual, **values})))
        return made[-1]

    yield make
    for one in made:
        one.close()


def sent(server_for: Callable[..., MailServer], **script: str | list[str]) -> tuple[Judgement, ScriptedServer]:
    with scripted(**script) as server:
        client = server_for(server.port)
        judgement = client.send(ENVELOPE, READY)
        client.close()
    return judgement, server


# The bytes


def test_a_mail_reads_back_with_the_standard_parser_as_it_was_given() -> None:
    message = read(READY)
    assert message["Subject"] == "Faktura 17, Strand kommune"
    assert message["From"] == "Strand kommune <faktura@example.com>"
    assert message["To"] == "kari@example.net"
    assert message["Message-ID"] == "<0b7c@example.com>"
    assert message["Content-Language"] == "nb"
    assert message["Date"].datetime == AT
    body = message.get_body()
    assert isinstance(body, EmailMessage)
    assert body.get_content() == "Hei,\n\n.punktum først\nFrom here\nÆØÅ æøå"
    [attachment] = message.iter_attachments()
    assert attachment.get_filename() == "faktura-17.pdf"
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == PDF


@hypothesis_settings(max_examples=50, deadline=None)
@given(
    subject=st.text(max_size=120), text=st.text(st.characters(exclude_categories=["Cs"]), max_size=400),
    pdf=st.binary(max_size=300), number=st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
)  # fmt: skip
def test_no_text_breaks_out_of_its_place(subject: str, text: str, pdf: bytes, number: str) -> None:
    subject = subject.encode("utf-8", "ignore").decode()
    prepared = prepare(a_mail(subject=subject, text=text, pdf=pdf, headers={"X-Invoice-Number": number}), AT)
    whole = prepared.head + prepared.rest
    assert all(len(line) <= 998 for line in whole.split(b"\r\n"))
    assert whole.replace(b"\r\n", b"").count(b"\n") == 0
    message = read(prepared)
    assert [name for name in message if name not in {"Date", "To"}] == [
        "From", "Subject", "Message-ID", "X-Invoice-Number", "Content-Language", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    body = message.get_body()
    assert isinstance(body, EmailMessage)
    assert body.get_content().rstrip("\n") == "\n".join(text.splitlines()).rstrip("\n")
    [attachment] = message.iter_attachments()
    assert attachment.get_content() == pdf


@pytest.mark.parametrize("value", ["1\r\nBcc: all@example.com", "1\nBcc: x", "1\u2028Bcc: x", "1\x85Bcc: x"])
def test_a_line_break_in_a_header_injects_nothing(value: str) -> None:
    message = read(prepare(a_mail(subject=value, headers={"X-Invoice-Number": value}), AT))
    assert message["Bcc"] is None
    assert message["X-Invoice-Number"] == "1 Bcc: all@example.com" or message["X-Invoice-Number"] == "1 Bcc: x"


def test_a_header_that_looks_encoded_is_not_decoded_into_something_else() -> None:
    message = read(prepare(a_mail(headers={"X-Invoice-Number": "=?utf-8?q?=31?="}), AT))
    assert message["X-Invoice-Number"] == "=?utf-8?q?=31?="


def test_names_that_could_inject_are_wrong_use() -> None:
    with pytest.raises(ValueError, match="header"):
        header("X-A: b\r\nX-C", "d")
    with pytest.raises(ValueError, match="attachment"):
        prepare(a_mail(file_name='a".pdf'), AT)


def test_neither_address_nor_content_shows_in_a_repr() -> None:
    assert "kari" not in repr(a_mail())
    assert "ÆØÅ" not in repr(a_mail())
    assert "Hei" not in repr(READY)


def test_the_server_gets_the_same_bytes_with_dots_doubled_on_the_way(
    server_for: Callable[..., MailServer],
) -> None:
    _, server = sent(server_for)
    [content] = server.mails
    assert b"\r\n..punktum" in content
    assert content.replace(b"\r\n..", b"\r\n.") == READY.head + READY.rest


# What the server's words mean


def test_a_mail_that_is_taken_is_accepted(server_for: Callable[..., MailServer]) -> None:
    judgement, server = sent(server_for)
    assert judgement == Judgement(Verdict.ACCEPTED, "250 2.0.0 at end of mail")
    assert server.commands[1:4] == ["MAIL FROM:<faktura@example.com>", "RCPT TO:<kari@example.net>", "DATA"]


@pytest.mark.parametrize(
    ("step", "reply", "verdict", "needs_alarm"),
    [
        ("MAIL", "451 4.3.0 Try later", Verdict.UNAVAILABLE, False),
        ("MAIL", "550 5.7.1 Sender not allowed", Verdict.UNAVAILABLE, True),
        ("RCPT", "550 5.1.1 No such user", Verdict.REFUSED, False),
        ("RCPT", "550 No such user", Verdict.REFUSED, False),
        ("RCPT", "552 5.2.2 Mailbox full", Verdict.REFUSED, False),
        ("RCPT", "553 5.1.3 Bad address syntax", Verdict.REFUSED, False),
        ("RCPT", "550 5.4.1 Recipient address rejected: Access denied", Verdict.REFUSED, False),
        ("RCPT", "556 5.1.10 Domain takes no mail", Verdict.REFUSED, False),
        ("RCPT", "450 4.2.1 Mailbox busy", Verdict.UNAVAILABLE, False),
        ("RCPT", "451 4.7.1 Greylisted", Verdict.UNAVAILABLE, False),
        ("RCPT", "554 5.7.1 Relay access denied", Verdict.UNAVAILABLE, True),
        ("RCPT", "550 relaying denied", Verdict.UNAVAILABLE, True),
        ("RCPT", "530 5.7.0 Authentication required", Verdict.UNAVAILABLE, True),
        ("RCPT", "530 Log in first", Verdict.UNAVAILABLE, True),
        ("RCPT", "550 5.1.8 Sender's address rejected", Verdict.UNAVAILABLE, True),
        ("RCPT", "501 Syntax", Verdict.UNAVAILABLE, True),
        ("DATA", "451 4.3.0 Try later", Verdict.UNAVAILABLE, False),
        ("DATA", "554 5.5.1 No valid recipients", Verdict.UNAVAILABLE, True),
        ("end", "554 5.7.1 Message content rejected", Verdict.UNAVAILABLE, True),
        ("end", "550 Looks like spam", Verdict.UNAVAILABLE, True),
        ("end", "552 5.3.4 Message too big", Verdict.UNAVAILABLE, True),
        ("end", "550 5.1.1 No such user after all", Verdict.REFUSED, False),
        ("end", "452 4.3.1 Out of memory", Verdict.UNAVAILABLE, False),
        ("end", "354 What?", Verdict.UNCERTAIN, True),
    ],
)
def test_only_a_refusal_of_the_address_leads_on(
    server_for: Callable[..., MailServer], step: str, reply: str, verdict: Verdict, needs_alarm: bool
) -> None:
    judgement, _ = sent(server_for, **{step: reply})
    assert (judgement.verdict, judgement.needs_alarm) == (verdict, needs_alarm)


def test_every_permanent_reply_has_a_rule_and_only_refusals_raise_no_alarm() -> None:
    for stage, code in itertools.product(Stage, range(500, 600)):
        judgement = judge_reply(stage, code, b"no")
        assert judgement.verdict is (Verdict.UNAVAILABLE if judgement.needs_alarm else Verdict.REFUSED)
        assert judgement.needs_alarm or stage is Stage.RECIPIENT


def test_every_rule_names_its_source() -> None:
    assert all(row.source for row in PERMANENT)


def test_what_the_server_says_of_the_address_stays_out_of_the_detail(server_for: Callable[..., MailServer]) -> None:
    judgement, _ = sent(server_for, RCPT="550 5.1.1 <kari@example.net>: no such user")
    assert judgement.detail == "550 5.1.1 at RCPT"


# When the line goes dead


@pytest.mark.parametrize("step", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_end_of_the_mail_has_surely_taken_nothing(
    server_for: Callable[..., MailServer], step: str
) -> None:
    judgement, server = sent(server_for, **{step: HANG_UP})
    assert judgement.verdict is Verdict.UNAVAILABLE
    assert server.mails == []


def test_a_connection_lost_in_the_middle_of_the_mail_has_surely_taken_nothing(
    server_for: Callable[..., MailServer],
) -> None:
    # Larger than what the two sides' buffers hold, so that the end cannot have begun to leave.
    large = prepare(a_mail(pdf=bytes(40_000_000)), AT)
    with scripted(content=HANG_UP) as server:
        judgement = server_for(server.port, mail_timeout=5).send(ENVELOPE, large)
    assert judgement == Judgement(Verdict.UNAVAILABLE, "connection lost")
    assert server.mails == []


@pytest.mark.parametrize("fate", [HANG_UP, SILENCE])
def test_a_connection_lost_after_the_final_dot_is_uncertain(server_for: Callable[..., MailServer], fate: str) -> None:
    judgement, server = sent(server_for, end=fate)
    assert judgement == Judgement(Verdict.UNCERTAIN, "no answer to the whole mail")
    assert len(server.mails) == 1


@pytest.mark.parametrize("step", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_silent_server_is_given_up_on(server_for: Callable[..., MailServer], step: str) -> None:
    judgement, _ = sent(server_for, **{step: SILENCE})
    assert judgement.verdict is Verdict.UNAVAILABLE


def test_after_a_silent_server_the_next_mails_do_not_wait_again(server_for: Callable[..., MailServer]) -> None:
    with scripted(greeting=SILENCE) as server:
        client = server_for(server.port)
        first = client.send(ENVELOPE, READY)
        assert [client.send(ENVELOPE, READY) for _ in range(20)] == [first] * 20
        assert server.connections == 1


def test_a_server_left_in_peace_is_tried_again_later(
    server_for: Callable[..., MailServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(greeting=["554 Not now"]) as server:
        client = server_for(server.port)
        assert client.send(ENVELOPE, READY).needs_alarm
        later = time.monotonic() + mail_module.REST_SECONDS
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert client.send(ENVELOPE, READY).verdict is Verdict.ACCEPTED


def test_nobody_at_home_is_unavailable(server_for: Callable[..., MailServer]) -> None:
    with scripted() as server:
        pass
    assert server_for(server.port).send(ENVELOPE, READY).verdict is Verdict.UNAVAILABLE


# Connections


def test_a_connection_is_kept_for_the_next_mail(server_for: Callable[..., MailServer]) -> None:
    with scripted(RCPT=["250 Ok", "550 5.1.1 No", "250 Ok"]) as server:
        client = server_for(server.port)
        verdicts = [client.send(ENVELOPE, READY).verdict for _ in range(3)]
    assert verdicts == [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.ACCEPTED]
    assert server.connections == 1
    assert "RSET" in [command.upper() for command in server.commands]


@pytest.mark.parametrize("reply", [HANG_UP, "421 4.4.2 Timeout"])
def test_a_kept_connection_that_the_server_has_closed_is_replaced_without_a_word(
    server_for: Callable[..., MailServer], reply: str
) -> None:
    with scripted(MAIL=["250 Ok", reply, "250 Ok"]) as server:
        client = server_for(server.port)
        assert [client.send(ENVELOPE, READY).verdict for _ in range(2)] == [Verdict.ACCEPTED] * 2
    assert server.connections == 2
    assert len(server.mails) == 2


def test_a_mail_whose_fate_is_unknown_is_not_sent_again_over_another_connection(
    server_for: Callable[..., MailServer],
) -> None:
    with scripted(end=["250 Ok", HANG_UP]) as server:
        client = server_for(server.port)
        assert client.send(ENVELOPE, READY).verdict is Verdict.ACCEPTED
        assert client.send(ENVELOPE, READY).verdict is Verdict.UNCERTAIN
    assert len(server.mails) == 2


def test_a_connection_carries_at_most_a_hundred_mails(server_for: Callable[..., MailServer]) -> None:
    with scripted() as server:
        client = server_for(server.port)
        for _ in range(mail_connection.MOST_A_CONNECTION + 1):
            assert client.send(ENVELOPE, READY).verdict is Verdict.ACCEPTED
    assert server.connections == 2


# Encryption and log-in, with a whole server


class Taker(Message):
    """Keeps what a real server took."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.taken.append(message)


@contextmanager
def whole_server(certificate: tuple[Path, Path] | None, is_implicit: bool = False, **more: Any) -> Iterator[Any]:
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    taker = Taker()
    encryption: dict[str, Any] = {"ssl_context": context} if is_implicit else {"tls_context": context}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(taker, hostname="127.0.0.1", port=port, **encryption, **more)
    controller.start()
    try:
        yield taker, port
    finally:
        controller.stop()


def test_a_certificate_that_nobody_vouches_for_is_refused_and_needs_a_person(
    server_for: Callable[..., MailServer], tmp_path: Path
) -> None:
    with whole_server(self_signed(tmp_path, "127.0.0.1")) as (taker, port):
        judgement = server_for(port, mail_use_tls=True, mail_timeout=5).send(ENVELOPE, READY)
    assert judgement.verdict is Verdict.UNAVAILABLE
    assert judgement.needs_alarm
    assert "certificate" in judgement.detail
    assert taker.taken == []


def test_a_certificate_for_another_name_is_refused(server_for: Callable[..., MailServer], tmp_path: Path) -> None:
    certificate = self_signed(tmp_path, "other.example.com")
    with whole_server(certificate) as (taker, port):
        judgement = server_for(port, mail_use_tls=True, mail_ca_file=certificate[0], mail_timeout=5).send(
            ENVELOPE, READY
        )
    assert (judgement.verdict, judgement.needs_alarm) == (Verdict.UNAVAILABLE, True)
    assert taker.taken == []


@pytest.mark.parametrize("is_implicit", [False, True])
def test_a_certificate_that_the_setting_trusts_is_accepted(
    server_for: Callable[..., MailServer], tmp_path: Path, is_implicit: bool
) -> None:
    certificate = self_signed(tmp_path, "127.0.0.1")
    with whole_server(certificate, is_implicit) as (taker, port):
        client = server_for(
            port, mail_use_tls=not is_implicit, mail_use_ssl=is_implicit, mail_ca_file=certificate[0], mail_timeout=5
        )
        assert client.send(ENVELOPE, READY).verdict is Verdict.ACCEPTED
        client.close()
    [message] = taker.taken
    assert message["Message-ID"] == "<0b7c@example.com>"
    assert message["X-MailFrom"] == "faktura@example.com"


def test_a_server_without_encryption_gets_nothing_when_encryption_is_asked_for(
    server_for: Callable[..., MailServer],
) -> None:
    with whole_server(None) as (taker, port):
        judgement = server_for(port, mail_use_tls=True, mail_timeout=5).send(ENVELOPE, READY)
    assert (judgement.verdict, judgement.needs_alarm) == (Verdict.UNAVAILABLE, True)
    assert taker.taken == []


@pytest.mark.parametrize(("password", "verdict"), [("right", Verdict.ACCEPTED), ("wrong", Verdict.UNAVAILABLE)])
def test_a_wrong_password_waits_and_needs_a_person(
    server_for: Callable[..., MailServer], tmp_path: Path, password: str, verdict: Verdict
) -> None:
    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"right", handled=False)

    certificate = self_signed(tmp_path, "127.0.0.1")
    with whole_server(certificate, authenticator=check) as (_, port):
        client = server_for(
            port, mail_use_tls=True, mail_ca_file=certificate[0], mail_timeout=5, mail_username="u",
            mail_password=password,
        )  # fmt: skip
        judgement = client.send(ENVELOPE, READY)
        client.close()
    assert judgement.verdict is verdict
    assert judgement.needs_alarm is (verdict is Verdict.UNAVAILABLE)


# The Maildir


def test_a_maildir_takes_each_name_once(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path / "box")
    prepared = prepare(a_mail(), AT, UNIX)
    assert not maildir.has("a")
    assert maildir.put("a", prepared)
    assert not maildir.put("a", prepare(a_mail(subject="other"), AT, UNIX))
    assert maildir.has("a")
    assert (tmp_path / "box" / "new" / "a").read_bytes() == prepared.head + prepared.rest
    assert b"\r" not in prepared.head + prepared.rest
    assert list((tmp_path / "box" / "tmp").iterdir()) == []


@pytest.mark.parametrize("flags", [":2,", ":2,S", ":2,FRS"])
def test_a_mail_that_was_read_is_still_found(tmp_path: Path, flags: str) -> None:
    maildir = Maildir(tmp_path)
    maildir.put("a", READY)
    (tmp_path / "new" / "a").rename(tmp_path / "cur" / f"a{flags}")
    assert maildir.has("a")
    assert not maildir.has("b")


def test_what_an_ended_process_left_in_tmp_is_no_mail(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path)
    maildir.put("other", READY)
    (tmp_path / "tmp" / "a").write_bytes(b"half")
    assert not maildir.has("a")
    assert maildir.put("a", READY)
    assert (tmp_path / "new" / "a").read_bytes() == READY.head + READY.rest


def test_wire_and_file_differ_in_line_ends_only() -> None:
    wire, file = prepare(a_mail(), AT, WIRE), prepare(a_mail(), AT, UNIX)
    assert wire.head.replace(b"\r\n", b"\n") == file.head
    assert wire.rest.replace(b"\r\n", b"\n") == file.rest


TOGETHER = "250-mx.example.com\r\n250 PIPELINING"


def test_where_the_server_takes_commands_together_they_are_sent_together(
    server_for: Callable[..., MailServer],
) -> None:
    with scripted(EHLO=TOGETHER) as server:
        client = server_for(server.port)
        for _ in range(3):
            assert client.send(ENVELOPE, READY).verdict is Verdict.ACCEPTED
    assert len(server.mails) == 3
    assert server.connections == 1


def test_of_commands_sent_together_the_first_refusal_counts_and_the_connection_goes_on(
    server_for: Callable[..., MailServer],
) -> None:
    with scripted(EHLO=TOGETHER, RCPT=["550 5.1.1 no such user"], DATA=["503 5.5.1 no recipient"]) as server:
        client = server_for(server.port)
        assert client.send(ENVELOPE, READY).verdict is Verdict.REFUSED
        assert client.send(ENVELOPE, READY).verdict is Verdict.ACCEPTED
    assert server.connections == 1


@pytest.mark.parametrize("data", ["354 go ahead", HANG_UP])
def test_a_server_that_refuses_the_recipient_and_then_waits_for_the_mail_or_hangs_up_gets_none(
    server_for: Callable[..., MailServer], data: str
) -> None:
    with scripted(EHLO=TOGETHER, RCPT=["550 5.1.1 no such user"], DATA=[data]) as server:
        client = server_for(server.port)
        assert client.send(ENVELOPE, READY).verdict is Verdict.REFUSED
        assert client.send(ENVELOPE, READY).verdict is Verdict.ACCEPTED
    assert len(server.mails) == 1
    assert server.connections == 2
