"""What the pages about one invoice or one resident say, in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.campaigns.models import AgreementState, OfferAnswer
from app.channels.contract import Outcome, ReceiptStatus
from app.core.audit import AuditEvent
from app.core.contact import pretty_mobile
from app.delivery.models import State
from app.delivery.outlook import Standing, Way
from app.delivery.outlook_words import STANDINGS
from app.delivery.timeline import Happened, Moment
from app.invoices.models import Closure
from app.registries.models import Register
from app.residents.models import ClosedReason, ContactKind, ContactPoint, ContactSource
from app.routing.channels import Channel, Kind, Reason
from app.staff.fact_words import ANSWERS, facts
from app.staff.find import Matched
from app.staff.statistics_words import CHANNELS, category, hold

__all__ = ["ANSWERS", "STANDINGS", "category", "facts", "hold"]

MATCHED: Mapping[Matched, object] = {
    Matched.NUMBER: _("fakturanummer"),
    Matched.KID: _("KID"),
    Matched.CUSTOMER_NUMBER: _("kundenummer"),
    Matched.NATIONAL_ID: _("fødselsnummer"),
    Matched.MOBILE: _("mobilnummer"),
    Matched.EMAIL: _("e-postadresse"),
    Matched.NAME: _("navn"),
}
FIRST: Mapping[Channel, object] = {
    Channel.EFAKTURA: _("Neste faktura kommer som eFaktura."),
    Channel.VIPPS: _("Neste faktura kommer i Vipps."),
    Channel.MAILBOX: _("Neste faktura kommer i digital postkasse."),
    Channel.EMAIL: _("Neste faktura kommer på e-post."),
    Channel.PAPER: _("Neste faktura kommer som brev i posten."),
}
USED: Mapping[Standing, object] = {
    Standing.IN_USE: _("Den første måten som virker for mottakeren."),
    Standing.READY: _("Brukes hvis måtene før ikke tar imot."),
    Standing.FALLBACK: _("Brukes hvis ingen av de andre måtene virker."),
}
STATES: Mapping[str, tuple[object, str]] = {
    State.WAITING.value: (_("Skal sendes"), "info"),
    State.SENDING.value: (_("Sendes nå"), "info"),
    State.IN_TRANSIT.value: (_("På vei"), "info"),
    State.DELIVERED.value: (_("Kommet fram"), "success"),
    State.HELD.value: (_("Holdt tilbake"), "warning"),
    State.CLOSED.value: (_("Avsluttet før den ble sendt"), "neutral"),
    "unplanned": (_("Venter på å bli planlagt"), "info"),
    "lost": (_("Finnes ikke i noen kø"), "danger"),
}
OUTCOMES: Mapping[str, tuple[object, str]] = {
    Outcome.ACCEPTED.value: (_("Tatt imot"), "success"),
    Outcome.REFUSED.value: (_("Avvist"), "warning"),
    Outcome.UNAVAILABLE.value: (_("Ikke tilgjengelig, prøves igjen"), "info"),
    Outcome.UNCERTAIN.value: (_("Uvisst, leverandøren spørres"), "warning"),
    "taken_back": (_("Trukket tilbake"), "warning"),
}
RECEIPTS: Mapping[str, object] = {
    ReceiptStatus.IN_TRANSIT.value: _("på vei"),
    ReceiptStatus.DELIVERED.value: _("levert"),
    ReceiptStatus.READ.value: _("åpnet"),
    ReceiptStatus.FAILED.value: _("kom ikke fram"),
    ReceiptStatus.EXPIRED.value: _("gikk ut på tid"),
    ReceiptStatus.SETTLED_BY_HAND.value: _("ordnet for hånd hos leverandøren"),
}
CLOSURES: Mapping[str, object] = {
    Closure.PAID.value: _("Betalt"),
    Closure.CREDITED.value: _("Kreditert"),
    Closure.CANCELLED.value: _("Trukket tilbake"),
}
KINDS: Mapping[Kind, object] = {
    Kind.DEMAND: _("Faktura"),
    Kind.CREDIT_NOTE: _("Kreditnota"),
    Kind.INFORMATION: _("Til informasjon"),
}
CONTACTS: Mapping[ContactKind, object] = {ContactKind.MOBILE: _("Mobilnummer"), ContactKind.EMAIL: _("E-postadresse")}
SOURCES: Mapping[ContactSource, object] = {
    ContactSource.REGISTER: _("fra kunderegisteret"),
    ContactSource.RESIDENT: _("lagt inn av innbyggeren selv"),
    ContactSource.STAFF: _("lagt inn av kommunen"),
}
CLOSED: Mapping[ClosedReason, object] = {
    ClosedReason.WITHDRAWN: _("tatt ut av kunderegisteret"),
    ClosedReason.REPLACED: _("erstattet av en ny"),
    ClosedReason.REMOVED: _("fjernet av innbyggeren"),
    ClosedReason.BOUNCED: _("e-post kom i retur"),
    ClosedReason.COMPLAINED: _("meldt som søppelpost"),
    ClosedReason.NOT_ME: _("noen svarte at den ikke er deres"),
}
REGISTERS: Mapping[Register, object] = {
    Register.EFAKTURA: _("eFaktura"),
    Register.VIPPS: _("Regninger i Vipps"),
    Register.MAILBOX: _("Digital postkasse"),
    Register.RESERVATION: _("Reservert mot digital post"),
}
AGREEMENTS: Mapping[AgreementState, tuple[object, str]] = {
    AgreementState.REQUESTED: (_("Bedt om, venter på svar"), "info"),
    AgreementState.ACTIVE: (_("Slått på"), "success"),
    AgreementState.DECLINED: (_("Ikke godtatt"), "warning"),
    AgreementState.ENDED: (_("Avsluttet"), "neutral"),
}
OFFERS: Mapping[OfferAnswer | None, object] = {
    OfferAnswer.YES: _("svarte ja"),
    OfferAnswer.NO: _("svarte nei"),
    OfferAnswer.NOT_ME: _("svarte at e-posten ikke var til dem"),
    OfferAnswer.UNSUBSCRIBED: _("vil ikke ha flere tilbud"),
    None: _("ikke svart"),
}
LANGUAGES: Mapping[str, object] = {"nb": _("bokmål"), "nn": _("nynorsk"), "en": _("engelsk")}
EVENTS: Mapping[str, object] = {
    AuditEvent.INVOICE_HELD.value: _("Holdt tilbake"),
    AuditEvent.INVOICE_RELEASED.value: _("Sluppet løs"),
    AuditEvent.INVOICE_CANCELLED.value: _("Trukket tilbake"),
    AuditEvent.INVOICE_CREDITED.value: _("Kreditert"),
    AuditEvent.INVOICE_SENT_AGAIN.value: _("Annen måte valgt, eller meldt i retur"),
    AuditEvent.ADDRESS_REMOVED.value: _("Adressen virket ikke, og er fjernet"),
    AuditEvent.RESIDENT_VIEWED.value: _("Åpnet siden"),
    AuditEvent.INVOICE_VIEWED.value: _("Åpnet siden"),
    AuditEvent.DOCUMENT_VIEWED.value: _("Åpnet dokumentet"),
}
_HAPPENED: Mapping[Happened, object] = {
    Happened.SENT: _("Sendt"),
    Happened.CLAIMED: _("Trekket er meldt til banken"),
    Happened.REFUSED: _("Avvist"),
    Happened.UNAVAILABLE: _("Ikke tilgjengelig"),
    Happened.UNCERTAIN: _("Uvisst om den kom fram"),
    Happened.TAKEN_BACK: _("Kom ikke fram likevel"),
    Happened.RECALLED: _("Trekket er kalt tilbake"),
}


def channel(key: str) -> str:
    """The channel's name, by its key."""
    return str(CHANNELS[Channel(key)])


def shown(point: ContactPoint) -> str:
    """A number or address as people write it."""
    return pretty_mobile(point.value) if point.kind is ContactKind.MOBILE else point.value


def said(reason: Reason) -> str:
    """*reason* as the municipality's people read it."""
    return str(gettext(reason.sentence))


def why(way: Way) -> str:
    """One sentence on *way*."""
    return said(way.reason) if way.reason is not None else str(USED[way.standing])


def happened(moment: Moment) -> str:
    """What happened, in a few words, without the channel."""
    match moment.what:
        case Happened.IMPORTED:
            return str(gettext("Kom fra økonomisystemet"))
        case Happened.TOLD:
            return str(gettext("Leverandøren melder: %(status)s", status=RECEIPTS.get(moment.word, moment.word)))
        case Happened.DID:
            return str(EVENTS.get(moment.word, moment.word))
        case Happened.CLOSED:
            return str(CLOSURES[moment.word])
        case Happened.SENT if moment.is_notice:
            return str(gettext("Varsel sendt"))
        case _:
            return str(_HAPPENED[moment.what])
