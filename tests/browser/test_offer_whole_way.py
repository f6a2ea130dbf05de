"""From the offer through a real mail server into a mailbox, a press in a browser, and on to the first eFaktura."""

from __future__ import annotations

import json
import re
import shutil
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from app import create_app
from app.core.database import db
from app.core.settings import Settings
from app.sandbox.received import read_log
from app.sandbox.world import Efaktura, Person, write_world
from tests.browser.conftest import Quiet, free_port
from tests.conftest import make_settings
from tests.invoices.builders import ehf
from tests.portal.people import national_id

NUMBER, ADDRESS = "F-2026-1", "kari@example.com"
PERSON = national_id(50)
REGISTER = (
    "customer_number;name;national_id;address_line_1;postal_code;city;email;language\n"
    f"100001;Kari Nordmann;{PERSON};Utsikten 1;4100;Jørpeland;{ADDRESS};nb\n"
)


@contextmanager
def mail_server(folder: Path, port: int) -> Iterator[None]:
    """A mail server in a process of its own, which lays every mail into the Maildir *folder*."""
    listen = ["-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Mailbox", str(folder)]
    with subprocess.Popen([sys.executable, "-m", "aiosmtpd", *listen]) as process:
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                with suppress(OSError), smtplib.SMTP("127.0.0.1", port):
                    break
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


@contextmanager
def served(app: Flask, port: int) -> Iterator[None]:
    """The site, on this machine alone."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Town:
    """One installation with one resident, whose bank knows them."""

    def __init__(self, app: Flask, mailbox: Path) -> None:
        self.settings: Settings = app.config["SETTINGS"]
        self._runner: FlaskCliRunner = app.test_cli_runner()
        self._mailbox = mailbox

    def run(self, *command: str) -> dict[str, object]:
        """One command; gives what it told."""
        done = self._runner.invoke(args=[*command, "--format", "json"])
        assert done.exit_code == 0, done.output
        told: dict[str, object] = json.loads(done.stdout)
        return told

    def bank_says(self, *, accepts: bool) -> None:
        """What the eFaktura register knows."""
        kari = Person(PERSON, None, "Kari Nordmann", efaktura=Efaktura("EF000000000000777", accepts))
        write_world(self.settings.sandbox_dir, [kari])

    def put(self, room: str, name: str, content: bytes) -> None:
        """Lay a file into the drop folder."""
        folder = self.settings.inbox_dir / room
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    def mails(self) -> list[EmailMessage]:
        """Everything in the mailbox, oldest first."""
        files = sorted((self._mailbox / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]

    def left_as(self, kind: str) -> list[str]:
        """The invoices that the eFaktura gateway took as *kind*."""
        log = read_log(self.settings.sandbox_dir)
        taken = [line for line in log if (line["service"], line["kind"]) == ("efaktura", kind)]
        return [str(line["invoice"]) for line in taken if line["outcome"] == "accepted"]


@pytest.fixture(params=["agreement", "guide"])
def town(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[Town]:
    """An installation that sends its mail over SMTP."""
    instance, mailbox, site_port, mail_port = tmp_path / "instance", tmp_path / "mailbox", free_port(), free_port()
    instance.mkdir()
    shutil.copy(sqlite_template, instance / "fakturaportalen.db")
    settings = make_settings(
        instance, base_url=f"http://127.0.0.1:{site_port}", efaktura_activation=request.param,
        mail_server="127.0.0.1", mail_port=mail_port, mail_use_tls=False, allowed_recipients=(ADDRESS,),
        retry_waits=(), email_settle_days=0,
    )  # fmt: skip
    app = create_app(settings)
    with mail_server(mailbox, mail_port), served(app, site_port), app.app_context():
        yield Town(app, mailbox)
        db.session.remove()
        db.engine.dispose()


def plain(mail: EmailMessage) -> str:
    """The words of *mail*."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def press_yes(page: Page, town: Town, link: str) -> None:
    """Open the link and say yes; in the bank too, where that is the way."""
    is_guide = town.settings.efaktura_activation == "guide"
    page.goto(link)
    page.get_by_label("Ja, vis meg hvordan" if is_guide else "Ja, slå på eFaktura").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Send svaret").click()
    expected = "Slik slår du på eFaktura" if is_guide else "Vi holder på å slå på eFaktura"
    assert page.get_by_role("heading", level=1).inner_text() == expected
    if is_guide:
        with page.expect_navigation():
            page.get_by_role("button", name="Sjekk om det virker").click()
        assert page.get_by_role("status").inner_text().startswith("Vi ser ikke eFaktura hos deg ennå.")
        town.bank_says(accepts=True)


def test_an_offer_becomes_an_efaktura(town: Town, chromium: Browser) -> None:
    town.bank_says(accepts=False)
    town.put("register", "residents.csv", REGISTER.encode())
    town.run("residents", "import")
    assert town.run("offers", "send")["sent"] == 1
    (offer,) = town.mails()
    assert offer["To"] == ADDRESS
    assert offer["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (link,) = set(re.findall(r"http://\S+/efaktura/\S+", plain(offer)))
    page = chromium.new_page(locale="nb")
    press_yes(page, town, link)
    town.put("invoices", "invoice.xml", ehf(NUMBER))
    report = town.run("invoices", "run")["report"]
    assert isinstance(report, dict)
    assert report["by_channel"] == {**dict.fromkeys(report["by_channel"], 0), "efaktura": 1}
    assert town.left_as("demand") == [NUMBER]
    page.goto(link)
    assert page.get_by_role("heading", level=1).inner_text() == "eFaktura er slått på"
    page.context.close()
    _, receipt = town.mails()
    assert "slått på" in plain(receipt)
    assert town.run("offers", "send")["sent"] == 0, "nobody is asked twice"
