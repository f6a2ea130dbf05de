"""The pages of "TestID", where a tester chooses or types the made-up person to log in as."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from werkzeug.wrappers import Response

from app.sandbox.world import Person

MOST_SHOWN = 12
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
FRAME = """<!doctype html>
<html lang="nb" data-color-scheme="auto">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="/merke.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/web/site.css"><link rel="stylesheet" href="/static/vendor/designsystemet.css">
</head>
<body data-size="md" data-color="accent">
<header class="top"><div class="wrap"><strong>{place}</strong></div></header>
<main id="innhold"><div class="wrap flow"><div class="flow narrow">
<h1 class="ds-heading" data-size="lg">{title}</h1>
{body}
</div></div></main>
<footer class="foot"><div class="wrap"><p>Alle her er diktet opp. Siden finnes bare i sandkassen.</p></div></footer>
</body>
</html>
"""
FORM = """<form class="flow" method="post" action="{action}">
<input type="hidden" name="asked" value="{asked}">
{wrong}
<fieldset class="ds-fieldset"><legend class="ds-label" data-weight="medium">Velg en person</legend>
{people}
</fieldset>
<div class="ds-field">
<label class="ds-label" data-weight="medium" for="typed">Eller skriv et oppdiktet fødselsnummer</label>
<input class="ds-input" id="typed" name="typed" inputmode="numeric" autocomplete="off"></div>
<div class="ds-field"><label class="ds-label" data-weight="medium" for="acr">Sikkerhetsnivå</label>
<select class="ds-input" id="acr" name="acr">
<option value="idporten-loa-substantial">Betydelig (MinID)</option>
<option value="idporten-loa-high">Høyt (BankID)</option>
<option value="selfregistered-email">Selvregistrert e-post</option></select></div>
<div class="ds-field"><input class="ds-input" type="checkbox" id="is_foreign" name="is_foreign" value="1">
<label class="ds-label" for="is_foreign">Utenlandsk bruker uten fødselsnummer</label></div>
<div class="actions"><button class="ds-button" type="submit" data-variant="primary">Logg inn</button>
<button class="ds-button" type="submit" data-variant="secondary" name="action" value="cancel">Avbryt</button></div>
</form>"""
PERSON = """<div class="ds-field"><input class="ds-input" type="radio" id="p{number}" name="pid" value="{pid}"{checked}>
<label class="ds-label" for="p{number}">{name} ({pid})</label></div>"""
WRONG = '<p class="ds-validation-message">Velg en person, eller skriv elleve siffer.</p>'


def page(action: str, asked: str, people: Sequence[Person], is_wrong: bool = False) -> Response:
    """Choose among the first *people* of the sandbox, or type another one."""
    shown = "\n".join(
        PERSON.format(
            number=number,
            pid=escape(person.national_id or ""),
            name=escape(person.name),
            checked=" checked" if number == 0 else "",
        )
        for number, person in enumerate(people[:MOST_SHOWN])
    )
    body = FORM.format(
        action=escape(action),
        asked=escape(asked),
        people=shown or "<p>Sandkassen har ingen personer ennå.</p>",
        wrong=WRONG if is_wrong else "",
    )
    return plain("Logg inn med TestID", body, 422 if is_wrong else 200)


def logged_out() -> Response:
    """Where a log-out ends that leads nowhere."""
    return plain("Du er logget ut", "<p>Du kan lukke siden.</p>")


def plain(title: str, body: str, status: int = 200, place: str = "TestID") -> Response:
    """Any page here, under the name of its *place*: *body* is HTML."""
    return Response(FRAME.format(title=title, body=body, place=place), status, HEADERS, mimetype="text/html")
