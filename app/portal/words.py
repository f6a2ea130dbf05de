"""What channels, reasons and states are called on the residents' pages: "du", where staff read "mottakeren"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.campaigns.models import AgreementState, OfferAnswer
from app.channels.contract import Outcome
from app.core.audit import AuditEvent
from app.core.contact import pretty_mobile
from app.delivery.models import State
from app.delivery.outlook import Standing, Way
from app.delivery.outlook_words import STANDINGS
from app.invoices.models import Closure, Invoice
from app.registries.models import Register
from app.residents.models import ContactKind, ContactPoint, ContactSource
from app.routing.channels import Answer, Channel, Kind, Reason

__all__ = ["STANDINGS"]

NAMES: Mapping[Channel, object] = {
    Channel.AVTALEGIRO: _("AvtaleGiro"),
    Channel.EFAKTURA: _("eFaktura i nettbanken"),
    Channel.VIPPS: _("Vipps"),
    Channel.MAILBOX: _("Digital postkasse"),
    Channel.EMAIL: _("E-post"),
    Channel.PAPER: _("Brev i posten"),
}
FIRST: Mapping[Channel, object] = {
    Channel.EFAKTURA: _("Nå får du fakturaen som eFaktura i nettbanken."),
    Channel.VIPPS: _("Nå får du fakturaen i Vipps."),
    Channel.MAILBOX: _("Nå får du fakturaen i digital postkasse."),
    Channel.EMAIL: _("Nå får du fakturaen på e-post."),
    Channel.PAPER: _("Nå får du fakturaen som brev i posten."),
}
REASONS: Mapping[Reason, object] = {
    Reason.NO_EFAKTURA: _("Du har ikke slått på eFaktura i banken din."),
    Reason.EFAKTURA_UNKNOWN: _("Vi spør banken om du har eFaktura når neste faktura skal sendes."),
    Reason.IDENTIFIER_SHARED: _("Banken finner to av våre kunder med dine opplysninger. Ring oss, så retter vi det."),
    Reason.NO_MOBILE: _("Vi har ikke mobilnummeret ditt."),
    Reason.NO_VIPPS: _("Du tar ikke imot regninger i Vipps."),
    Reason.VIPPS_UNKNOWN: _("Vi spør Vipps om du tar imot regninger når neste faktura skal sendes."),
    Reason.CLAIM_PAYS: _("Du har AvtaleGiro. Da sender vi ikke i Vipps, så du ikke betaler to ganger."),
    Reason.NO_MAILBOX: _("Du har ikke valgt digital postkasse. Du kan velge en på norge.no."),
    Reason.MAILBOX_UNKNOWN: _("Vi sjekker om du har digital postkasse når neste faktura skal sendes."),
    Reason.NO_NATIONAL_ID: _("Vi har ikke fødselsnummeret ditt, og uten det finner vi ikke postkassen din."),
    Reason.RESERVED: _("Du har reservert deg mot digital post fra det offentlige. Du kan endre det på norge.no."),
    Reason.RESERVATION_UNKNOWN: _("Vi sjekker om du har reservert deg mot digital post når neste faktura skal sendes."),
    Reason.NO_EMAIL: _("Vi har ikke e-postadressen din."),
    Reason.EMAIL_UNCONFIRMED: _("Vi bruker ikke e-post før du har bekreftet adressen din."),
    Reason.NO_POSTAL_ADDRESS: _("Vi har ikke postadressen din. Ring oss, så legger vi den inn."),
    Reason.CLOSED_BY_RESIDENT: _("Du har valgt bort denne måten."),
    Reason.ALL_BY_LETTER: _("Du har valgt å få alt som brev."),
    Reason.CLAIM_ALONE: _("AvtaleGiro trekker beløpet, og du har valgt å ikke få varsel."),
    Reason.BANK_NOTIFIES: _("AvtaleGiro trekker beløpet, og banken varsler deg."),
    Reason.DECEASED: _("En saksbehandler avgjør hvem som skal ha fakturaen."),
    Reason.PROTECTED_ADDRESS: _("Adressen din er beskyttet. En saksbehandler avgjør hvordan vi sender fakturaen."),
}
USED: Mapping[Channel, object] = {
    Channel.EFAKTURA: _("Du har sagt ja til eFaktura. Du godkjenner betalingen i banken."),
    Channel.VIPPS: _("Du har sagt ja til å få regninger i Vipps."),
    Channel.MAILBOX: _("Fakturaen kommer i Digipost eller e-Boks."),
    Channel.EMAIL: _("Fakturaen ligger ved e-posten som PDF."),
    Channel.PAPER: _("Vi sender brev hvis ingen av de andre måtene virker."),
}
LETTERS_ALONE = _("Vi sender brev fordi ingen av de andre måtene virker for deg nå.")
LETTERS_CHOSEN = _("Du har valgt å få alt som brev.")
STATES: Mapping[str, tuple[object, str]] = {
    State.WAITING.value: (_("Skal sendes"), "info"),
    State.SENDING.value: (_("Sendes nå"), "info"),
    State.IN_TRANSIT.value: (_("På vei"), "info"),
    State.DELIVERED.value: (_("Kommet fram"), "success"),
    State.HELD.value: (_("Hos en saksbehandler"), "warning"),
    State.CLOSED.value: (_("Ikke sendt"), "neutral"),
    "unplanned": (_("Skal sendes"), "info"),
}
OUTCOMES: Mapping[Outcome | None, object] = {
    Outcome.ACCEPTED: _("Sendt"),
    Outcome.REFUSED: _("Kom ikke fram"),
    Outcome.UNAVAILABLE: _("Vi prøver igjen"),
    Outcome.UNCERTAIN: _("Vi sjekker om den kom fram"),
    None: _("Vi sjekker om den kom fram"),
}
SOURCES: Mapping[ContactSource, object] = {
    ContactSource.REGISTER: _("fra kunderegisteret vårt"),
    ContactSource.RESIDENT: _("lagt inn av deg"),
    ContactSource.STAFF: _("lagt inn av kommunen da du snakket med oss"),
}

PAYMENTS: Mapping[Closure, tuple[object, str]] = {
    Closure.PAID: (_("Betalt"), "success"),
    Closure.CREDITED: (_("Kreditert"), "neutral"),
    Closure.CANCELLED: (_("Trukket tilbake"), "neutral"),
}
NOTHING_TO_PAY = (_("Ingenting å betale"), "neutral")
OVERDUE = (_("Forfalt"), "warning")
UNPAID = (_("Ikke betalt"), "info")
DRAWN = (_("Trekkes på forfallsdatoen"), "info")
REGISTERS: Mapping[Register, object] = {
    Register.EFAKTURA: _("eFaktura"),
    Register.VIPPS: _("Regninger i Vipps"),
    Register.MAILBOX: _("Digital postkasse"),
    Register.RESERVATION: _("Reservasjon mot digital post"),
}
ANSWERS: Mapping[Answer, object] = {
    Answer.YES: _("Ja"),
    Answer.NO: _("Nei"),
    Answer.UNKNOWN: _("Fikk ikke svar"),
}
EVENTS: Mapping[AuditEvent, object] = {
    AuditEvent.INVOICE_HELD: _("Holdt en faktura tilbake"),
    AuditEvent.INVOICE_RELEASED: _("Slapp en faktura løs"),
    AuditEvent.INVOICE_CANCELLED: _("Trakk en faktura tilbake"),
    AuditEvent.INVOICE_CREDITED: _("Krediterte en faktura"),
    AuditEvent.BRAKE_RELEASED: _("Lot sendingen gå videre"),
    AuditEvent.ADDRESS_REMOVED: _("Fjernet en adresse som ikke virket"),
    AuditEvent.RESIDENT_LOGGED_IN: _("Logget inn"),
    AuditEvent.CONTACT_CODE_SENT: _("Ba om en kode"),
    AuditEvent.CONTACT_CONFIRMED: _("Bekreftet mobil eller e-post"),
    AuditEvent.CONTACT_REMOVED: _("Fjernet mobil eller e-post"),
    AuditEvent.PREFERENCE_CHOSEN: _("Valgte hvordan fakturaen skal komme"),
    AuditEvent.OWN_DATA_FETCHED: _("Lastet ned alt vi har"),
    AuditEvent.STAFF_LOGGED_IN: _("Logget inn"),
    AuditEvent.RESIDENT_VIEWED: _("Så på opplysningene dine"),
    AuditEvent.INVOICE_VIEWED: _("Så på en faktura"),
    AuditEvent.DOCUMENT_VIEWED: _("Åpnet en faktura (PDF)"),
    AuditEvent.SEARCHED: _("Søkte, og du var blant treffene"),
    AuditEvent.FOLLOW_UP_VIEWED: _("Så på fakturaer som trenger hjelp"),
    AuditEvent.CONTACT_REGISTERED: _("La inn mobil eller e-post for deg"),
    AuditEvent.INVOICE_SENT_AGAIN: _("Sendte en faktura på nytt"),
    AuditEvent.CAMPAIGN_STARTED: _("Begynte å sende tilbud om eFaktura"),
    AuditEvent.CAMPAIGN_STOPPED: _("Stanset tilbudene om eFaktura"),
    AuditEvent.CAMPAIGN_RESUMED: _("Fortsatte å sende tilbud om eFaktura"),
    AuditEvent.CAMPAIGN_PACED: _("Endret farten på tilbudene om eFaktura"),
    AuditEvent.OFFER_ANSWERED: _("Svarte på tilbudet om eFaktura"),
    AuditEvent.OFFER_UNSUBSCRIBED: _("Sa nei til flere tilbud om eFaktura"),
    AuditEvent.AGREEMENT_REQUESTED: _("Sa ja til eFaktura"),
    AuditEvent.AGREEMENT_ACTIVE: _("eFaktura ble slått på"),
    AuditEvent.AGREEMENT_DECLINED: _("eFaktura ble ikke slått på"),
    AuditEvent.AGREEMENT_ENDED: _("eFaktura ble slått av"),
}


REPLIES: Mapping[OfferAnswer | None, object] = {
    OfferAnswer.YES: _("Ja"),
    OfferAnswer.NO: _("Nei"),
    OfferAnswer.NOT_ME: _("E-posten er ikke til meg"),
    OfferAnswer.UNSUBSCRIBED: _("Ikke send meg flere"),
    None: _("Ikke svart"),
}
AGREEMENTS: Mapping[AgreementState, object] = {
    AgreementState.REQUESTED: _("Ikke slått på ennå"),
    AgreementState.ACTIVE: _("Gjelder"),
    AgreementState.DECLINED: _("Ble ikke slått på"),
    AgreementState.ENDED: _("Avsluttet"),
}
ACTORS: Mapping[str, object] = {
    "resident": _("Du"),
    "link": _("Den som åpnet lenken i e-posten"),
    "staff": _("En ansatt hos oss"),
    "job": _("Et program hos oss"),
}


def shown(point: ContactPoint) -> str:
    """A mobile number as it is written down here, with blanks; an e-mail address as it is."""
    return pretty_mobile(point.value) if point.kind is ContactKind.MOBILE else point.value


def why(way: Way, *, is_all_by_letter: bool = False) -> str:
    """One sentence on *way*."""
    if way.reason is not None:
        return said(way.reason)
    if way.channel is Channel.PAPER and way.standing is Standing.IN_USE:
        return str(LETTERS_CHOSEN if is_all_by_letter else LETTERS_ALONE)
    return str(USED[way.channel])


def said(reason: Reason) -> str:
    """*reason* to the resident."""
    return str(REASONS.get(reason) or gettext(reason.sentence))


def said_key(key: str) -> str:
    """`said`, by the reason's key."""
    return said(Reason(key))


def name_of(key: str) -> str:
    """The channel's name, by its key."""
    return str(NAMES[Channel(key)])


def moment_of(text: str) -> dt.datetime:
    """A moment as `app.delivery.explain` writes it."""
    return dt.datetime.fromisoformat(text)


def outcome_of(attempt: Mapping[str, Any]) -> str:
    """How one try went; what was taken back later did not arrive."""
    return str(OUTCOMES[Outcome.REFUSED if attempt["taken_back_at"] else Outcome(attempt["outcome"])])


def payment(invoice: Invoice, today: dt.date, is_drawn: bool) -> tuple[object, str]:
    """Whether there is anything to pay, and the colour of the word. *is_drawn*: the bank has the claim."""
    if invoice.closed_reason is not None:
        return PAYMENTS[invoice.closed_reason]
    if invoice.kind is not Kind.DEMAND:
        return NOTHING_TO_PAY
    if invoice.due_on < today:
        return OVERDUE
    return DRAWN if is_drawn else UNPAID
