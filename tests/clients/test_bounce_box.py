"""Where returned mails lie: a Maildir on disk, and an IMAP box at a real server."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from imapclient import IMAPClient

from app.clients.bounce_box import (
    BounceBox,
    BoxUnavailable,
    ImapBox,
    MaildirBox,
    Place,
    Waiting,
    bounce_boxes,
)
from app.clients.returned import READ_BYTES
from tests.clients.imap_server import PASSWORD, USER, ImapServer, running
from tests.clients.returned_samples import postfix
from tests.clients.smtp_servers import self_signed
from tests.conftest import make_settings

MAIL = postfix()


def all_of(box: BounceBox) -> list[Waiting]:
    return [mail for some in box.waiting() for mail in some]


# The Maildir


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for inside in ("tmp", "new", "cur"):
        (tmp_path / "bounces" / inside).mkdir(parents=True)
    return tmp_path / "bounces"


def test_a_maildir_is_read_whether_somebody_looked_into_it_or_not(maildir: Path) -> None:
    (maildir / "new" / "1.a").write_bytes(MAIL)
    (maildir / "cur" / "2.b:2,S").write_bytes(MAIL)
    (maildir / "tmp" / "3.c").write_bytes(MAIL)
    (maildir / "new" / ".hidden").write_bytes(MAIL)
    found = all_of(MaildirBox(maildir))
    assert [mail.name for mail in found] == ["new/1.a", "cur/2.b:2,S"]
    assert found[0].content == MAIL


def test_what_is_moved_lies_in_a_folder_that_mail_programs_show(maildir: Path) -> None:
    (maildir / "new" / "1.a").write_bytes(MAIL)
    (maildir / "cur" / "2.b:2,S").write_bytes(MAIL)
    box = MaildirBox(maildir)
    box.move(["new/1.a"], Place.HANDLED)
    box.move(["cur/2.b:2,S"], Place.UNMATCHED)
    assert all_of(box) == []
    assert (maildir / ".Handled" / "cur" / "1.a:2,").read_bytes() == MAIL
    assert (maildir / ".Unmatched" / "cur" / "2.b:2,").read_bytes() == MAIL
    assert (maildir / ".Handled" / "maildirfolder").exists()


def test_what_another_has_moved_meanwhile_is_left_to_it(maildir: Path) -> None:
    for number in range(120):
        (maildir / "new" / f"{number:03}").write_bytes(MAIL)
    box = MaildirBox(maildir)
    parts = box.waiting()
    first = next(parts)
    for place in (maildir / "new").iterdir():
        place.unlink()
    assert sum(len(part) for part in parts) == 0
    box.move([mail.name for mail in first], Place.HANDLED)
    assert list((maildir / ".Handled" / "cur").iterdir()) == []


def test_a_maildir_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert all_of(MaildirBox(tmp_path / "nowhere")) == []


def test_a_maildir_that_cannot_be_read_needs_a_person(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("a file")
    with pytest.raises(BoxUnavailable) as raised:
        all_of(MaildirBox(tmp_path))
    assert raised.value.needs_alarm


def test_of_a_large_mail_only_the_beginning_is_read(maildir: Path) -> None:
    (maildir / "new" / "1").write_bytes(MAIL + b"A" * 5_000_000)
    assert len(all_of(MaildirBox(maildir))[0].content) == READ_BYTES


# The IMAP box

MakeBox = Callable[..., ImapBox]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImapServer]:
    folder = tmp_path_factory.mktemp("imap")
    with running(folder, *self_signed(folder, "127.0.0.1")) as server:
        yield server


@pytest.fixture
def make_box(tmp_path: Path, server: ImapServer) -> Iterator[MakeBox]:
    boxes: list[ImapBox] = []

    def make(**values: object) -> ImapBox:
        usual = {"bounce_imap_server": "127.0.0.1", "bounce_imap_port": server.port, "bounce_imap_use_ssl": False,
                 "bounce_imap_username": USER, "bounce_imap_password": PASSWORD, "mail_ca_file": server.authority,
                 "mail_timeout": 20}  # fmt: skip
        boxes.append(ImapBox(make_settings(tmp_path, **{**usual, **values})))  # type: ignore[arg-type]
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()
    with server.look() as client:
        client.select_folder("INBOX")
        client.delete_messages(client.search())
        client.expunge()


def test_a_mail_is_read_unmarked_and_moved_only_when_told(server: ImapServer, make_box: MakeBox) -> None:
    server.put(MAIL, b"Subject: hei\n\nhei\n")
    box = make_box(bounce_imap_handled="Handled1", bounce_imap_unmatched="Unmatched1")
    found = all_of(box)
    assert [mail.content.replace(b"\r\n", b"\n") for mail in found] == [MAIL, b"Subject: hei\n\nhei\n"]
    assert not any(b"\\Seen" in flags for flags in server.flags())
    box.move([found[0].name], Place.HANDLED)
    box.move([found[1].name], Place.UNMATCHED)
    assert all_of(box) == []
    assert (server.count("INBOX"), server.count("Handled1"), server.count("Unmatched1")) == (0, 1, 1)


def test_a_server_that_cannot_move_copies_and_deletes(
    server: ImapServer, make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(MAIL)
    box = make_box(bounce_imap_handled="Handled2")
    able = IMAPClient.has_capability
    monkeypatch.setattr(IMAPClient, "has_capability", lambda client, name: name != "MOVE" and able(client, name))
    box.move([mail.name for mail in all_of(box)], Place.HANDLED)
    assert all_of(box) == []
    assert (server.count("INBOX"), server.count("Handled2")) == (0, 1)


def test_of_a_large_mail_only_the_beginning_is_fetched(server: ImapServer, make_box: MakeBox) -> None:
    server.put(MAIL + b"A" * 400_000)
    assert len(all_of(make_box())[0].content) == READ_BYTES


def test_a_wrong_password_needs_a_person_and_is_not_told(make_box: MakeBox) -> None:
    with pytest.raises(BoxUnavailable, match="log-in refused") as raised:
        all_of(make_box(bounce_imap_password="hemmelig"))
    assert raised.value.needs_alarm
    assert "hemmelig" not in repr(raised.value)


def test_a_certificate_that_nobody_vouches_for_is_never_accepted(make_box: MakeBox) -> None:
    with pytest.raises(BoxUnavailable, match="certificate") as raised:
        all_of(make_box(mail_ca_file=None))
    assert raised.value.needs_alarm


def test_a_folder_that_is_not_there_needs_a_person(make_box: MakeBox) -> None:
    with pytest.raises(BoxUnavailable) as raised:
        all_of(make_box(bounce_imap_folder="Nowhere"))
    assert raised.value.needs_alarm


@contextmanager
def listening(behave: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that does this to whoever connects."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                behave(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)


def test_a_server_that_hangs_up_or_says_nothing_is_tried_another_day(make_box: MakeBox) -> None:
    ended = threading.Event()
    behaviours: list[Callable[[socket.socket], object]] = [socket.socket.close, lambda _connection: ended.wait(20)]
    for behave in behaviours:
        with listening(behave) as port:
            box = make_box(bounce_imap_port=port, bounce_imap_use_ssl=True, mail_timeout=0.5)
            with pytest.raises(BoxUnavailable) as raised:
                all_of(box)
            ended.set()
        assert not raised.value.needs_alarm
    with pytest.raises(BoxUnavailable) as raised:
        all_of(make_box(bounce_imap_port=9))
    assert not raised.value.needs_alarm


def test_a_connection_lost_between_two_reads_is_opened_again(server: ImapServer, make_box: MakeBox) -> None:
    server.put(MAIL)
    box = make_box()
    all_of(box)
    assert box._client is not None
    box._client._imap.sock.shutdown(socket.SHUT_RDWR)
    with pytest.raises(BoxUnavailable):
        all_of(box)
    assert len(all_of(box)) == 1


def test_there_is_an_imap_box_only_where_a_server_is_named(tmp_path: Path) -> None:
    named = {"bounce_imap_server": "imap.example.com", "bounce_imap_username": "a", "bounce_imap_password": "b"}
    assert [box.name for box in bounce_boxes(make_settings(tmp_path))] == ["maildir"]
    assert [box.name for box in bounce_boxes(make_settings(tmp_path, **named))] == ["maildir", "imap"]
    assert os.fspath(make_settings(tmp_path).bounce_maildir) == f"{tmp_path}/inbox/bounces"
