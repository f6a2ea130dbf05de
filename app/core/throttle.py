"""Counts what somebody does, in the database, so that every process sees the same and a restart forgets nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import LargeBinary, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.crypto import KeyFile, KeyRing
from app.core.database import Base
from app.core.dialect import insert_counting
from app.core.settings import Settings


class ThrottleCount(Base):
    """How often one thing was done by one party since the window began. ``key_hash`` hides who and what."""

    __tablename__ = "throttle_count"

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[dt.datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most *most* times within *within*, counted in windows that begin at whole multiples of it."""

    name: str
    most: int
    within: dt.timedelta

    def ends_at(self, now: dt.datetime) -> dt.datetime:
        """When the window that holds *now* ends."""
        length = self.within.total_seconds()
        return dt.datetime.fromtimestamp((now.timestamp() // length + 1) * length, dt.UTC)


class TooOften(Exception):
    """A limit is reached; says which, and when the next try counts."""

    def __init__(self, limit: Limit, wait: dt.timedelta) -> None:
        super().__init__(limit.name)
        self.limit, self.wait = limit, wait


def hit(session: Session, settings: Settings, uses: Sequence[tuple[Limit, str]], now: dt.datetime) -> None:
    """Count one more for each (limit, who), and commit: a refused try counts too. Raises `TooOften`.

    The hashes are keyed, since there are few enough telephone numbers to try them all.
    """
    secret = _secret(settings)
    counts = {(limit, who): _count(session, limit, who, now, secret) for limit, who in uses}
    session.execute(delete(ThrottleCount).where(ThrottleCount.ends_at < now - dt.timedelta(days=1)))
    session.commit()
    over = [limit for (limit, _who), count in counts.items() if count > limit.most]
    if over:
        longest = max(over, key=lambda limit: limit.ends_at(now))
        raise TooOften(longest, longest.ends_at(now) - now)


def _count(session: Session, limit: Limit, who: str, now: dt.datetime, secret: bytes) -> int:
    ends_at = limit.ends_at(now)
    key = f"{limit.name}\0{who}\0{ends_at.isoformat()}".encode()
    hashed = hashlib.blake2b(key, key=secret[:64], digest_size=32).digest()
    one = insert_counting(session, ThrottleCount, ["key_hash"], "count").values(
        key_hash=hashed, count=1, ends_at=ends_at
    )
    return session.execute(one.returning(ThrottleCount.count)).scalar_one()


def _secret(settings: Settings) -> bytes:
    settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ring = KeyRing.create(settings.keys_dir / KeyFile.LINKS)
    return ring.keys[ring.newest_id]
