"""Stand-in for the municipality's own log-in (Entra ID): an OpenID provider where a made-up employee is chosen.

Mounted on the site itself, since a browser must reach it. Checked as strictly as the real one: registered addresses
alone, PKCE, each code once, a secret or a signed assertion. The client is registered by
``SANDBOX_DIR/entra-client.json`` (`entra_rules.EntraClient`). Tokens are RS256, with ``roles`` and ``groups`` both.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import ClassVar

from joserfc import jwt
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from app.sandbox import testid
from app.sandbox.entra_people import PEOPLE, TENANT, Employee, person_of
from app.sandbox.entra_rules import EntraClient, check_log_in, check_proof, read_client
from app.sandbox.idporten_rules import Refused
from app.sandbox.openid import PAGE_LIFE, OpenIdStandIn, as_json

TOKEN_LIFE = 3600
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


class Entra(OpenIdStandIn):
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
    cookie, session_life = "entra", 28800
    asked = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")

    def __init__(self, directory: Path, site: str) -> None:
        super().__init__(directory, f"{site}/{TENANT}", "entra")
        self._issuer = f"{self._place}/v2.0"

    def metadata(self, request: Request) -> Response:
        """The addresses, and what is supported."""
        return as_json(
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

    def authorize(self, request: Request) -> Response:
        """Show who there is, or go straight back when this browser is logged in already."""
        asked = self._asked(request, self._client())
        try:
            check_log_in(asked)
        except Refused as refused:
            return self._back(asked, error=refused.error, error_description=refused.description)
        person = self._session(request)
        if person is not None and asked.get("prompt") != "login":
            return self._with_code(asked, person)
        return _page(f"{self._place}/choose", self._sealed(asked))

    def log_in(self, request: Request) -> Response:
        """What was chosen: one of the made-up employees, or to go back."""
        asked = self._unsealed(request.form.get("asked", ""), PAGE_LIFE)
        employee = person_of(request.form.get("oid", ""))
        if request.form.get("action") == "cancel" or employee is None:
            return self._back(asked, error="access_denied", error_description="the user cancelled")
        person = {"oid": employee.oid, "sid": secrets.token_urlsafe(24)}
        return self._welcome(asked, person)

    def token(self, request: Request) -> Response:
        """One code against one id_token."""
        form, client, now = request.form.to_dict(), self._client(), time.time()
        used = check_proof(form, client, f"{self._place}/oauth2/v2.0/token", now)
        if used and not self._store.use_once("jti", used):
            raise Refused("invalid_client", "this assertion was used before")
        granted = self._granted(form, client)
        answer = {"access_token": secrets.token_urlsafe(32), "token_type": "Bearer", "expires_in": TOKEN_LIFE}
        return as_json({**answer, "scope": "openid profile", "id_token": self._id_token(granted, int(now))})

    def log_out(self, request: Request) -> Response:
        """End this browser's session, and lead on."""
        return self._forget(self._way_out(request, self._client()), request.values.get("state"))

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


def _page(action: str, asked: str) -> Response:
    shown = "\n".join(_line(number, employee) for number, employee in enumerate(PEOPLE))
    body = FORM.format(action=escape(action), asked=escape(asked), people=shown)
    return testid.plain("Logg inn som ansatt", body, place="Oppdiktet innlogging for ansatte")


def _line(number: int, employee: Employee) -> str:
    checked = " checked" if number == 0 else ""
    return PERSON.format(number=number, oid=employee.oid, checked=checked, name=escape(employee.name),
                         title=escape(employee.title))  # fmt: skip
