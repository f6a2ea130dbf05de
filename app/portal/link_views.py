"""The link in the mail that confirms an address: whoever can open the mail need not log in.

Looking changes nothing, since mail programs open links by themselves; a person presses the button.
"""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.contact.confirming import confirm_by_link, linked
from app.contact.desk import LinkSpent
from app.core.contact import mask_email
from app.core.tokens import LinkExpired, LinkInvalid
from app.portal import access
from app.portal.contact_views import desk
from app.portal.forms import PlainForm

bp = Blueprint("email_link", __name__, url_prefix="/min-side/epost/bekreft")


@bp.route("/<token>", methods=["GET", "POST"])
def confirm(token: str) -> ResponseReturnValue:
    """GET shows the button, POST confirms; a second press is fine."""
    form = PlainForm()
    try:
        if form.validate_on_submit():
            confirm_by_link(desk(), token)
            return redirect(url_for("email_link.confirm", token=token))
        found = linked(desk(), token)
    except LinkInvalid:
        abort(404)
    except (LinkExpired, LinkSpent):
        page = render_template("portal/link_spent.html", is_logged_in=access.is_logged_in())
        return page, 410
    return render_template(
        "portal/link.html",
        form=form,
        token=token,
        address=mask_email(found.value),
        is_confirmed=found.confirmed_at is not None,
        is_logged_in=access.is_logged_in(),
    )
