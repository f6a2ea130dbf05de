"""The documents that lie inside an EHF file as base64."""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from typing import Any, NamedTuple

from app.invoices.fields import NAMESPACES

PDF = "application/pdf"


class Attachment(NamedTuple):
    """One embedded document. ``content`` is None when the base64 cannot be read."""

    reference: str
    description: str
    file_name: str
    media_type: str
    content: bytes | None

    @property
    def claims_to_be_pdf(self) -> bool:
        """Whether the file says that this is a PDF."""
        return self.media_type == PDF or self.file_name.lower().endswith(".pdf")


def read_attachments(references: Iterable[Any]) -> tuple[Attachment, ...]:
    """The embedded documents of these ``cac:AdditionalDocumentReference`` elements, in the file's order."""
    return tuple(_read(reference) for reference in references)


def choose_pdf(attachments: Iterable[Attachment], number: str) -> Attachment | None:
    """The one that is the invoice itself: named by its number or as an invoice, else the first that says it is a PDF.

    EHF has no mark for it; a time sheet may lie beside.
    """
    candidates = [attachment for attachment in attachments if attachment.claims_to_be_pdf]
    return min(candidates, key=lambda attachment: _rank(attachment, number), default=None)


def _rank(attachment: Attachment, number: str) -> int:
    words = f"{attachment.reference} {attachment.description} {attachment.file_name}".lower()
    if number.lower() in words:
        return 0
    return 1 if any(word in words for word in ("faktura", "invoice", "kreditnota")) else 2


def _read(reference: Any) -> Attachment:
    embedded = reference.find("cac:Attachment/cbc:EmbeddedDocumentBinaryObject", NAMESPACES)
    try:
        content = binascii.a2b_base64("".join((embedded.text or "").split()), strict_mode=True)
    except (binascii.Error, ValueError):
        content = None
    return Attachment(
        reference=_text(reference, "cbc:ID"),
        description=_text(reference, "cbc:DocumentDescription"),
        file_name=embedded.get("filename", ""),
        media_type=embedded.get("mimeCode", "").lower(),
        content=content,
    )


def _text(reference: Any, path: str) -> str:
    return " ".join(str(reference.findtext(path, "", NAMESPACES)).split())
