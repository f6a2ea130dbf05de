"""Short mails: the same Message-ID on a repeat, no header that a value could break out of, both ways out."""

from __future__ import annotations

import email
import email.policy
import uuid
from pathlib import Path
from typing import Any

import pytest

from app.clients.post import Note, Postman
from app.clients.rules import Verdict
from app.core.clock import Clock
from tests.conftest import make_settings

KEY = str(uuid.UUID(int=7))


def note(**changed: str) -> Note:
    given: dict[str, Any] = {
        "key": KEY,
        "recipient": "kari@example.com",
        "subject": "123456 er koden din hos Ås kommune",
        "text": "Koden din er 123456.\n\n.en linje med punktum først",
        "language": "nb",
    }
    return Note(**(given | changed))


def read(folder: Path) -> email.message.EmailMessage:
    (path,) = (folder / "email" / "new").iterdir()
    found = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(found, email.message.EmailMessage)
    return found


def test_a_mail_lies_in_the_maildir_once_however_often_it_is_sent(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    postman = Postman(settings, Clock())
    assert [postman.send(note()).verdict for _ in range(2)] == [Verdict.ACCEPTED] * 2
    found = read(settings.outbox_dir)
    assert found["Subject"] == "123456 er koden din hos Ås kommune"
    assert found["To"] == "kari@example.com"
    assert found["Message-ID"] == f"<{KEY}@example.com>"
    assert found["Auto-Submitted"] == "auto-generated"
    body = found.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["Koden din er 123456.", "", ".en linje med punktum først"]


def test_words_and_pictures_are_two_parts_of_one_mail(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    Postman(settings, Clock()).send(note(html="<p>Koden din er 123456.</p>"))
    found = read(settings.outbox_dir)
    assert found.get_content_type() == "multipart/alternative"
    html = found.get_body(("html",))
    assert html is not None
    assert "<p>Koden din er 123456.</p>" in html.get_content()


@pytest.mark.parametrize("field", ["subject", "recipient"])
def test_a_line_break_in_a_header_is_refused(tmp_path: Path, field: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)linefeed|carriage|newline"):
        Postman(make_settings(tmp_path), Clock()).send(note(**{field: "a@example.com\r\nBcc: b@example.com"}))


def test_a_note_shows_neither_address_nor_words() -> None:
    assert "kari" not in repr(note())
    assert "123456" not in repr(note())


def test_outside_production_a_real_server_gets_mails_to_allowed_addresses_alone(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, mail_server="mail.invalid", allowed_recipients="ola@example.com")
    postman = Postman(settings, Clock())
    assert postman.send(note()).detail == "not in ALLOWED_RECIPIENTS"
    assert "ALLOWED" not in postman.send(note(recipient="ola@example.com")).detail
