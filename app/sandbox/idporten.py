"""Stand-in for ID-porten with its log-in page "TestID": an OpenID provider with ID-porten's strict rules.

Mounted on the site itself, since a browser must reach it. Checked as strictly as the real one: private_key_jwt with
``aud`` = issuer, PKCE, each code and each assertion once, registered addresses alone. Tokens are RS256. The client is
registered by ``SANDBOX_DIR/idporten-client.json`` (`idporten_rules.Client`). Codes and the browser's own session are
sealed, so nothing but what was used is remembered (`idporten_store`). Logging out calls the client's back-channel.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from app.sandbox import testid
from app.sandbox.idporten_rules import (
    LEVELS,
    Client,
    Refused,
    check_client,
    check_log_in,
    read_client,
)
from app.sandbox.idporten_tokens import Tokens
from app.sandbox.openid import PAGE_LIFE, OpenIdStandIn, as_json
from app.sandbox.registry import Registry

Tell = Callable[[str, Mapping[str, str]], int]
"""Posts a form to an address of the client's, and gives the status of the answer."""


class IdPorten(OpenIdStandIn):
    """Give it a request, get a response. *issuer* is where a browser reaches it."""

    routes: ClassVar[Map] = Map(
        [
            Rule("/.well-known/openid-configuration", methods=["GET"], endpoint="metadata"),
            Rule("/jwks.json", methods=["GET"], endpoint="keys"),
            Rule("/authorize", methods=["GET"], endpoint="authorize"),
            Rule("/testid", methods=["POST"], endpoint="log_in"),
            Rule("/token", methods=["POST"], endpoint="token"),
            Rule("/logout", methods=["GET", "POST"], endpoint="log_out"),
        ]
    )

    cookie, session_life = "testid", 7200
    asked = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "acr_values")

    def __init__(self, directory: Path, issuer: str, tell: Tell) -> None:
        super().__init__(directory, issuer, "idporten")
        self._issuer, self._tell, self._registry = issuer, tell, Registry(directory)
        self._tokens = Tokens(issuer, self._key, self._store)

    def metadata(self, request: Request) -> Response:
        """The addresses, and what is supported."""
        place = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks.json",
            "end_session_endpoint": "logout",
        }
        return as_json(
            {
                "issuer": self._issuer,
                **{name: f"{self._issuer}/{path}" for name, path in place.items()},
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "acr_values_supported": list(LEVELS),
                "scopes_supported": ["openid", "profile"],
                "authorization_response_iss_parameter_supported": True,
                "backchannel_logout_supported": True,
                "backchannel_logout_session_supported": True,
            }
        )

    def authorize(self, request: Request) -> Response:
        """Show TestID, or go straight back when this browser is logged in already."""
        asked = self._asked(request, self._client())
        try:
            check_log_in(asked)
        except Refused as refused:
            return self._back(asked, error=refused.error, error_description=refused.description)
        person = self._session(request)
        if person and asked.get("prompt") != "login" and _is_enough(person["acr"], asked.get("acr_values", "")):
            return self._with_code(asked, person)
        people = list(self._registry.world().by_national_id.values())
        return testid.page(f"{self._issuer}/testid", self._sealed(asked), people)

    def log_in(self, request: Request) -> Response:
        """What was chosen on TestID: a person, nobody known to the population register, or to go back."""
        asked = self._unsealed(request.form.get("asked", ""), PAGE_LIFE)
        if request.form.get("action") == "cancel":
            return self._back(asked, error="access_denied", error_description="User aborted")
        pid = "".join((request.form.get("typed") or request.form.get("pid") or "").split())
        if request.form.get("is_foreign"):
            pid = ""
        elif len(pid) != 11 or not pid.isdigit():
            people = list(self._registry.world().by_national_id.values())
            return testid.page(f"{self._issuer}/testid", self._sealed(asked), people, is_wrong=True)
        level = request.form.get("acr", "")
        person = {
            "pid": pid,
            "acr": level if level in (*LEVELS, "selfregistered-email") else LEVELS[0],
            "sid": secrets.token_urlsafe(32),
            "auth_time": str(int(time.time())),
        }
        return self._welcome(asked, person)

    def token(self, request: Request) -> Response:
        """One code against one id_token."""
        form, client, now = request.form.to_dict(), self._client(), time.time()
        if "Authorization" in request.headers:
            raise Refused("invalid_client", "this client authenticates by private_key_jwt alone")
        if not self._store.use_once("jti", check_client(form, client, self._issuer, now)):
            raise Refused("invalid_client", "this assertion was used before")
        granted = self._granted(form, client)
        return as_json(
            {
                "access_token": secrets.token_urlsafe(32),
                "id_token": self._tokens.id_token(granted),
                "token_type": "Bearer",
                "expires_in": 600,
                "scope": "openid profile",
            }
        )

    def log_out(self, request: Request) -> Response:
        """End this browser's session, tell the client by the back-channel, and lead on."""
        given, client = request.values, self._client()
        if given.get("client_id") != client.client_id:
            raise Refused("invalid_request", "client_id or id_token_hint is required")
        target = self._way_out(request, client)
        person = self._session(request)
        if person is not None and self._store.use_once("ended", person["sid"]):
            token = self._tokens.logout_token(person, client.client_id)
            self._tell(client.backchannel_logout_uri, {"logout_token": token})
        return self._forget(target, given.get("state"))

    def _client(self) -> Client:
        client = read_client(self._directory)
        if client is None:
            raise Refused("invalid_client", "no client is registered")
        return client

    def _session(self, request: Request) -> dict[str, str] | None:
        person = super()._session(request)
        return None if person is None or self._store.is_used("ended", person["sid"]) else person

    def _back(self, asked: Mapping[str, str], **answer: str) -> Response:
        return super()._back(asked, **answer, iss=self._issuer)


def _is_enough(level: str, wanted: str) -> bool:
    wishes = wanted.split() or [LEVELS[0]]
    return level == LEVELS[1] or level in wishes
