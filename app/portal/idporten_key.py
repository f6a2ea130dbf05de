"""The key registered with ID-porten; where the stand-in answers, made and registered there by ourselves."""

from __future__ import annotations

import json
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from app.core.atomic import create_atomically, write_atomically
from app.core.errors import SettingsInvalid
from app.core.settings import Settings

KEY_FILE = "idporten-client.pem"
CLIENT_FILE = "idporten-client.json"
KEY_BITS = 2048

# The addresses that are registered with ID-porten, below BASE_URL.
CALLBACK = "/logg-inn/tilbake"
LOGGED_OUT = "/logg-ut/ferdig"
BACK_CHANNEL = "/logg-ut/bak"
FRONT_CHANNEL = "/logg-ut/foran"


def client_key(settings: Settings) -> RSAKey:
    """The private RSA key under ``INSTANCE_DIR/keys``. Raises `SettingsInvalid`."""
    path = settings.keys_dir / KEY_FILE
    if settings.sandbox and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_atomically(path, RSAKey.generate_key(KEY_BITS, private=True).as_pem(private=True), mode=0o600)
    try:
        options: Any = {"kid": settings.idporten_key_id, "use": "sig", "alg": "RS256"}
        key = RSAKey.import_key(path.read_bytes(), options)
    except FileNotFoundError:
        raise SettingsInvalid(f"there is no key for ID-porten: put the registered RSA key into {path}") from None
    except (JoseError, ValueError):
        raise SettingsInvalid(f"{path} is not an RSA key in PEM form") from None
    if not key.is_private:
        raise SettingsInvalid(f"{path} holds a public key: the private key is needed to sign")
    if settings.sandbox:
        _register(settings, key)
    return key


def address(settings: Settings, path: str) -> str:
    """*path* on this site, as others must write it."""
    return settings.base_url.rstrip("/") + path


def _register(settings: Settings, key: RSAKey) -> None:
    client = {
        "client_id": settings.idporten_client_id,
        "redirect_uris": [address(settings, CALLBACK)],
        "post_logout_redirect_uris": [address(settings, LOGGED_OUT)],
        "backchannel_logout_uri": address(settings, BACK_CHANNEL),
        "frontchannel_logout_uri": address(settings, FRONT_CHANNEL),
        "keys": [key.as_dict(private=False)],
    }
    content, path = json.dumps(client).encode(), settings.sandbox_dir / CLIENT_FILE
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
