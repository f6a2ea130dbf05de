"""The sandbox as processes of its own: addressed by path, sharing one truth, surviving a kill."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.sandbox.__main__ import main
from app.sandbox.received import read_log
from app.sandbox.transport import SandboxProcess
from app.sandbox.world import Faults, write_world
from tests.sandbox.samples import KARI, PEOPLE, outcomes, shipment, transaction, vipps_invoice

ID = "orgno-no.946485764.F-1001"


class Server:
    """One process of ``python -m app.sandbox`` on a free port."""

    def __init__(self, directory: Path, *more: str) -> None:
        command = [sys.executable, "-m", "app.sandbox", "--directory", str(directory), "--port", "0"]
        self.process = subprocess.Popen([*command, "--timeout-seconds", "20", *more], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split()[-1]

    def url(self, host: str, path: str) -> str:
        """The address of *path* at *host*, by way of this process."""
        return f"{self.address}/_host/{host}{path}"

    def put(self, client: httpx.Client) -> int:
        """Send one invoice to Vipps; returns the status."""
        host = "invoice-api.vipps.no"
        secrets = {"client_id": "a", "client_secret": "b"}
        token = client.post(self.url(host, "/accesstoken/get"), headers=secrets).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "X-Witness-Invoice": "F-1001", "X-Witness-Kind": "demand"}
        asked = {"type": "nin-no", "value": KARI.national_id}
        found = client.post(self.url(host, "/vipps-isp/v1/recipients/tokens"), json=asked, headers=headers)
        body = vipps_invoice(found.json()["recipientToken"])
        return client.put(self.url(host, f"/vipps-isp/v1/invoices/{ID}"), json=body, headers=headers).status_code


@pytest.fixture
def network() -> Iterator[httpx.Client]:
    """A client that reaches the network of this machine."""
    with httpx.Client(timeout=httpx.Timeout(20.0), trust_env=False) as client:
        yield client


@contextlib.contextmanager
def serving(directory: Path, *more: str) -> Iterator[Server]:
    """A server for as long as the block runs."""
    server = Server(directory, *more)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def test_two_processes_take_one_message_once_and_a_third_knows_it_after_a_kill(
    directory: Path, network: httpx.Client
) -> None:
    with serving(directory) as one, serving(directory) as other:
        assert [one.put(network), other.put(network)] == [200, 200]
        one.process.send_signal(signal.SIGKILL)
        one.process.wait(20)
        assert other.put(network) == 200
    with serving(directory) as third:
        assert third.put(network) == 200
    assert outcomes(directory, ID) == ["accepted", "repeat", "repeat", "repeat"]


def test_each_service_is_reached_at_its_own_address_through_the_process(directory: Path) -> None:
    with serving(directory) as server, httpx.Client(transport=SandboxProcess(server.address), timeout=20) as client:
        sent = client.post("https://efaktura-gateway.sandbox/v1/shipments", json=shipment(transaction()))
        assert sent.is_success
        witness = {b"X-Witness-Invoice": "F-Ø1".encode()}
        address = f"http://localhost:9093/api/capabilities/{KARI.national_id}"
        found = client.get(address, params={"process": "x y"}, headers=witness)
        assert found.json() == {"capabilities": []}
        assert client.get("https://example.com/").status_code == 421
    taken = [(entry["service"], entry["invoice"]) for entry in read_log(directory)]
    assert taken == [("efaktura", "F-1001"), ("eformidling", "F-Ø1")]


def test_a_process_that_is_not_there_is_no_connection(directory: Path) -> None:
    with serving(directory) as server:
        transport = SandboxProcess(server.address)
    with httpx.Client(transport=transport) as client, pytest.raises(httpx.ConnectError):
        client.get("http://localhost:9093/api/statuses/peek")


def test_the_process_lives_on_the_day_it_is_told(directory: Path) -> None:
    with serving(directory, "--today", "2031-05-17") as server, httpx.Client(timeout=20) as client:
        client.get(server.url("localhost:9093", f"/api/capabilities/{KARI.national_id}")).raise_for_status()
    [entry] = read_log(directory)
    assert entry["at"].startswith("2031-05-1")


def test_a_lost_answer_is_held_back_until_the_client_gives_up(directory: Path, network: httpx.Client) -> None:
    write_world(directory, PEOPLE, Faults(invoices={"F-1001": {"efaktura": ["timeout_after"]}}))
    one = transaction()
    with serving(directory) as server:
        address = server.url("efaktura-gateway.sandbox", "/v1/shipments")
        with pytest.raises(httpx.ReadTimeout):
            network.post(address, json=shipment(one), timeout=1.0)
        assert network.get(
            server.url("efaktura-gateway.sandbox", f"/v1/transactions/{one['transactionId']}")
        ).is_success
    assert outcomes(directory, one["transactionId"]) == ["accepted"]


def test_sigterm_ends_the_process_cleanly_and_no_request_is_written_out(directory: Path, network: httpx.Client) -> None:
    server = Server(directory)
    network.get(server.url("localhost:9093", f"/api/capabilities/{KARI.national_id}")).raise_for_status()
    server.process.send_signal(signal.SIGTERM)
    output, _ = server.process.communicate(timeout=20)
    assert (server.process.returncode, output) == (0, "")


def test_a_wrong_command_line_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0"])
    assert ended.value.code == 2
    assert "--directory" in capsys.readouterr().err
