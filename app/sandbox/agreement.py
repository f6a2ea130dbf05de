"""Stand-in for the bank's page where a payer agrees to AvtaleGiro (E-Agreement); source: channels.md §2.6.

Takes the form's fields as the real one does, and leads back with a status code that proves nothing.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import urlsplit, urlunsplit

from werkzeug.wrappers import Request, Response

from app.sandbox import testid

FIELDS = {"companyAccountNo": r"\d{11}", "kid": r"\d{3,25}", "companyName": r".{1,60}", "returnUrl": r"https?://\S+"}


def answer(request: Request) -> Response:
    """The page for one agreement; 400 when a required field is missing or wrong."""
    form = request.form
    wrong = [name for name, pattern in FIELDS.items() if not re.fullmatch(pattern, form.get(name, ""))]
    if request.method != "POST" or wrong:
        return testid.plain(
            "Avtalen kan ikke lages", f"<p>Feil eller mangler: {', '.join(wrong) or 'skjema'}.</p>", 400
        )
    back = urlsplit(form["returnUrl"])
    address = urlunsplit(back._replace(query=f"{back.query}&status=OK".lstrip("&")))
    body = (
        f"<p>Mottaker: {escape(form['companyName'])}. KID: {escape(form['kid'])}.</p>"
        "<p>I den virkelige banken signerer du med BankID her.</p>"
        f'<p><a class="ds-link" href="{escape(address)}">Tilbake</a></p>'
    )
    return testid.plain("AvtaleGiro i banken", body)
