"""The key registered with ID-porten; where the stand-in answers, made and registered there by ourselves."""

from __future__ import annotations

from joserfc.jwk import RSAKey

from app.core.client_keys import make_private_key, read_private_key, tell_stand_in
from app.core.links import address
from app.core.settings import Settings

KEY_FILE = "idporten-client.pem"
CLIENT_FILE = "idporten-client.json"

# The addresses that are registered with ID-porten, below BASE_URL.
CALLBACK = "/logg-inn/tilbake"
LOGGED_OUT = "/logg-ut/ferdig"
BACK_CHANNEL = "/logg-ut/bak"
FRONT_CHANNEL = "/logg-ut/foran"


def client_key(settings: Settings) -> RSAKey:
    """The private RSA key under ``INSTANCE_DIR/keys``. Raises `SettingsInvalid`."""
    path = settings.keys_dir / KEY_FILE
    if settings.sandbox:
        make_private_key(path)
    missing = f"there is no key for ID-porten: put the registered RSA key into {path}"
    key = read_private_key(path, settings.idporten_key_id, missing)
    if settings.sandbox:
        _register(settings, key)
    return key


def _register(settings: Settings, key: RSAKey) -> None:
    client = {
        "client_id": settings.idporten_client_id,
        "redirect_uris": [address(settings, CALLBACK)],
        "post_logout_redirect_uris": [address(settings, LOGGED_OUT)],
        "backchannel_logout_uri": address(settings, BACK_CHANNEL),
        "frontchannel_logout_uri": address(settings, FRONT_CHANNEL),
        "keys": [key.as_dict(private=False)],
    }
    tell_stand_in(settings.sandbox_dir / CLIENT_FILE, client)
