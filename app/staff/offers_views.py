"""Offer campaigns: whom one would reach, start, pace, stop, go on, and what came of the mails."""

from __future__ import annotations

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from app.campaigns import service
from app.campaigns.brakes import is_warned, returns
from app.campaigns.figures import figures
from app.campaigns.models import Campaign, CampaignState
from app.campaigns.pace import pace_of
from app.core.database import db
from app.core.errors import NotPossible
from app.core.here import clock, settings
from app.staff import offers_words as words
from app.staff.access import Role, current_staff, needs
from app.staff.forms import CampaignForm, PaceForm, PlainForm
from app.staff.room import bp


@bp.get("/tilbud")
@needs(Role.OPERATOR)
def offers() -> ResponseReturnValue:
    """Every campaign with its figures, and where a new one begins."""
    return _list(CampaignForm())


def _list(form: CampaignForm) -> ResponseReturnValue:
    page = render_template("staff/offers.html", form=form, found=figures(db.session()), words=words)
    return page, 422 if form.errors else 200


@bp.post("/tilbud/se")
@needs(Role.OPERATOR)
def preview_offer() -> ResponseReturnValue:
    """Whom a campaign of this name would write to now. Nothing is changed, and nobody is asked."""
    form = CampaignForm()
    if not form.validate_on_submit():
        return _list(form)
    found = service.preview(db.session(), settings(), clock(), form.name.data)
    existing = db.session.scalars(select(Campaign).filter_by(name=form.name.data)).one_or_none()
    return render_template(
        "staff/offer_preview.html",
        form=form,
        found=found,
        skipped=words.skipped(found.skipped),
        existing=existing,
        is_stopped=existing is not None and existing.state is CampaignState.STOPPED,
        pace=settings().offer_mails_per_minute,
        hours=settings().offer_hours,
    )


@bp.post("/tilbud/start")
@needs(Role.OPERATOR)
def start_offer() -> ResponseReturnValue:
    """Begin, after the preview: the offer job sends from its next run on. A second press finds it running."""
    form = CampaignForm()
    if not form.validate_on_submit():
        return _list(form)
    try:
        campaign = service.start(db.session(), clock(), form.name.data, current_staff().actor)
    except NotPossible:
        flash(gettext("Kampanjen er stanset. Se på den, og la den fortsette derfra."), "warning")
        return redirect(url_for("staff.offers"))
    flash(gettext("Kampanjen er i gang. E-postene går ut når tilbudsjobben kjører."))
    return redirect(url_for("staff.offer", public_id=campaign.public_id))


@bp.get("/tilbud/<uuid:public_id>")
@needs(Role.OPERATOR)
def offer(public_id: UUID) -> ResponseReturnValue:
    """One campaign: what came of it day by day, and what may be done."""
    return _one(_campaign(public_id), PaceForm())


def _one(campaign: Campaign, form: PaceForm) -> ResponseReturnValue:
    session = db.session()
    (found,) = figures(session, campaign.name).campaigns
    back = returns(session, campaign)
    if not form.is_submitted():
        form.per_minute.data = campaign.mails_per_minute
    page = render_template(
        "staff/offer.html",
        campaign=campaign,
        found=found,
        words=words,
        form=form,
        back=back,
        is_warned=is_warned(back, settings()),
        pace=pace_of(settings(), campaign),
        hours=settings().offer_hours,
        states=CampaignState,
    )
    return page, 422 if form.errors else 200


@bp.post("/tilbud/<uuid:public_id>/stopp")
@needs(Role.OPERATOR)
def stop_offer(public_id: UUID) -> ResponseReturnValue:
    """Let no more mails leave, also in a run that is under way."""
    campaign = _campaign(public_id)
    if PlainForm().validate_on_submit():
        service.stop(db.session(), clock(), campaign.name, current_staff().actor)
        flash(gettext("Kampanjen er stanset. De som har fått e-posten, kan fortsatt svare."))
    return redirect(url_for("staff.offer", public_id=public_id))


@bp.post("/tilbud/<uuid:public_id>/fortsett")
@needs(Role.OPERATOR)
def resume_offer(public_id: UUID) -> ResponseReturnValue:
    """Let a stopped campaign go on, whoever or whatever stopped it."""
    campaign = _campaign(public_id)
    if PlainForm().validate_on_submit():
        service.resume(db.session(), clock(), campaign.name, current_staff().actor)
        flash(gettext("Kampanjen fortsetter når tilbudsjobben kjører."))
    return redirect(url_for("staff.offer", public_id=public_id))


@bp.post("/tilbud/<uuid:public_id>/fart")
@needs(Role.OPERATOR)
def pace_offer(public_id: UUID) -> ResponseReturnValue:
    """At most so many mails a minute; an empty field takes the limit away."""
    campaign, form = _campaign(public_id), PaceForm()
    if not form.validate_on_submit():
        return _one(campaign, form)
    service.set_pace(db.session(), clock(), campaign.name, form.per_minute.data, current_staff().actor)
    flash(gettext("Farten er lagret."))
    return redirect(url_for("staff.offer", public_id=public_id))


def _campaign(public_id: UUID) -> Campaign:
    query = select(Campaign).filter_by(public_id=str(public_id)).execution_options(populate_existing=True)
    found = db.session.scalars(query).one_or_none()
    if found is None:
        abort(404)
    return found
