"""Helping who calls or calls in: find them, make sure who they are, register how to reach them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.contact.at_request import request_desk
from app.contact.for_caller import Checked, Registered, ReplacesConfirmed, register_for_caller
from app.core import here
from app.core.audit import AuditEvent
from app.core.contact import EmailInvalid, MobileFault, MobileInvalid, normalise_email, normalise_mobile
from app.core.database import db
from app.core.throttle import TooOften
from app.residents.models import ContactKind, Resident
from app.residents.queries import open_contact_points
from app.staff import find_words as words
from app.staff.access import Role, current_staff, needs
from app.staff.find import find_person
from app.staff.find_forms import CallerForm, PersonForm
from app.staff.resident import resident_by_public_id
from app.staff.room import bp
from app.staff.seen import note

LANDLINE = _("Dette ser ut som et fasttelefonnummer. Skriv inn et mobilnummer som kan ta imot SMS")
BAD_MOBILE = _("Mobilnummeret må ha 8 siffer, for eksempel 412 34 567. Er nummeret utenlandsk, start med + og landkode")
BAD_EMAIL = _("E-postadressen må ha krøllalfa (@) og punktum, for eksempel kari@eksempel.no")
NEITHER = _("Skriv mobilnummeret eller e-postadressen")
REPLACES = _("Innbyggeren har bekreftet noe annet. Kryss av hvis det skal byttes ut")
NOT_FOUND = _("Vi finner ingen med dette nummeret. Sjekk at det er riktig, eller søk på navnet")


@bp.route("/registrer", methods=["GET", "POST"])
@needs(Role.CASEWORKER)
def caller() -> ResponseReturnValue:
    """Step 1: who it is about. The number is posted, and stands in no address and no log."""
    form = PersonForm()
    if form.validate_on_submit():
        found = find_person(db.session(), here.settings(), here.clock(), form.person.data)
        if found is not None:
            return redirect(url_for("staff.register_contact", public_id=found.public_id))
        form.person.errors = [*form.person.errors, str(NOT_FOUND)]
    # What was typed may be a national id: it is not written back.
    form.person.data = ""
    return render_template("staff/caller.html", form=form), 422 if form.errors else 200


@bp.route("/innbygger/<uuid:public_id>/registrer", methods=["GET", "POST"])
@needs(Role.CASEWORKER)
def register_contact(public_id: UUID) -> ResponseReturnValue:
    """Steps 2 and 3: make sure who is speaking, and register what they say."""
    found, form = resident_by_public_id(db.session(), str(public_id)), CallerForm()
    if form.is_submitted():
        form.validate()
        values = _values(form)
        if not form.errors:
            done = _register(found, form, values)
            if done is not None:
                _tell(done)
                return redirect(url_for("staff.resident", public_id=found.public_id))
    else:
        note(AuditEvent.RESIDENT_VIEWED, f"resident:{found.public_id}", details={"shown": ["registration"]})
    page = render_template(
        "staff/register_contact.html",
        form=form,
        resident=found,
        points=open_contact_points(db.session(), [found.id]).get(found.id, {}),
        kinds=ContactKind,
        words=words,
    )
    return page, 422 if form.errors else 200


def _values(form: CallerForm) -> dict[ContactKind, str]:
    """What was typed, in its one written form; what is wrong stands at its field."""
    values: dict[ContactKind, str] = {}
    if not form.mobile.data and not form.email.data:
        form.mobile.errors = [str(NEITHER)]
    try:
        if form.mobile.data:
            values[ContactKind.MOBILE] = normalise_mobile(form.mobile.data)
    except MobileInvalid as error:
        form.mobile.errors = [str(LANDLINE if error.reason is MobileFault.LANDLINE else BAD_MOBILE)]
    try:
        if form.email.data:
            values[ContactKind.EMAIL] = normalise_email(form.email.data)
    except EmailInvalid:
        form.email.errors = [str(BAD_EMAIL)]
    return values


def _register(found: Resident, form: CallerForm, values: Mapping[ContactKind, str]) -> Registered | None:
    try:
        return register_for_caller(
            # It speaks the resident's language, not the reader's.
            request_desk(found.language),
            found,
            current_staff().actor,
            Checked(form.checked.data),
            values,
            may_replace_confirmed=form.replaces.data,
        )
    except ReplacesConfirmed:
        form.replaces.errors = [str(REPLACES)]
    except TooOften as error:
        minutes = int(error.wait.total_seconds() // 60) + 1
        message = gettext("Dette er gjort for mange ganger. Vent %(minutes)s minutter, og prøv igjen", minutes=minutes)
        form.consent.errors = [str(message)]
    return None


def _tell(done: Registered) -> None:
    if done.new:
        flash(gettext("Lagret. Opplysningene står som «ikke bekreftet» til innbyggeren selv bekrefter dem."))
    elif done.unchanged:
        flash(gettext("Dette var registrert fra før. Ingenting er endret."))
    for kind in done.untold:
        if kind is ContactKind.MOBILE:
            flash(gettext("Vi fikk ikke sendt SMS-en. Sjekk at nummeret er riktig."), "warning")
        else:
            flash(gettext("Vi fikk ikke sendt e-posten. Sjekk at adressen er riktig."), "warning")
