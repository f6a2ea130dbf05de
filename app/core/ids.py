"""Ids derived from what they stand for, so that a repeat carries the same id and is recognised."""

from __future__ import annotations

import uuid

# Never change it: ids already given to banks and mailboxes derive from it.
NAMESPACE = uuid.UUID("6c1b8f0e-52d7-4a3c-9e0f-3b7d2a94c815")


def derived_id(*parts: str | int) -> uuid.UUID:
    """The UUIDv5 of *parts* in their order; a number and its digits as text count as the same part.

    Lengths are part of the name, so ("ab", "c") and ("a", "bc") differ. Raises ValueError without parts.
    """
    if not parts:
        raise ValueError("an id must derive from something")
    texts = [str(part) for part in parts]
    return uuid.uuid5(NAMESPACE, "".join(f"{len(text)}:{text}" for text in texts))
