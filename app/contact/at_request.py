"""The desk of a request, for the pages of residents and of the municipality's people."""

from __future__ import annotations

from flask import current_app

from app.contact.codes import Codes
from app.contact.desk import Desk
from app.contact.messenger import Outgoing, Providers
from app.core import here
from app.core.database import db

PROVIDERS = "messengers"


def request_desk(language: str) -> Desk:
    """What the services work with in this request, speaking *language* (nb, nn, en); connections are kept."""
    settings, clock = here.surroundings()
    providers: Providers | None = current_app.extensions.get(PROVIDERS)
    if providers is None:
        providers = Providers.by(settings, clock, current_app.config["TRANSPORT"])
        current_app.extensions[PROVIDERS] = providers
    messenger = Outgoing(providers, language)
    return Desk(db.session(), settings, clock, Codes.by(settings), messenger, here.network(), language)
