"""Stand-in for Maskinporten: checks the JWT grant as strictly as the real one, and issues tokens for KRR and KS.

The client's public keys are read from ``SANDBOX_DIR/maskinporten-jwks.json``, a JWKS ``{"keys": [...]}`` that our side
writes in development; with ``"client_id": "…"`` beside the keys only that client is known, else any. Errors are
``{"error", "error_description"}`` with the MP code in the description, as Digdir's trouble-shooting page lists them
(MP-012, 100, 110, 120, 130, 200, 251). The access token is opaque; ours is signed by the sandbox, so that any of
its processes can check it.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any, ClassVar, NoReturn

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from app.sandbox.faults import NOT_TAKEN
from app.sandbox.standin import Answer, Call, StandIn, json_response

JWKS_FILE = "maskinporten-jwks.json"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ALGORITHMS = ["RS256", "RS384", "RS512"]
CLAIMS = frozenset({"aud", "iss", "iat", "exp", "jti", "scope", "resource", "consumer_org"})
SCOPES = frozenset({"krr:global/kontaktinformasjon.read", "krr:global/digitalpost.read", "ks:fiks"})
CLOCK_LEEWAY = 10
LONGEST_GRANT = 120
TOKEN_LIFE = 120


def refuse(description: str, error: str = "invalid_grant") -> NoReturn:
    """Answer 400 with the error in Maskinporten's shape."""
    raise Answer(json_response({"error": error, "error_description": description}, 400))


class Maskinporten(StandIn):
    """Token endpoint and metadata, in test and production."""

    service = "maskinporten"
    hosts: ClassVar[tuple[str, ...]] = ("maskinporten.no", "test.maskinporten.no")
    routes = Map(
        [
            Rule("/token", methods=["POST"], endpoint="token"),
            Rule("/.well-known/oauth-authorization-server", methods=["GET"], endpoint="metadata"),
            Rule("/jwk", methods=["GET"], endpoint="keys"),
        ]
    )

    def metadata(self, call: Call) -> Response:
        """The addresses of this environment."""
        issuer = f"https://{call.host}/"
        return json_response(
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}token",
                "jwks_uri": f"{issuer}jwk",
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "grant_types_supported": [GRANT],
                "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            }
        )

    def keys(self, call: Call) -> Response:
        """No public key: the sandbox signs its tokens with a secret."""
        return json_response({"keys": []})

    def token(self, call: Call) -> Response:
        """One grant against one token."""
        form = call.request.form
        if form.get("grant_type") != GRANT:
            refuse("Unsupported grant_type", "unsupported_grant_type")
        assertion = form.get("assertion", "")
        claims = self._verified(assertion)
        check_claims(claims, f"https://{call.host}/", time.time())
        identifier = hashlib.sha256(str(claims.get("jti") or assertion).encode()).hexdigest()[:32]
        with self.place.log.held() as held:
            fault = self.draw(call, held, "token", identifier, NOT_TAKEN | {"slow", "timeout_after"})
            self.stop_on(call, held, fault, identifier, "lookup")
            is_used = held.record(self.service, identifier).taken is not None
            held.append(call.entry(self.service, identifier, "repeat" if is_used else "accepted", "lookup"))
        if is_used:
            refuse("Invalid assertion. The grant has been used before (MP-012)")
        scope, now = str(claims["scope"]), int(time.time())
        token = self.place.key.sign(
            {
                "iss": f"https://{call.host}/",
                "client_id": claims["iss"],
                "scope": scope,
                "iat": now,
                "exp": now + TOKEN_LIFE,
            }
        )
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFE - 1, "scope": scope}
        return self.faulty(call, fault, json_response(answer))

    def _verified(self, assertion: str) -> dict[str, Any]:
        """The claims of an assertion signed with a key the client registered."""
        registered = self._registered()
        try:
            keys = KeySet.import_key_set({"keys": registered.get("keys", [])})
            token = jwt.decode(assertion, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError, KeyError) as error:
            refuse(f"Invalid assertion. Unknown key or wrong signature: {type(error).__name__} (MP-120)")
        header = token.header
        if "x5c" in header or not header.get("kid"):
            refuse("Invalid assertion. A client with registered keys must use kid (MP-120)")
        claims: dict[str, Any] = dict(token.claims)
        known = registered.get("client_id")
        if not claims.get("iss") or (known and claims["iss"] != known):
            refuse("Invalid assertion. Unknown client (MP-100)")
        return claims

    def _registered(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self.place.directory / JWKS_FILE).read_bytes())
        except FileNotFoundError:
            refuse(f"Invalid assertion. No key is registered: write the client's public JWKS to {JWKS_FILE} (MP-120)")
        return content


def check_claims(claims: dict[str, Any], issuer: str, now: float) -> None:
    """Every rule of the JWT grant; an `Answer` when one is broken."""
    strange = set(claims) - CLAIMS
    if strange:
        refuse(f"Invalid assertion. Unknown claims: {', '.join(sorted(strange))}")
    if claims.get("aud") != issuer:
        refuse("Invalid assertion. Wrong audience (MP-110)")
    check_times(claims.get("iat"), claims.get("exp"), now)
    if "consumer_org" in claims:
        refuse("Consumer has not delegated this scope (MP-251)")
    if "resource" in claims and not isinstance(claims["resource"], list):
        refuse("Invalid assertion. resource must be an array")
    scopes = str(claims.get("scope") or "").split()
    if not scopes:
        refuse("scope is required (MP-200)", "invalid_scope")
    if not SCOPES.issuperset(scopes):
        refuse("Unknown scope, or the consumer is not granted it (MP-200)", "invalid_scope")


def check_times(issued: object, expires: object, now: float) -> None:
    """iat within 10 seconds of our clock, exp after now and at most 120 seconds after iat."""
    if not isinstance(issued, int) or not isinstance(expires, int):
        refuse("Invalid assertion. iat and exp are required (MP-130)")
    if issued > now + CLOCK_LEEWAY:
        refuse("Invalid assertion. Issue time is after now (MP-130)")
    if issued < now - CLOCK_LEEWAY or expires <= now:
        refuse("Invalid assertion. The grant has expired (MP-130)")
    if expires - issued > LONGEST_GRANT:
        refuse(f"Invalid assertion. exp - iat is more than {LONGEST_GRANT} seconds (MP-130)")
