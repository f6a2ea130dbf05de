"""Residents with offers, and a provider, a register and a mail server that do as told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.desk import Desk, Outfit
from app.campaigns.links import OfferLinks
from app.campaigns.mail import Letter
from app.campaigns.models import Agreement, Campaign, CampaignState, MailState, Offer, OfferMail
from app.clients.efaktura_agreement import AgreementStatus, Requested, Standing
from app.clients.efaktura_contract import Consumer, EfakturaAnswer
from app.clients.exchange import AnswerLost
from app.clients.look_ups import LookUp
from app.clients.post import Note
from app.clients.rules import Judgement, Verdict
from app.core.clock import Clock
from app.core.settings import Settings
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactSource, Resident
from app.residents.queries import open_contact_points
from app.routing.channels import Answer
from tests.portal.people import add_resident

DOWN = Requested(Judgement(Verdict.UNAVAILABLE, "no connection"))
LOST = Requested(Judgement(Verdict.UNCERTAIN, "no readable answer"))


def refused(code: str) -> Requested:
    """The provider's no to the request itself."""
    return Requested(Judgement(Verdict.REFUSED, f"422 {code}"), code=code)


@dataclass
class Provider:
    """Takes every request, unless ``replies`` say otherwise; ``takes`` are the references that look-ups hit."""

    requests: list[str] = field(default_factory=list)
    replies: list[Requested] = field(default_factory=list)
    held: dict[str, AgreementStatus] = field(default_factory=dict)
    takes: dict[str, str] = field(default_factory=dict)
    looked_up: int = 0
    is_down: bool = False
    meanwhile: Callable[[], None] = lambda: None

    def request_agreement(self, agreement_id: str, consumer: Consumer) -> Requested:
        """Take it, or do as told."""
        self.requests.append(agreement_id)
        self.meanwhile()
        if self.is_down:
            return DOWN
        if self.replies:
            return self.replies.pop(0)
        status = self.held.setdefault(agreement_id, AgreementStatus(agreement_id, Standing.PENDING))
        return Requested(Judgement(Verdict.ACCEPTED, status.standing.value), status)

    def agreement_status(self, agreement_id: str) -> AgreementStatus | None:
        """As it was told to stand."""
        if self.is_down:
            raise AnswerLost("efaktura", "gone")
        return self.held.get(agreement_id)

    def look_up(self, consumers: Sequence[Consumer]) -> LookUp[str, EfakturaAnswer]:
        """Yes for those in ``takes``, no for the rest."""
        self.looked_up += len(consumers)
        if self.is_down:
            return LookUp({}, 1, 0, "gone")
        answers = {
            one.reference: EfakturaAnswer(Answer.YES, self.takes[one.reference])
            if one.reference in self.takes
            else EfakturaAnswer(Answer.NO)
            for one in consumers
        }
        return LookUp(answers, 1, 1)

    def stands(self, standing: Standing, identifier: str | None = "EF000000000000001") -> None:
        """Every agreement it holds stands so from now on."""
        for key in self.held:
            self.held[key] = AgreementStatus(key, standing, None, identifier if standing is Standing.ACTIVE else None)

    def close(self) -> None:
        """Nothing to let go."""


@dataclass
class Mails:
    """Takes every mail, unless told not to; counts by Message-ID as a reader would."""

    notes: list[Note] = field(default_factory=list)
    verdict: Verdict = Verdict.ACCEPTED

    def send(self, note: Note) -> Judgement:
        """Keep it."""
        if self.verdict is not Verdict.UNAVAILABLE:
            self.notes.append(note)
        return Judgement(self.verdict, "told so")

    @property
    def keys(self) -> set[str]:
        """The mails a reader can tell apart."""
        return {note.key for note in self.notes}

    def close(self) -> None:
        """Nothing to let go."""


@dataclass
class Links:
    """Keeps new links instead of mailing them."""

    sent: list[Letter] = field(default_factory=list)

    def send(self, link: Letter) -> bool:
        """Keep it."""
        self.sent.append(link)
        return True

    def close(self) -> None:
        """Nothing to let go."""


class Office:
    """One installation with a running campaign."""

    def __init__(self, session: Session, settings: Settings, clock: Clock) -> None:
        self.provider, self.mails, self.new_links = Provider(), Mails(), Links()
        self.links = OfferLinks.by(settings)
        outfit = Outfit(self.links, self.provider, self.mails, self.new_links)
        self.desk = Desk(session, settings, clock, outfit, "192.0.2.1")
        self.session, self.clock, self.count = session, clock, 0
        self.campaign = Campaign(
            name="efaktura", state=CampaignState.RUNNING, started_at=clock.now(), started_by="a test"
        )
        session.add(self.campaign)
        session.commit()

    def resident(self, address: str | None = None, **values: object) -> Resident:
        """One with an open address."""
        self.count += 1
        found = add_resident(self.session, self.desk.settings, self.clock, self.count, **values)
        self.has_address(found, address or f"kari{self.count}@example.com")
        return found

    def has_address(self, resident: Resident, address: str) -> None:
        """The register brings an address."""
        register_contact(
            self.session, resident.id, ContactKind.EMAIL, address, ContactSource.REGISTER, self.clock.now(),
            is_confirmed=False,
        )  # fmt: skip
        self.session.commit()

    def offer(self, *residents: Resident) -> str:
        """Send one mail to the address of *residents*; gives its link's token."""
        points = [self._point(resident) for resident in residents]
        mail = OfferMail(
            campaign_id=self.campaign.id, address=points[0][1], key=f"key {points[0][1]}", language="nb",
            state=MailState.SENT, sent_at=self.clock.now(),
        )  # fmt: skip
        self.session.add(mail)
        self.session.flush()
        offers = [
            Offer(mail_id=mail.id, resident_id=resident.id, contact_point_id=point)
            for resident, (point, _) in zip(residents, points, strict=True)
        ]
        self.session.add_all(offers)
        self.session.commit()
        return self.links.offer_token(offers[0].public_id, offers[0].link_number)

    def _point(self, resident: Resident) -> tuple[int, str]:
        point = open_contact_points(self.session, [resident.id])[resident.id][ContactKind.EMAIL]
        return point.id, point.value

    def later(self, **span: float) -> Desk:
        """The desk after a while."""
        return replace(self.desk, clock=Clock(self.clock.shift + timedelta(**span)))

    def agreements(self) -> list[Agreement]:
        """Every agreement, oldest first, as the database has it."""
        query = select(Agreement).order_by(Agreement.id).execution_options(populate_existing=True)
        return list(self.session.scalars(query))

    def offers(self) -> list[Offer]:
        """Every offer, oldest first, as the database has it."""
        return list(self.session.scalars(select(Offer).order_by(Offer.id).execution_options(populate_existing=True)))
