"""Changes the keys of the national ids while everything goes on running.

1. The new keys are put *first* in their files: everyone reads by them, nobody writes by them yet.
2. After a pause, so that no look-up under way knows the old keys alone, every row is encrypted and indexed anew.
3. The new keys are put last: everyone writes by them. What was written by the old ones meanwhile is renewed too.

Each step is recognised from the files and rows, so a change that was broken off goes on where it was.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.atomic import write_atomically
from app.core.crypto import KEY_BYTES, VAULT_KEYS, KeyRing, NationalIdUnreadable, NationalIdVault
from app.core.errors import NotPossible
from app.core.settings import Settings
from app.residents.models import Resident

BATCH = 500
Progress = Callable[[int], None]
Rings = tuple[KeyRing, KeyRing]


@dataclass(slots=True)
class Rotation:
    """What was done. ``unreadable``, ``clashing``: residents' public ids that need a person."""

    key_id: int
    renewed: int
    unreadable: list[str]
    clashing: list[str]


def rotate(session: Session, settings: Settings, wait_seconds: float, progress: Progress | None = None) -> Rotation:
    """Give every national id a new encryption key and a new index key; commits batch by batch.

    The old keys stay in the files, for backups, until `retire`. Raises `KeysUnusable`.
    """
    paths = [settings.keys_dir / name for name in VAULT_KEYS]
    key_id = _stand_by(session, paths)
    time.sleep(wait_seconds)
    rotation = Rotation(key_id, 0, [], [])
    _renew(session, _newest_last(paths, key_id), rotation, progress)
    for path in paths:
        _write(path, _ordered(KeyRing.load(path), key_id))
    time.sleep(wait_seconds)
    rotation.unreadable.clear()
    rotation.clashing.clear()
    _renew(session, _newest_last(paths, key_id), rotation, progress)
    return rotation


def retire(session: Session, settings: Settings) -> list[int]:
    """Take the keys that no row needs out of the files; gives their ids. Raises `NotPossible` while a row needs one."""
    paths = [settings.keys_dir / name for name in VAULT_KEYS]
    rings = [KeyRing.load(path) for path in paths]
    newest = {ring.newest_id for ring in rings}
    if len(newest) != 1:
        raise NotPossible("a change of keys is under way: finish it by flask keys rotate-national-ids")
    key_id = newest.pop()
    left = session.scalar(select(func.count()).select_from(Resident).where(_is_old(key_id))) or 0
    if left:
        raise NotPossible(f"{left} residents still need an older key: flask keys rotate-national-ids")
    retired = sorted({old for ring in rings for old in ring.keys} - {key_id})
    for path, ring in zip(paths, rings, strict=True):
        _write(path, KeyRing([(key_id, ring.keys[key_id])]))
    return retired


def _stand_by(session: Session, paths: list[Path]) -> int:
    """The id of the new keys: those of a change broken off, else new ones, put first in both files."""
    rings = [KeyRing.load(path) for path in paths]
    highest = max(key_id for ring in rings for key_id in ring.keys)
    is_done = all(ring.newest_id == highest for ring in rings)
    has_rows_left = session.scalar(select(Resident.id).where(_is_old(highest)).limit(1)) is not None
    session.rollback()
    key_id = highest + 1 if is_done and not has_rows_left else highest
    for path, ring in zip(paths, rings, strict=True):
        if key_id not in ring.keys:
            _write(path, KeyRing([(key_id, secrets.token_bytes(KEY_BYTES)), *ring.keys.items()]))
    return key_id


def _newest_last(paths: list[Path], key_id: int) -> NationalIdVault:
    """A vault that already writes by the new keys."""
    return NationalIdVault(*[_ordered(KeyRing.load(path), key_id) for path in paths])


def _ordered(ring: KeyRing, key_id: int) -> KeyRing:
    older = [(other, key) for other, key in ring.keys.items() if other != key_id]
    return KeyRing([*older, (key_id, ring.keys[key_id])])


def _write(path: Path, ring: KeyRing) -> None:
    write_atomically(path, ring.lines, mode=0o600)


def _renew(session: Session, vault: NationalIdVault, rotation: Rotation, progress: Progress | None) -> None:
    after = 0
    while True:
        query = (
            select(Resident.id, Resident.public_id, Resident.national_id_encrypted)
            .where(Resident.id > after, _is_old(rotation.key_id))
            .order_by(Resident.id)
            .limit(BATCH)
        )
        rows = session.execute(query).all()
        session.rollback()
        if not rows:
            return
        for resident_id, public_id, blob in rows:
            _renew_one(session, vault, rotation, resident_id, public_id, blob or b"")
        session.commit()
        after = rows[-1].id
        if progress is not None:
            progress(len(rows))


def _renew_one(
    session: Session, vault: NationalIdVault, rotation: Rotation, resident_id: int, public_id: str, blob: bytes
) -> None:
    try:
        number = vault.decrypt(blob, row=public_id)
    except NationalIdUnreadable:
        rotation.unreadable.append(public_id)
        return
    changed = (
        update(Resident)
        # Only what was read: an import may have brought another number meanwhile, and the next round finds it.
        .where(Resident.id == resident_id, Resident.national_id_encrypted == blob)
        .values(national_id_encrypted=vault.encrypt(number, row=public_id), national_id_index=vault.blind_index(number))
        .execution_options(synchronize_session=False)
    )
    try:
        with session.begin_nested():
            rotation.renewed += session.execute(changed.returning(Resident.id)).one_or_none() is not None
    except IntegrityError:
        rotation.clashing.append(public_id)


def _is_old(key_id: int) -> ColumnElement[bool]:
    prefix = key_id.to_bytes(2, "big")
    return Resident.national_id_encrypted.is_not(None) & or_(
        func.substr(Resident.national_id_encrypted, 1, 2) != prefix,
        func.substr(Resident.national_id_index, 1, 2) != prefix,
    )
