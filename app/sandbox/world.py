"""What the registries know: the made-up people and the faults of ``SANDBOX_DIR/sandbox.json``.

The file is one JSON object; ``flask demo`` writes it with :func:`write_world`::

    {"people": [PERSON, …], "faults": FAULTS, "ages": {"efaktura": {"PROCESSED": 5}, …}}

    PERSON = {"national_id": "20914695016" | null, "mobile": "+4799999999" | null, "name": "Kari Nordmann",
              "address_line_1": "Utsikten 1" | null, "postal_code": "4100" | null, "city": "JØRPELAND" | null,
              "krr": {"status": "AKTIV" | "SLETTET" | "IKKE_REGISTRERT", "reserved": false, "can_be_notified": true,
                      "mailbox": "digipost" | "e-boks" | null, "email": "kari@example.com" | null,
                      "mobile": "+4799999999" | null, "updated_at": "2026-06-10T21:00:01+02" | null},
              "efaktura": {"identifier": "EF…" | null, "accepts": true, "blocked_issuers": ["946485764"]},
              "vipps": {"accepts": true}}

    FAULTS = {"seed": 1,
              "services": {"vipps": {"rate": 0.05, "kinds": ["refuse", "429", "500", "timeout_before",
                                                             "timeout_after", "late_refusal", "slow"]}, …},
              "people":   {"20914695016": {"efaktura": "refuse"}},
              "invoices": {"F-1001": {"vipps": ["timeout_after", "", "late_refusal"]}}}

Services are ``krr, maskinporten, efaktura, vipps, eformidling, svarut, sms`` (``faults.py`` says what each kind does).
An override is one kind (at every try) or a list (one per try, ``""`` = none, nothing after the last). ``ages`` are the
seconds after which a state is seen, per service and state; absent = at once.

Only ``national_id``, ``mobile`` and ``name`` are required of a person; a missing registry is answered by the rule for
unknown people (:func:`unknown_person`), which depends on nothing but the id, so that every synthetic id works without
a file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

WORLD_FILE = "sandbox.json"
KrrStatus = Literal["AKTIV", "SLETTET", "IKKE_REGISTRERT"]
Mailbox = Literal["digipost", "e-boks"]
SERVICES = ("krr", "maskinporten", "efaktura", "vipps", "eformidling", "svarut", "sms")
FAULT_KINDS = ("refuse", "429", "500", "timeout_before", "timeout_after", "late_refusal", "slow", "500_after")
# Of agreements at the eFaktura gateway, and only when they are named.
AGREEMENT_FAULT_KINDS = ("lost", "ended_later")
EVERY_KIND = (*FAULT_KINDS, *AGREEMENT_FAULT_KINDS)
RULE_UPDATED_AT = "2026-06-10T21:00:01+02"


class WorldInvalid(ValueError):
    """``sandbox.json`` cannot be used; the text names the place, never a person's number."""


@dataclass(frozen=True, slots=True)
class Krr:
    """A person in the contact and reservation register."""

    status: KrrStatus = "IKKE_REGISTRERT"
    reserved: bool = False
    can_be_notified: bool = False
    mailbox: Mailbox | None = None
    email: str | None = None
    mobile: str | None = None
    updated_at: str | None = None


@dataclass(frozen=True, slots=True)
class Efaktura:
    """A person in the eFaktura register: ``accepts`` is "ja takk til alle"."""

    identifier: str | None = None
    accepts: bool = False
    blocked_issuers: tuple[str, ...] = ()

    def takes_from(self, issuer: str) -> bool:
        """Whether an invoice from this organisation number reaches the person."""
        return self.identifier is not None and self.accepts and issuer not in self.blocked_issuers


@dataclass(frozen=True, slots=True)
class Vipps:
    """Whether the person has "Alltid Vipps eFaktura" on."""

    accepts: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up resident as the registries see them; ``mobile`` is E.164."""

    national_id: str | None
    mobile: str | None
    name: str
    krr: Krr = field(default_factory=Krr)
    efaktura: Efaktura = field(default_factory=Efaktura)
    vipps: Vipps = field(default_factory=Vipps)
    address_line_1: str | None = None
    postal_code: str | None = None
    city: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceFaults:
    """How often (0 to 1) and with which kinds a service fails."""

    rate: float = 0.0
    kinds: tuple[str, ...] = FAULT_KINDS


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults on demand, drawn from ``seed``, the message's id and the number of tries."""

    seed: int = 0
    services: Mapping[str, ServiceFaults] = field(default_factory=dict)
    people: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)
    invoices: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)


def _share(digest: bytes, position: int) -> int:
    """0 to 99, evenly enough for made-up people."""
    return int.from_bytes(digest[position * 2 : position * 2 + 2], "big") % 100


def unknown_person(key: str) -> Person:
    """A person who is not in the file, by rule from SHA-256 of the national id or number *key*.

    Of 100: 88 active in KRR (4 reserved, 2 not notifiable), 3 deleted, 9 unknown; of the active 35 Digipost and 20
    e-Boks; 45 take eFaktura; 50 take Vipps. Each from its own two bytes, so that all combinations occur.
    """
    digest = hashlib.sha256(f"sandbox:{key}".encode()).digest()
    in_krr, box = _share(digest, 0), _share(digest, 2)
    status: KrrStatus = "AKTIV" if in_krr < 88 else "SLETTET" if in_krr < 91 else "IKKE_REGISTRERT"
    is_active, is_reserved = status == "AKTIV", status == "AKTIV" and _share(digest, 1) < 4
    mailbox: Mailbox | None = "digipost" if box < 35 else "e-boks" if box < 55 else None
    return Person(
        national_id=key if not key.startswith("+") else None,
        mobile=key if key.startswith("+") else None,
        name=f"Sandkassen {digest[:3].hex()}",
        krr=Krr(
            status=status,
            reserved=is_reserved,
            can_be_notified=is_active and not is_reserved and _share(digest, 3) >= 2,
            mailbox=mailbox if is_active and not is_reserved else None,
            email=f"{digest[:4].hex()}@example.com" if is_active else None,
            updated_at=RULE_UPDATED_AT if is_active else None,
        ),
        efaktura=Efaktura(identifier=f"EF{int.from_bytes(digest[:6], 'big'):015d}", accepts=_share(digest, 4) < 45),
        vipps=Vipps(accepts=_share(digest, 5) < 50),
        address_line_1=f"Sandgata {_share(digest, 6) + 1}",
        postal_code="4100",
        city="JØRPELAND",
    )


def write_world(
    directory: Path,
    people: Iterable[Person],
    faults: Faults | None = None,
    ages: Mapping[str, Mapping[str, float]] | None = None,
) -> Path:
    """Write ``sandbox.json`` into *directory* (made if missing), whole or not at all; one person a line."""
    directory.mkdir(parents=True, exist_ok=True)
    path, unfinished = directory / WORLD_FILE, directory / f"{WORLD_FILE}.{os.getpid()}.tmp"
    with unfinished.open("w", encoding="utf-8") as out:
        out.write('{"people": [')
        for number, person in enumerate(people):
            out.write((",\n" if number else "\n") + json.dumps(asdict(person), ensure_ascii=False))
        out.write(f'\n],\n"faults": {json.dumps(asdict(faults or Faults()))},\n"ages": {json.dumps(ages or {})}}}\n')
    unfinished.replace(path)
    return path


def efaktura_from_json(entry: Mapping[str, Any]) -> Efaktura:
    """The element ``efaktura`` of a person."""
    return Efaktura(entry["identifier"], entry["accepts"], tuple(entry.get("blocked_issuers", ())))


def person_from_json(entry: Any) -> Person:
    """One element of ``people``; raises `WorldInvalid`."""
    try:
        named = {field: entry[field] for field in ("national_id", "mobile", "name")}
        placed = {field: entry.get(field) for field in ("address_line_1", "postal_code", "city")}
        if entry.keys() >= {"krr", "efaktura", "vipps"}:
            registries = Krr(**entry["krr"]), efaktura_from_json(entry["efaktura"]), Vipps(**entry["vipps"])
        else:
            known = unknown_person(named["national_id"] or named["mobile"] or named["name"])
            registries = (
                Krr(**entry["krr"]) if "krr" in entry else known.krr,
                efaktura_from_json(entry["efaktura"]) if "efaktura" in entry else known.efaktura,
                Vipps(**entry["vipps"]) if "vipps" in entry else known.vipps,
            )
    except (KeyError, TypeError, AttributeError):
        raise WorldInvalid("a person lacks national_id, mobile or name, or has an unknown field") from None
    krr, efaktura, vipps = registries
    return Person(**named, krr=krr, efaktura=efaktura, vipps=vipps, **placed)


def faults_from_json(entry: Mapping[str, Any]) -> Faults:
    """The element ``faults``; raises `WorldInvalid` on an unknown service or kind."""
    services = {
        name: ServiceFaults(float(given.get("rate", 0)), tuple(given.get("kinds", FAULT_KINDS)))
        for name, given in entry.get("services", {}).items()
    }
    people, invoices = entry.get("people", {}), entry.get("invoices", {})
    overrides = [*people.values(), *invoices.values()]
    named = {kind for given in services.values() for kind in given.kinds}
    for override in overrides:
        for kinds in override.values():
            named |= {kinds} if isinstance(kinds, str) else set(kinds)
    strange = (named - {"", *EVERY_KIND}) | (({*services} | {key for one in overrides for key in one}) - {*SERVICES})
    if strange:
        raise WorldInvalid(f"{WORLD_FILE}: faults: unknown service or kind: {', '.join(sorted(strange))}")
    return Faults(int(entry.get("seed", 0)), services, people, invoices)
