"""Changing and confirming the mobile number and the e-mail address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext, ngettext
from flask_babel import lazy_gettext as _

from app.contact.at_request import request_desk
from app.contact.confirming import ask, confirm_by_code, pending, remove
from app.contact.desk import AskedTooSoon, CodeNotSent, CodeTooOld, CodeWrong, Desk, TriesSpent
from app.core.contact import EmailInvalid, MobileFault, MobileInvalid, mask_mobile
from app.core.database import db
from app.core.throttle import TooOften
from app.portal import access
from app.portal.forms import CodeForm, EmailForm, MobileForm, PlainForm
from app.portal.room import bp
from app.portal.words import shown
from app.residents.models import ContactKind
from app.residents.queries import open_contact_points

LANDLINE = _("Dette ser ut som et fasttelefonnummer. Skriv inn et mobilnummer som kan ta imot SMS")
BAD_MOBILE = _("Mobilnummeret må ha 8 siffer, for eksempel 412 34 567. Er nummeret utenlandsk, start med + og landkode")
BAD_EMAIL = _("E-postadressen må ha krøllalfa (@) og punktum, for eksempel kari@eksempel.no")
NOT_SENT = _("Vi fikk ikke sendt koden. Sjekk at det du skrev er riktig, og prøv igjen om noen minutter")


@dataclass(frozen=True, slots=True)
class Words:
    """What the pages of one kind of contact point are called."""

    path: str
    title: object
    code_title: object
    sent: object
    done: object
    removed: object


WORDS: Mapping[ContactKind, Words] = {
    ContactKind.MOBILE: Words(
        "mobile", _("Mobilnummer"), _("Skriv inn koden fra SMS-en"),
        _("Vi har sendt en ny kode. Den gamle virker ikke lenger."),
        _("Mobilnummeret ditt er bekreftet."), _("Vi har fjernet mobilnummeret ditt."),
    ),
    ContactKind.EMAIL: Words(
        "email", _("E-postadresse"), _("Skriv inn koden fra e-posten"),
        _("Vi har sendt en ny kode. Den gamle virker ikke lenger."),
        _("E-postadressen din er bekreftet."), _("Vi har fjernet e-postadressen din."),
    ),
}  # fmt: skip


def desk() -> Desk:
    """What the services work with in this request, in the reader's language."""
    return request_desk(str(get_locale()))


@bp.route("/mobil", methods=["GET", "POST"])
def mobile() -> ResponseReturnValue:
    """See and change the mobile number."""
    return _change(ContactKind.MOBILE, MobileForm())


@bp.route("/epost", methods=["GET", "POST"])
def email() -> ResponseReturnValue:
    """See and change the e-mail address."""
    return _change(ContactKind.EMAIL, EmailForm())


@bp.route("/mobil/kode", methods=["GET", "POST"])
def mobile_code() -> ResponseReturnValue:
    """Confirm the mobile number by the code."""
    return _confirm(ContactKind.MOBILE)


@bp.route("/epost/kode", methods=["GET", "POST"])
def email_code() -> ResponseReturnValue:
    """Confirm the e-mail address by the code."""
    return _confirm(ContactKind.EMAIL)


@bp.post("/mobil/ny-kode")
def mobile_again() -> ResponseReturnValue:
    """Send a new code to the number that waits."""
    return _again(ContactKind.MOBILE)


@bp.post("/epost/ny-kode")
def email_again() -> ResponseReturnValue:
    """Send a new code to the address that waits."""
    return _again(ContactKind.EMAIL)


@bp.post("/mobil/fjern")
def mobile_remove() -> ResponseReturnValue:
    """Stop using the mobile number."""
    return _remove(ContactKind.MOBILE)


@bp.post("/epost/fjern")
def email_remove() -> ResponseReturnValue:
    """Stop using the e-mail address."""
    return _remove(ContactKind.EMAIL)


def _change(kind: ContactKind, form: MobileForm | EmailForm) -> ResponseReturnValue:
    resident, name = access.current_resident(), WORDS[kind].path
    if form.validate_on_submit():
        try:
            waiting = ask(desk(), resident, kind, form.value.data)
        except (MobileInvalid, EmailInvalid, AskedTooSoon, TooOften, CodeNotSent) as error:
            form.value.errors = [*form.value.errors, _problem(error)]
        else:
            if waiting is None:
                flash(str(WORDS[kind].done))
                return redirect(url_for("min_side.overview"))
            return redirect(url_for(f"min_side.{name}_code"))
    current = open_contact_points(db.session(), [resident.id]).get(resident.id, {}).get(kind)
    if not form.is_submitted() and current is not None:
        form.value.data = shown(current)
    page = render_template("portal/contact.html", form=form, words=WORDS[kind], kind=kind, current=current)
    return page, 422 if form.errors else 200


def _confirm(kind: ContactKind) -> ResponseReturnValue:
    resident, form, at = access.current_resident(), CodeForm(), desk()
    waiting = pending(at, resident, kind)
    if waiting is None or waiting.confirmed_at is not None:
        return redirect(url_for(f"min_side.{WORDS[kind].path}"))
    if form.validate_on_submit():
        try:
            confirm_by_code(at, resident, kind, form.code.data)
        except (CodeWrong, CodeTooOld, TriesSpent) as error:
            form.code.errors = [*form.code.errors, _problem(error)]
        else:
            flash(str(WORDS[kind].done))
            return redirect(url_for("min_side.overview"))
    to = mask_mobile(waiting.value) if kind is ContactKind.MOBILE else waiting.value
    page = render_template("portal/code.html", form=form, words=WORDS[kind], kind=kind, to=to)
    return page, 422 if form.errors else 200


def _again(kind: ContactKind) -> ResponseReturnValue:
    resident, at = access.current_resident(), desk()
    waiting = pending(at, resident, kind)
    if waiting is None or waiting.confirmed_at is not None:
        return redirect(url_for(f"min_side.{WORDS[kind].path}"))
    try:
        ask(at, resident, kind, waiting.value)
    except (AskedTooSoon, TooOften, CodeNotSent) as error:
        flash(_problem(error), "warning")
    else:
        flash(str(WORDS[kind].sent))
    # Without a code on its way there is nothing to type.
    still_waiting = pending(at, resident, kind) is not None
    return redirect(url_for(f"min_side.{WORDS[kind].path}{'_code' if still_waiting else ''}"))


def _remove(kind: ContactKind) -> ResponseReturnValue:
    if PlainForm().validate_on_submit() and remove(desk(), access.current_resident(), kind):
        flash(str(WORDS[kind].removed))
    return redirect(url_for("min_side.overview"))


def _problem(error: Exception) -> str:
    """What was wrong, in words that say what to do."""
    match error:
        case MobileInvalid(reason=MobileFault.LANDLINE):
            return str(LANDLINE)
        case MobileInvalid():
            return str(BAD_MOBILE)
        case EmailInvalid():
            return str(BAD_EMAIL)
        case CodeWrong(left=left):
            tries = ngettext("%(num)s forsøk", "%(num)s forsøk", left)
            return str(gettext("Koden stemmer ikke. Prøv igjen, du har %(tries)s igjen", tries=tries))
        case CodeTooOld():
            return str(gettext("Koden er for gammel. Be om en ny kode"))
        case TriesSpent():
            return str(gettext("Du har prøvd for mange ganger. Be om en ny kode"))
        case AskedTooSoon(wait=wait):
            seconds = int(wait.total_seconds()) + 1
            return str(
                gettext("Vi har nettopp sendt en kode. Vent %(seconds)s sekunder, og prøv igjen", seconds=seconds)
            )
        case TooOften(wait=wait):
            minutes = int(wait.total_seconds() // 60) + 1
            return str(
                gettext("Du har bedt om for mange koder. Vent %(minutes)s minutter, og prøv igjen", minutes=minutes)
            )
        case _:
            return str(NOT_SENT)
