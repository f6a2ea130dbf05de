"""Codes leave by the providers that the settings name; in the sandbox a developer can read them."""

from __future__ import annotations

import uuid
from pathlib import Path

from app.contact.messenger import Outgoing, Providers
from app.core.clock import Clock
from app.sandbox import SandboxTransport
from tests.conftest import make_settings

KEY = str(uuid.UUID(int=3))


def test_a_text_lies_in_the_outbox_and_a_mail_in_the_maildir(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    outgoing = Outgoing(Providers.by(settings, Clock(), SandboxTransport(settings.sandbox_dir)), "nb")
    assert outgoing.sms(KEY, "+4798765432", "123456 er koden din.")
    assert outgoing.email(KEY, "kari@example.com", "123456 er koden din", "Koden din er 123456.")
    assert "123456" in (settings.outbox_dir / "sms" / f"{KEY}.txt").read_text()
    assert (settings.outbox_dir / "email" / "new" / KEY).exists()


def test_a_text_that_no_phone_can_show_is_not_sent(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    outgoing = Outgoing(Providers.by(settings, Clock(), SandboxTransport(settings.sandbox_dir)), "nb")
    assert not outgoing.sms(KEY, "+4798765432", "x" * 1000)
    assert not (settings.outbox_dir / "sms").exists()


def test_without_a_provider_the_resident_is_told_that_nothing_was_sent(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, sandbox=False)
    outgoing = Outgoing(Providers.by(settings, Clock(), None), "nb")
    assert not outgoing.sms(KEY, "+4798765432", "123456")
