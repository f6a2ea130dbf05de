"""What is sent from the pages of an offer: shape alone."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from app.campaigns.models import OfferAnswer

CHOOSE = _("Velg om du vil ha eFaktura eller ikke")


class AnswerForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Yes, no, or not me; nothing is chosen in advance, so a program that sends every form answers nothing."""

    answer = RadioField(
        _("Vil du ha fakturaene våre som eFaktura?"),
        [InputRequired(CHOOSE)],
        choices=[
            SelectChoice(OfferAnswer.YES.value, _("Ja, slå på eFaktura")),
            SelectChoice(OfferAnswer.NO.value, _("Nei takk, jeg vil ha det som nå")),
            SelectChoice(OfferAnswer.NOT_ME.value, _("E-posten er ikke til meg")),
        ],
        validate_choice=True,
    )

    def guide(self) -> None:
        """Promise no more than can be done here: it is switched on in the bank."""
        (_yes, *others) = self.answer.choices
        self.answer.choices = [SelectChoice(OfferAnswer.YES.value, _("Ja, vis meg hvordan")), *others]

    def reply(self) -> OfferAnswer:
        """What was chosen."""
        return OfferAnswer(self.answer.data)


class ButtonForm(FlaskForm):  # type: ignore[misc]
    """A button and its token."""
