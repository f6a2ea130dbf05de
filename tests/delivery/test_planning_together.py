"""Several planners at once: every invoice is planned once, and one claim a (KID, due date) holds between them."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.settings import Settings
from app.delivery.models import Delivery, Part
from app.delivery.planning import plan_pending
from app.invoices.models import Invoice, Pending
from tests.delivery.planning_support import PlanningTown

PLANNERS = 4


@pytest.fixture
def town(session: Session, settings: Settings, clock: Clock) -> PlanningTown:
    return PlanningTown(session, settings, clock)


def test_planners_share_the_outbox_and_the_pairs(town: PlanningTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.delivery.planning.BATCH", 5)
    residents = [town.resident(email=f"{number}@example.com") for number in range(6)]
    kids = [f"{number:010d}" for number in range(100, 106)]
    for kid in kids:
        town.mandate(kid)
    for _ in range(20):
        for resident, kid in zip(residents, kids, strict=True):
            town.invoice(resident, kid=kid)
    town.session.commit()
    counts, errors = [], []
    start, engine = threading.Barrier(PLANNERS), town.session.get_bind()

    def work() -> None:
        try:
            with Session(engine) as own:
                start.wait()
                counts.append(plan_pending(own, town.settings, town.clock).forecast.planned)
        except Exception as error:  # noqa: BLE001 - a thread's error is told by the test
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(PLANNERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(counts) == 120
    assert town.session.scalar(select(func.count()).select_from(Pending)) == 0
    claims = select(Invoice.kid, func.count()).join(Delivery, Delivery.invoice_id == Invoice.id)
    rows = town.session.execute(claims.where(Delivery.part == Part.CLAIM).group_by(Invoice.kid)).all()
    assert sorted(rows) == [(kid, 1) for kid in kids]


def test_a_planner_that_dies_in_a_batch_leaves_the_outbox_whole(
    town: PlanningTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoices = [town.invoice(town.resident()) for _ in range(4)]
    town.session.commit()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.delivery.planning.update_parts", dies)
    with pytest.raises(KeyboardInterrupt):
        plan_pending(town.session, town.settings, town.clock)
    monkeypatch.undo()
    assert all(town.is_pending(invoice) for invoice in invoices)
    assert town.session.scalar(select(func.count()).select_from(Delivery)) == 0
    assert plan_pending(town.session, town.settings, town.clock).forecast.planned == 4
