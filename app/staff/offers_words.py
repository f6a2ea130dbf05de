"""What campaigns, their figures and the reasons for not asking somebody are called, in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from app.campaigns.figures import Counts
from app.campaigns.models import CampaignState, StopReason
from app.campaigns.select import Skipped
from app.staff.small_groups import Amount
from app.staff.statistics_words import amount, number

STATES: Mapping[CampaignState, tuple[object, str]] = {
    CampaignState.RUNNING: (_("I gang"), "info"),
    CampaignState.STOPPED: (_("Stanset"), "warning"),
    CampaignState.FINISHED: (_("Ferdig"), "success"),
}
STOPPED_BY: Mapping[StopReason, object] = {
    StopReason.PERSON: _("En ansatt stanset den."),
    StopReason.BOUNCES: _("For mange e-poster kom i retur. Se på adressene før den fortsetter."),
}
SKIPPED: Mapping[Skipped, object] = {
    Skipped.ORGANISATION: _("er en virksomhet"),
    Skipped.DECEASED: _("er død"),
    Skipped.PROTECTED: _("har beskyttet adresse"),
    Skipped.NO_EMAIL: _("har ingen e-postadresse"),
    Skipped.BOUNCED: _("har en adresse som ikke virker"),
    Skipped.UNSUBSCRIBED: _("vil ikke ha flere tilbud"),
    Skipped.DECLINED: _("har sagt nei"),
    Skipped.HAS_AGREEMENT: _("har sagt ja alt"),
    Skipped.HAS_AVTALEGIRO: _("har AvtaleGiro"),
    Skipped.CHOSE_OTHERWISE: _("har valgt bort eFaktura eller vil ha alt som brev"),
    Skipped.OFFERED: _("er spurt for kort tid siden"),
    Skipped.HAS_EFAKTURA: _("har eFaktura"),
    Skipped.UNKNOWN: _("finnes ikke i eFaktura-registeret, eller det svarte ikke"),
    Skipped.MINOR: _("er mindreårig"),
    Skipped.NOT_ALLOWED: _("er ikke med i prøven"),
}
COUNTS: Mapping[str, object] = {
    "sent": _("E-poster sendt"),
    "delivered": _("Kommet fram"),
    "bounced": _("I retur"),
    "answered": _("Har svart"),
    "yes": _("Sa ja"),
    "active": _("Har eFaktura nå"),
    "first_invoice": _("Har fått den første fakturaen som eFaktura"),
    "unsubscribed": _("Vil ikke ha flere tilbud"),
}
# Mails are counted as they are; what people answered is hidden where few did.
OF_MAILS = ("sent", "delivered", "bounced")


def counts(found: Counts) -> list[tuple[str, str]]:
    """Each figure of a campaign with its name."""
    return [(str(name), count(found, key)) for key, name in COUNTS.items()]


def count(found: Counts, key: str) -> str:
    """One figure of a campaign, as it may be shown. Days show their mails alone, so that no difference tells more."""
    value: int = found.as_json()[key]
    return number(value) if key in OF_MAILS else amount(Amount.of(value))


def skipped(found: Mapping[str, int]) -> list[tuple[str, int]]:
    """Why residents are not asked, and how many, the most first."""
    told = [(str(SKIPPED[Skipped(reason)]), count) for reason, count in found.items() if count]
    return sorted(told, key=lambda one: -one[1])
