"""What both log-in stand-ins share: registered addresses alone, each code once, nothing remembered but what was used.

Codes and the browser's own session are sealed, so that no process must know what another gave out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import urlencode, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from app.sandbox import testid
from app.sandbox.idporten_rules import Refused, check_verifier
from app.sandbox.idporten_store import IdportenStore
from app.sandbox.keys import SandboxKey, TokenInvalid

CODE_LIFE, PAGE_LIFE = 60, 1800


class Registered(Protocol):
    """The client, as our side registered it."""

    @property
    def client_id(self) -> str: ...
    @property
    def redirect_uris(self) -> tuple[str, ...]: ...
    @property
    def post_logout_redirect_uris(self) -> tuple[str, ...]: ...


class OpenIdStandIn:
    """Give it a request, get a response. *place*: below which address a browser reaches it; *folder*: of its store."""

    routes: ClassVar[Map]
    cookie: ClassVar[str]
    session_life: ClassVar[int]
    asked: ClassVar[tuple[str, ...]]
    """What of the log-in request goes with the code."""

    def __init__(self, directory: Path, place: str, folder: str) -> None:
        self._directory, self._place = directory, place
        self._key, self._store = SandboxKey(directory), IdportenStore(directory, folder)

    def answer(self, request: Request) -> Response:
        """Find the endpoint and call it."""
        try:
            endpoint, _ = self.routes.bind_to_environ(request.environ).match()
            response: Response = getattr(self, endpoint)(request)
        except Refused as refused:
            return as_json({"error": refused.error, "error_description": refused.description}, 400)
        except HTTPException as error:
            return as_json({"error": error.name}, error.code or 500)
        return response

    def keys(self, request: Request) -> Response:
        """The public half of the signing key."""
        return as_json({"keys": [self._store.key().as_dict(private=False)]})

    def _asked(self, request: Request, client: Registered) -> dict[str, str]:
        """What a log-in request asks for. Raises `Refused` where not even the way back can be believed."""
        asked = {name: value for name in request.args if (value := request.args.get(name)) is not None}
        if asked.get("client_id") != client.client_id or asked.get("redirect_uri") not in client.redirect_uris:
            raise Refused("invalid_request", "client_id or redirect_uri is not registered")
        return asked

    def _sealed(self, asked: Mapping[str, str]) -> str:
        """What goes through the page where a person is chosen."""
        return self._key.seal({name: asked.get(name, "") for name in self.asked}, time.time())

    def _unsealed(self, sealed: str, life: int) -> dict[str, str]:
        try:
            return self._key.unseal(sealed, time.time(), life)
        except TokenInvalid:
            raise Refused("invalid_grant", "not issued here, or too old") from None

    def _welcome(self, asked: Mapping[str, str], person: Mapping[str, str]) -> Response:
        """Back to the client with a code; this browser is logged in from now on."""
        response = self._with_code(asked, person)
        sealed = self._key.seal(dict(person), time.time())
        response.set_cookie(self.cookie, sealed, path=self._path(), httponly=True, samesite="Lax")
        return response

    def _granted(self, form: Mapping[str, str], client: Registered) -> dict[str, str]:
        """What the code of a token request was given for; it is used up. Raises `Refused`."""
        if form.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type", "authorization_code alone")
        code = form.get("code", "")
        granted = self._unsealed(code, CODE_LIFE)
        if not self._store.use_once("code", code):
            raise Refused("invalid_grant", "this code was used before")
        if form.get("redirect_uri") != granted["redirect_uri"] or granted["client_id"] != client.client_id:
            raise Refused("invalid_grant", "redirect_uri is not the one the code was given for")
        check_verifier(form.get("code_verifier", ""), granted["code_challenge"])
        return granted

    def _way_out(self, request: Request, client: Registered) -> str:
        """Where to after logging out, empty for nowhere. Raises `Refused`."""
        target = str(request.values.get("post_logout_redirect_uri", ""))
        if target and target not in client.post_logout_redirect_uris:
            raise Refused("invalid_request", "post_logout_redirect_uri is not registered")
        return target

    def _forget(self, target: str, state: str | None) -> Response:
        """Lead on to *target*; this browser is logged out."""
        query = f"?{urlencode({'state': state})}" if state else ""
        response = Response(status=302, headers={"Location": target + query}) if target else testid.logged_out()
        response.delete_cookie(self.cookie, path=self._path())
        return response

    def _session(self, request: Request) -> dict[str, str] | None:
        try:
            return self._key.unseal(request.cookies.get(self.cookie, ""), time.time(), self.session_life)
        except TokenInvalid:
            return None

    def _with_code(self, asked: Mapping[str, str], person: Mapping[str, str]) -> Response:
        content = {name: asked.get(name, "") for name in self.asked} | dict(person)
        return self._back(asked, code=self._key.seal(content, time.time()))

    def _back(self, asked: Mapping[str, str], **answer: str) -> Response:
        state = {"state": asked["state"]} if asked.get("state") else {}
        return Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode({**answer, **state})}"})

    def _path(self) -> str:
        return urlsplit(self._place).path


def as_json(content: Any, status: int = 200) -> Response:
    """An answer nobody may keep."""
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(content, ensure_ascii=False).encode(), status, headers, mimetype="application/json")
