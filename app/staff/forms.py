"""What the municipality's people may send: shape alone, whether it may be done is the services' business."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from app.campaigns.service import FASTEST, LONGEST_NAME

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


class CampaignForm(FlaskForm):  # type: ignore[misc]
    """The name of a campaign, which the municipality's people know it by."""

    name = StringField(
        _("Navn på kampanjen"),
        [
            DataRequired(_("Skriv et navn på kampanjen")),
            Length(max=LONGEST_NAME, message=_("Navnet kan ha 80 tegn")),
        ],
        filters=[outer_blanks_off],
    )


class WholeField(IntegerField):  # type: ignore[misc]  # WTForms' fields have no types
    """A whole number; what is none is said in the reader's language."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the number, with blanks or without."""
        try:
            self.data = int("".join(valuelist[0].split())) if valuelist and valuelist[0].strip() else None
        except ValueError:
            raise ValueError(_("Skriv et tall fra 1 til 100 000")) from None


class PaceForm(FlaskForm):  # type: ignore[misc]
    """How many mails may leave a minute; empty: as the settings say."""

    per_minute = WholeField(
        _("E-poster i minuttet"),
        [Optional(), NumberRange(1, FASTEST, message=_("Skriv et tall fra 1 til 100 000"))],
    )
