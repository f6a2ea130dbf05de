"""Links that others follow to us, by purpose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app.core.crypto import KeyFile, KeyRing
from app.core.settings import Settings
from app.core.tokens import LinkSigner

PRESENTATION = "presentation"
# A bank may fetch the invoice for 16 months (channels.md §1.1); the longest such span has 488 days.
PRESENTATION_LIFETIME = timedelta(days=490)


def address(settings: Settings, path: str) -> str:
    """*path* (with its first slash) on this site, as others must write it."""
    return settings.base_url.rstrip("/") + path


def presentation_signer(settings: Settings) -> LinkSigner:
    """Signs and reads the links by which a bank fetches an invoice's PDF; the payload is ``{"invoice": public id}``."""
    settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = KeyRing.create(settings.keys_dir / KeyFile.LINKS)
    return LinkSigner(keys.secrets, PRESENTATION, PRESENTATION_LIFETIME)


def presentation_links(settings: Settings) -> Callable[[str], str]:
    """A function from an invoice's public id to the address ``BASE_URL/presentasjon/<token>``."""
    signer = presentation_signer(settings)
    return lambda public_id: address(settings, f"/presentasjon/{signer.sign({'invoice': public_id})}")
