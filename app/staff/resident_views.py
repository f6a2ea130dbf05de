"""One resident: how invoices come and why, how to reach them, agreements, invoices. Opening it is written down."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core.audit import AuditEvent, seen_by
from app.core.crypto import vault
from app.core.database import db
from app.core.here import settings
from app.residents.models import Resident
from app.staff import find_words as words
from app.staff.access import Role, needs
from app.staff.find_forms import PlainForm, ShowForm
from app.staff.people import names_of
from app.staff.resident import dossier_of, resident_by_public_id
from app.staff.room import bp
from app.staff.seen import note

MOST_VIEWERS = 20


@bp.get("/innbygger/<uuid:public_id>")
@needs(Role.CASEWORKER)
def resident(public_id: UUID) -> ResponseReturnValue:
    """The page, without the national id, and without what protects where somebody lives."""
    found = resident_by_public_id(db.session(), str(public_id))
    note(AuditEvent.RESIDENT_VIEWED, f"resident:{found.public_id}")
    return _page(found, ShowForm(formdata=None))


@bp.get("/innbygger/<uuid:public_id>/<any(fodselsnummer, adresse):_what>")
@needs(Role.CASEWORKER)
def hidden_again(public_id: UUID, _what: str) -> ResponseReturnValue:
    """What was shown once is hidden again: who changes the language there, or comes back, is on the page itself."""
    return redirect(url_for("staff.resident", public_id=public_id))


@bp.post("/innbygger/<uuid:public_id>/fodselsnummer")
@needs(Role.CASEWORKER)
def show_national_id(public_id: UUID) -> ResponseReturnValue:
    """The page with the national id on it, this once."""
    found = resident_by_public_id(db.session(), str(public_id))
    if not PlainForm().validate_on_submit() or found.national_id_encrypted is None:
        return _page(found, ShowForm(formdata=None))
    note(AuditEvent.RESIDENT_VIEWED, f"resident:{found.public_id}", details={"shown": ["national_id"]})
    number = vault(settings()).decrypt(found.national_id_encrypted, row=found.public_id)
    return _page(found, ShowForm(formdata=None), national_id=number)


@bp.post("/innbygger/<uuid:public_id>/adresse")
@needs(Role.CASEWORKER)
def show_protected(public_id: UUID) -> ResponseReturnValue:
    """The page with a protected resident's address and contact points on it, this once, for a reason."""
    found, form = resident_by_public_id(db.session(), str(public_id)), ShowForm()
    if not form.validate_on_submit():
        return _page(found, form)
    details = {"shown": ["address", "contact_points"]}
    note(AuditEvent.RESIDENT_VIEWED, f"resident:{found.public_id}", form.reason.data, details)
    return _page(found, ShowForm(formdata=None), is_shown=True)


def _page(found: Resident, form: ShowForm, *, national_id: str = "", is_shown: bool = False) -> ResponseReturnValue:
    session = db.session()
    seen = seen_by(session, found.public_id)[:MOST_VIEWERS]
    page = render_template(
        "staff/resident.html",
        dossier=dossier_of(session, settings(), found, request.args.get("side", 1, type=int)),
        resident=found,
        form=form,
        national_id=national_id,
        is_shown=is_shown,
        viewers=seen,
        names=names_of(session, {row.actor for row in seen}),
        words=words,
    )
    return page, 422 if form.errors else 200
