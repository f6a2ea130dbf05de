"""The stand-in for ID-porten, made to say what it should not."""

from __future__ import annotations

import base64
import hmac
import io
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import requests
from flask import Flask
from joserfc import jws, jwt
from joserfc.jwk import RSAKey
from requests.adapters import BaseAdapter

from app.core.settings import Settings
from app.sandbox.idporten_store import IdportenStore
from tests.support.moments import settled

Claims = dict[str, Any]


class Altered(BaseAdapter):
    """The way to the provider, with each answer of the token endpoint passed through *change*."""

    def __init__(self, inner: BaseAdapter, change: Callable[[Claims], Claims]) -> None:
        super().__init__()
        self._inner, self._change = inner, change
        self.forms: list[dict[str, str]] = []
        self.answers: list[requests.Response] = []

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Ask the stand-in, and alter what it says."""
        response = self._inner.send(request, *arguments, **options)
        if (request.url or "").endswith("/token"):
            body = request.body or ""
            self.forms.append(dict(parse_qsl(body.decode() if isinstance(body, bytes) else str(body))))
            if response.status_code == 200:
                content = json.dumps(self._change(response.json())).encode()
                response.raw, response._content = io.BytesIO(content), content
            self.answers.append(response)
        return response

    def close(self) -> None:
        """Nothing is held open."""


def alter(app: Flask, change: Callable[[Claims], Claims] = lambda answer: answer) -> Altered:
    """Let the answers of the token endpoint pass through *change* from now on."""
    altered = Altered(app.config["LOG_IN_ADAPTER"], change)
    app.config["LOG_IN_ADAPTER"] = altered
    return altered


def provider_key(settings: Settings) -> RSAKey:
    """The key the stand-in signs with."""
    return IdportenStore(settings.sandbox_dir).key()


def with_claims(
    settings: Settings, changes: Mapping[str, Any], key: RSAKey | None = None
) -> Callable[[Claims], Claims]:
    """Sign the id_token anew with *changes*; None takes a claim away."""
    signing = key or provider_key(settings)

    def change(answer: Claims) -> Claims:
        claims = json.loads(jws.extract_compact(answer["id_token"].encode()).payload)
        claims = {name: value for name, value in (claims | settled(changes)).items() if value is not None}
        header = {"alg": "RS256", "kid": provider_key(settings).kid}
        return answer | {"id_token": jwt.encode(header, claims, signing, algorithms=["RS256"])}

    return change


def by_shared_secret(key: RSAKey) -> Callable[[Claims], Claims]:
    """Sign the id_token with HS256, the public half of *key* as the secret; by hand, since no library does it."""

    def change(answer: Claims) -> Claims:
        head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": key.kid}).encode()).rstrip(b"=").decode()
        said = f"{head}.{answer['id_token'].split('.')[1]}"
        proof = hmac.digest(key.as_pem(private=False), said.encode(), "sha256")
        return answer | {"id_token": f"{said}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"}

    return change
