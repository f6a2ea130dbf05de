"""Min side: how the next invoice comes, what is chosen, the invoices, and what is held about the resident."""

from __future__ import annotations

import json
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from app.contact.preferences import CLOSABLE, choice_of, choose_delivery
from app.core import here
from app.core.audit import AuditEvent, record
from app.core.database import db
from app.delivery.explain import explain
from app.delivery.of_resident import invoice_of, invoices_of, pdf_of
from app.delivery.outlook import outlook
from app.portal import access, insight, insight_offers, words
from app.portal.agreement import Agreement, agreement_for
from app.portal.efaktura_views import efaktura_of
from app.portal.forms import DeliveryForm
from app.portal.room import bp
from app.residents.models import ContactKind
from app.residents.queries import open_contact_points


@bp.get("")
def overview() -> ResponseReturnValue:
    """How the next invoice comes, how we reach the resident, and the invoices."""
    session, resident = db.session(), access.current_resident()
    return render_template(
        "portal/overview.html",
        outlook=outlook(session, here.settings(), resident),
        points=open_contact_points(session, [resident.id]).get(resident.id, {}),
        page=invoices_of(session, resident, request.args.get("side", 1, type=int)),
        kinds=ContactKind,
        words=words,
        today=here.clock().today(),
    )


@bp.route("/levering", methods=["GET", "POST"])
def delivery() -> ResponseReturnValue:
    """Each way in the municipality's order, with its state, reason and one action; and what may be chosen."""
    session, resident, settings = db.session(), access.current_resident(), here.settings()
    form, chosen = DeliveryForm(), choice_of(session, resident)
    if form.validate_on_submit():
        choose_delivery(session, here.clock(), resident, form.choice(CLOSABLE))
        flash(gettext("Valget er lagret. Det gjelder fra neste faktura."))
        return redirect(url_for("min_side.delivery"))
    if not form.is_submitted():
        form.show(chosen)
    agreement = agreement_for(session, settings, resident)
    page = render_template(
        "portal/delivery.html",
        form=form,
        chosen=chosen,
        closable=CLOSABLE,
        outlook=outlook(session, settings, resident),
        words=words,
        agreement=agreement,
        efaktura=efaktura_of(session, settings, resident),
        is_back_from_bank="avtalegiro" in request.args,
    )
    return _with_bank(make_response(page, 422 if form.errors else 200), agreement)


@bp.get("/faktura/<uuid:public_id>")
def invoice(public_id: UUID) -> ResponseReturnValue:
    """One invoice: its way and how far it is, in plain words."""
    session = db.session()
    found = invoice_of(session, access.current_resident(), str(public_id))
    return render_template(
        "portal/invoice.html",
        invoice=found,
        journey=explain(session, found, str(get_locale())),
        words=words,
        today=here.clock().today(),
    )


@bp.get("/faktura/<uuid:public_id>/pdf")
def invoice_pdf(public_id: UUID) -> ResponseReturnValue:
    """The invoice as it was sent."""
    session = db.session()
    found = invoice_of(session, access.current_resident(), str(public_id))
    response = Response(pdf_of(session, here.settings(), here.clock(), found), mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="faktura.pdf"'
    return response


@bp.get("/innsyn")
def held() -> ResponseReturnValue:
    """What is held about the resident, and who has looked."""
    session, resident = db.session(), access.current_resident()
    return render_template(
        "portal/insight.html",
        resident=resident,
        points=insight.contact_points(session, resident),
        answers=insight.answers(session, resident),
        mandates=insight.mandates(session, resident),
        offers=insight_offers.offers(session, resident),
        agreements=insight_offers.agreements(session, resident),
        log=insight.log_about(session, resident)[:100],
        seen=insight.seen_of(session, resident)[:100],
        who=insight.who,
        words=words,
    )


@bp.get("/innsyn/fil")
def held_file() -> ResponseReturnValue:
    """The whole of it, as a JSON file."""
    session, resident = db.session(), access.current_resident()
    content = insight.held_about(session, here.settings(), resident)
    subject = f"resident:{resident.public_id}"
    now = here.clock().now()
    record(session, at=now, actor=subject, event=AuditEvent.OWN_DATA_FETCHED, subject=subject)
    session.commit()
    response = Response(json.dumps(content, ensure_ascii=False, indent=2), mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="innsyn.json"'
    return response


def _with_bank(response: Response, agreement: Agreement | None) -> Response:
    """Let the page's form go to the bank, when it is not on this site."""
    if agreement is not None:
        bank, own = urlsplit(agreement.address), urlsplit(here.settings().base_url)
        if (bank.scheme, bank.netloc) != (own.scheme, own.netloc):
            response.headers["Content-Security-Policy"] = f"form-action 'self' {bank.scheme}://{bank.netloc}"
    return response
