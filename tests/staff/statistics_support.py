"""A year of figures in the summary tables, as the count would have left them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.delivery.statistics_models import Counting, InvoiceCount, MandateCount, RefusalCount, ResidentCount
from app.staff.statistics_figures import Choice
from app.staff.statistics_models import OfferCount

FIRST, LAST = 202512, 202611
COUNTED_AT = dt.datetime(2026, 11, 24, 5, 0, tzinfo=dt.UTC)
SHARES = {
    "avtalegiro": (22, 0),
    "efaktura": (18, 2),
    "vipps": (4, 1),
    "mailbox": (12, 1),
    "email": (9, 0),
    "paper": (60, -4),
}


def invoices(month: int, count: int, *, category: str = "default", **ways: str) -> InvoiceCount:
    """One row of invoices."""
    found = {"place": "delivered", "channel": "", "notice_channel": "", "hold": "", **ways}
    return InvoiceCount(month=month, category=category, count=count, **found)


def fill_a_year(session: Session) -> None:
    """Twelve months, two categories, every section with something to tell. Commits."""
    months = Choice(FIRST, LAST).months
    for place, month in enumerate(months):
        for category, size in (("default", 10), ("kommunale-avgifter", 30), ("barnehage", 4)):
            for channel, (start, step) in SHARES.items():
                count = (start + step * place) * size
                session.add(invoices(month, count, category=category, channel=channel))
        session.add(invoices(month, 40, channel="avtalegiro", notice_channel="paper"))
        session.add(
            RefusalCount(month=month, category="default", channel="email", detail="550 5.1.1", is_late=False, count=7)
        )
        session.add(RefusalCount(month=month, category="default", channel="vipps", detail="", is_late=True, count=6))
        session.add(MandateCount(month=month, wants_notice=True, count=1500 + 40 * place))
        for mobile, email, efaktura, count in (
            ("confirmed", "confirmed", "yes", 900 + 60 * place), ("registered", "registered", "no", 4100 - 60 * place),
            ("registered", "none", "yes", 800), ("none", "registered", "no", 320), ("none", "none", "unknown", 210),
        ):  # fmt: skip
            session.add(ResidentCount(month=month, mobile=mobile, email=email, efaktura=efaktura, count=count))
    for reason, count in (("deceased", 9), ("wrong_kid", 23), ("protected_address", 3), ("unknown_buyer", 12)):
        session.add(invoices(LAST, count, place="held", hold=reason))
    for name, month, sent in (("Høsten 2026", 202609, 4200), ("=Våren 2026", 202603, 900)):
        session.add(
            OfferCount(public_id=name, name=name, month=month, sent=sent, delivered=sent - 80, bounced=60,
                       answered=sent // 4, yes=sent // 5, active=sent // 6)
        )  # fmt: skip
    session.add(Counting(id=1, counted_at=COUNTED_AT))
    session.commit()
