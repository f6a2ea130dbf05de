"""Documents are kept once, and come back as they were."""

from __future__ import annotations

import datetime as dt
import hashlib
import multiprocessing
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.invoices.documents import DocumentDamaged, DocumentStore, read, store, store_all
from app.invoices.models import Document
from app.invoices.pack import NotInPack, from_pack, make_pack

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_bytes_come_back_from_any_kind_of_store(scheme: str, tmp_path: Path) -> None:
    documents = DocumentStore(str(tmp_path / "documents") if scheme == "file" else f"memory://{tmp_path}")
    sha256 = documents.put(b"hello")
    assert sha256 == hashlib.sha256(b"hello").digest()
    assert documents.put(b"hello") == sha256
    assert documents.get(sha256) == b"hello"


def test_a_document_that_is_missing_or_changed_is_never_given_out(tmp_path: Path) -> None:
    documents = DocumentStore(str(tmp_path))
    sha256 = documents.put(b"hello")
    (stored,) = (found for found in tmp_path.rglob("*") if found.is_file())
    stored.write_bytes(b"jello")
    with pytest.raises(DocumentDamaged, match="other content"):
        documents.get(sha256)
    stored.unlink()
    with pytest.raises(DocumentDamaged, match="missing"):
        documents.get(sha256)


def test_equal_bytes_are_one_row(session: Session, tmp_path: Path) -> None:
    documents = DocumentStore(str(tmp_path / "documents"))
    one = store(session, documents, b"hello", "text/plain", NOW)
    ids = store_all(
        session, documents, [(b"other", "text/plain"), (b"hello", "text/plain"), (b"other", "text/plain")], NOW
    )
    session.commit()
    assert ids == [ids[0], one.id, ids[0]]
    assert session.scalar(select(func.count()).select_from(Document)) == 2
    assert read(session, documents, one.id) == b"hello"
    assert (one.size, one.media_type) == (5, "text/plain")


def _put_many(folder: str, start: int) -> None:
    documents = DocumentStore(folder)
    for number in range(start, start + 40):
        documents.put(b"document %d" % (number % 40))


def test_two_processes_may_store_the_same_bytes_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_put_many, args=(str(tmp_path), start)) for start in (0, 20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    files = [found for found in tmp_path.rglob("*") if found.is_file()]
    assert len(files) == 40
    assert {hashlib.sha256(found.read_bytes()).hexdigest() for found in files} == {found.name for found in files}


def test_a_pack_gives_back_each_file_by_its_key() -> None:
    pack = make_pack({"1/a": b"<a/>", "1/ø": b"", "2/a": b"<b/>"})
    assert [from_pack(pack, key) for key in ("1/a", "1/ø", "2/a")] == [b"<a/>", b"", b"<b/>"]
    with pytest.raises(NotInPack):
        from_pack(pack, "3/a")
