"""The customer register as the accounting system exports it, with the bad rows that every such file has."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO

from app.sandbox.demo.residents import Resident, Town
from app.sandbox.people import made_up_person

COLUMNS = (
    *("customer_number", "kind", "national_id", "name"),
    *("address_line_1", "address_line_2", "postal_code", "city", "country"),
    *("mobile", "email", "language", "address_protection", "deceased_on"),
)
BAD_CUSTOMER = 800_000_001
Row = dict[str, str]


def write_register(out: IO[str], town: Town) -> Iterator[Resident]:
    """Write the file (``;``, header first) resident by resident, each handed on after its row; bad rows in between."""
    writer = csv.DictWriter(out, COLUMNS, restval="", delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    bad = bad_rows(town)
    places = {(place + 1) * town.residents // (len(bad) + 1) for place in range(len(bad))}
    waiting = iter(bad)
    for number in range(town.residents):
        if number in places:
            writer.writerows([row for row in [next(waiting, None)] if row])
        resident = town.resident(number)
        writer.writerow(row_of(resident))
        yield resident
    writer.writerows(waiting)


def row_of(resident: Resident) -> Row:
    """One good row; now and then a second address line."""
    own = resident.traits
    has_care_of = resident.number % 37 == 5 and resident.address.street
    return {
        "customer_number": resident.customer_number,
        "kind": "organisation" if own.is_organisation else "person",
        "national_id": resident.national_id,
        "name": resident.name,
        "address_line_1": "c/o Åse Solbakk" if has_care_of else resident.address.street,
        "address_line_2": resident.address.street if has_care_of else "",
        "postal_code": resident.address.postal_code,
        "city": resident.address.city,
        "country": resident.country,
        "mobile": resident.mobile,
        "email": resident.email,
        "language": own.language,
        "address_protection": own.protection,
        "deceased_on": str(resident.deceased_on or ""),
    }


def bad_rows(town: Town) -> list[Row]:
    """Rows with one fault each, and two that share a national id; customer numbers that no good row has."""
    spare = [made_up_person(town.seed, town.residents + place) for place in range(9)]
    rows = [row_of(town.resident(0)) for _ in spare]
    for place, (row, person) in enumerate(zip(rows, spare, strict=True)):
        row |= {"customer_number": str(BAD_CUSTOMER + place), "kind": "person", "name": person.name}
        row |= {"national_id": person.national_id, "mobile": "", "email": "", "deceased_on": ""}
    letters, wrong_check, one, other, nameless, numberless, kind, postal_code, died = rows
    letters["national_id"] = letters["national_id"][:4] + "O" + letters["national_id"][5:]
    wrong_check["national_id"] = f"{wrong_check['national_id'][:-1]}{(int(wrong_check['national_id'][-1]) + 1) % 10}"
    other["national_id"] = one["national_id"]
    nameless["name"] = ""
    numberless["customer_number"] = ""
    kind["kind"] = "firma"
    postal_code["postal_code"] = "41O0"
    died["deceased_on"] = "2026-02-30"
    return rows
