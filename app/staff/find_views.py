"""The search: what is typed is posted and never stands in an address; what was found is kept with the session."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from flask import abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.core.audit import AuditEvent
from app.core.database import db
from app.core.here import clock, settings
from app.core.throttle import TooOften
from app.invoices.models import Invoice
from app.staff import find_words as words
from app.staff.access import Role, current_staff, needs
from app.staff.find import MOST, PAGE, Hit, Matched, is_secret, lines, search
from app.staff.find_forms import FindForm
from app.staff.limits import check_search
from app.staff.room import bp
from app.staff.seen import note

FOUND = "found"


@bp.route("/sok", methods=["GET", "POST"])
@needs(Role.CASEWORKER)
def find() -> ResponseReturnValue:
    """The box; what is found is shown on a page of its own, and one exact invoice at once."""
    form = FindForm()
    if not form.validate_on_submit():
        return render_template("staff/find.html", form=form, words=words), 422 if form.errors else 200
    try:
        check_search(db.session(), settings(), current_staff().actor, clock().now())
    except TooOften as error:
        abort(429, retry_after=int(error.wait.total_seconds()) + 1)
    hits = search(db.session(), settings(), clock(), form.text.data)
    matched = Counter(hit.matched.value for hit in hits)
    residents = [hit.id for hit in hits if not hit.is_invoice]
    note(AuditEvent.SEARCHED, f"search:{uuid.uuid4()}", details={"matched": matched, "residents": residents})
    if len(hits) == 1 and hits[0].is_invoice:
        found = db.session().get_one(Invoice, hits[0].id)
        return redirect(url_for("staff.invoice", public_id=found.public_id))
    # A national id is not kept, not even for the box.
    shown = "" if is_secret(form.text.data) else form.text.data
    session[FOUND] = {"text": shown, "hits": [[hit.id, hit.matched.value] for hit in hits]}
    return redirect(url_for("staff.found"))


@bp.get("/sok/treff")
@needs(Role.CASEWORKER)
def found() -> ResponseReturnValue:
    """What the last search found, a page at a time."""
    kept: dict[str, Any] | None = session.get(FOUND)
    if kept is None:
        return redirect(url_for("staff.find"))
    hits = [Hit(row_id, Matched(matched)) for row_id, matched in kept["hits"]]
    is_cut, hits = len(hits) > MOST, hits[:MOST]
    pages = max(1, -(-len(hits) // PAGE))
    number = min(max(request.args.get("side", 1, type=int), 1), pages)
    return render_template(
        "staff/found.html",
        form=FindForm(data={"text": kept["text"]}),
        text=kept["text"],
        lines=lines(db.session(), hits[(number - 1) * PAGE : number * PAGE]),
        count=len(hits),
        is_cut=is_cut,
        number=number,
        pages=pages,
        words=words,
    )
