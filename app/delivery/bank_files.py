"""Brings the bank files that are handed over to the bank's server, where one is named; else the bank fetches them."""

from __future__ import annotations

import structlog

from app.clients.sftp import SftpUnavailable
from app.delivery.desk import Desk

log = structlog.get_logger(__name__)
BOX = "sftp"


def upload_bank_files(desk: Desk) -> int:
    """Bring what lies in the outbox there; gives how many files. A server that fails is left alone for this run."""
    tally = desk.ledger.tally
    if desk.bank is None or BOX in tally.closed_boxes:
        return 0
    desk.session.commit()
    try:
        names = desk.bank.take(desk.settings.outbox_dir / "avtalegiro")
    except SftpUnavailable as error:
        tally.closed_boxes.add(BOX)
        # Claims have a cut-off: whatever the cause, somebody must see that the files are still here.
        tally.alarms += 1
        log.error("bank files not uploaded", detail=error.detail, needs_repair=error.needs_alarm)
        return 0
    for name in names:
        log.info("bank file uploaded", file=name)
    tally.uploaded_files += len(names)
    return len(names)
