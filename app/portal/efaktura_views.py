"""eFaktura from Min side: one button says yes, another looks whether it works; what it stands at, in one word."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from app.campaigns.answers import ask_from_min_side
from app.campaigns.at_request import SAID, request_desk
from app.campaigns.look import check_now
from app.campaigns.models import Activation, AgreementState
from app.campaigns.states import AgreementFacts, Why, agreement_of, takes_efaktura
from app.core.settings import Settings
from app.core.throttle import TooOften
from app.portal import access
from app.portal.forms import PlainForm
from app.portal.room import bp
from app.residents.models import Resident

SECTION = "slik-efaktura"


class Stage(StrEnum):
    """How far eFaktura is. ``wished``: the rest is done in the bank. ``refused`` and ``ended`` may be asked anew."""

    OFF = "off"
    ON = "on"
    PENDING = "pending"
    DOWN = "down"
    WISHED = "wished"
    REFUSED = "refused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Efaktura:
    """What the page tells. ``is_guide``: it is switched on in the bank, not by us."""

    stage: Stage
    is_guide: bool


def efaktura_of(session: Session, settings: Settings, resident: Resident) -> Efaktura:
    """Where *resident* stands. Changes nothing."""
    found = agreement_of(session, resident.id)
    is_on = takes_efaktura(session, resident.id)
    return Efaktura(_stage(found, is_on), settings.efaktura_activation == "guide")


def _stage(found: AgreementFacts | None, is_on: bool) -> Stage:
    if is_on or (found is not None and found.state is AgreementState.ACTIVE):
        return Stage.ON
    if found is None:
        return Stage.OFF
    if found.state is AgreementState.ENDED:
        return Stage.ENDED
    if found.state is AgreementState.DECLINED:
        return Stage.REFUSED if found.reason is Why.REFUSED else Stage.OFF
    if found.activation is Activation.GUIDE:
        return Stage.WISHED
    return Stage.DOWN if found.reason in (Why.UNAVAILABLE, Why.UNCERTAIN) else Stage.PENDING


@bp.post("/efaktura")
def efaktura() -> ResponseReturnValue:
    """Say yes to eFaktura; a second press changes nothing."""
    if PlainForm().validate_on_submit():
        ask_from_min_side(request_desk(), access.current_resident())
    return redirect(url_for("min_side.delivery", _anchor=SECTION), 303)


@bp.post("/efaktura/sjekk")
def efaktura_check() -> ResponseReturnValue:
    """One look at whether eFaktura works by now."""
    if PlainForm().validate_on_submit():
        try:
            text, category = SAID[check_now(request_desk(), access.current_resident().id)]
            flash(str(text), category)
        except TooOften:
            flash(gettext("Du har sjekket mange ganger nå. Prøv igjen om en time."), "warning")
    return redirect(url_for("min_side.delivery"), 303)
