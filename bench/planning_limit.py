"""The limit for planning: one hand-written INSERT … SELECT that writes the same parts without our code.

Both variants read the same projection, find mandates by account and KID, let one claim a (KID, due date) through,
leave what waits, and empty the outbox in the same transaction. ``table`` joins plans that were made and keyed
beforehand, which costs it nothing here. ``case`` has the rules as CASE over the bits; it stores no plan, so no
reasons, and does less than we do.
"""

from __future__ import annotations

import time
from enum import Enum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.dialect import is_sqlite
from app.core.settings import Settings
from app.delivery.days import Days
from app.delivery.models import PlanRow
from app.delivery.plans import DAY_AT, INVOICE_AT, PlanBook, key_of
from app.invoices.models import Pending
from app.routing.channels import Answer, Mandate
from app.routing.facts import Bits, DayFacts, InvoiceFacts, ResidentFacts
from bench.planning_data import MOMENT

COLUMNS = "(invoice_id, part, plan_id, state, channel, hold, is_notice, position, tries, next_try_at, changed_at)"
REST = "0, 0, '2026-11-24 09:00:00.000000', '2026-11-24 09:00:00.000000'"
NOTIFY, SILENT = (InvoiceFacts.weight("mandate", kind) for kind in (Mandate.NOTIFY, Mandate.SILENT))
EXISTS = InvoiceFacts.weight("has_claim_already") * INVOICE_AT
MANDATE = f"""coalesce((SELECT max(CASE WHEN m.wants_notice THEN {NOTIFY} ELSE {SILENT} END) FROM mandate m
    WHERE m.kid_key = i.kid AND m.account = i.account AND m.ended_at IS NULL), 0)"""
TWIN = """EXISTS (SELECT 1 FROM invoice o WHERE o.kid = i.kid AND o.due_on = i.due_on AND o.account = i.account
    AND o.id < i.id)"""
SOURCE = """FROM pending p JOIN invoice i ON i.id = p.invoice_id
    JOIN resident_facts r ON r.resident_id = p.resident_id JOIN limit_day d ON d.due_on = p.due_on"""
EMPTY = "DELETE FROM pending WHERE EXISTS (SELECT 1 FROM delivery WHERE delivery.invoice_id = pending.invoice_id)"

TABLE = f"""
WITH keyed AS MATERIALIZED (
    SELECT p.invoice_id, CASE WHEN i.closed_at IS NOT NULL THEN -1
        ELSE r.facts + (p.facts + {MANDATE}) * CAST({INVOICE_AT} AS BIGINT) + d.facts * CAST({DAY_AT} AS BIGINT)
        END AS key, i.kid, i.due_on, i.account {SOURCE}),
turned AS (
    SELECT i.invoice_id, i.key + CASE WHEN c.key IS NOT NULL AND {TWIN.replace("o.id < i.id", "o.id < i.invoice_id")}
        THEN {EXISTS} ELSE 0 END AS key FROM keyed i LEFT JOIN limit_claim c ON c.key = i.key)
INSERT INTO delivery {COLUMNS}
SELECT t.invoice_id, q.part, q.plan_id, q.state, q.channel, q.hold, q.is_notice, {REST}
FROM turned t JOIN limit_part q ON q.key = t.key
"""


def _has(table: str, kind: type[Bits], field: str, value: object = True) -> str:
    layout = kind.layout()[field]
    return f"({table}.facts & {layout.mask}) = {layout.bits(value)}"


def _is(field: str, value: object = True) -> str:
    return _has("r", ResidentFacts, field, value)


YES, NO, UNKNOWN = Answer
OPEN, PLAIN = _is("wants_letters", False), _has("p", InvoiceFacts, "is_decision", False)
RIGHT = _has("p", InvoiceFacts, "has_wrong_kid", False)
LATE = {
    name: _has("d", DayFacts, f"is_too_late_for_{name}") for name in ("claim", "efaktura", "vipps", "mailbox", "email")
}
KRR = _has("p", InvoiceFacts, "may_ask_krr")
CASE = f"""
WITH flags AS MATERIALIZED (
    SELECT p.invoice_id, CASE WHEN {LATE["claim"]} THEN 0 ELSE {MANDATE} END AS mandate,
        CASE WHEN i.closed_at IS NOT NULL THEN 'closed'
             WHEN {_has("p", InvoiceFacts, "has_buyer", False)} THEN 'unknown_buyer'
             WHEN {_is("is_deceased")} THEN 'deceased'
             WHEN {_is("has_protected_address")} THEN 'protected_address'
             WHEN NOT ({RIGHT}) THEN 'wrong_kid' END AS gate,
        {PLAIN} AND {OPEN} AND {_is("efaktura", YES)} AND NOT ({LATE["efaktura"]}) AS efaktura,
        {PLAIN} AND {OPEN} AND {_is("vipps", YES)} AND {_is("has_mobile")} AND {_is("closed_vipps", False)}
            AND NOT ({LATE["vipps"]}) AS vipps,
        CASE WHEN NOT ({KRR} AND {OPEN}) OR {_is("reserved", YES)} OR {_is("mailbox", NO)} OR {LATE["mailbox"]} THEN 0
             WHEN {_is("mailbox", YES)} AND {_is("reserved", NO)} THEN 1
             WHEN {_has("d", DayFacts, "is_past_safe_day")} THEN 0 ELSE 2 END AS mailbox,
        CASE WHEN NOT ({PLAIN} AND {OPEN} AND {_is("has_email")} AND {_has("p", InvoiceFacts, "allows_email")})
                 OR {_is("reserved", YES)} OR NOT ({KRR} OR {_is("has_confirmed_email")}) OR {LATE["email"]} THEN 0
             WHEN NOT ({KRR}) OR {_is("reserved", NO)} THEN 1
             WHEN {_has("d", DayFacts, "is_past_safe_day")} THEN 0 ELSE 2 END AS email,
        {_is("has_postal_address")} AS paper, {PLAIN} AS plain, i.kid, i.due_on, i.account {SOURCE}),
claimed AS MATERIALIZED (
    SELECT i.*, i.gate IS NULL AND i.mandate > 0 AND NOT {TWIN.replace("o.id < i.id", "o.id < i.invoice_id")} AS claim
    FROM flags i),
decided AS MATERIALIZED (
    SELECT invoice_id, gate, claim, CASE WHEN gate IS NOT NULL THEN NULL WHEN efaktura THEN 'efaktura'
        WHEN claim AND mandate = {SILENT} AND plain THEN 'none' WHEN vipps AND NOT claim THEN 'vipps'
        WHEN mailbox = 1 THEN 'mailbox' WHEN mailbox = 2 THEN 'wait' WHEN email = 1 THEN 'email'
        WHEN email = 2 THEN 'wait' WHEN paper THEN 'paper' ELSE 'held' END AS channel FROM claimed)
INSERT INTO delivery {COLUMNS}
SELECT invoice_id, 'document', CAST(NULL AS BIGINT), CASE WHEN gate = 'closed' THEN 'closed'
    WHEN gate IS NOT NULL OR channel = 'held' THEN 'held' ELSE 'waiting' END, nullif(channel, 'held'),
    CASE WHEN gate <> 'closed' THEN gate WHEN channel = 'held' THEN 'no_postal_address' END,
    claim AND coalesce(channel, '') <> 'held', {REST}
FROM decided WHERE gate IS NOT NULL OR channel NOT IN ('wait', 'none')
UNION ALL
SELECT invoice_id, 'claim', CAST(NULL AS BIGINT), 'waiting', 'avtalegiro', NULL, {{no}}, {REST} FROM decided
WHERE claim AND channel NOT IN ('wait', 'held')
"""


class Variant(Enum):
    """The two hand-written statements."""

    TABLE = "table"
    CASE = "case"


def prepare(session: Session, settings: Settings) -> None:
    """Day facts, and the stored plans, in tables as somebody would have written them down. Commits."""
    days = Days(settings, MOMENT)
    book = PlanBook.of(session, settings)
    rows = session.execute(
        sa.select(PlanRow.id, PlanRow.resident_facts, PlanRow.invoice_facts, PlanRow.day_facts).where(
            PlanRow.policy == book.digest
        )
    ).all()
    for statement in (
        "CREATE TABLE limit_day (due_on DATE PRIMARY KEY, facts BIGINT)",
        "CREATE TABLE limit_claim (key BIGINT PRIMARY KEY)",
        "CREATE TABLE limit_part (key BIGINT, part TEXT, plan_id BIGINT, state TEXT, channel TEXT, hold TEXT,"
        " is_notice BOOLEAN)",
        "CREATE INDEX limit_part_key ON limit_part (key)",
    ):
        session.execute(sa.text(statement))
    for due_on in session.scalars(sa.select(Pending.due_on).distinct()):
        values = {"due_on": due_on.isoformat(), "facts": days.facts(due_on).as_bits()}
        cast = ":due_on" if is_sqlite(session) else "CAST(:due_on AS DATE)"
        session.execute(sa.text(f"INSERT INTO limit_day VALUES ({cast}, :facts)"), values)
    insert = sa.text("INSERT INTO limit_part VALUES (:key, :part, :plan_id, :state, :channel, :hold, :is_notice)")
    empty = {"plan_id": None, "channel": None, "hold": None, "is_notice": False}
    session.execute(insert, {**empty, "key": -1, "part": "document", "state": "closed"})
    for plan_id, *triple in rows:
        key = key_of(*triple)
        plan, own = book.decide(key), {**empty, "key": key, "plan_id": plan_id}
        if plan.hold:
            session.execute(insert, {**own, "part": "document", "state": "held", "hold": plan.hold.value})
        if plan.route:
            session.execute(insert, {**own, "part": "document", "state": "waiting", "channel": plan.route[0].value,
                                     "is_notice": plan.is_notice})  # fmt: skip
        if plan.claim:
            session.execute(insert, {**own, "part": "claim", "state": "waiting", "channel": "avtalegiro"})
            session.execute(sa.text("INSERT INTO limit_claim VALUES (:key)"), {"key": key})
    session.commit()
    if not is_sqlite(session):
        session.execute(sa.text("ANALYZE limit_day, limit_claim, limit_part"))
        session.commit()


def run(session: Session, variant: Variant) -> float:
    """Seconds for one statement, the outbox emptied and the commit."""
    text = TABLE if variant is Variant.TABLE else CASE.format(no="0" if is_sqlite(session) else "false")
    if not is_sqlite(session):
        text = text.replace("'2026-11-24 09:00:00.000000'", "TIMESTAMP '2026-11-24 09:00:00'")
    start = time.perf_counter()
    session.execute(sa.text(text))
    session.execute(sa.text(EMPTY))
    session.commit()
    return time.perf_counter() - start
