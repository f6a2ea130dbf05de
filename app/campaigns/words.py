"""The words of the offer's mail in nb, nn and en; they claim nothing about how the invoices come today."""

from __future__ import annotations

from collections.abc import Mapping

from app.campaigns.models import Activation
from app.core.language import translated


def _(message: str) -> str:
    """Marks *message* for extraction."""
    return message


SUBJECT = _("Få fakturaen fra %(name)s i nettbanken")
TITLE = _("Vil du ha fakturaen i nettbanken?")
GREETING, GREETING_TO_NOBODY = _("Hei, %(first_name)s"), _("Hei")
OFFER = _(
    "Med eFaktura kommer fakturaene fra %(name)s rett i nettbanken din. Beløp, kontonummer og KID er fylt ut, og du "
    "godkjenner betalingen selv."
)
PREVIEW = {
    Activation.AGREEMENT: _("Si ja til eFaktura på under ett minutt. Du trenger ikke logge inn."),
    Activation.GUIDE: _("Du slår på eFaktura i banken din. Vi viser deg hvordan."),
}
NEXT = {
    Activation.AGREEMENT: _(
        "Trykk på knappen for å lese mer og slå på eFaktura. Vi endrer ingenting før du har svart på nettsiden."
    ),
    Activation.GUIDE: _("Du slår på eFaktura i banken din. Trykk på knappen, så viser vi deg hvordan."),
}
NEXT_IN_TEXT = {
    Activation.AGREEMENT: _(
        "Åpne adressen under for å lese mer og slå på eFaktura. Vi endrer ingenting før du har svart på nettsiden."
    ),
    Activation.GUIDE: _("Du slår på eFaktura i banken din. Åpne adressen under, så viser vi deg hvordan."),
}
BUTTON = {
    Activation.AGREEMENT: _("Les mer og slå på eFaktura"),
    Activation.GUIDE: _("Vis meg hvordan"),
}
SHARED = _(
    "Flere som får faktura fra oss, har denne e-postadressen. Derfor må hver av dere logge inn på Min side for å "
    "velge eFaktura. Vi endrer ingenting før dere har gjort det."
)
SHARED_PREVIEW = _("Hver av dere kan velge eFaktura på Min side.")
SHARED_BUTTON = _("Les mer")
WHOLE_LINK = _("Virker ikke knappen? Kopier denne adressen til nettleseren:")
UNTIL = _("Lenken virker til %(date)s.")
SAFE_TITLE = _("Er e-posten ekte?")
SAFE = _(
    "Vi ber aldri om BankID, passord eller kortnummer i en e-post. Er du usikker, kan du la være å trykke på lenken og "
    "heller gå til %(site)s og logge inn på Min side."
)
NO = _("Vil du ikke ha eFaktura? Da trenger du ikke gjøre noe.")
UNSUBSCRIBE = _("Ikke send meg flere e-poster om eFaktura")
REGARDS = _("Hilsen %(name)s")
WHY = _(
    "Du får denne e-posten fordi du får faktura fra %(name)s, og vi har denne adressen. Du kan ikke svare på "
    "e-posten. Ring %(phone)s hvis du lurer på noe."
)


def words(activation: Activation, language: str, values: Mapping[str, str], *, is_shared: bool) -> dict[str, str]:
    """Every sentence of the mail by the name that the templates use, with *values* put in.

    *values*: ``name`` and ``phone`` of the municipality, ``site`` without scheme, ``first_name`` and ``date``.
    """
    chosen = {
        "subject": SUBJECT,
        "title": TITLE,
        "greeting": GREETING_TO_NOBODY if is_shared else GREETING,
        "offer": OFFER,
        "preview": SHARED_PREVIEW if is_shared else PREVIEW[activation],
        "next": SHARED if is_shared else NEXT[activation],
        "next_in_text": SHARED if is_shared else NEXT_IN_TEXT[activation],
        "button": SHARED_BUTTON if is_shared else BUTTON[activation],
        "whole_link": WHOLE_LINK,
        "until": UNTIL,
        "safe_title": SAFE_TITLE,
        "safe": SAFE,
        "no": NO,
        "unsubscribe": UNSUBSCRIBE,
        "regards": REGARDS,
        "why": WHY,
    }
    return {name: translated(text, language) % values for name, text in chosen.items()}
