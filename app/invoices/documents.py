"""Documents kept once by their SHA-256 under DOCUMENTS_URL: a local folder, or whatever fsspec can write to."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.atomic import create_atomically
from app.core.dialect import insert_ignoring
from app.core.errors import AppError
from app.invoices.models import Document

# A document is on disk before its row is committed, and waiting for the disk is most of the work.
_WRITERS = 8


class DocumentDamaged(AppError):
    """A stored document is missing or no longer has the content it was stored with."""


class DocumentStore:
    """Bytes by their SHA-256 under *url*. Content never changes, so two writers of one document do no harm."""

    def __init__(self, url: str) -> None:
        self._files, self._root = fsspec.url_to_fs(url)
        self._is_local = isinstance(self._files, LocalFileSystem)

    def put(self, data: bytes) -> bytes:
        """Keep *data* unless it is there already; gives its SHA-256."""
        sha256 = hashlib.sha256(data).digest()
        place = self._place(sha256)
        if self._is_local:
            path = Path(place)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                create_atomically(path, data)
        elif not self._files.exists(place):
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(place, data)
        return sha256

    def get(self, sha256: bytes) -> bytes:
        """The bytes stored under *sha256*; raises `DocumentDamaged`."""
        try:
            data: bytes = self._files.cat_file(self._place(sha256))
        except FileNotFoundError:
            raise DocumentDamaged(f"document {sha256.hex()} is missing under DOCUMENTS_URL") from None
        if hashlib.sha256(data).digest() != sha256:
            raise DocumentDamaged(f"document {sha256.hex()} has other content than was stored")
        return data

    def _place(self, sha256: bytes) -> str:
        name = sha256.hex()
        return f"{self._root}/{name[:2]}/{name}"


@lru_cache(maxsize=4)
def document_store(url: str) -> DocumentStore:
    """The store at *url* (setting DOCUMENTS_URL), one a process."""
    return DocumentStore(url)


def store(session: Session, documents: DocumentStore, data: bytes, media_type: str, now: dt.datetime) -> Document:
    """Keep *data* and its row in the caller's transaction; equal bytes give the same row."""
    (document_id,) = store_all(session, documents, [(data, media_type)], now)
    return session.get_one(Document, document_id)


def store_all(
    session: Session, documents: DocumentStore, items: Iterable[tuple[bytes, str]], now: dt.datetime
) -> list[int]:
    """Keep many documents at once; gives their row ids in order. Safe when another process stores the same."""
    found = list(items)
    if not found:
        return []
    keys = _put_all(documents, [data for data, _ in found])
    rows = {
        sha256: {"sha256": sha256, "size": len(data), "media_type": media_type, "stored_at": now}
        # In one order everywhere, so that two processes never wait for each other's rows crosswise.
        for sha256, (data, media_type) in sorted(zip(keys, found, strict=True))
    }
    session.execute(insert_ignoring(session, Document.__table__), list(rows.values()))
    ids = _ids_of(session, rows)
    return [ids[sha256] for sha256 in keys]


def read(session: Session, documents: DocumentStore, document_id: int) -> bytes:
    """The bytes of a stored document; raises `DocumentDamaged`."""
    return documents.get(session.get_one(Document, document_id).sha256)


def _put_all(documents: DocumentStore, contents: list[bytes]) -> list[bytes]:
    if len(contents) == 1:
        return [documents.put(contents[0])]
    with ThreadPoolExecutor(_WRITERS) as writers:
        return list(writers.map(documents.put, contents))


def _ids_of(session: Session, rows: Mapping[bytes, object]) -> dict[bytes, int]:
    query = select(Document.sha256, Document.id).where(Document.sha256.in_(list(rows)))
    return {bytes(sha256): document_id for sha256, document_id in session.execute(query)}
