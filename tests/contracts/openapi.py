"""Requests and answers held against an OpenAPI description, with nothing in them that it does not name."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import httpx
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_schema_validator import OAS30Validator
from werkzeug.datastructures import Headers, ImmutableMultiDict

METHODS = ("get", "put", "post", "delete", "patch")


class Broken(AssertionError):
    """Something differs from the description; the text says what, in the validator's words."""


class Contract:
    """One description (OpenAPI 3.0), made strict."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.description = strict(description)
        # "*/*" is how KS describes a body whose type it leaves open; ours is JSON.
        config = Config(extra_media_type_deserializers={"application/problem+json": json.loads, "*/*": json.loads})
        self._openapi = OpenAPI.from_dict(self.description, config=config)

    def check_request(self, request: httpx.Request) -> None:
        """Raises `Broken` for an address, a header or a body that is not as described."""
        try:
            self._openapi.validate_request(_Request(request))
        except OpenAPIError as error:
            raise Broken(_words(error)) from None

    def check_response(self, request: httpx.Request, response: httpx.Response) -> None:
        """Raises `Broken` for a status or a body that is not as described."""
        try:
            self._openapi.validate_response(_Request(request), _Response(response))
        except OpenAPIError as error:
            raise Broken(_words(error)) from None

    def check_value(self, value: Any, schema: str) -> None:
        """Raises `Broken` for a value that is not as ``components/schemas`` describes under the name *schema*."""
        whole = {**self.description["components"]["schemas"][schema], "components": self.description["components"]}
        errors = [error.message for error in OAS30Validator(whole).iter_errors(value)]
        if errors:
            raise Broken("; ".join(errors))


def strict(description: Mapping[str, Any]) -> dict[str, Any]:
    """The description with every object closed: a field it does not name is an error."""
    closed = copy.deepcopy(dict(description))
    for schema in _schemas(closed):
        if schema.get("properties"):
            schema.setdefault("additionalProperties", False)
    return closed


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") == "object":
            yield value
        for inner in value.values():
            yield from _schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _schemas(inner)


def from_swagger_2(swagger: Mapping[str, Any]) -> dict[str, Any]:
    """The same description as OpenAPI 3.0, as far as ours use it: JSON bodies, headers, path and query."""
    renamed = _renamed(copy.deepcopy(dict(swagger)))
    servers = [{"url": f"{scheme}://{renamed['host']}{renamed['basePath']}"} for scheme in renamed["schemes"]]
    paths = {
        path: {method: _operation(found) for method, found in operations.items() if method in METHODS}
        for path, operations in renamed["paths"].items()
    }
    schemes = {
        name: {key: value for key, value in found.items() if key in {"type", "name", "in"}}
        for name, found in renamed.get("securityDefinitions", {}).items()
    }
    return {
        "openapi": "3.0.3",
        "info": renamed["info"],
        "servers": servers,
        "security": renamed.get("security", []),
        "paths": paths,
        "components": {"schemas": renamed["definitions"], "securitySchemes": schemes},
    }


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: inner.replace("#/definitions/", "#/components/schemas/") if key == "$ref" else _renamed(inner)
            for key, inner in value.items()
        }
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value


def _operation(found: Mapping[str, Any]) -> dict[str, Any]:
    parameters, body = [], None
    for parameter in found.get("parameters", []):
        if parameter["in"] == "body":
            body = {"required": True, "content": {"application/json": {"schema": parameter["schema"]}}}
            continue
        schema = {key: parameter[key] for key in ("type", "pattern", "format") if key in parameter}
        # "bearer <access_token>" is how the swagger file writes "a token": it cannot be the value itself.
        parameters.append({"name": parameter["name"], "in": parameter["in"], "required": True, "schema": schema})
    responses = {str(status): _response(answer or {}) for status, answer in found["responses"].items()}
    return {"parameters": parameters, "responses": responses, **({"requestBody": body} if body else {})}


def _response(answer: Mapping[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": answer.get("description") or ""}
    if "schema" in answer:
        # Errors come as problem+json, which the file calls JSON.
        kinds = ("application/json", "application/problem+json")
        response["content"] = {kind: {"schema": answer["schema"]} for kind in kinds}
    return response


class _Request:
    """An httpx request as the validator reads it; the validator adds what it finds in the path."""

    def __init__(self, request: httpx.Request) -> None:
        url = request.url
        self.host_url, self.path = f"{url.scheme}://{url.netloc.decode()}", url.path
        self.method = request.method.lower()
        self.content_type = request.headers.get("content-type", "")
        self.body = request.read() or None
        query = ImmutableMultiDict(parse_qsl(url.query.decode(), keep_blank_values=True))
        self.parameters = RequestParameters(query=query, header=Headers(list(request.headers.items())))


class _Response:
    """An httpx answer as the validator reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self.data, self.status_code = response.content, response.status_code
        self.content_type = response.headers.get("content-type", "")
        self.headers = Headers(list(response.headers.items()))


def _words(error: BaseException) -> str:
    """The validator's own words, down to what exactly was wrong."""
    found: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        found += [str(cause), *(str(inner.message) for inner in getattr(cause, "schema_errors", ()))]
        cause = cause.__cause__
    return ": ".join(dict.fromkeys(found))
