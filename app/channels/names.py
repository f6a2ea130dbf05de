"""File names for documents that leave: plain ASCII and short, since some receivers choke on anything else."""

from __future__ import annotations

import re

from anyascii import anyascii

# eFormidling got stuck on 96 characters; mail programs cut long names in their own ways.
LONGEST = 60

_OTHERS = re.compile(r"[^A-Za-z0-9._-]+")


def document_name(kind: str, number: str) -> str:
    """``faktura-20260001.pdf``, or ``kreditnota-…`` for *kind* ``credit_note``; at most 60 characters.

    Of a number too long for that the end is kept, which tells numbers apart.
    """
    word = "kreditnota" if kind == "credit_note" else "faktura"
    plain = _OTHERS.sub("-", anyascii(number)).strip("-.")
    room = LONGEST - len(word) - len("-.pdf")
    return f"{word}-{plain[-room:]}.pdf" if plain else f"{word}.pdf"
