"""The words of the invoice letter: bokmål here, nynorsk and English in ``translations/*/LC_MESSAGES/messages.po``.

Read straight from the .po files, so that a letter can be made in any process and thread, without a web request.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from babel.messages.pofile import read_po

LANGUAGES = ("nb", "nn", "en")
_TRANSLATIONS = Path(__file__).parent / "translations"


def _(message: str) -> str:
    """Marks *message* for extraction."""
    return message


MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "invoice": _("Faktura"),
        "credit_note": _("Kreditnota"),
        "invoice_number": _("Fakturanummer"),
        "credit_note_number": _("Kreditnotanummer"),
        "original_number": _("Gjelder faktura"),
        "issued_on": _("Dato"),
        "due_on": _("Forfall"),
        "customer_number": _("Kundenummer"),
        "order_reference": _("Deres referanse"),
        "period": _("Periode"),
        "organisation_number": _("Org.nr."),
        "phone": _("Telefon"),
        "email": _("E-post"),
        "recipient": _("Mottaker"),
        "lines": _("Hva fakturaen gjelder"),
        "credit_lines": _("Hva kreditnotaen gjelder"),
        "description": _("Beskrivelse"),
        "quantity": _("Antall"),
        "unit_price": _("Pris"),
        "vat": _("Mva."),
        "amount": _("Beløp"),
        "amounts_in_kroner": _("Beløp i kroner uten mva."),
        "totals": _("Sammendrag"),
        "allowance": _("Rabatt"),
        "charge": _("Tillegg"),
        "excluding_tax": _("Sum uten mva."),
        "tax_at": _("Mva. {percent} % av {taxable}"),
        "tax": _("Mva."),
        "including_tax": _("Sum med mva."),
        "prepaid": _("Allerede betalt"),
        "rounding": _("Avrunding"),
        "to_pay": _("Å betale"),
        "credited": _("Kreditert beløp"),
        "will_be_drawn": _("Trekkes"),
        "in_your_favour": _("Til gode"),
        "payment": _("Slik betaler du"),
        "payment_text": _("Bruk KID-nummeret når du betaler, så vet vi at betalingen gjelder denne fakturaen."),
        "kid": _("KID"),
        "account": _("Til konto"),
        "payee": _("Mottaker av betalingen"),
        "notice": _("Trekkes automatisk med AvtaleGiro"),
        "notice_text": _(
            "Beløpet trekkes fra kontoen din på forfallsdatoen. Du skal ikke betale denne fakturaen selv."
        ),
        "information": _("Du skal ikke betale noe"),
        "information_text": _("Denne fakturaen er til informasjon."),
        "credit_text": _("Kreditnotaen reduserer eller opphever et tidligere krav."),
        "note": _("Merknad"),
        "questions": _("Har du spørsmål, ta kontakt med oss."),
        "page_of": _("Side {page} av {pages}"),
        "unit_piece": _("stk."),
        "unit_hour": _("timer"),
        "unit_day": _("dager"),
        "unit_month": _("md."),
        "unit_year": _("år"),
    }
)


@cache
def letter_texts(language: str) -> Mapping[str, str]:
    """The letter's words in *language* (nb, nn or en), by the keys of `MESSAGES`; another language gives bokmål."""
    if language not in LANGUAGES or language == "nb":
        return MESSAGES
    with (_TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    translated = {message.id: message.string for message in catalogue if message.id and message.string}
    return MappingProxyType({key: str(translated.get(text, text)) for key, text in MESSAGES.items()})
