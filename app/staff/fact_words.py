"""What the facts behind a plan are called, in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.routing.channels import Answer, Mandate

ANSWERS: Mapping[str, object] = {
    Answer.YES.value: _("ja"),
    Answer.NO.value: _("nei"),
    Answer.UNKNOWN.value: _("ikke svar"),
}
FACTS: Mapping[str, object] = {
    "is_organisation": _("Mottakeren er en organisasjon"),
    "is_deceased": _("Mottakeren er død"),
    "has_protected_address": _("Beskyttet adresse"),
    "has_postal_address": _("Har postadresse"),
    "has_national_id": _("Har fødselsnummer"),
    "has_mobile": _("Har mobilnummer"),
    "has_email": _("Har e-postadresse"),
    "has_confirmed_email": _("E-postadressen er bekreftet"),
    "shares_efaktura_identifier": _("Deler eFaktura-adresse med en annen kunde"),
    "efaktura": _("eFaktura"),
    "vipps": _("Regninger i Vipps"),
    "mailbox": _("Digital postkasse"),
    "reserved": _("Reservert mot digital post"),
    "wants_letters": _("Vil ha alt som brev"),
    "closed_efaktura": _("Har valgt bort eFaktura"),
    "closed_vipps": _("Har valgt bort Vipps"),
    "closed_mailbox": _("Har valgt bort digital postkasse"),
    "closed_email": _("Har valgt bort e-post"),
    "has_buyer": _("Kundenummeret er kjent"),
    "has_wrong_kid": _("KID-nummeret er feil"),
    "has_wrong_account": _("Kontonummeret er feil"),
    "is_partly_credited": _("Delvis kreditert"),
    "is_held_by_staff": _("Holdt av en saksbehandler"),
    "is_released": _("Sluppet løs av en saksbehandler"),
    "allows_email": _("Kan sendes på e-post"),
    "is_decision": _("Inneholder et vedtak"),
    "may_ask_krr": _("Kontaktregisteret kan spørres"),
    "mandate": _("AvtaleGiro"),
    "has_claim_already": _("Et annet trekk har samme KID og forfall"),
    "has_lost_claim": _("Trekket gikk ikke gjennom"),
    "refused_efaktura": _("Avvist som eFaktura"),
    "refused_vipps": _("Avvist i Vipps"),
    "refused_mailbox": _("Avvist i digital postkasse"),
    "refused_email": _("Avvist på e-post"),
    "refused_paper": _("Brevet kom ikke fram"),
    "is_too_late_for_claim": _("For sent for AvtaleGiro"),
    "is_too_late_for_efaktura": _("For sent for eFaktura"),
    "is_too_late_for_vipps": _("For sent for Vipps"),
    "is_too_early_for_vipps": _("For tidlig for Vipps"),
    "is_too_late_for_mailbox": _("For sent for digital postkasse"),
    "is_too_late_for_email": _("For sent for e-post"),
    "is_past_safe_day": _("Siste trygge dag er passert"),
    "is_efaktura_silent": _("eFaktura-registeret svarte ikke"),
    "is_vipps_silent": _("Vipps svarte ikke"),
    "is_krr_silent": _("Kontaktregisteret svarte ikke"),
    "is_too_early_for_claim": _("For tidlig for AvtaleGiro"),
    "is_too_late_for_bank_notice": _("For sent for varsel fra banken"),
}
MANDATES: Mapping[str, object] = {
    Mandate.NONE.value: _("ingen avtale"),
    Mandate.NOTIFY.value: _("avtale med varsel"),
    Mandate.SILENT.value: _("avtale uten varsel"),
}


def facts(known: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the plan was made from, as rows of a summary list: what holds, and every answer of a register."""
    return [{"name": str(FACTS[name]), "value": told} for name, value in known.items() if (told := _told(name, value))]


def _told(name: str, value: Any) -> str | None:
    if name not in FACTS or value is False:
        return None
    if value is True:
        return str(gettext("ja"))
    words = MANDATES if name == "mandate" else ANSWERS
    return str(words[value]) if value in words else None
