"""Files that must be turned away, each for its own reason, beside the good ones."""

from __future__ import annotations

from dataclasses import replace

from app.sandbox.demo.bankfiles import ENCODING, LINE_END
from app.sandbox.demo.drafts import Document, everyday
from app.sandbox.demo.residents import Town, mandate_kid
from app.sandbox.demo.ubl import ubl

ENTITY = b'<!DOCTYPE Invoice [<!ENTITY rente SYSTEM "file:///etc/hostname">]>\n'


def bad_invoice_files(town: Town, invoices: int) -> dict[str, bytes]:
    """Content by file name; the numbers inside are beyond the good ones, but for two that repeat the first invoice.

    ``zz-gjentatt`` repeats it word for word (nothing changes), ``zz-endret`` with another sum (turned away). They sort
    behind the numbers, so that the first one counts.
    """
    draft = replace(everyday(town, invoices), document=Document.NONE)
    good, first = ubl(draft), everyday(town, 0)
    head, rest = good.split(b"\n", 1)
    files = {
        "zz-avkuttet.xml": good[: len(good) // 2],
        "zz-entitet.xml": head + b"\n" + ENTITY + rest.replace(b"Strand kommune", b"&rente;", 1),
        "zz-ikke-xml.xml": "Faktura nr. 17: Åse skylder 100 kr\n".encode("cp1252"),
        "zz-ukjent-felt.xml": good.replace(b"cbc:BuyerReference", b"cbc:Bestillingsref"),
        "zz-tom.xml": b"",
    }
    if invoices:
        files[f"{first.fee.folder}/zz-gjentatt.xml".lstrip("/")] = ubl(first)
        files[f"{first.fee.folder}/zz-endret.xml".lstrip("/")] = ubl(
            replace(first, lines=(*first.lines, first.lines[0]))
        )
    return files


def bad_mandate_file(town: Town) -> bytes:
    """A mandate record of 79 characters: everything behind the missing one would be read a place off."""
    kid = mandate_kid(town.resident(0), town.today)
    records = [
        "NY000010000080809000001000102000".ljust(80, "0"),
        "NY212420000000000900000132900700120".ljust(80, "0"),
        f"NY2194700000011{kid:>25}J".ljust(79, "0"),
        "NY2124880000000100000003".ljust(80, "0"),
        "NY0000890000000100000005".ljust(80, "0"),
    ]
    return "".join(record + LINE_END for record in records).encode(ENCODING)
