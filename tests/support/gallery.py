"""A page with every component in it, in every state, for tests to read, look at and use."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, render_template_string
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Regexp

TEMPLATE = (Path(__file__).parent / "gallery.html").read_text(encoding="utf-8")


class GalleryForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """One field of each kind."""

    mobile = StringField("Mobilnummer", [Regexp(r"\d{8}$", message="Mobilnummeret må ha 8 siffer")])
    email = StringField("E-postadresse")
    code = StringField("Kode", [Regexp(r"\d{6}$", message="Koden skal ha 6 siffer")])
    remark = TextAreaField("Merknad")
    month = SelectField(
        "Måned", choices=[SelectChoice("2026-10", "oktober 2026"), SelectChoice("2026-11", "november 2026")]
    )
    way = RadioField(
        "Hvordan vil du ha fakturaen?",
        [InputRequired("Velg hvordan du vil ha fakturaen")],
        choices=[
            SelectChoice("auto", "Bruk den første måten som virker"),
            SelectChoice("letter", "Jeg vil ha alle fakturaer i posten"),
        ],
    )
    agreed = BooleanField("Personen sa at det er greit", [InputRequired("Kryss av når personen har sagt ja")])


def add_gallery(app: Flask) -> None:
    """Serve the page at ``/galleri``; what is sent there wrongly comes back with its errors, else with a receipt."""

    def gallery(pages: int = 7) -> tuple[str, int]:
        form = GalleryForm()
        is_taken = form.validate_on_submit()
        status = 200 if is_taken or not form.is_submitted() else 422
        return render_template_string(TEMPLATE, form=form, is_taken=is_taken, pages=pages), status

    app.add_url_rule("/galleri", view_func=gallery, methods=["GET", "POST"])
    app.add_url_rule("/galleri/<int:pages>", view_func=gallery)
