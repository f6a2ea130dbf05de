"""The link in the offer's mail: looking changes nothing, a person presses the button.

Each state of the link has a page and a status of its own; which one it is in, and what an answer comes to, the
services below decide.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, refresh

from app.campaigns.answers import answer, read_link
from app.campaigns.at_request import SAID, request_desk
from app.campaigns.look import check_now
from app.campaigns.renewal import new_link
from app.campaigns.states import LinkState, LinkView, find_offer
from app.core.throttle import TooOften
from app.offers.forms import AnswerForm, ButtonForm

bp = Blueprint("offers", __name__, url_prefix="/efaktura")

PAGES: Mapping[LinkState, tuple[str, int]] = {
    LinkState.FRESH: ("question", 200),
    LinkState.ACTIVE: ("active", 200),
    LinkState.PENDING: ("pending", 202),
    LinkState.WISHED: ("guide", 200),
    LinkState.DECLINED: ("declined", 200),
    LinkState.NOT_ME: ("not_me", 200),
    LinkState.SHARED: ("shared", 200),
    LinkState.USED: ("used", 410),
    LinkState.EXPIRED: ("expired", 410),
    LinkState.REPLACED: ("replaced", 410),
    LinkState.UNKNOWN: ("unknown", 404),
}
# Whoever has answered may come back to the question; whether another answer still counts, the service says.
ASKED_AGAIN = frozenset({LinkState.DECLINED, LinkState.WISHED, LinkState.PENDING})


@bp.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """Where the link stands. Nothing is marked: programs open links too."""
    return _page(token, _look(token), AnswerForm())


@bp.post("/<token>")
def reply(token: str) -> ResponseReturnValue:
    """Yes, no or not me; a second press, or a late one, is answered by where the link stands."""
    view, form = _look(token), AnswerForm()
    if view.state is LinkState.UNKNOWN or not form.validate_on_submit():
        return _page(token, view, form)
    answered = answer(request_desk(), token, form.reply())
    if answered.is_too_late:
        flash(gettext("Det er for sent å si nei her. Du kan slå av eFaktura i nettbanken."), "warning")
    return redirect(url_for("offers.show", token=token), 303)


@bp.post("/<token>/sjekk")
def check(token: str) -> ResponseReturnValue:
    """One look at whether eFaktura works by now."""
    view, at = _look(token), request_desk()
    if view.state is not LinkState.WISHED:
        return _page(token, view, AnswerForm())
    found = find_offer(at.session, at.outfit.links.read_offer(token).offer)
    if found is None or not ButtonForm().validate_on_submit():
        abort(400)
    try:
        text, category = SAID[check_now(at, found.resident.id)]
        flash(str(text), category)
    except TooOften:
        flash(gettext("Du har sjekket mange ganger nå. Prøv igjen om en time."), "warning")
    return redirect(url_for("offers.show", token=token), 303)


@bp.post("/<token>/ny-lenke")
def renew(token: str) -> ResponseReturnValue:
    """A new link to the address that is stored; the answer is the same whatever *token* is."""
    if ButtonForm().validate_on_submit():
        new_link(request_desk(), token)
    return redirect(url_for("offers.renewed"), 303)


@bp.get("/ny-lenke")
def renewed() -> ResponseReturnValue:
    """What was done with the wish for a new link, as far as anybody may know."""
    return render_template("offers/renewed.html")


@bp.get("")
@bp.get("/")
@bp.get("/<path:rest>")
def lost(rest: str = "") -> ResponseReturnValue:
    """Half a link, or more than one: what to do."""
    return _page(rest, LinkView(LinkState.UNKNOWN), AnswerForm())


def _look(token: str) -> LinkView:
    view = read_link(request_desk(), token)
    _speak(view.language)
    return view


def _speak(language: str) -> None:
    """The language the mail was in, unless its reader chose another one."""
    if language:
        g.profile_language = language
        refresh()


def _page(token: str, view: LinkView, form: AnswerForm) -> ResponseReturnValue:
    template, status = PAGES[view.state]
    is_asked_again = view.state in ASKED_AGAIN and ("endre" in request.args or form.is_submitted())
    if is_asked_again or view.state is LinkState.FRESH:
        template, status = "question", 422 if form.errors else 200
    is_guide = request_desk().settings.efaktura_activation == "guide"
    if is_guide:
        form.guide()
    page = render_template(
        f"offers/{template}.html",
        view=view,
        form=form,
        token=token,
        is_guide=is_guide,
        link_days=request_desk().settings.offer_link_days,
    )
    return page, status
