"""The mail that tells what a yes came to: once, after it happened, and never more than happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update

from app.campaigns.desk import Desk
from app.campaigns.models import Activation, Agreement, AgreementState
from app.campaigns.states import Why
from app.channels.email_text import long_date
from app.clients.post import Note
from app.clients.rules import Verdict
from app.core.clock import OSLO
from app.core.ids import derived_id
from app.core.language import translated
from app.residents.models import ContactKind, ContactPoint, Resident

log = structlog.get_logger(__name__)


def _(message: str) -> str:
    """Marks *message* for extraction."""
    return message


ON_SUBJECT = _("Kvittering: eFaktura er slått på")
ON_BY_US = _(
    "Du sa ja til eFaktura for fakturaer fra %(name)s %(date)s klokka %(time)s. Nå er det slått på, og de neste "
    "fakturaene kommer i nettbanken din."
)
ON_IN_BANK = _(
    "Du sa ja til eFaktura for fakturaer fra %(name)s %(date)s klokka %(time)s. Nå ser vi at det er slått på i banken, "
    "og de neste fakturaene kommer i nettbanken din."
)
NOT_YOU = _("Var det ikke deg? Ring %(phone)s.")
OFF_SUBJECT = _("Vi fikk ikke slått på eFaktura")
OFF = _(
    "Du sa ja til eFaktura for fakturaer fra %(name)s %(date)s klokka %(time)s. Det gikk ikke, og du får fakturaen som "
    "før. Du kan slå på eFaktura selv, i nettbanken, mobilbanken eller Vipps."
)
GUIDE_SUBJECT = _("Du må slå på eFaktura i banken")
GUIDE = _(
    "Du sa ja til eFaktura for fakturaer fra %(name)s %(date)s klokka %(time)s. Vi kan ikke slå det på for deg. Det "
    "gjør du selv, i nettbanken, mobilbanken eller Vipps: Finn «eFaktura» og velg «Ja takk til alle» eller noe "
    "lignende. Du trenger ikke si fra til oss."
)
HELP = _("Lurer du på noe? Ring %(phone)s.")
GREETING = _("Hilsen %(name)s")

# After so long a receipt left open is taken to be a crash's, and leaves again under the same Message-ID.
LEFT_OPEN = dt.timedelta(minutes=10)
# What nobody could be told within this is no news any more.
NEWS = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Telling:
    """A subject and the paragraphs below it."""

    subject: str
    words: tuple[str, ...]


def send_receipt(desk: Desk, agreement_id: int) -> bool:
    """Tell the resident, if there is something to tell that was not told; whether the mail got away. Commits."""
    session, now = desk.session, desk.clock.now()
    session.commit()
    opened = session.execute(
        update(Agreement)
        .where(Agreement.id == agreement_id, *_is_due(now))
        .values(receipt_opened_at=now)
        .returning(Agreement.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.commit()
    if opened is None:
        return False
    is_away = _send(desk, session.get_one(Agreement, agreement_id, populate_existing=True))
    done = {"receipt_sent_at": desk.clock.now()} if is_away else {"receipt_opened_at": None}
    this = update(Agreement).where(Agreement.id == agreement_id).values(**done)
    session.execute(this.execution_options(synchronize_session=False))
    session.commit()
    return is_away


def send_due_receipts(desk: Desk) -> int:
    """Every receipt that is due; gives how many got away. Commits."""
    has_email = (
        select(ContactPoint.id)
        .where(
            ContactPoint.resident_id == Agreement.resident_id,
            ContactPoint.kind == ContactKind.EMAIL,
            ContactPoint.closed_at.is_(None),
        )
        .exists()
    )
    due = desk.session.scalars(select(Agreement.id).where(*_is_due(desk.clock.now()), has_email).order_by(Agreement.id))
    ids = list(due)
    return sum(send_receipt(desk, agreement_id) for agreement_id in ids)


def tell_about_guide(desk: Desk, agreement_id: int) -> bool:
    """Tell whoever was promised that we would do it that it is theirs to do; whether the mail got away."""
    agreement = desk.session.get_one(Agreement, agreement_id, populate_existing=True)
    desk.session.commit()
    return _send(desk, agreement)


def _is_due(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    is_refused = and_(Agreement.state == AgreementState.DECLINED, Agreement.reason == Why.REFUSED)
    return (
        Agreement.receipt_sent_at.is_(None),
        or_(Agreement.receipt_opened_at.is_(None), Agreement.receipt_opened_at < now - LEFT_OPEN),
        or_(Agreement.state == AgreementState.ACTIVE, is_refused),
        Agreement.decided_at > now - NEWS,
    )


def _send(desk: Desk, agreement: Agreement) -> bool:
    """Send what *agreement* came to, to the address of the resident that is in force."""
    address, language = _reader(desk, agreement)
    desk.session.commit()
    if address is None:
        return False
    telling = _telling(agreement)
    said = agreement.requested_at.astimezone(OSLO)
    values = {
        "name": desk.settings.municipality_name,
        "phone": desk.settings.contact_phone,
        "date": long_date(said.date(), language),
        "time": f"{said:%H.%M}",
    }
    subject, *words = (translated(text, language) % values for text in (telling.subject, *telling.words))
    key = str(derived_id("agreement receipt", agreement.key, telling.subject))
    judgement = desk.outfit.mails.send(Note(key, address, subject, "\n\n".join(words), language))
    say = log.error if judgement.needs_alarm else log.info
    say("receipt", agreement=agreement.id, verdict=judgement.verdict.value, detail=judgement.detail)
    return judgement.verdict is not Verdict.UNAVAILABLE


def _telling(agreement: Agreement) -> Telling:
    if agreement.state is AgreementState.ACTIVE:
        is_ours = agreement.activation is Activation.AGREEMENT and agreement.taken_at is not None
        return Telling(ON_SUBJECT, (ON_BY_US if is_ours else ON_IN_BANK, NOT_YOU, GREETING))
    if agreement.state is AgreementState.DECLINED:
        return Telling(OFF_SUBJECT, (OFF, HELP, GREETING))
    return Telling(GUIDE_SUBJECT, (GUIDE, HELP, GREETING))


def _reader(desk: Desk, agreement: Agreement) -> tuple[str | None, str]:
    """Where to write, in which language: the resident's open address."""
    row = desk.session.execute(
        select(ContactPoint.value, Resident.language)
        .join(Resident, Resident.id == ContactPoint.resident_id)
        .where(
            ContactPoint.resident_id == agreement.resident_id,
            ContactPoint.kind == ContactKind.EMAIL,
            ContactPoint.closed_at.is_(None),
        )
    ).one_or_none()
    return (row.value, row.language) if row else (None, "nb")
