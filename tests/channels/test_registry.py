from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.channels.contract import FileChannel, MessageChannel
from app.channels.registry import Channels, build_channels
from app.core.clock import Clock
from app.core.errors import SettingsInvalid
from app.routing.channels import Channel
from tests.conftest import TODAY, make_settings


def channels(tmp_path: Path, **values: Any) -> Channels:
    transport = httpx.MockTransport(lambda _request: httpx.Response(500))
    return build_channels(make_settings(tmp_path, **values), Clock.for_day(TODAY), transport)


@pytest.mark.parametrize("mailbox_provider", ["eformidling", "svarut"])
@pytest.mark.parametrize("print_provider", ["batch", "eformidling", "svarut"])
def test_every_channel_has_an_adapter(tmp_path: Path, mailbox_provider: str, print_provider: str) -> None:
    found = channels(tmp_path, mailbox_provider=mailbox_provider, print_provider=print_provider)
    assert {*found.messages, *found.files} == set(Channel)
    assert not set(found.messages) & set(found.files)
    assert all(adapter.channel is channel for channel, adapter in found.messages.items())
    assert all(adapter.channel is channel for channel, adapter in found.files.items())
    assert found.messages[Channel.MAILBOX].provider == mailbox_provider
    paper = found.messages.get(Channel.PAPER)
    assert (paper.provider if paper else "batch") == print_provider
    found.close()


def test_every_adapter_has_what_delivery_asks_for(tmp_path: Path) -> None:
    found = channels(tmp_path)
    for message_channel in found.messages.values():
        assert _has(message_channel, MessageChannel)
        assert message_channel.batch_size >= 1
        assert message_channel.receipts([]) in ([], ())
    for file_channel in found.files.values():
        assert _has(file_channel, FileChannel)
        assert file_channel.batch_size >= 1


def _has(adapter: object, contract: type) -> bool:
    return all(hasattr(adapter, name) for name in vars(contract) if not name.startswith("_"))


def test_closing_lets_every_connection_go(tmp_path: Path) -> None:
    channels(tmp_path).close()


def test_development_reaches_no_real_service_by_accident(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="SANDBOX"):
        build_channels(make_settings(tmp_path), Clock.for_day(TODAY))
