"""The people of ``sandbox.json`` in memory, found by national id, mobile, eFaktura identifier or name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from app.sandbox.world import (
    WORLD_FILE,
    Faults,
    Person,
    WorldInvalid,
    faults_from_json,
    person_from_json,
    unknown_person,
)


@dataclass(slots=True)
class World:
    """One state of the file."""

    faults: Faults = field(default_factory=Faults)
    ages: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    by_national_id: dict[str, Person] = field(default_factory=dict)
    by_mobile: dict[str, Person] = field(default_factory=dict)
    by_identifier: dict[str, Person] = field(default_factory=dict)
    by_name: dict[tuple[str, str], list[Person]] = field(default_factory=dict)

    def add(self, person: Person) -> None:
        """Index one person under every key they have; the first of two with one number keeps it."""
        if person.national_id:
            self.by_national_id.setdefault(person.national_id, person)
        if person.mobile:
            self.by_mobile.setdefault(person.mobile, person)
        if person.efaktura.identifier:
            self.by_identifier.setdefault(person.efaktura.identifier, person)
        self.by_name.setdefault(name_key(person.name, person.postal_code), []).append(person)

    def with_national_id(self, national_id: str) -> Person:
        """The person, made up by rule when the file does not know them."""
        return self.by_national_id.get(national_id) or unknown_person(national_id)

    def with_mobile(self, mobile: str) -> Person:
        """The person with this number (E.164), made up by rule when the file does not know them."""
        return self.by_mobile.get(mobile) or unknown_person(mobile)

    def with_name(self, name: str, postal_code: str | None) -> list[Person]:
        """Everyone in the file with this name and postal code; nobody is made up from a name."""
        return self.by_name.get(name_key(name, postal_code), [])

    def age(self, service: str, state: str) -> float:
        """Seconds until *state* is seen; 0 = at once."""
        return float(self.ages.get(service, {}).get(state, 0))


def name_key(name: str, postal_code: str | None) -> tuple[str, str]:
    """Names compare without case and outer or double spaces."""
    return " ".join(name.casefold().split()), (postal_code or "").strip()


def load_world(directory: Path) -> World:
    """Read ``sandbox.json``; without a file everybody is made up. Raises `WorldInvalid`."""
    world = World()
    try:
        text = (directory / WORLD_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return world
    try:
        content = json.loads(text)
    except ValueError as error:
        raise WorldInvalid(f"{WORLD_FILE} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise WorldInvalid(f"{WORLD_FILE} is not one JSON object")
    world.faults = faults_from_json(content.get("faults", {}))
    world.ages = content.get("ages", {})
    for entry in content.get("people", []):
        world.add(person_from_json(entry))
    return world


class Registry:
    """The newest world; the file is read again when it changed, so that a test can change it under way."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._world = World()

    def world(self) -> World:
        """The people and faults of now; raises `WorldInvalid`."""
        try:
            status = (self._directory / WORLD_FILE).stat()
            seen: tuple[int, int, int] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except FileNotFoundError:
            seen = (0, 0, 0)
        if seen != self._seen:
            with self._lock:
                if seen != self._seen:
                    self._world, self._seen = load_world(self._directory), seen
        return self._world
