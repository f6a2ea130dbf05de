"""Bank files by SFTP, to a real server: each arrives whole and once, whenever either side dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from app.clients import sftp
from app.clients.sftp import SftpFolder, SftpUnavailable
from app.core.errors import SettingsInvalid
from tests.clients.sftp_server import PASSWORD, USER, SftpServer, serving
from tests.conftest import make_settings

CONTENT = b"NY000010" * 1000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    (tmp_path / "bank").mkdir()
    with serving(tmp_path / "bank") as server:
        yield server


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """Three files, one half written, and what else may lie there."""
    folder = tmp_path / "outbox"
    folder.mkdir()
    for name in ("a.txt", "b.txt", ".c.ready"):
        (folder / name).write_bytes(CONTENT + name.encode())
    return folder


Place = Callable[..., SftpFolder]


@pytest.fixture
def place(tmp_path: Path, server: SftpServer) -> Place:
    def make(**values: object) -> SftpFolder:
        usual = {"avtalegiro_sftp_url": f"sftp://{USER}@127.0.0.1:{server.port}/",
                 "avtalegiro_sftp_host_key": server.host_key, "avtalegiro_sftp_password": PASSWORD}  # fmt: skip
        found = SftpFolder.by(make_settings(tmp_path, **{**usual, **values}))  # type: ignore[arg-type]
        assert found is not None
        return found

    return make


def local(outbox: Path) -> tuple[list[str], list[str]]:
    """What waits, and what is uploaded."""
    uploaded = outbox / "uploaded"
    return (
        sorted(path.name for path in outbox.glob("*.txt")),
        sorted(path.name for path in uploaded.iterdir()) if uploaded.is_dir() else [],
    )


def test_each_file_arrives_whole_under_its_name_and_moves_here(server: SftpServer, outbox: Path, place: Place) -> None:
    assert place().take(outbox) == ["a.txt", "b.txt"]
    assert server.names() == ["a.txt", "b.txt"]
    assert (server.folder / "a.txt").read_bytes() == CONTENT + b"a.txt"
    assert local(outbox) == ([], ["a.txt", "b.txt"])
    assert place().take(outbox) == []
    assert not list(outbox.glob(".*.whole"))


def test_nothing_waiting_needs_no_server(tmp_path: Path, place: Place) -> None:
    nobody = place(avtalegiro_sftp_url=f"sftp://{USER}@127.0.0.1:9/")
    assert nobody.take(tmp_path / "nowhere") == []
    (tmp_path / "empty").mkdir()
    assert nobody.take(tmp_path / "empty") == []


@pytest.mark.parametrize("fetched", [False, True])
@pytest.mark.parametrize(("step", "moment"), [("write", "before"), ("rename", "before"), ("rename", "after")])
def test_a_connection_lost_at_any_step_brings_each_file_once(
    server: SftpServer, outbox: Path, place: Place, step: str, moment: str, fetched: bool
) -> None:
    server.breaks = {step: moment}
    with pytest.raises(SftpUnavailable) as raised:
        place().take(outbox)
    assert not raised.value.needs_alarm
    if fetched:
        # The bank takes away what it has got, before we come back.
        for path in server.folder.glob("*.txt"):
            path.unlink()
    place().take(outbox)
    assert sorted(server.done) == ["a.txt", "b.txt"]
    assert local(outbox) == ([], ["a.txt", "b.txt"])
    assert not [name for name in server.names() if name.endswith(".part")]


@pytest.mark.parametrize("call", ["create_atomically", "rename", "unlink"])
def test_our_own_death_at_any_step_brings_each_file_once(
    server: SftpServer, outbox: Path, place: Place, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(sftp if call == "create_atomically" else Path, call, die)
        with pytest.raises(Died):
            place().take(outbox)
    place().take(outbox)
    assert sorted(server.done) == ["a.txt", "b.txt"]
    assert not list(outbox.glob("*.txt"))


def test_a_file_of_another_with_the_same_name_is_never_replaced(server: SftpServer, outbox: Path, place: Place) -> None:
    (server.folder / "a.txt").write_bytes(b"somebody else's")
    with pytest.raises(SftpUnavailable, match=r"a\.txt is there already") as raised:
        place().take(outbox)
    assert raised.value.needs_alarm
    assert (server.folder / "a.txt").read_bytes() == b"somebody else's"


def test_a_server_with_another_key_is_told_nothing(server: SftpServer, outbox: Path, place: Place) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    with pytest.raises(SftpUnavailable, match="HostKeyNotVerifiable") as raised:
        place(avtalegiro_sftp_host_key=other).take(outbox)
    assert raised.value.needs_alarm
    assert server.names() == []


def test_a_wrong_password_needs_a_person(outbox: Path, place: Place) -> None:
    with pytest.raises(SftpUnavailable, match="PermissionDenied") as raised:
        place(avtalegiro_sftp_password="another").take(outbox)
    assert raised.value.needs_alarm


def test_a_folder_that_is_not_there_needs_a_person(server: SftpServer, outbox: Path, place: Place) -> None:
    with pytest.raises(SftpUnavailable) as raised:
        place(avtalegiro_sftp_url=f"sftp://{USER}@127.0.0.1:{server.port}/nowhere").take(outbox)
    assert raised.value.needs_alarm
    assert local(outbox) == (["a.txt", "b.txt"], [])


def test_a_server_that_is_not_there_is_tried_again_another_time(outbox: Path, place: Place) -> None:
    with pytest.raises(SftpUnavailable) as raised:
        place(avtalegiro_sftp_url=f"sftp://{USER}@127.0.0.1:9/").take(outbox)
    assert not raised.value.needs_alarm


def test_a_key_opens_as_well_as_a_password(server: SftpServer, outbox: Path, place: Place, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(server.client_key.export_private_key())
    assert place(avtalegiro_sftp_password="", avtalegiro_sftp_key_file=path).take(outbox) == ["a.txt", "b.txt"]


def test_while_another_process_brings_them_we_do_not(outbox: Path, place: Place) -> None:
    descriptor = os.open(outbox / ".upload.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert place().take(outbox) == []
    os.close(descriptor)
    assert place().take(outbox) == ["a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"avtalegiro_sftp_url": "sftp://127.0.0.1/"}, "must be sftp://user@host"),
        ({"avtalegiro_sftp_url": "sftp://user:word@127.0.0.1/"}, "without a password"),
        ({"avtalegiro_sftp_url": "ftp://user@127.0.0.1/"}, "must be sftp://user@host"),
        ({"avtalegiro_sftp_url": "sftp://user@bank.example/"}, "with the sandbox on"),
        ({"avtalegiro_sftp_password": ""}, "AVTALEGIRO_SFTP_KEY_FILE or"),
        ({"avtalegiro_sftp_host_key": ""}, "must be a public key"),
    ],
)
def test_what_cannot_be_stops_the_start(place: Place, values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsInvalid, match=sentence):
        place(**values)


def test_without_an_address_the_bank_fetches(tmp_path: Path) -> None:
    assert SftpFolder.by(make_settings(tmp_path)) is None


def test_the_password_is_in_no_repr(place: Place) -> None:
    assert PASSWORD not in repr(place())
