"""Bank files are brought to the bank in the run that hands them over; a bank that is away is an alarm, once a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.channels.avtalegiro import Avtalegiro
from app.clients.sftp import SftpFolder
from app.delivery.passes import send_due
from app.routing.channels import Channel
from tests.clients.sftp_server import PASSWORD, USER, SftpServer, serving
from tests.delivery.town import Town


@pytest.fixture
def bank(town: Town, tmp_path: Path) -> Iterator[SftpServer]:
    """The bank's server; the town writes real claim files and brings them there."""
    (tmp_path / "bank").mkdir()
    with serving(tmp_path / "bank") as server:
        town.channels.files[Channel.AVTALEGIRO] = Avtalegiro(town.settings, town.clock)  # type: ignore[assignment]
        town.bank = SftpFolder.by(
            town.settings.model_copy(
                update={
                    "avtalegiro_sftp_url": f"sftp://{USER}@127.0.0.1:{server.port}/",
                    "avtalegiro_sftp_host_key": server.host_key,
                    "avtalegiro_sftp_password": PASSWORD,
                }
            )
        )
        yield server


def test_claims_reach_the_bank_in_the_run_that_hands_them_over(town: Town, bank: SftpServer) -> None:
    town.invoice(town.plan(claim="02"))
    with town.desk() as desk:
        send_due(desk)
        assert (desk.ledger.tally.uploaded_files, desk.ledger.tally.alarms) == (1, 0)
    (name,) = bank.names()
    assert (bank.folder / name).read_bytes().startswith(b"NY000010")
    assert [path.name for path in (town.settings.outbox_dir / "avtalegiro" / "uploaded").iterdir()] == [name]


def test_a_bank_that_is_away_is_an_alarm_and_gets_the_file_with_the_next_run(town: Town, bank: SftpServer) -> None:
    town.invoice(town.plan(claim="02"))
    bank.breaks = {"write": "before"}
    with town.desk() as desk:
        send_due(desk)
        send_due(desk)
        assert (desk.ledger.tally.uploaded_files, desk.ledger.tally.alarms) == (0, 1)
    with town.desk() as desk:
        send_due(desk)
        assert (desk.ledger.tally.uploaded_files, desk.ledger.tally.alarms) == (1, 0)
    assert len(bank.done) == 1
