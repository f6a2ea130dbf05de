"""The summary tables behind the statistics: how many, never who. `app.delivery.statistics` fills them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, BigId


class InvoiceCount(Base):
    """How many invoices of one month and category are in one place. Every invoice is counted in exactly one row.

    ``month`` is the invoice date's, as year × 100 + month. ``place`` is the state as the report says it
    (`app.delivery.report.STATES`); ``channel`` the one whose demand stands, AvtaleGiro before the document beside it;
    ``notice_channel`` the one whose notice stands; ``hold`` why it is held. Empty where there is none.
    """

    __tablename__ = "invoice_count"

    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    category: Mapped[str] = mapped_column(String(60), primary_key=True)
    place: Mapped[str] = mapped_column(String(12), primary_key=True)
    channel: Mapped[str] = mapped_column(String(12), primary_key=True)
    notice_channel: Mapped[str] = mapped_column(String(12), primary_key=True)
    hold: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class RefusalCount(Base):
    """How many attempts a channel refused, at once or later, for the invoices of one month and category.

    ``detail`` is the code of the refusal, empty where the channel gave none; ``is_late``: taken first, refused later.
    """

    __tablename__ = "refusal_count"

    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    category: Mapped[str] = mapped_column(String(60), primary_key=True)
    channel: Mapped[str] = mapped_column(String(12), primary_key=True)
    detail: Mapped[str] = mapped_column(String(60), primary_key=True)
    is_late: Mapped[bool] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class ResidentCount(Base):
    """How many residents could be reached how, as last counted in the month: months that are over stay as they were.

    ``mobile`` and ``email``: ``none``, ``registered`` or ``confirmed``. ``efaktura``: the register's last answer,
    ``unknown`` for those never asked about.
    """

    __tablename__ = "resident_count"

    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mobile: Mapped[str] = mapped_column(String(12), primary_key=True)
    email: Mapped[str] = mapped_column(String(12), primary_key=True)
    efaktura: Mapped[str] = mapped_column(String(12), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class MandateCount(Base):
    """How many AvtaleGiro mandates were in force, as last counted in the month."""

    __tablename__ = "mandate_count"

    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wants_notice: Mapped[bool] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class Counting(Base):
    """One row (``id`` 1): up to when the tables above are counted. Whoever counts holds it."""

    __tablename__ = "counting"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    counted_at: Mapped[dt.datetime | None]
