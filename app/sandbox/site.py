"""The stand-ins that a browser must reach: mounted on the site itself, under ``/sandbox``."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import requests
from flask import Flask
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request

from app.sandbox import agreement, testid
from app.sandbox.entra import Entra
from app.sandbox.idporten import IdPorten, Tell

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOUNT = "/sandbox"


class SandboxSite:
    """The application below ``MOUNT``: ``/idporten``, ``/entra`` and ``/avtalegiro``."""

    def __init__(self, directory: Path, base_url: str, tell: Tell) -> None:
        self._idporten = IdPorten(directory, f"{base_url.rstrip('/')}{MOUNT}/idporten", tell)
        self._entra = Entra(directory, f"{base_url.rstrip('/')}{MOUNT}/entra")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        room, _, rest = environ.get("PATH_INFO", "").lstrip("/").partition("/")
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = f"{environ.get('SCRIPT_NAME', '')}/{room}", f"/{rest}"
        request = Request(environ)
        if room == "idporten":
            response = self._idporten.answer(request)
        elif room == "entra":
            response = self._entra.answer(request)
        elif room == "avtalegiro":
            response = agreement.answer(request)
        else:
            response = testid.plain("Her er det ingen stand-in", "", 404)
        return response(environ, start_response)


class InProcess(BaseAdapter):
    """Lets ``requests`` reach an application of this process, so that one thread suffices."""

    def __init__(self, application: WSGIApplication) -> None:
        super().__init__()
        self._application = application

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        """Answer one request; time-outs mean nothing here."""
        address, body = urlsplit(request.url or ""), request.body
        environ = EnvironBuilder(
            path=address.path,
            base_url=f"{address.scheme}://{address.netloc}",
            query_string=address.query,
            method=request.method or "GET",
            headers=[(name, str(value)) for name, value in request.headers.items()],
            data=body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None,
        ).get_environ()
        parts, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        response = requests.Response()
        response.status_code = int(status.split(" ", 1)[0])
        response.headers = CaseInsensitiveDict(headers)
        response.raw, response.url, response.request = io.BytesIO(b"".join(parts)), request.url or "", request
        return response

    def close(self) -> None:
        """Nothing is held open."""


def mount_site(app: Flask, directory: Path, base_url: str) -> InProcess:
    """Serve the stand-ins below ``MOUNT`` of *app*, which is reached at *base_url*; gives the way there in-process."""
    inner = app.wsgi_app
    outer = DispatcherMiddleware(inner, {MOUNT: SandboxSite(directory, base_url, teller(inner))})
    app.wsgi_app = outer  # type: ignore[method-assign]
    return InProcess(outer)


def teller(application: WSGIApplication) -> Tell:
    """Posts forms to addresses of *application*, in this process."""

    def tell(address: str, form: Mapping[str, str]) -> int:
        parts = urlsplit(address)
        environ = EnvironBuilder(
            path=parts.path,
            base_url=f"{parts.scheme}://{parts.netloc}",
            method="POST",
            data=urlencode(form),
            content_type="application/x-www-form-urlencoded",
        ).get_environ()
        return int(run_wsgi_app(application, environ, buffered=True)[1].split(" ", 1)[0])

    return tell
