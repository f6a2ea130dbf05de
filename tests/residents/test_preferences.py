"""What residents choose about delivery is kept, and marks them as changed only when it differs."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.residents.preferences import Choice, choices, choose
from app.routing.channels import Channel
from tests.residents.conftest import TakeRegister, resident, take_stale

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)


def test_a_choice_replaces_the_one_before(session: Session, take: TakeRegister) -> None:
    take({"customer_number": "1", "name": "Kari"}, {"customer_number": "2", "name": "Ola"})
    kari, ola = resident(session, "1").id, resident(session, "2").id
    take_stale(session)
    first = Choice(frozenset({Channel.EMAIL, Channel.VIPPS}))
    assert choose(session, kari, first, NOW)
    assert choices(session, [kari, ola]) == {kari: first}
    assert take_stale(session) == [kari]
    assert not choose(session, kari, first, NOW)
    assert take_stale(session) == []
    second = Choice(frozenset({Channel.EMAIL}), is_all_by_letter=True)
    assert choose(session, kari, second, NOW)
    assert choices(session, [kari]) == {kari: second}
    assert choose(session, kari, Choice(), NOW)
    assert choices(session, [kari]) == {}
