"""What needs a person: the piles, the invoices in each and what is done to them, the brakes, and unpaid claims."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from app.core.audit import AuditEvent
from app.core.database import db
from app.core.here import clock, settings
from app.delivery.brakes import release_all
from app.routing.channels import Channel, Reason
from app.staff import needs as queries
from app.staff import needs_words as words
from app.staff.access import Role, current_staff, needs
from app.staff.forms import ActForm, ReasonForm
from app.staff.needs import Listing, Pile
from app.staff.needs_acts import Action, Done, act_on, invoices_by
from app.staff.room import bp
from app.staff.seen import note

ACTIONS = {
    Action.RELEASE: _("Slipp dem løs: de sendes i neste kjøring"),
    Action.ARRIVED: _("De er kommet fram: ikke send mer"),
    Action.HOLD: _("Hold dem tilbake"),
    Action.CANCEL: _("Trekk dem tilbake: ingenting skal betales"),
}


@bp.get("/trenger-deg")
@needs(Role.CASEWORKER)
def needs_you() -> ResponseReturnValue:
    """Everything that waits for a person, the brakes first."""
    return _overview(ReasonForm())


def _overview(form: ReasonForm) -> ResponseReturnValue:
    session, now = db.session(), clock().now()
    page = render_template(
        "staff/needs.html",
        form=form,
        brakes=queries.brakes(session),
        held=queries.piles(session, Pile.HELD, now),
        retried=queries.piles(session, Pile.RETRIED, now),
        quiet=queries.piles(session, Pile.QUIET, now),
        attempts=queries.open_attempts(session),
        unplanned=queries.unplanned(session),
        unpaid=queries.follow_up(session, settings(), clock().today()),
        most=queries.MOST_COUNTED,
        page_size=queries.PAGE,
        words=words,
        now=now,
        may_release=current_staff().may(Role.OPERATOR),
    )
    return page, 422 if form.errors else 200


@bp.post("/trenger-deg/bremser")
@needs(Role.OPERATOR)
def release_brakes() -> ResponseReturnValue:
    """Let go the brakes that were on the page, with a reason."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _overview(form)
    seen = [int(value) for value in request.form.getlist("brake") if value.isdigit()]
    released = release_all(db.session(), current_staff().actor, form.reason.data, clock().now(), only=seen)
    if released:
        flash(gettext("Bremsen er sluppet. Neste kjøring sender videre."))
    else:
        flash(gettext("Bremsen var alt sluppet."), "warning")
    return redirect(url_for("staff.needs_you"))


@bp.get("/trenger-deg/<any(holdt, venter, stille):pile>/<key>")
@needs(Role.CASEWORKER)
def pile(pile: str, key: str) -> ResponseReturnValue:
    """The invoices of one pile, the longest waiting first."""
    return _pile(Pile(pile), _key(Pile(pile), key), _form(Pile(pile), key))


@bp.post("/trenger-deg/<any(holdt, venter, stille):pile>/<key>")
@needs(Role.CASEWORKER)
def act_on_pile(pile: str, key: str) -> ResponseReturnValue:
    """Do something to the chosen invoices; what cannot be undone is asked once more."""
    which, form = Pile(pile), _form(Pile(pile), key)
    found = _key(which, key)
    chosen = request.form.getlist("shown" if form.everything.data else "invoice")
    is_valid = form.validate_on_submit()
    if not chosen and form.is_submitted():
        form.everything.errors = [gettext("Kryss av for minst én faktura")]
        is_valid = False
    if not is_valid:
        return _pile(which, found, form, chosen)
    action = Action(form.action.data)
    if action is Action.CANCEL and "confirmed" not in request.form:
        invoices = invoices_by(db.session(), chosen)
        return render_template("staff/needs_confirm.html", form=form, invoices=invoices, pile=which, key=found)
    done = act_on(db.session(), clock(), current_staff().actor, action, form.reason.data, chosen)
    _tell(action, done)
    return redirect(url_for("staff.pile", pile=which.value, key=found.value))


@bp.get("/trenger-deg/avtalegiro")
@needs(Role.CASEWORKER)
def unpaid_claims() -> ResponseReturnValue:
    """The claims the bank took and nobody paid. Looking at them is an event."""
    session = note(AuditEvent.FOLLOW_UP_VIEWED, "list:avtalegiro")
    claims = queries.follow_up(session, settings(), clock().today(), request.args.get("etter", "")[:36])
    return render_template(
        "staff/unpaid_claims.html",
        claims=claims[: queries.PAGE],
        next_after=claims[queries.PAGE - 1].public_id if len(claims) > queries.PAGE else None,
        days=settings().avtalegiro_follow_up_days,
    )


def _key(pile: Pile, key: str) -> Reason | Channel:
    """The reason or channel that *key* names; 404 for anything else."""
    kind: type[Reason] | type[Channel] = Reason if pile is Pile.HELD else Channel
    try:
        return kind(key)
    except ValueError:
        abort(404)


def _form(pile: Pile, key: str) -> ActForm:
    form = ActForm()
    actions = [Action.HOLD, Action.CANCEL] if pile is Pile.RETRIED else [Action.RELEASE, Action.CANCEL]
    if pile is Pile.HELD and key == Reason.SENT_TWICE:
        actions.insert(1, Action.ARRIVED)
    form.action.choices = [(action.value, ACTIONS[action]) for action in actions]
    return form


def _pile(pile: Pile, key: Reason | Channel, form: ActForm, chosen: list[str] | None = None) -> ResponseReturnValue:
    after = request.args.get("etter", "")[:80]
    found: Listing = queries.listing(db.session(), pile, key, clock().now(), after)
    page = render_template(
        "staff/needs_pile.html", pile=pile, key=key, listing=found, form=form, chosen=chosen or [], words=words,
        has_action=pile is not Pile.QUIET, now=clock().now(),
    )  # fmt: skip
    return page, 422 if form.errors else 200


def _tell(action: Action, done: Done) -> None:
    number = done.changed
    changed = {
        Action.RELEASE: ngettext("%(num)s faktura er sluppet løs.", "%(num)s fakturaer er sluppet løs.", number),
        Action.ARRIVED: ngettext(
            "%(num)s faktura regnes som kommet fram.", "%(num)s fakturaer regnes som kommet fram.", number
        ),
        Action.HOLD: ngettext("%(num)s faktura holdes tilbake.", "%(num)s fakturaer holdes tilbake.", number),
        Action.CANCEL: ngettext("%(num)s faktura er trukket tilbake.", "%(num)s fakturaer er trukket tilbake.", number),
    }
    if number:
        flash(changed[action])
    if done.left:
        numbers = ", ".join(done.left)
        flash(gettext("Dette gjaldt ikke lenger for %(numbers)s. De er ikke endret.", numbers=numbers), "warning")
