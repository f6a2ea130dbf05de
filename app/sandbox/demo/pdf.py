"""A one-page A4 PDF as an accounting system might bring it, made by hand so that it is quick and always the same."""

from __future__ import annotations

from itertools import accumulate

from anyascii import anyascii

from app.sandbox.demo.drafts import Draft
from app.sandbox.demo.fees import kroner

A4 = "0 0 595 842"
BROKEN_PDF = "<html><body>Feil 500: rapportserveren svarer ikke</body></html>".encode("ascii")


def invoice_pdf(draft: Draft) -> bytes:
    """The invoice of *draft* as PDF 1.4 with the standard font Helvetica, letters that it lacks written plainly."""
    texts = [
        (18, "Strand kommune"),
        (14, f"Faktura {draft.number}: {draft.fee.title}"),
        (11, draft.buyer.name),
        (11, draft.buyer.address.street),
        (11, f"{draft.buyer.address.postal_code} {draft.buyer.address.city}"),
        *((10, f"{line.quantity} x {line.text}") for line in draft.lines),
        (12, f"Å betale: {kroner(draft.amount_ore).replace('.', ',')} kr innen {draft.due_on:%d.%m.%Y}"),
        (12, f"Konto {draft.account}   KID {draft.kid}"),
    ]
    rows = [f"/F1 {size} Tf ({_pdf_text(text)}) Tj 0 -{size + 12} Td" for size, text in texts]
    content = ("BT 60 770 Td " + "\n".join(rows) + " ET").encode("cp1252")
    title = _pdf_text(f"Faktura {draft.number}").encode("cp1252")
    return assemble(
        [
            b"<< /Type /Catalog /Pages 2 0 R /Lang (nb-NO) >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{A4}] /Contents 5 0 R "
            "/Resources << /Font << /F1 4 0 R >> >> >>".encode(),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
            b"<< /Title (%s) /Producer (Sandbox) >>" % title,
        ]
    )


def assemble(objects: list[bytes]) -> bytes:
    """A PDF file of these objects: the first is the catalogue, the last the information."""
    head = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    bodies = [b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(objects, 1)]
    offsets = list(accumulate(map(len, bodies), initial=len(head)))
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets[:-1])
    return (
        head
        + b"".join(bodies)
        + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
        + table
        + b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
        + b"startxref\n%d\n%%%%EOF\n" % offsets[-1]
    )


def _pdf_text(text: str) -> str:
    """Only letters of the font's encoding, with the three signs escaped that a PDF string needs."""
    known = "".join(sign if _is_winansi(sign) else anyascii(sign) for sign in text)
    return known.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _is_winansi(sign: str) -> bool:
    try:
        sign.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
