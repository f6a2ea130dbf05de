"""What piles, brakes and attempts are called, in the language of the page."""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from app.channels.contract import Outcome
from app.delivery.models import BrakeKind
from app.routing.channels import Channel, Reason
from app.staff.needs import Pile, PulledBrake
from app.staff.statistics_words import channel, hold, percent

OUTCOMES = {
    None: _("Begynt, men aldri avsluttet"),
    Outcome.UNCERTAIN: _("Vi vet ikke om den kom fram"),
    Outcome.UNAVAILABLE: _("Ble ikke tatt imot, prøves igjen"),
}


def name(pile: Pile, key: Reason | Channel) -> str:
    """What lies in the pile."""
    if isinstance(key, Reason):
        return hold(key)
    words = {
        Pile.RETRIED: gettext("Prøves igjen: %(channel)s", channel=channel(key)),
        Pile.QUIET: gettext("Sendt uten svar: %(channel)s", channel=channel(key)),
    }
    return str(words[pile])


def sentence(pile: Pile, key: Reason | Channel) -> str:
    """Why it lies there."""
    if isinstance(key, Reason):
        return str(gettext(key.sentence))
    if pile is Pile.RETRIED:
        return str(gettext("Den som leverer, tok ikke imot. Neste kjøring prøver igjen av seg selv."))
    return str(gettext("Fakturaen er tatt imot, men vi har ikke hørt om den kom fram. Spør den som leverer."))


def age(since: dt.datetime, now: dt.datetime) -> str:
    """How long ago, in whole days."""
    days = (now - since).days
    return str(ngettext("%(num)s dag", "%(num)s dager", days) if days else gettext("i dag"))


def brake(pulled: PulledBrake) -> str:
    """What pulled the brake, with its figures."""
    found = pulled.brake
    figures = {"share": percent(found.share), "usual": percent(found.usual_share)}
    if found.kind is BrakeKind.PAPER:
        return str(gettext("%(share)s går som brev. Det vanlige er %(usual)s.", **figures))
    figures["channel"] = channel(found.channel) if found.channel else ""
    if found.kind is BrakeKind.REFUSAL:
        return str(gettext("%(channel)s: %(share)s er ikke tatt imot. Det vanlige er %(usual)s.", **figures))
    return str(
        gettext("Registeret bak %(channel)s svarer ikke. Det holder tilbake %(share)s av fakturaene.", **figures)
    )


def behind(pulled: PulledBrake, most: int) -> str:
    """How much waits behind the brake."""
    if pulled.waiting >= most:
        return str(gettext("Mer enn %(most)s fakturaer venter bak bremsen.", most=most))
    return str(ngettext("%(num)s faktura venter bak bremsen.", "%(num)s fakturaer venter bak bremsen.", pulled.waiting))
