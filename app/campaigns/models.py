"""Campaigns, the mails of each, whom they concern, and the eFaktura agreements that were asked for."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, Id, Key, PublicId


class CampaignState(StrEnum):
    """Whether a campaign sends."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


class StopReason(StrEnum):
    """What stopped a campaign."""

    PERSON = "person"
    BOUNCES = "bounces"


class Campaign(Base):
    """One round of offers. ``started_by`` and ``stopped_by`` are actors as the audit record names them.

    ``mails_per_minute``: slower than OFFER_MAILS_PER_MINUTE, by somebody's wish; None: as that says.
    """

    __tablename__ = "campaign"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(String(80), unique=True)
    state: Mapped[CampaignState]
    started_at: Mapped[dt.datetime]
    started_by: Mapped[str] = mapped_column(String(120))
    stopped_at: Mapped[dt.datetime | None]
    stopped_by: Mapped[str | None] = mapped_column(String(120))
    stop_reason: Mapped[StopReason | None]
    mails_per_minute: Mapped[int | None]


class MailState(StrEnum):
    """Where an offer's mail is. ``skipped``: nobody it concerns was left when its turn came."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    REFUSED = "refused"
    SKIPPED = "skipped"


class OfferMail(Base):
    """One mail of a campaign to one address, whoever shares it.

    ``key`` is the UUIDv5 that the ``Message-ID`` is made of. ``opened_at`` is committed before the server is called:
    a mail left open after a crash is *uncertain*, and resent at most once under the same ``Message-ID`` (``resent``).
    ``worker`` is ``host:process:start:serial`` while it is being sent. ``detail`` is a code, never personal.
    """

    __tablename__ = "offer_mail"
    __table_args__ = (
        UniqueConstraint("campaign_id", "address"),
        Index("ix_offer_mail_waiting", "campaign_id", sqlite_where=text("state in ('waiting', 'sending')"),
              postgresql_where=text("state in ('waiting', 'sending')")),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    campaign_id: Mapped[Key] = mapped_column(ForeignKey("campaign.id"))
    address: Mapped[str] = mapped_column(String(254), index=True)
    key: Mapped[str] = mapped_column(String(36), unique=True)
    language: Mapped[str] = mapped_column(String(2))
    state: Mapped[MailState]
    worker: Mapped[str | None] = mapped_column(String(120))
    opened_at: Mapped[dt.datetime | None]
    sent_at: Mapped[dt.datetime | None]
    settled_at: Mapped[dt.datetime | None]
    resent: Mapped[bool] = mapped_column(default=False)
    detail: Mapped[str | None] = mapped_column(String(200))


class OfferAnswer(StrEnum):
    """What was answered to an offer; the last answer counts."""

    YES = "yes"
    NO = "no"
    NOT_ME = "not_me"
    UNSUBSCRIBED = "unsubscribed"


class Offer(Base):
    """One resident's offer within a mail, bound to the address it was sent to (``contact_point_id``).

    ``link_number`` is the number of the newest link: an older one is *replaced*. ``unsubscribed_at`` holds beside any
    answer: whoever said yes may still want no more mail of the kind.
    """

    __tablename__ = "offer"
    __table_args__ = (UniqueConstraint("mail_id", "resident_id"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    mail_id: Mapped[Key] = mapped_column(ForeignKey("offer_mail.id"))
    resident_id: Mapped[Key] = mapped_column(ForeignKey("resident.id"), index=True)
    contact_point_id: Mapped[Key] = mapped_column(ForeignKey("contact_point.id"))
    link_number: Mapped[int] = mapped_column(default=1)
    answer: Mapped[OfferAnswer | None]
    answered_at: Mapped[dt.datetime | None]
    unsubscribed_at: Mapped[dt.datetime | None]


class AgreementState(StrEnum):
    """Where an agreement is. A refused request is *declined*; what the other side ended later is *ended*."""

    REQUESTED = "requested"
    ACTIVE = "active"
    DECLINED = "declined"
    ENDED = "ended"


class AgreementSource(StrEnum):
    """Where the yes was given."""

    OFFER = "offer"
    MIN_SIDE = "min_side"
    STAFF = "staff"


class Activation(StrEnum):
    """How eFaktura is switched on: by our request to the provider, or by the resident in the bank."""

    AGREEMENT = "agreement"
    GUIDE = "guide"


class Agreement(Base):
    """One yes to eFaktura, and what came of it. At most one of a resident is requested or active.

    ``key`` is the id the provider knows the request by: a request that was lost is asked again under it. ``taken_at``:
    the provider has it. ``ask_at``: when to ask (again). ``reason`` is a code. ``evidence``: what proves the yes
    (offer, link number, language, wording), never personal data beyond ids. ``receipt_opened_at`` is committed before
    the receipt leaves; one left open by a crash leaves again under the same ``Message-ID``.
    """

    __tablename__ = "efaktura_agreement"
    __table_args__ = (
        Index("uq_efaktura_agreement_open", "resident_id", unique=True,
              sqlite_where=text("state in ('requested', 'active')"),
              postgresql_where=text("state in ('requested', 'active')")),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    resident_id: Mapped[Key] = mapped_column(ForeignKey("resident.id"), index=True)
    offer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("offer.id"), index=True)
    source: Mapped[AgreementSource]
    activation: Mapped[Activation]
    state: Mapped[AgreementState]
    key: Mapped[str] = mapped_column(String(36), unique=True)
    reason: Mapped[str | None] = mapped_column(String(40))
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    requested_at: Mapped[dt.datetime]
    taken_at: Mapped[dt.datetime | None]
    decided_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    ask_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    asked: Mapped[int] = mapped_column(default=0)
    receipt_opened_at: Mapped[dt.datetime | None]
    receipt_sent_at: Mapped[dt.datetime | None]
