"""Every situation that the link of an offer can be in, made by what really leads there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

import time_machine

from app.campaigns.agreements import begin, end
from app.campaigns.answers import answer
from app.campaigns.models import OfferAnswer
from app.clients.efaktura_agreement import NO_CONSUMER, NOT_WANTED, AgreementStatus, Requested, Standing
from app.clients.rules import Judgement, Verdict
from app.registries.models import Register, RegistryAnswer
from app.routing.channels import Answer
from tests.campaigns.office import DOWN, Office, refused

ON = Requested(Judgement(Verdict.ACCEPTED, "active"), AgreementStatus("", Standing.ACTIVE, None, "EF000000000000001"))
YES = OfferAnswer.YES


def fresh(office: Office) -> str:
    return office.offer(office.resident())


def already(office: Office) -> str:
    """The register has said yes."""
    resident = office.resident()
    token, now = office.offer(resident), office.clock.now()
    said = RegistryAnswer(resident_id=resident.id, register=Register.EFAKTURA, answer=Answer.YES, asked_at=now)
    office.session.add(said)
    office.session.commit()
    return token


def _answered(office: Office, said: OfferAnswer, *replies: Requested) -> str:
    token = fresh(office)
    office.provider.replies = list(replies)
    answer(office.desk, token, said)
    return token


def on(office: Office) -> str:
    return _answered(office, YES, ON)


def pending(office: Office) -> str:
    return _answered(office, YES)


def down(office: Office) -> str:
    return _answered(office, YES, DOWN)


def declined(office: Office) -> str:
    return _answered(office, OfferAnswer.NO)


def not_me(office: Office) -> str:
    return _answered(office, OfferAnswer.NOT_ME)


def unfound(office: Office) -> str:
    """The provider does not know whom we mean."""
    return _answered(office, YES, refused(NO_CONSUMER))


def refused_by_bank(office: Office) -> str:
    return _answered(office, YES, refused(NOT_WANTED))


def wished(office: Office) -> str:
    """Said yes where it is switched on in the bank."""
    token = fresh(office)
    settings = office.desk.settings.model_copy(update={"efaktura_activation": "guide"})
    answer(replace(office.desk, settings=settings), token, YES)
    return token


def ended(office: Office) -> str:
    """Switched off in the bank after it was on."""
    token = on(office)
    agreement = office.agreements()[-1]
    begin(office.session)
    end(office.session, agreement, "efaktura", office.clock.now())
    office.session.commit()
    return token


def shared(office: Office) -> str:
    address = f"vi{office.count}@example.com"
    return office.offer(office.resident(address), office.resident(address))


def expired(office: Office) -> str:
    with time_machine.travel(dt.datetime.now(dt.UTC) - dt.timedelta(days=61)):
        return fresh(office)


def replaced(office: Office) -> str:
    token = fresh(office)
    office.offers()[-1].link_number = 2
    office.session.commit()
    return token


def unknown(office: Office) -> str:
    return office.links.offer_token(f"nobody {office.count}", 1)


SITUATIONS: Mapping[str, tuple[Callable[[Office], str], int, str]] = {
    "fresh": (fresh, 200, "Få fakturaen fra Strand kommune som eFaktura"),
    "already": (already, 200, "Du har allerede eFaktura"),
    "on": (on, 200, "eFaktura er slått på"),
    "pending": (pending, 202, "Vi holder på å slå på eFaktura"),
    "down": (down, 202, "Vi får ikke kontakt med banken nå"),
    "declined": (declined, 200, "Greit, vi endrer ingenting"),
    "wished": (wished, 200, "Slik slår du på eFaktura"),
    "unfound": (unfound, 200, "Slik slår du på eFaktura"),
    "not-me": (not_me, 200, "Takk for at du sa fra"),
    "shared": (shared, 200, "Flere har denne e-postadressen"),
    "refused": (refused_by_bank, 410, "Vi fikk ikke slått på eFaktura"),
    "ended": (ended, 410, "eFaktura er slått av i banken"),
    "expired": (expired, 410, "Lenken er for gammel"),
    "replaced": (replaced, 410, "Lenken gjelder ikke lenger"),
    "unknown": (unknown, 404, "Lenken virker ikke"),
}
"""How each comes about, and the status and heading of its page."""
NAMING = {"fresh", "pending", "down", "declined", "wished", "unfound"}
