"""What residents may send: each form checks shape alone, whether it is right is the service's business."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, RadioField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Regexp

from app.residents.preferences import Choice
from app.routing.channels import Channel

AUTOMATIC, LETTERS = "auto", "letters"
LONGEST = 320


def no_blanks(value: str | None) -> str | None:
    """Codes and numbers are pasted with blanks and dashes."""
    return re.sub(r"[\s\u00a0-]+", "", value) if value else value


def outer_blanks_off(value: str | None) -> str | None:
    """Addresses are pasted with blanks around them."""
    return value.strip()[:LONGEST] if value else value


class MobileForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A new mobile number."""

    value = TelField(_("Mobilnummer"), [InputRequired(_("Skriv inn mobilnummeret ditt"))], filters=[outer_blanks_off])


class EmailForm(FlaskForm):  # type: ignore[misc]
    """A new e-mail address."""

    value = EmailField(
        _("E-postadresse"), [InputRequired(_("Skriv inn e-postadressen din"))], filters=[outer_blanks_off]
    )


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The six digits."""

    code = StringField(
        _("Kode"),
        [InputRequired(_("Skriv inn koden vi sendte deg")), Regexp(r"^[0-9]{6}$", message=_("Koden skal ha 6 siffer"))],
        filters=[no_blanks],
    )


class PlainForm(FlaskForm):  # type: ignore[misc]
    """A button and its token."""


class DeliveryForm(FlaskForm):  # type: ignore[misc]
    """How invoices may come."""

    way = RadioField(
        _("Hvordan vil du ha fakturaen?"),
        [InputRequired(_("Velg hvordan du vil ha fakturaen"))],
        choices=[
            SelectChoice(AUTOMATIC, _("Bruk den første måten som virker (anbefalt)")),
            SelectChoice(LETTERS, _("Jeg vil ha alle fakturaer i posten")),
        ],
    )
    efaktura = BooleanField(_("Ikke send eFaktura"))
    vipps = BooleanField(_("Ikke send i Vipps"))
    mailbox = BooleanField(_("Ikke send til digital postkasse"))
    email = BooleanField(_("Ikke send på e-post"))

    def choice(self, closable: tuple[Channel, ...]) -> Choice:
        """What was chosen."""
        closed = frozenset(channel for channel in closable if self[channel.value].data)
        return Choice(closed, is_all_by_letter=self.way.data == LETTERS)

    def show(self, choice: Choice) -> None:
        """Fill in what is chosen now."""
        self.way.data = LETTERS if choice.is_all_by_letter else AUTOMATIC
        for channel in choice.closed:
            self[channel.value].data = True
