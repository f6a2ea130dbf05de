"""What is sent when the municipality's people look for somebody, act on an invoice, or register for a caller."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, RadioField, SearchField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from app.contact.for_caller import Checked
from app.staff.find import LONGEST
from app.staff.forms import PlainForm, ReasonForm, outer_blanks_off

__all__ = ["CallerForm", "FindForm", "InvoiceActForm", "PersonForm", "PlainForm", "ShowForm"]


class FindForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """The one box."""

    text = SearchField(
        _("Hva vil du finne?"),
        [
            DataRequired(_("Skriv hva du vil finne")),
            Length(max=LONGEST, message=_("Skriv kortere")),
        ],
        filters=[outer_blanks_off],
    )


class InvoiceActForm(ReasonForm):
    """One thing to do with an invoice, with a reason. The choices are set by the page."""

    action = RadioField(_("Hva skal skje med fakturaen?"), [InputRequired(_("Velg hva som skal skje"))])


class ShowForm(ReasonForm):
    """Why something hidden must be seen."""


class PersonForm(FlaskForm):  # type: ignore[misc]
    """Who is calling."""

    person = StringField(
        _("Fødselsnummer eller kundenummer"),
        [DataRequired(_("Skriv fødselsnummeret eller kundenummeret")), Length(max=40, message=_("Skriv kortere"))],
        filters=[outer_blanks_off],
    )


class CallerForm(FlaskForm):  # type: ignore[misc]
    """What the caller said, and how it was made sure who they are. One of the two addresses is enough."""

    checked = RadioField(
        _("Hvordan sjekket du hvem personen er?"),
        [InputRequired(_("Velg hvordan du sjekket hvem personen er"))],
        choices=[
            SelectChoice(Checked.QUESTIONS.value, _("Personen svarte riktig på to kontrollspørsmål")),
            SelectChoice(Checked.IDENTIFICATION.value, _("Personen viste legitimasjon")),
            SelectChoice(Checked.REPRESENTATIVE.value, _("Personen er verge, forelder eller har fullmakt")),
        ],
    )
    mobile = TelField(_("Mobilnummer"), filters=[outer_blanks_off])
    email = EmailField(_("E-postadresse"), filters=[outer_blanks_off])
    replaces = BooleanField(_("Personen vil bytte ut det som er bekreftet"))
    consent = BooleanField(
        _("Personen sa at det er greit"), [InputRequired(_("Les teksten, og kryss av når det er greit"))]
    )
