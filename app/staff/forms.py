"""What the municipality's people may send: shape alone, whether it may be done is the services' business."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

LONGEST_REASON = 500


def outer_blanks_off(value: str | None) -> str | None:
    """A reason of blanks alone is none."""
    return value.strip() if value else value


class PlainForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A button and its token."""


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Something that is done with a reason, which is kept in the record."""

    reason = TextAreaField(
        _("Begrunnelse"),
        [
            DataRequired(_("Skriv en begrunnelse")),
            Length(max=LONGEST_REASON, message=_("Begrunnelsen kan ha 500 tegn")),
        ],
        filters=[outer_blanks_off],
    )


class ActForm(ReasonForm):
    """What to do with chosen invoices. The choices are set by the page; each box of an invoice is named ``invoice``."""

    everything = BooleanField(_("Alle på denne siden"))
    action = RadioField(_("Hva skal skje med dem?"), [InputRequired(_("Velg hva som skal skje"))])
