"""The sentence behind each reason, as staff and residents read it. Bokmål here; the others in app/translations.

Keyed by the reason's own key, so that `app.routing.channels` can hold each reason to its sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _(message: str) -> str:
    """Marks *message* for extraction."""
    return message


SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        # No channel at all: held for a person
        "unknown_buyer": _("Kundenummeret på fakturaen finnes ikke i kunderegisteret."),
        "wrong_kid": _("KID-nummeret på fakturaen er feil."),
        "wrong_account": _("Kontonummeret på fakturaen er feil."),
        "deceased": _("Mottakeren er død. En saksbehandler avgjør hvem som skal ha fakturaen."),
        "protected_address": _("Mottakeren har beskyttet adresse. En saksbehandler avgjør hvordan fakturaen sendes."),
        "no_postal_address": _("Vi har ingen postadresse som kan brukes."),
        "identifier_shared": _("To kunder har samme eFaktura-adresse. Det må rettes før noe kan sendes dit."),
        "partly_credited": _("Deler av fakturaen er kreditert. En saksbehandler avgjør hva som skal sendes."),
        "register_silent": _("Et register svarer ikke i det hele tatt. En saksbehandler avgjør om vi skal vente."),
        "held_by_staff": _("En saksbehandler holder fakturaen tilbake."),
        "nothing_left": _("Alle måtene å sende på er prøvd, også brev."),
        "sent_twice": _("E-posten er sendt to ganger uten svar. En saksbehandler finner ut om den kom fram."),
        # AvtaleGiro
        "no_mandate": _("Det er ingen AvtaleGiro for dette KID-nummeret."),
        "claim_too_late": _("Forfallet er for nær til å trekke beløpet med AvtaleGiro."),
        "claim_too_early": _("Forfallet er mer enn et år fram. Så tidlig tar ikke banken imot AvtaleGiro."),
        "bank_notice_too_late": _("Fristen for at banken skal varsle om AvtaleGiro, er gått ut."),
        "claim_exists": _("Det er alt et trekk med samme KID-nummer og forfall."),
        "claim_lost": _("Banken kunne ikke trekke beløpet med AvtaleGiro."),
        "claim_alone": _("AvtaleGiro trekker beløpet, og mottakeren har valgt å ikke få varsel."),
        "bank_notifies": _("AvtaleGiro trekker beløpet, og banken varsler."),
        # eFaktura
        "no_efaktura": _("Mottakeren har ikke slått på eFaktura i banken sin."),
        "efaktura_unknown": _("Vi har ikke fått svar på om mottakeren har eFaktura."),
        "efaktura_too_late": _("Forfallet er for nær til å sende eFaktura."),
        # Vipps
        "no_mobile": _("Vi har ikke noe mobilnummer."),
        "no_vipps": _("Mottakeren tar ikke imot regninger i Vipps."),
        "vipps_unknown": _("Vi har ikke fått svar på om mottakeren tar imot regninger i Vipps."),
        "vipps_too_late": _("Forfallet er for nær til å sende i Vipps."),
        "vipps_too_early": _("Forfallet er så langt fram at Vipps ikke tar imot."),
        "claim_pays": _("AvtaleGiro trekker beløpet. Da sender vi ikke i Vipps, så ingen betaler to ganger."),
        # Digital mailbox
        "no_mailbox": _("Mottakeren har ikke valgt digital postkasse."),
        "mailbox_unknown": _("Vi har ikke fått svar på om mottakeren har digital postkasse."),
        "mailbox_too_late": _("Forfallet er for nær til å sende til digital postkasse."),
        "no_national_id": _("Vi har ikke fødselsnummeret, og uten det kan vi ikke sende til digital postkasse."),
        "reserved": _("Mottakeren har reservert seg mot digital post."),
        "krr_not_for_category": _("For denne typen faktura kan vi ikke spørre kontaktregisteret."),
        "mailbox_prints": _("Den som leverer til digital postkasse, sender brev selv når postkassen ikke virker."),
        # E-mail
        "no_email": _("Vi har ingen e-postadresse."),
        "email_unconfirmed": _("E-postadressen er ikke bekreftet."),
        "email_too_late": _("Forfallet er for nær til å sende e-post."),
        "reservation_unknown": _("Vi har ikke fått svar på om mottakeren har reservert seg mot digital post."),
        "never_email": _("Denne typen faktura sender vi aldri på e-post."),
        # Several channels
        "contains_decision": _(
            "Fakturaen inneholder et vedtak. Det sender vi bare til digital postkasse eller som brev."
        ),
        "organisation": _("Virksomheter får ikke faktura på denne måten."),
        "not_a_demand": _("Det er ingenting å betale."),
        "closed_by_resident": _("Mottakeren har valgt bort denne måten."),
        "all_by_letter": _("Mottakeren har valgt å få alt som brev."),
        "refused": _("Det ble prøvd, men fakturaen kom ikke fram på denne måten."),
        "undecided": _("Vi venter på svar om en annen måte først."),
        "released_to_paper": _("En saksbehandler har bestemt at fakturaen bare sendes som brev."),
    }
)
