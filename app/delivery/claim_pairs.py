"""One claim a (KID, due date): of a batch's claims, which come second and must go another way."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import Any

from sqlalchemy import Select, and_, exists, select, update
from sqlalchemy.orm import Session, aliased

from app.core.dialect import Lock, serialize
from app.delivery.batches import SENT
from app.delivery.models import Delivery, Part, State
from app.delivery.planning_tables import batch, execute, known
from app.delivery.plans import INVOICE_AT
from app.invoices.models import Invoice
from app.routing.facts import InvoiceFacts

AT_ONCE = 500
EXISTS = InvoiceFacts.weight("has_claim_already") * INVOICE_AT
OWN = InvoiceFacts.mask("sent_claim") * INVOICE_AT


def _claims() -> Select[Any, Any, Any, Any, Any]:
    """The claims of the batch that share their pair with another invoice, and whether that one has its claim."""
    mine, other = aliased(Invoice), aliased(Invoice)
    is_twin = and_(
        other.kid == mine.kid, other.due_on == mine.due_on, other.account == mine.account, other.id != mine.id
    )
    is_claimed = exists().where(
        Delivery.invoice_id == other.id, Delivery.part == Part.CLAIM, Delivery.state.in_((State.WAITING, *SENT))
    )
    return (
        select(mine.id, mine.account, mine.kid, mine.due_on, exists().where(is_twin, is_claimed))
        .select_from(JOINED.join(mine, mine.id == batch.c.invoice_id))
        .where(known.c.is_claim, batch.c.key.bitwise_and(OWN) == 0, exists().where(is_twin))
        .order_by(mine.id)
    )


JOINED = batch.join(known, known.c.key == batch.c.key)
ANY_CLAIM = select(batch.c.invoice_id).select_from(JOINED).where(known.c.is_claim).limit(1)
TWIN_CLAIMS = _claims()


def turn_away_second_claims(session: Session) -> int:
    """Give the batch's claims whose pair is taken the key that says so; gives how many.

    Taken means by an invoice that has a claim under way or with the bank, or by one with a lower id in this batch.
    Holds other planners back until this transaction ends, for they may have the other half of a pair.
    """
    if execute(session, ANY_CLAIM).first() is None:
        return 0
    serialize(session, Lock.CLAIMS)
    rows = execute(session, TWIN_CLAIMS)
    pairs: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    second: list[int] = []
    for invoice_id, *pair, is_taken in rows:
        (second if is_taken else pairs[tuple(pair)]).append(invoice_id)
    second += [invoice_id for ids in pairs.values() for invoice_id in ids[1:]]
    waiting = iter(second)
    while part := list(islice(waiting, AT_ONCE)):
        execute(session, update(batch).where(batch.c.invoice_id.in_(part)).values(key=batch.c.key + EXISTS))
    return len(second)
