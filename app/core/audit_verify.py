"""Reads the whole audit record and says where its chain is broken."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.audit import AuditHead, AuditRecord
from app.core.audit_chain import GENESIS, HEAD, KeyMissing, Links, key_id_of

AT_ONCE = 2_000
MOST_FAULTS = 100
_TABLE: Any = AuditRecord.__table__


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the chain as somebody wrote it down elsewhere: what was there then must be there still."""

    row_id: int
    link: bytes

    def __str__(self) -> str:
        return f"{self.row_id}:{self.link.hex()}"

    @classmethod
    def read(cls, text: str) -> Anchor:
        """From ``ID:HEX``. Raises ValueError."""
        row_id, _, link = text.partition(":")
        return cls(int(row_id), bytes.fromhex(link))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at which row (None: at the end)."""

    row_id: int | None
    text: str

    def __str__(self) -> str:
        return f"row {self.row_id}: {self.text}" if self.row_id is not None else self.text


@dataclass(slots=True)
class Verdict:
    """``anchor`` is the end that was found: to be written down where the database's owner cannot change it."""

    rows: int = 0
    anchor: Anchor | None = None
    faults: list[Fault] = field(default_factory=list)

    def blame(self, row_id: int | None, text: str) -> None:
        """Add one fault; of very many the first are enough."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(row_id, text))


def verify(session: Session, links: Links, anchor: Anchor | None = None) -> Verdict:
    """Walk the chain from its first row to its end. Rows may be added meanwhile. Commits the caller's session."""
    session.commit()
    return _Walk(session, links, anchor).run()


class _Walk:
    """One reading. A row that does not fit is blamed, and the walk goes on from the link it carries."""

    def __init__(self, session: Session, links: Links, anchor: Anchor | None) -> None:
        self._session, self._links, self._wanted = session, links, anchor
        self._before, self._last_id, self._is_anchored = GENESIS, 0, anchor is None
        self.verdict = Verdict()

    def run(self) -> Verdict:
        head = self._head()
        last_id = head.last_id if head is not None else None
        for row in self._rows(0, last_id):
            self._look(row)
        if head is None:
            self._without_head()
        else:
            self._end(head)
            self._newer(last_id or 0)
        if not self._is_anchored and self._wanted is not None:
            self.verdict.blame(self._wanted.row_id, "is not the row that the anchor names")
        self.verdict.anchor = Anchor(self._last_id, self._before) if self.verdict.rows else None
        return self.verdict

    def _head(self) -> AuditHead | None:
        query = select(AuditHead).where(AuditHead.id == HEAD)
        return self._session.scalars(query.execution_options(populate_existing=True)).one_or_none()

    def _rows(self, after: int, last: int | None) -> Iterator[Mapping[str, Any]]:
        while True:
            query = select(_TABLE).where(_TABLE.c.id > after).order_by(_TABLE.c.id).limit(AT_ONCE)
            rows = self._session.execute(query if last is None else query.where(_TABLE.c.id <= last)).mappings().all()
            yield from (dict(row) for row in rows)
            if len(rows) < AT_ONCE:
                return
            after = rows[-1]["id"]

    def _look(self, row: Mapping[str, Any]) -> None:
        link, row_id = row["link"], row["id"]
        self.verdict.rows += 1
        if link is None:
            self.verdict.blame(row_id, "was put in beside the chain")
            return
        try:
            is_right = hmac.compare_digest(self._links.link(self._before, row, key_id_of(link)), link)
        except KeyMissing as error:
            self.verdict.blame(row_id, f"is linked by key {error}, which is not in the key file")
        else:
            if not is_right:
                self.verdict.blame(row_id, self._suspicion(row_id))
        if self._wanted is not None and self._wanted.row_id == row_id:
            self._is_anchored = hmac.compare_digest(self._wanted.link, link)
        self._before, self._last_id = link, row_id

    def _suspicion(self, row_id: int) -> str:
        gap = row_id - self._last_id - 1
        if gap:
            return f"{gap} rows before it are gone ({self._last_id + 1} to {row_id - 1}), or it was changed"
        return "was changed, or what stood before it was changed, moved or removed"

    def _without_head(self) -> None:
        """Before the first event under the chain there is no head, and no row has a link."""
        self.verdict.faults = [fault for fault in self.verdict.faults if fault.text != "was put in beside the chain"]
        if self._last_id:
            self.verdict.blame(None, "the head is gone: where the chain ends cannot be told")

    def _end(self, head: AuditHead) -> None:
        try:
            seal = self._links.seal(head.last_id, head.count, head.link, key_id_of(head.seal))
            if not hmac.compare_digest(seal, head.seal):
                self.verdict.blame(None, "the head was changed")
        except KeyMissing as error:
            self.verdict.blame(None, f"the head is sealed by key {error}, which is not in the key file")
        if head.last_id != self._last_id or not hmac.compare_digest(head.link, self._before):
            self.verdict.blame(None, f"the end is cut off: row {head.last_id} should be the last, not {self._last_id}")
        if head.count != self.verdict.rows:
            self.verdict.blame(None, f"{head.count} rows should be there, not {self.verdict.rows}")

    def _newer(self, last_id: int) -> None:
        """What was added while the chain was read: a row commits together with the head that counts it."""
        for row in self._rows(last_id, None):
            self._look(row)
        now = self._head()
        if self._last_id > last_id and (now is None or now.last_id < self._last_id):
            self.verdict.blame(self._last_id, "stands behind the end of the chain")
