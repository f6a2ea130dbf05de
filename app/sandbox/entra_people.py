"""The made-up employees of the sandbox's municipality, with what the log-in says about each."""

from __future__ import annotations

from dataclasses import dataclass

TENANT = "5a7db0c0-0000-4000-8000-0000000000e1"


@dataclass(frozen=True, slots=True)
class Employee:
    """One person. ``roles`` are app roles by value; ``groups`` are object ids, as Entra ID gives them."""

    oid: str
    name: str
    title: str
    address: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]


def _employee(number: int, name: str, title: str, address: str, role: str) -> Employee:
    roles = (f"Fakturaportalen.{role}",) if role else ()
    groups = (f"5a7db0c0-0000-4000-8000-00000000f00{number}",) if role else ()
    return Employee(
        f"5a7db0c0-0000-4000-8000-00000000000{number}", name, title, f"{address}@example.com", roles, groups
    )


PEOPLE = (
    _employee(1, "Oddvar Drift", "driftsansvarlig", "oddvar.drift", "Operator"),
    _employee(2, "Sigrid Saksbehandler", "saksbehandler", "sigrid.saksbehandler", "Caseworker"),
    _employee(3, "Tora Tall", "bare statistikk", "tora.tall", "Statistics"),
    _employee(4, "Ulrik Utenfor", "ingen rolle", "ulrik.utenfor", ""),
)


def person_of(oid: str) -> Employee | None:
    """The employee with this object id."""
    return next((person for person in PEOPLE if person.oid == oid), None)
