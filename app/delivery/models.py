"""The facts projection, the plans, the journey of each invoice, every attempt and every receipt."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.channels.contract import Outcome
from app.core.database import Base, BigId, Id, Key
from app.routing.channels import Channel, Reason


class ResidentFactsRow(Base):
    """One row a resident: the bits of `app.routing.facts.ResidentFacts`. ``resident_id`` 0 is the unknown buyer."""

    __tablename__ = "resident_facts"

    resident_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    facts: Mapped[int]


class PlanRow(Base):
    """One distinct plan, and the facts that give it. ``policy`` is the digest of policy code and settings."""

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("policy", "resident_facts", "invoice_facts", "day_facts"),)

    id: Mapped[Id]
    policy: Mapped[str] = mapped_column(String(16))
    resident_facts: Mapped[int]
    invoice_facts: Mapped[int]
    day_facts: Mapped[int]
    claim: Mapped[str | None] = mapped_column(String(2))
    route: Mapped[list[str]] = mapped_column(JSON)
    passed_over: Mapped[dict[str, Any]] = mapped_column(JSON)
    hold: Mapped[Reason | None]
    is_notice: Mapped[bool]
    is_waiting: Mapped[bool]
    is_open_ended: Mapped[bool]


class Part(StrEnum):
    """A delivery has up to two parts, each with its own attempts."""

    CLAIM = "claim"
    DOCUMENT = "document"


class State(StrEnum):
    """Where a part is. An invoice's state is the less finished of its parts'."""

    WAITING = "waiting"
    SENDING = "sending"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    HELD = "held"
    CLOSED = "closed"


class Delivery(Base):
    """One part of one invoice's journey. No plan: it was closed before one was made (credited, paid, cancelled).

    ``channel`` is the one now tried or last used; ``position`` its index in the plan's route. ``worker`` is
    ``host:process:start:serial`` while claimed. ``next_try_at`` says when a waiting part is due; ``settle_at`` when one
    in transit counts as delivered without further word (e-mail); ``ask_at`` when the provider is asked for its next
    word (none: never again). Waiting without a channel: it is to be planned anew.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("invoice_id", "part"),
        Index("ix_delivery_due", "channel", "next_try_at", sqlite_where=text("state = 'waiting'"),
              postgresql_where=text("state = 'waiting'")),
        Index("ix_delivery_worker", "worker", sqlite_where=text("state = 'sending'"),
              postgresql_where=text("state = 'sending'")),
        Index("ix_delivery_state", "state"),
        Index("ix_delivery_ask", "channel", "ask_at", sqlite_where=text("ask_at IS NOT NULL"),
              postgresql_where=text("ask_at IS NOT NULL")),
        # What waits for a person, by its pile and age: few rows, looked at among all.
        Index("ix_delivery_held", "hold", "changed_at", "invoice_id", sqlite_where=text("state = 'held'"),
              postgresql_where=text("state = 'held'")),
        Index("ix_delivery_retried", "channel", "changed_at", "invoice_id",
              sqlite_where=text("state = 'waiting' AND tries > 0"),
              postgresql_where=text("state = 'waiting' AND tries > 0")),
        Index("ix_delivery_in_transit", "channel", "changed_at", "invoice_id",
              sqlite_where=text("state = 'in_transit'"), postgresql_where=text("state = 'in_transit'")),
        CheckConstraint("state <> 'sending' OR worker IS NOT NULL", name="sending_has_worker"),
    )  # fmt: skip

    id: Mapped[Id]
    invoice_id: Mapped[Key] = mapped_column(ForeignKey("invoice.id"))
    part: Mapped[Part]
    plan_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("plan.id"))
    state: Mapped[State]
    channel: Mapped[Channel | None]
    position: Mapped[int] = mapped_column(default=0)
    is_notice: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[dt.datetime]
    settle_at: Mapped[dt.datetime | None]
    ask_at: Mapped[dt.datetime | None]
    worker: Mapped[str | None] = mapped_column(String(120))
    claimed_at: Mapped[dt.datetime | None]
    hold: Mapped[Reason | None]
    changed_at: Mapped[dt.datetime]


class Attempt(Base):
    """One try at one channel: committed before the provider is called, closed after.

    One left open means the process died in between, so what happened is *uncertain*. ``key`` is the UUIDv5 the provider
    knows it by; a repeat after `unavailable` is the same attempt under the same key. ``taken_back_at`` is set when an
    accepted one was refused later, or recalled. ``detail`` is a code, never personal. ``document_id``: the PDF sent.
    ``is_cancellation`` recalls an AvtaleGiro claim that was handed over. ``resent``: repeated where the other side
    cannot recognise a repeat.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_open", "delivery_id", sqlite_where=text("outcome IS NULL"),
              postgresql_where=text("outcome IS NULL")),
        Index("ix_attempt_unsettled", "channel", "opened_at",
              sqlite_where=text("outcome IS NULL OR outcome IN ('uncertain', 'unavailable')"),
              postgresql_where=text("outcome IS NULL OR outcome IN ('uncertain', 'unavailable')")),
    )  # fmt: skip

    id: Mapped[Id]
    delivery_id: Mapped[Key] = mapped_column(ForeignKey("delivery.id"), index=True)
    channel: Mapped[Channel]
    key: Mapped[str] = mapped_column(String(36), unique=True)
    number: Mapped[int]
    is_notice: Mapped[bool]
    is_cancellation: Mapped[bool] = mapped_column(default=False)
    document_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("document.id"))
    handover_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("handover.id"), index=True)
    opened_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    outcome: Mapped[Outcome | None]
    provider_reference: Mapped[str | None] = mapped_column(String(200), index=True)
    detail: Mapped[str | None] = mapped_column(String(200))
    resent: Mapped[bool] = mapped_column(default=False)
    taken_back_at: Mapped[dt.datetime | None]


class Handover(Base):
    """One bank file or print batch. It is written whole under a hidden name, then committed as written, then renamed.

    So after a crash: ``written_at`` unset means nothing left, and set means the rename is done or safe to repeat. The
    attempts in it are those that name it; one the channel did not take names none. One that was discarded after its
    worker had ended stays, named by none, so that its name is not given again.
    ``name`` is unique a channel; for AvtaleGiro it carries the assignment number (unique 12 months and a day).
    """

    __tablename__ = "handover"
    __table_args__ = (UniqueConstraint("channel", "name"),)

    id: Mapped[Id]
    channel: Mapped[Channel]
    name: Mapped[str] = mapped_column(String(60))
    worker: Mapped[str] = mapped_column(String(120))
    opened_at: Mapped[dt.datetime]
    written_at: Mapped[dt.datetime | None]
    handed_over_at: Mapped[dt.datetime | None]


class ChannelProvider(Base):
    """The provider that has what is on its way by a channel, where there is a choice: see `app.delivery.providers`."""

    __tablename__ = "channel_provider"

    channel: Mapped[Channel] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(20))


class Receipt(Base):
    """What a provider told us later, kept once, handled once, in the order that its meaning gives."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("channel", "provider_reference", "status"),
        Index("ix_receipt_unhandled", "channel", sqlite_where=text("handled_at IS NULL"),
              postgresql_where=text("handled_at IS NULL")),
    )  # fmt: skip

    id: Mapped[Id]
    channel: Mapped[Channel]
    provider_reference: Mapped[str] = mapped_column(String(200), index=True)
    status: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str | None] = mapped_column(String(200))
    received_at: Mapped[dt.datetime]
    handled_at: Mapped[dt.datetime | None]


class BrakeKind(StrEnum):
    """What stops a run before the letters leave."""

    PAPER = "paper"
    REFUSAL = "refusal"
    SILENCE = "silence"


class Brake(Base):
    """A run stopped: a share went above its usual, or a register fell silent. A person releases it."""

    __tablename__ = "brake"

    id: Mapped[Id]
    kind: Mapped[BrakeKind]
    channel: Mapped[Channel | None]
    pulled_at: Mapped[dt.datetime]
    share: Mapped[float]
    usual_share: Mapped[float]
    released_at: Mapped[dt.datetime | None]
    released_by: Mapped[str | None] = mapped_column(String(120))
    release_reason: Mapped[str | None] = mapped_column(String(500))


class RunRow(Base):
    """One run of the job, and what it counted."""

    __tablename__ = "run"

    id: Mapped[Id]
    worker: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
