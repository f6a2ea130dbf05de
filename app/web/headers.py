"""The headers every answer carries, error pages and files included."""

from __future__ import annotations

from flask import Flask, Response, current_app, make_response, request

from app.core.settings import Environment, Settings
from app.web import assets

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        # The design system draws its icons as data: masks.
        "img-src 'self' data:",
        "font-src 'self'",
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


def public_page(html: str) -> Response:
    """*html* that is the same for everyone: browsers may keep it and ask whether it changed, and search may find it.

    Everything else is ``no-store`` and ``noindex``.
    """
    response = make_response(html)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "all"
    response.vary.update(("Accept-Language", "Cookie"))
    response.add_etag()
    response.make_conditional(request)
    return response


def init_app(app: Flask) -> None:
    """Harden every answer."""

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        settings: Settings = current_app.config["SETTINGS"]
        if request.is_secure or settings.environment is Environment.PRODUCTION:
            response.headers.setdefault("Strict-Transport-Security", HSTS)
        if request.endpoint == "static" and response.status_code < 400:
            response.headers["Cache-Control"] = assets.keeping()
        else:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
