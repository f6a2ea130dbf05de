"""Which language a page is in: the reader's own choice, else the profile's, the browser's, the municipality's."""

from __future__ import annotations

from urllib.parse import urlencode

from babel import Locale
from flask import Flask, Response, current_app, g, request
from flask_babel import Babel, get_locale, refresh

LANGUAGES = {"nb": "Bokmål", "nn": "Nynorsk", "en": "English"}
COOKIE = "sprak"
A_YEAR = 365 * 24 * 3600


def chosen() -> str:
    """The language of this request: ``?lang=``, the cookie, the profile, the browser, the setting."""
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE), g.get("profile_language")):
        if wish in LANGUAGES:
            return str(wish)
    for tag, quality in request.accept_languages:
        # A browser set to plain Norwegian says "no"; the standard's own name for bokmål is "nb".
        language = {"no": "nb"}.get(tag.partition("-")[0].lower(), tag.partition("-")[0].lower())
        if quality > 0 and language in LANGUAGES:
            return language
    default: str = current_app.config["DEFAULT_LANGUAGE"]
    return default


def use_profile_language(language: str | None) -> None:
    """From here on this request speaks the *language* (nb, nn, en) of whoever is logged in, unless they chose one."""
    g.profile_language = language
    refresh()


def current() -> str:
    """The language this page is really written in."""
    locale = get_locale()
    return locale.language if isinstance(locale, Locale) else "nb"


def choices() -> list[tuple[str, str, str, bool]]:
    """The picker: code, name, address of this same page in that language, whether it is the present one.

    The address has no path, so that nothing a stranger wrote into it can lead elsewhere.
    """
    kept = {name: values for name, values in request.args.to_dict(flat=False).items() if name != "lang"}
    return [
        (code, name, "?" + urlencode({**kept, "lang": code}, doseq=True), code == current())
        for code, name in LANGUAGES.items()
    ]


def init_app(app: Flask) -> None:
    """Let every page be written in the reader's language, and remember a choice for a year."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "nb")
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Europe/Oslo")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "translations")
    Babel(app, locale_selector=chosen)
    # As pyproject.toml tells the extraction: a sentence broken over lines is one sentence.
    app.jinja_env.policies["ext.i18n.trimmed"] = True

    @app.before_request
    def begin_anew() -> None:
        # Where several requests share one application context, the last one's language must not be this one's.
        use_profile_language(None)

    @app.context_processor
    def words() -> dict[str, object]:
        return {"lang": current(), "language_choices": choices, "municipality": app.config["MUNICIPALITY_NAME"]}

    @app.after_request
    def remember(response: Response) -> Response:
        wish = request.args.get("lang")
        if wish in LANGUAGES and response.mimetype == "text/html":
            response.set_cookie(COOKIE, wish, max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure)
        return response
