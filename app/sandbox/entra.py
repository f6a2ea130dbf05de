"""Stand-in for the municipality's own log-in (Entra ID): an OpenID provider where a made-up employee is chosen.

Mounted on the site itself, since a browser must reach it. Checked as strictly as the real one: registered addresses
alone, PKCE, each code once, a secret or a signed assertion. The client is registered by
``SANDBOX_DIR/entra-client.json`` (`entra_rules.EntraClient`). Tokens are RS256, with ``roles`` and ``groups`` both.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from app.sandbox import testid
from app.sandbox.entra_people import PEOPLE, TENANT, Employee, person_of
from app.sandbox.entra_rules import EntraClient, check_log_in, check_proof, read_client
from app.sandbox.idporten_rules import Refused, check_verifier
from app.sandbox.idporten_store import IdportenStore
from app.sandbox.keys import SandboxKey, TokenInvalid

COOKIE = "entra"
CODE_LIFE, PAGE_LIFE, SESSION_LIFE, TOKEN_LIFE = 60, 1800, 28800, 3600
ASKED = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")
FORM = """<form class="flow" method="post" action="{action}">
<input type="hidden" name="asked" value="{asked}">
<fieldset class="ds-fieldset"><legend class="ds-label" data-weight="medium">Velg hvem du er</legend>
{people}
</fieldset>
<div class="actions"><button class="ds-button" type="submit" data-variant="primary">Logg inn</button>
<button class="ds-button" type="submit" data-variant="secondary" name="action" value="cancel">Avbryt</button></div>
</form>"""
PERSON = """<div class="ds-field"><input class="ds-input" type="radio" id="p{number}" name="oid" value="{oid}"{checked}>
<label class="ds-label" for="p{number}">{name} ({title})</label></div>"""


class Entra:
    """Give it a request, get a response. *site* is where a browser reaches the stand-in, without the tenant."""

    routes: ClassVar[Map] = Map(
        [
            Rule(f"/{TENANT}/v2.0/.well-known/openid-configuration", methods=["GET"], endpoint="metadata"),
            Rule(f"/{TENANT}/discovery/v2.0/keys", methods=["GET"], endpoint="keys"),
            Rule(f"/{TENANT}/oauth2/v2.0/authorize", methods=["GET"], endpoint="authorize"),
            Rule(f"/{TENANT}/choose", methods=["POST"], endpoint="log_in"),
            Rule(f"/{TENANT}/oauth2/v2.0/token", methods=["POST"], endpoint="token"),
            Rule(f"/{TENANT}/oauth2/v2.0/logout", methods=["GET", "POST"], endpoint="log_out"),
        ]
    )

    def __init__(self, directory: Path, site: str) -> None:
        self._directory, self._place = directory, f"{site}/{TENANT}"
        self._issuer = f"{self._place}/v2.0"
        self._key, self._store = SandboxKey(directory), IdportenStore(directory, "entra")

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
        return _json(
            {
                "issuer": self._issuer,
                "authorization_endpoint": f"{self._place}/oauth2/v2.0/authorize",
                "token_endpoint": f"{self._place}/oauth2/v2.0/token",
                "jwks_uri": f"{self._place}/discovery/v2.0/keys",
                "end_session_endpoint": f"{self._place}/oauth2/v2.0/logout",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "scopes_supported": ["openid", "profile"],
                "frontchannel_logout_supported": True,
            }
        )

    def keys(self, request: Request) -> Response:
        """The public half of the signing key."""
        return _json({"keys": [self._store.key().as_dict(private=False)]})

    def authorize(self, request: Request) -> Response:
        """Show who there is, or go straight back when this browser is logged in already."""
        asked = {name: value for name in request.args if (value := request.args.get(name)) is not None}
        client = self._client()
        if asked.get("client_id") != client.client_id or asked.get("redirect_uri") not in client.redirect_uris:
            raise Refused("invalid_request", "client_id or redirect_uri is not registered")
        try:
            check_log_in(asked)
        except Refused as refused:
            return _back(asked, error=refused.error, error_description=refused.description)
        person = self._session(request)
        if person is not None and asked.get("prompt") != "login":
            return self._with_code(asked, person)
        sealed = self._key.seal({name: asked.get(name, "") for name in ASKED}, time.time())
        return _page(f"{self._place}/choose", sealed)

    def log_in(self, request: Request) -> Response:
        """What was chosen: one of the made-up employees, or to go back."""
        asked = self._unsealed(request.form.get("asked", ""), PAGE_LIFE)
        employee = person_of(request.form.get("oid", ""))
        if request.form.get("action") == "cancel" or employee is None:
            return _back(asked, error="access_denied", error_description="the user cancelled")
        person = {"oid": employee.oid, "sid": secrets.token_urlsafe(24)}
        response = self._with_code(asked, person)
        sealed = self._key.seal(person, time.time())
        path = urlsplit(self._place).path
        response.set_cookie(COOKIE, sealed, path=path, httponly=True, samesite="Lax")
        return response

    def token(self, request: Request) -> Response:
        """One code against one id_token."""
        form, client, now = request.form.to_dict(), self._client(), time.time()
        used = check_proof(form, client, f"{self._place}/oauth2/v2.0/token", now)
        if used and not self._store.use_once("jti", used):
            raise Refused("invalid_client", "this assertion was used before")
        if form.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type", "authorization_code alone")
        granted = self._unsealed(form.get("code", ""), CODE_LIFE)
        if not self._store.use_once("code", form["code"]):
            raise Refused("invalid_grant", "this code was used before")
        if form.get("redirect_uri") != granted["redirect_uri"] or granted["client_id"] != client.client_id:
            raise Refused("invalid_grant", "redirect_uri is not the one the code was given for")
        check_verifier(form.get("code_verifier", ""), granted["code_challenge"])
        answer = {"access_token": secrets.token_urlsafe(32), "token_type": "Bearer", "expires_in": TOKEN_LIFE}
        return _json({**answer, "scope": "openid profile", "id_token": self._id_token(granted, int(now))})

    def log_out(self, request: Request) -> Response:
        """End this browser's session, and lead on."""
        target = request.values.get("post_logout_redirect_uri", "")
        if target and target not in self._client().post_logout_redirect_uris:
            raise Refused("invalid_request", "post_logout_redirect_uri is not registered")
        state = request.values.get("state")
        query = f"?{urlencode({'state': state})}" if state else ""
        response = Response(status=302, headers={"Location": target + query}) if target else testid.logged_out()
        response.delete_cookie(COOKIE, path=urlsplit(self._place).path)
        return response

    def _id_token(self, granted: Mapping[str, str], now: int) -> str:
        employee = person_of(granted["oid"]) or PEOPLE[-1]
        claims = {
            "iss": self._issuer,
            "aud": granted["client_id"],
            "sub": self._key.hidden("employee", granted["client_id"], employee.oid),
            "oid": employee.oid,
            "tid": TENANT,
            "sid": granted["sid"],
            "nonce": granted["nonce"],
            "name": employee.name,
            "preferred_username": employee.address,
            "ver": "2.0",
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_LIFE,
            # Entra ID leaves an empty claim out.
            **({"roles": list(employee.roles)} if employee.roles else {}),
            **({"groups": list(employee.groups)} if employee.groups else {}),
        }
        key = self._store.key()
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, claims, key, algorithms=["RS256"])

    def _client(self) -> EntraClient:
        client = read_client(self._directory)
        if client is None:
            raise Refused("invalid_client", "no client is registered")
        return client

    def _session(self, request: Request) -> dict[str, str] | None:
        try:
            return self._key.unseal(request.cookies.get(COOKIE, ""), time.time(), SESSION_LIFE)
        except TokenInvalid:
            return None

    def _unsealed(self, sealed: str, life: int) -> dict[str, str]:
        try:
            return self._key.unseal(sealed, time.time(), life)
        except TokenInvalid:
            raise Refused("invalid_grant", "not issued here, or too old") from None

    def _with_code(self, asked: Mapping[str, str], person: Mapping[str, str]) -> Response:
        content = {name: asked.get(name, "") for name in ASKED} | dict(person)
        return _back(asked, code=self._key.seal(content, time.time()))


def _page(action: str, asked: str) -> Response:
    shown = "\n".join(_line(number, employee) for number, employee in enumerate(PEOPLE))
    body = FORM.format(action=escape(action), asked=escape(asked), people=shown)
    return testid.plain("Logg inn som ansatt", body, place="Oppdiktet innlogging for ansatte")


def _line(number: int, employee: Employee) -> str:
    checked = " checked" if number == 0 else ""
    return PERSON.format(number=number, oid=employee.oid, checked=checked, name=escape(employee.name),
                         title=escape(employee.title))  # fmt: skip


def _back(asked: Mapping[str, str], **answer: str) -> Response:
    state = {"state": asked["state"]} if asked.get("state") else {}
    return Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode({**answer, **state})}"})


def _json(content: Any, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(content, ensure_ascii=False).encode(), status, headers, mimetype="application/json")
