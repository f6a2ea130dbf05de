"""An installation whose provider, register and mail server do as told, and somebody with a link."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.campaigns.at_request import OUTFIT
from app.core.clock import Clock
from app.core.settings import Settings
from tests.campaigns.office import Office
from tests.portal.people import browser


@pytest.fixture
def office(app: Flask, session: Session, settings: Settings, clock: Clock) -> Office:
    """The installation."""
    found = Office(session, settings, clock)
    app.extensions[OUTFIT] = found.desk.outfit
    return found


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    """Whoever opens the link; nobody is logged in."""
    return browser(app)


@pytest.fixture
def guided(office: Office, app: Flask) -> Office:
    """The installation, where eFaktura is switched on in the bank."""
    settings = office.desk.settings.model_copy(update={"efaktura_activation": "guide"})
    app.config["SETTINGS"] = settings
    office.desk = type(office.desk)(office.session, settings, office.clock, office.desk.outfit, office.desk.network)
    return office
