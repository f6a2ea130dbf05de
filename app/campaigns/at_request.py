"""What the pages of residents and of the offer share: the desk of a request, and the words for a look at the bank."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app
from flask_babel import lazy_gettext as _

from app.campaigns.desk import Desk, Outfit
from app.campaigns.look import Checked
from app.core import here
from app.core.database import db

OUTFIT = "offer_outfit"

SAID: Mapping[Checked, tuple[object, str]] = {
    Checked.WORKS: (_("Det virker. Neste faktura fra oss kommer som eFaktura."), "message"),
    Checked.NOT_YET: (
        _("Vi ser ikke eFaktura hos deg ennå. Sjekk at du har slått det på, og prøv igjen i morgen."),
        "warning",
    ),
    Checked.NO_ANSWER: (_("Vi fikk ikke svar fra banken nå. Prøv igjen om en time."), "warning"),
}
"""The sentence for what a look-up said, and the category it is shown in."""


def request_desk() -> Desk:
    """What the services work with in this request; connections are kept for the next."""
    settings, clock = here.surroundings()
    outfit: Outfit | None = current_app.extensions.get(OUTFIT)
    if outfit is None:
        outfit = Outfit.by(settings, clock, current_app.config["TRANSPORT"])
        current_app.extensions[OUTFIT] = outfit
    return Desk(db.session(), settings, clock, outfit, here.network())
