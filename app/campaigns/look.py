"""Looks residents up in the eFaktura register, and keeps what it says where routing reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum

from app.campaigns.agreements import activate, begin, lock_resident, open_agreement, put_answer
from app.campaigns.desk import Desk
from app.campaigns.models import AgreementState
from app.campaigns.receipts import send_receipt
from app.core.crypto import vault
from app.core.throttle import Limit, hit
from app.registries.contract import Said
from app.registries.efaktura import EfakturaRegistry
from app.registries.models import Register
from app.registries.targets import targets_of
from app.routing.channels import Answer

REGISTER_ACTOR = "efaktura register"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
PER_RESIDENT = (Limit("eFaktura checks of a resident, an hour", 5, HOUR), Limit("eFaktura checks, a day", 20, DAY))
PER_NETWORK = Limit("eFaktura checks by a network address, an hour", 60, HOUR)


class Checked(StrEnum):
    """What one look-up said: it works, not (yet), or there was no answer."""

    WORKS = "works"
    NOT_YET = "not_yet"
    NO_ANSWER = "no_answer"


def check_now(desk: Desk, resident_id: int) -> Checked:
    """Look one resident up. A wish that has come true becomes active, with its receipt. Commits.

    Raises `TooOften`.
    """
    uses = [(limit, str(resident_id)) for limit in PER_RESIDENT]
    if desk.network:
        uses.append((PER_NETWORK, desk.network))
    hit(desk.session, desk.settings, uses, desk.clock.now())
    said = look_up(desk, [resident_id]).get(resident_id)
    if said is None or said.answer is Answer.UNKNOWN:
        return Checked.NO_ANSWER
    if said.answer is Answer.NO:
        begin(desk.session)
        lock_resident(desk.session, resident_id)
        put_answer(desk.session, resident_id, said.answer, None, desk.clock.now())
        desk.session.commit()
        return Checked.NOT_YET
    it_works(desk, resident_id, said.reference)
    return Checked.WORKS


def look_up(desk: Desk, resident_ids: Sequence[int]) -> Mapping[int, Said]:
    """What the register says now of at most a thousand residents; who is not in it was not answered for. Commits."""
    found = targets_of(desk.session, Register.EFAKTURA, vault(desk.settings), resident_ids)
    desk.session.commit()
    reply = EfakturaRegistry(desk.outfit.gateway).ask(found)
    return {resident_id: said[0] for resident_id, said in reply.said.items() if said}


def it_works(desk: Desk, resident_id: int, identifier: str | None) -> bool:
    """The register says yes: whatever was asked for is active now; whether anything was. Commits, and tells."""
    session, now = desk.session, desk.clock.now()
    begin(session)
    lock_resident(session, resident_id)
    agreement = open_agreement(session, resident_id)
    is_news = agreement is not None and agreement.state is AgreementState.REQUESTED
    if agreement is not None and is_news:
        activate(session, agreement, REGISTER_ACTOR, now, identifier)
    else:
        put_answer(session, resident_id, Answer.YES, identifier, now)
    session.commit()
    if agreement is not None and is_news:
        send_receipt(desk, agreement.id)
    return is_news
