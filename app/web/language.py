"""Which language a page is in: the reader's own choice, else the browser's, else the municipality's."""

from __future__ import annotations

from babel import Locale
from flask import Flask, current_app, request
from flask_babel import Babel, get_locale

LANGUAGES = {"nb": "Bokmål", "nn": "Nynorsk", "en": "English"}
COOKIE = "sprak"
A_YEAR = 365 * 24 * 3600


def chosen() -> str:
    """The language of this request: ``?lang=``, then the cookie, then the browser, then the setting."""
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in LANGUAGES:
            return wish
    # A browser set to plain Norwegian says "no"; the standard's own name for bokmål is "nb".
    match = request.accept_languages.best_match([*LANGUAGES, "no"])
    if match:
        return {"no": "nb"}.get(match, match)
    default: str = current_app.config["DEFAULT_LANGUAGE"]
    return default


def init_app(app: Flask) -> None:
    """Let every page be written in the reader's language."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "nb")
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Europe/Oslo")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations")
    Babel(app, locale_selector=chosen)

    @app.context_processor
    def words() -> dict[str, object]:
        locale = get_locale() or Locale("nb")
        return {"lang": locale.language, "languages": LANGUAGES, "municipality": app.config["MUNICIPALITY_NAME"]}
