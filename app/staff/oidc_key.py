"""The proof towards the municipality's log-in provider: a secret, or a key with its certificate."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from joserfc.jwk import RSAKey

from app.core.atomic import create_atomically
from app.core.client_keys import read_private_key, tell_stand_in
from app.core.errors import SettingsInvalid
from app.core.links import address
from app.core.settings import Settings

KEY_FILE = "staff-client.pem"
CLIENT_FILE = "entra-client.json"
SECRET_FILE = "staff-sandbox.secret"  # noqa: S105 - a file's name

# The addresses that are registered with the provider, below BASE_URL.
CALLBACK = "/ansatt/logg-inn/tilbake"
LOGGED_OUT = "/ansatt/logg-ut/ferdig"
FRONT_CHANNEL = "/ansatt/logg-ut/foran"


@dataclass(frozen=True, slots=True)
class StaffKey:
    """A private RSA key, its ``kid``, and the SHA-256 thumbprint of its certificate (base64url) when there is one."""

    key: RSAKey
    key_id: str
    thumbprint: str | None


def staff_key(settings: Settings) -> StaffKey:
    """The key under ``INSTANCE_DIR/keys``, with its certificate in the same file. Raises `SettingsInvalid`."""
    path = settings.keys_dir / KEY_FILE
    missing = f"STAFF_KEY_ID is set, but {path} is not there: put the registered key there"
    key = read_private_key(path, settings.staff_key_id, missing)
    return StaffKey(key, settings.staff_key_id, _thumbprint(path))


def register_with_stand_in(settings: Settings, key: StaffKey | None) -> str:
    """Register this client with the stand-in, as a person would in the provider's portal; gives the secret."""
    secret = settings.staff_client_secret or _made_secret(settings)
    client = {
        "client_id": settings.staff_client_id,
        "redirect_uris": [address(settings, CALLBACK)],
        "post_logout_redirect_uris": [address(settings, LOGGED_OUT)],
        "frontchannel_logout_uri": address(settings, FRONT_CHANNEL),
        "secret_sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "keys": [key.key.as_dict(private=False)] if key else [],
        "thumbprint": key.thumbprint if key else None,
    }
    tell_stand_in(settings.sandbox_dir / CLIENT_FILE, client)
    return secret


def _made_secret(settings: Settings) -> str:
    path = settings.keys_dir / SECRET_FILE
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_atomically(path, secrets.token_urlsafe(32).encode(), mode=0o600)
    return path.read_text("ascii")


def _thumbprint(path: Path) -> str | None:
    content = path.read_bytes()
    if b"BEGIN CERTIFICATE" not in content:
        return None
    try:
        first = x509.load_pem_x509_certificates(content)[0]
    except ValueError:
        raise SettingsInvalid(f"{path} is not an RSA key in PEM form") from None
    return base64.urlsafe_b64encode(first.fingerprint(hashes.SHA256())).rstrip(b"=").decode("ascii")
