"""The headers every answer carries, error pages and files included."""

from __future__ import annotations

import hashlib

from flask import Flask, Response, current_app, make_response, render_template, request

from app.core.settings import Environment, Settings
from app.web import assets
from app.web.language import current

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        # The design system draws its icons as data: masks.
        "img-src 'self' data:",
        "font-src 'self'",
        # The warning before the session ends puts the end off without leaving the page.
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
NO_DEVICES = (
    "accelerometer, autoplay, browsing-topics, camera, clipboard-read, display-capture, fullscreen, geolocation, "
    "gyroscope, magnetometer, microphone, midi, payment, publickey-credentials-get, screen-wake-lock, usb, "
    "xr-spatial-tracking"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Flask-WTF needs the Referer, so not "no-referrer".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in NO_DEVICES.split(", ")),
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
HSTS = "max-age=31536000; includeSubDomains"


def policy(own: str = "") -> str:
    """The house's Content-Security-Policy, with the rules that an answer brings of its *own* in place of its.

    So a page that must send a form to a bank says ``form-action 'self' https://…``, and everything else stays.
    """
    if not own:
        return POLICY
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    rules |= dict(rule.split(" ", 1) for rule in own.split("; ") if rule)
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def public_page(template: str, **context: object) -> Response:
    """*template* rendered as a page that is the same for everyone who reads its language.

    It is written once per language and state of the files; browsers may keep it and ask whether it changed, and
    search engines may find it. Everything that is not made here is ``no-store`` and ``noindex``.
    """
    page, tag = _written(template, context)
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "all"
    response.vary.update(("Accept-Language", "Cookie"))
    response.set_etag(tag)
    response.make_conditional(request)
    return response


def _written(template: str, context: dict[str, object]) -> tuple[bytes, str]:
    """The page, and its ETag."""
    # The language picker repeats what stands in the address: only the plain address is the same for everyone.
    if current_app.debug or set(request.args) - {"lang"}:
        return _made(template, context)
    pages: dict[tuple[str, ...], tuple[bytes, str]] = current_app.extensions.setdefault("public_pages", {})
    key = (template, current(), *assets.versions())
    if key not in pages:
        pages[key] = _made(template, context)
    return pages[key]


def _made(template: str, context: dict[str, object]) -> tuple[bytes, str]:
    page = render_template(template, **context).encode()
    return page, hashlib.sha256(page).hexdigest()[:32]


def init_app(app: Flask) -> None:
    """Harden every answer."""

    @app.after_request
    def harden(response: Response) -> Response:
        own = response.headers.get("Content-Security-Policy", "")
        response.headers["Content-Security-Policy"] = policy(own)
        for name, value in HEADERS.items():
            # Browsers that know frame-ancestors ignore the older header, the others would obey it.
            if name != "X-Frame-Options" or "frame-ancestors" not in own:
                response.headers.setdefault(name, value)
        settings: Settings = current_app.config["SETTINGS"]
        if request.is_secure or settings.environment is Environment.PRODUCTION:
            response.headers.setdefault("Strict-Transport-Security", HSTS)
        if request.endpoint == "static" and response.status_code < 400:
            response.headers["Cache-Control"] = assets.keeping()
        else:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
