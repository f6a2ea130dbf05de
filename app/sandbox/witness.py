"""What left the house, counted without the product's database.

From ``SANDBOX_DIR/received.jsonl`` for the services behind HTTP, and from the files in ``OUTBOX_DIR`` for the ways that
are files: ``avtalegiro/*.txt`` (claims by their foreign reference; a cancellation with equal KID, due date and amount
takes one back), ``print/*/manifest.csv`` and the Maildir ``email/`` (by distinct Message-ID). A later ``refused`` line
with the same id, or with a mail's Message-ID, takes back what it names.

``python -m app.sandbox.witness INSTANCE_DIR`` prints the totals and doubles as one JSON object. A foreign reference
holds 25 characters, so a longer invoice number is known by its last 25 there; ``Count.of`` looks under both.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from app.sandbox.received import Index, read_log

REFERENCE_LENGTH = 25
LONGEST_MAIL_HEADER = 1 << 16
COUNTED = ("demand", "notice", "claim")


@dataclass(frozen=True, slots=True)
class Taking:
    """One thing that left and stands: ``kind`` is demand, notice or claim; ``way`` is the service or folder."""

    invoice: str
    kind: str
    way: str
    id: str


@dataclass(frozen=True, slots=True)
class Count:
    """Everything that stands, by invoice number."""

    standing: Mapping[str, Sequence[Taking]]

    def of(self, invoice: str, kind: str) -> list[Taking]:
        """What stands for one invoice as one kind."""
        names = dict.fromkeys((invoice, invoice[-REFERENCE_LENGTH:]))
        return [one for name in names for one in self.standing.get(name, ()) if one.kind == kind]

    def asked_to_pay(self, invoice: str) -> int:
        """How often the resident is asked for the money: demands and claims. One is right."""
        return len(self.of(invoice, "demand")) + len(self.of(invoice, "claim"))

    def doubles(self) -> dict[str, list[Taking]]:
        """Invoices that are asked for, or told of, more than once."""
        return {
            invoice: list(takings)
            for invoice, takings in self.standing.items()
            if self.asked_to_pay(invoice) > 1 or len(self.of(invoice, "notice")) > 1
        }

    def totals(self) -> dict[str, Any]:
        """Figures and doubles, ready for JSON."""
        every = [one for takings in self.standing.values() for one in takings]
        kinds, ways = Counter(one.kind for one in every), Counter(f"{one.way} {one.kind}" for one in every)
        return {
            "invoices": len(self.standing),
            "demands": kinds["demand"],
            "claims": kinds["claim"],
            "notices": kinds["notice"],
            "by_way": dict(sorted(ways.items())),
            "double": {invoice: [asdict(one) for one in takings] for invoice, takings in self.doubles().items()},
        }


def count(sandbox_directory: Path, outbox_directory: Path) -> Count:
    """Count what stands. Raises `LogDamaged`, and ValueError for a file in the outbox that cannot be read."""
    log = Index()
    for entry in read_log(sandbox_directory):
        log.add(dict(entry))
    bounced = {identifier for (_, identifier), record in log.records.items() if record.taken_back or record.refused}
    standing: dict[str, list[Taking]] = defaultdict(list)
    for taking in (
        *from_log(log),
        *claims_in(outbox_directory / "avtalegiro"),
        *letters_in(outbox_directory / "print"),
        *(mail for mail in mails_in(outbox_directory / "email") if mail.id not in bounced),
    ):
        standing[taking.invoice].append(taking)
    return Count(standing)


def count_instance(instance_directory: Path) -> Count:
    """`count` with the places of development: ``sandbox`` and ``outbox`` under INSTANCE_DIR."""
    return count(instance_directory / "sandbox", instance_directory / "outbox")


def from_log(log: Index) -> Iterator[Taking]:
    """What the services took and did not take back."""
    for (service, identifier), record in log.records.items():
        taken = record.taken
        if taken is None or not record.stands or taken["kind"] not in COUNTED or taken["invoice"] is None:
            continue
        way = f"{service} {taken['type']}" if "type" in taken else service
        yield Taking(taken["invoice"], taken["kind"], way, identifier)


def claims_in(folder: Path) -> list[Taking]:
    """AvtaleGiro claims that were not cancelled (AvtaleGiro system specification 3.3, record types 30 and 31)."""
    claims: dict[tuple[str, str, int], list[Taking]] = defaultdict(list)
    cancelled: list[tuple[str, str, int]] = []
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="iso-8859-1").splitlines()
        for number, line in enumerate(lines, start=1):
            if line[:4] != "NY21" or line[6:8] != "30":
                continue
            if len(line) != 80 or not line[32:49].isdigit() or number == len(lines):
                raise ValueError(f"{path.name}: line {number} is not a whole claim record")
            key = line[49:74].strip(), line[15:21], int(line[32:49])
            if line[4:6] == "93":
                cancelled.append(key)
            else:
                reference = lines[number][50:75].strip()
                claims[key].append(Taking(reference, "claim", "avtalegiro", f"{path.name}:{line[8:15]}"))
    for key in cancelled:
        if claims[key]:
            claims[key].pop(0)
    return [claim for takings in claims.values() for claim in takings]


def letters_in(folder: Path) -> Iterator[Taking]:
    """Letters of the print batches that were handed over."""
    for path in sorted(folder.glob("[!.]*/manifest.csv")):
        with path.open(encoding="utf-8-sig", newline="") as manifest:
            header = manifest.readline()
            delimiter = ";" if header.count(";") > header.count(",") else ","
            fields = next(csv.reader([header], delimiter=delimiter))
            for row in csv.DictReader(manifest, fields, delimiter=delimiter):
                if not row.get("invoice") or row.get("kind") not in COUNTED:
                    raise ValueError(f"{path.parent.name}/manifest.csv: a row lacks invoice or kind")
                yield Taking(row["invoice"], row["kind"], "print", path.parent.name)


def mails_in(folder: Path) -> Iterator[Taking]:
    """Invoice mails of a Maildir, each Message-ID once."""
    seen: set[str] = set()
    for path in sorted((*folder.glob("new/*"), *folder.glob("cur/*"))):
        with path.open("rb") as mail:
            head = mail.read(LONGEST_MAIL_HEADER).replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        headers = BytesHeaderParser().parsebytes(head)
        invoice, message_id = _text(headers["X-Invoice-Number"]), _text(headers["Message-ID"]).strip("<>")
        if invoice and message_id not in seen:
            seen.add(message_id)
            yield Taking(invoice, _text(headers["X-Invoice-Kind"]) or "demand", "email", message_id)


def _text(value: Any) -> str:
    """A header without its MIME coding."""
    text = str(value or "").strip()
    return str(make_header(decode_header(text))) if "=?" in text else text


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the totals; 1 when anything stands twice."""
    parser = argparse.ArgumentParser(prog="python -m app.sandbox.witness", description="Count what left the house.")
    parser.add_argument("instance", type=Path, help="INSTANCE_DIR, with sandbox/ and outbox/ under it")
    parser.add_argument("--sandbox", type=Path, help="SANDBOX_DIR when it lies elsewhere")
    parser.add_argument("--outbox", type=Path, help="OUTBOX_DIR when it lies elsewhere")
    given = parser.parse_args(arguments)
    counted = count(given.sandbox or given.instance / "sandbox", given.outbox or given.instance / "outbox")
    sys.stdout.write(json.dumps(counted.totals(), ensure_ascii=False) + "\n")
    return 1 if counted.doubles() else 0


if __name__ == "__main__":
    raise SystemExit(main())
