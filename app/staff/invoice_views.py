"""One invoice: what it is, which way it goes and why, what has happened, and what may be done with it."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from app.core.audit import AuditEvent
from app.core.database import db
from app.core.errors import NotPossible
from app.core.here import clock, settings
from app.delivery.explain import explain
from app.delivery.of_resident import pdf_of
from app.delivery.timeline import timeline, viewers
from app.invoices.models import Invoice
from app.invoices.queries import credit_notes_of, invoice_by_public_id
from app.residents.models import Resident
from app.routing.channels import Channel
from app.staff import find_words as words
from app.staff.access import Role, current_staff, needs
from app.staff.find_forms import InvoiceActForm
from app.staff.invoice_acts import Choice, Doing, choice_of, do, possible
from app.staff.people import names_of
from app.staff.room import bp
from app.staff.seen import note

MOST_VIEWERS = 20
ACTIONS: dict[Choice, object] = {
    Doing.HOLD: _("Hold den tilbake"),
    Doing.RELEASE: _("Slipp den løs: den planlegges på nytt i neste kjøring"),
    Doing.ARRIVED: _("Den er kommet fram: ikke send mer"),
    Doing.CAME_BACK: _("Den er kommet i retur: gå videre til neste måte"),
    Doing.CANCEL: _("Trekk den tilbake: ingenting skal betales"),
    Channel.EFAKTURA: _("Send den som eFaktura i stedet"),
    Channel.VIPPS: _("Send den i Vipps i stedet"),
    Channel.MAILBOX: _("Send den til digital postkasse i stedet"),
    Channel.EMAIL: _("Send den på e-post i stedet"),
    Channel.PAPER: _("Send den som brev i stedet"),
}
HINTS = {
    Doing.CANCEL.value: _("Dette kan ikke gjøres om. Et trekk i banken kalles tilbake."),
    Doing.CAME_BACK.value: _("Velg dette bare når du har brevet eller e-posten som kom i retur foran deg."),
}
DONE: dict[Choice, object] = {
    Doing.HOLD: _("Fakturaen holdes tilbake."),
    Doing.RELEASE: _("Fakturaen er sluppet løs. Neste kjøring planlegger og sender den."),
    Doing.ARRIVED: _("Fakturaen regnes som kommet fram."),
    Doing.CAME_BACK: _("Meldt i retur. Fakturaen går videre til neste måte."),
    Doing.CANCEL: _("Fakturaen er trukket tilbake."),
}


@bp.get("/faktura/<uuid:public_id>")
@needs(Role.CASEWORKER)
def invoice(public_id: UUID) -> ResponseReturnValue:
    """The page. Opening it is an event."""
    found = _invoice(db.session(), public_id)
    note(AuditEvent.INVOICE_VIEWED, f"invoice:{found.public_id}")
    return _page(found, _form(found))


@bp.post("/faktura/<uuid:public_id>")
@needs(Role.CASEWORKER)
def act_on_invoice(public_id: UUID) -> ResponseReturnValue:
    """Do one thing, with its reason."""
    session = db.session()
    found = _invoice(session, public_id)
    form = _form(found)
    if not form.validate_on_submit():
        return _page(found, form)
    choice = choice_of(form.action.data)
    try:
        do(session, settings(), clock(), current_staff().actor, found, choice, form.reason.data)
    except NotPossible:
        session.rollback()
        flash(gettext("Dette går ikke lenger: fakturaen er kommet videre. Ingenting er endret."), "warning")
    else:
        chosen = gettext("Neste kjøring sender fakturaen slik du valgte.")
        flash(str(DONE.get(choice) or chosen))
    return redirect(url_for("staff.invoice", public_id=found.public_id))


@bp.get("/faktura/<uuid:public_id>/pdf")
@needs(Role.CASEWORKER)
def invoice_document(public_id: UUID) -> ResponseReturnValue:
    """The document as it was sent, else as it would be. Opening it is an event."""
    found = _invoice(db.session(), public_id)
    session = note(AuditEvent.DOCUMENT_VIEWED, f"invoice:{found.public_id}")
    response = Response(pdf_of(session, settings(), clock(), found), mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="faktura.pdf"'
    return response


def _invoice(session: Session, public_id: UUID) -> Invoice:
    return invoice_by_public_id(session, str(public_id))


def _form(found: Invoice) -> InvoiceActForm:
    form = InvoiceActForm()
    form.action.choices = [(choice.value, ACTIONS[choice]) for choice in possible(db.session(), found)]
    return form


def _page(found: Invoice, form: InvoiceActForm) -> ResponseReturnValue:
    session = db.session()
    moments, seen = timeline(session, found), viewers(session, found, MOST_VIEWERS)
    page = render_template(
        "staff/invoice.html",
        invoice=found,
        resident=session.get(Resident, found.resident_id) if found.resident_id is not None else None,
        journey=explain(session, found, str(get_locale())),
        credits=credit_notes_of(session, found),
        moments=moments,
        viewers=seen,
        names=names_of(session, {moment.actor for moment in moments} | {row.actor for row in seen}),
        form=form,
        hints=HINTS,
        words=words,
    )
    return page, 422 if form.errors else 200
