"""Stand-in for ID-porten with its log-in page "TestID": an OpenID provider with ID-porten's strict rules.

Mounted on the site itself, since a browser must reach it. Checked as strictly as the real one: private_key_jwt with
``aud`` = issuer, PKCE, each code and each assertion once, registered addresses alone. Tokens are RS256. The client is
registered by ``SANDBOX_DIR/idporten-client.json`` (`idporten_rules.Client`). Codes and the browser's own session are
sealed, so nothing but what was used is remembered (`idporten_store`). Logging out calls the client's back-channel.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from app.sandbox import testid
from app.sandbox.idporten_rules import (
    LEVELS,
    Client,
    Refused,
    check_client,
    check_log_in,
    check_verifier,
    read_client,
)
from app.sandbox.idporten_store import IdportenStore
from app.sandbox.idporten_tokens import Tokens
from app.sandbox.keys import SandboxKey, TokenInvalid
from app.sandbox.registry import Registry

COOKIE = "testid"
CODE_LIFE, PAGE_LIFE, SESSION_LIFE = 60, 1800, 7200
ASKED = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "acr_values")

Tell = Callable[[str, Mapping[str, str]], int]
"""Posts a form to an address of the client's, and gives the status of the answer."""


class IdPorten:
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

    def __init__(self, directory: Path, issuer: str, tell: Tell) -> None:
        self._directory, self._issuer, self._tell = directory, issuer, tell
        self._key, self._store, self._registry = SandboxKey(directory), IdportenStore(directory), Registry(directory)
        self._tokens = Tokens(issuer, self._key, self._store)

    def answer(self, request: Request) -> Response:
        """Find the endpoint and call it."""
        try:
            endpoint, _ = self.routes.bind_to_environ(request.environ).match()
            response: Response = getattr(self, endpoint)(request)
        except Refused as refused:
            return _json({"error": refused.error, "error_description": refused.description}, 400)
        except HTTPException as error:
            return _json({"error": error.name}, error.code or 500)
        return response

    def metadata(self, request: Request) -> Response:
        """The addresses, and what is supported."""
        place = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks.json",
            "end_session_endpoint": "logout",
        }
        return _json(
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

    def keys(self, request: Request) -> Response:
        """The public half of the signing key."""
        return _json({"keys": [self._store.key().as_dict(private=False)]})

    def authorize(self, request: Request) -> Response:
        """Show TestID, or go straight back when this browser is logged in already."""
        asked = {name: value for name in request.args if (value := request.args.get(name)) is not None}
        client = self._client()
        if asked.get("client_id") != client.client_id or asked.get("redirect_uri") not in client.redirect_uris:
            raise Refused("invalid_request", "client_id or redirect_uri is not registered")
        try:
            check_log_in(asked)
        except Refused as refused:
            return self._back(asked, error=refused.error, error_description=refused.description)
        person = self._session(request)
        if person and asked.get("prompt") != "login" and _is_enough(person["acr"], asked.get("acr_values", "")):
            return self._with_code(asked, person)
        sealed = self._key.seal({name: asked.get(name, "") for name in ASKED}, time.time())
        people = list(self._registry.world().by_national_id.values())
        return testid.page(f"{self._issuer}/testid", sealed, people)

    def log_in(self, request: Request) -> Response:
        """What was chosen on TestID: a person, nobody known to the population register, or to go back."""
        asked = self._unsealed(request.form.get("asked", ""), PAGE_LIFE)
        if request.form.get("action") == "cancel":
            return self._back(asked, error="access_denied", error_description="User aborted")
        pid = "".join((request.form.get("typed") or request.form.get("pid") or "").split())
        if request.form.get("is_foreign"):
            pid = ""
        elif len(pid) != 11 or not pid.isdigit():
            sealed = self._key.seal(asked, time.time())
            people = list(self._registry.world().by_national_id.values())
            return testid.page(f"{self._issuer}/testid", sealed, people, is_wrong=True)
        level = request.form.get("acr", "")
        person = {
            "pid": pid,
            "acr": level if level in (*LEVELS, "selfregistered-email") else LEVELS[0],
            "sid": secrets.token_urlsafe(32),
            "auth_time": str(int(time.time())),
        }
        response = self._with_code(asked, person)
        sealed = self._key.seal(person, time.time())
        response.set_cookie(COOKIE, sealed, path=_path_of(self._issuer), httponly=True, samesite="Lax")
        return response

    def token(self, request: Request) -> Response:
        """One code against one id_token."""
        form, client, now = request.form.to_dict(), self._client(), time.time()
        if "Authorization" in request.headers:
            raise Refused("invalid_client", "this client authenticates by private_key_jwt alone")
        if not self._store.use_once("jti", check_client(form, client, self._issuer, now)):
            raise Refused("invalid_client", "this assertion was used before")
        if form.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type", "authorization_code alone")
        code = form.get("code", "")
        granted = self._unsealed(code, CODE_LIFE)
        if not self._store.use_once("code", code):
            raise Refused("invalid_grant", "this code was used before")
        if form.get("redirect_uri") != granted["redirect_uri"] or granted["client_id"] != client.client_id:
            raise Refused("invalid_grant", "redirect_uri is not the one the code was given for")
        check_verifier(form.get("code_verifier", ""), granted["code_challenge"])
        return _json(
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
        target = given.get("post_logout_redirect_uri", "")
        if target and target not in client.post_logout_redirect_uris:
            raise Refused("invalid_request", "post_logout_redirect_uri is not registered")
        person = self._session(request)
        if person is not None and self._store.use_once("ended", person["sid"]):
            token = self._tokens.logout_token(person, client.client_id)
            self._tell(client.backchannel_logout_uri, {"logout_token": token})
        state = given.get("state")
        query = f"?{urlencode({'state': state})}" if state else ""
        response = Response(status=302, headers={"Location": target + query}) if target else testid.logged_out()
        response.delete_cookie(COOKIE, path=_path_of(self._issuer))
        return response

    def _client(self) -> Client:
        client = read_client(self._directory)
        if client is None:
            raise Refused("invalid_client", "no client is registered")
        return client

    def _session(self, request: Request) -> dict[str, str] | None:
        try:
            person = self._key.unseal(request.cookies.get(COOKIE, ""), time.time(), SESSION_LIFE)
        except TokenInvalid:
            return None
        return None if self._store.is_used("ended", person["sid"]) else person

    def _unsealed(self, sealed: str, life: int) -> dict[str, str]:
        try:
            return self._key.unseal(sealed, time.time(), life)
        except TokenInvalid:
            raise Refused("invalid_grant", "not issued here, or too old") from None

    def _with_code(self, asked: Mapping[str, str], person: Mapping[str, str]) -> Response:
        content = {name: asked.get(name, "") for name in ASKED} | dict(person)
        return self._back(asked, code=self._key.seal(content, time.time()))

    def _back(self, asked: Mapping[str, str], **answer: str) -> Response:
        state = {"state": asked["state"]} if asked.get("state") else {}
        query = urlencode({**answer, **state, "iss": self._issuer})
        return Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{query}"})


def _is_enough(level: str, wanted: str) -> bool:
    wishes = wanted.split() or [LEVELS[0]]
    return level == LEVELS[1] or level in wishes


def _path_of(issuer: str) -> str:
    return "/" + issuer.split("://", 1)[1].partition("/")[2]


def _json(content: Any, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(content).encode(), status, headers, mimetype="application/json")
