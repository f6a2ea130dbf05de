"""What a resident chooses counts from the next invoice on, and is on record."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.contact.preferences import choice_of, choose_delivery
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.residents.models import Resident, StaleResident
from app.residents.preferences import Choice
from app.routing.channels import Channel


def test_a_choice_is_kept_marks_the_resident_stale_and_is_on_record(
    session: Session, clock: Clock, resident: Resident
) -> None:
    chosen = Choice(frozenset({Channel.EMAIL, Channel.VIPPS}), is_all_by_letter=True)
    assert choose_delivery(session, clock, resident, chosen)
    assert choice_of(session, resident) == chosen
    assert session.scalars(select(StaleResident.resident_id)).all() == [resident.id]
    (event,) = session.scalars(select(AuditRecord)).all()
    assert (event.event, event.reason) == (AuditEvent.PREFERENCE_CHOSEN, "letters")


def test_choosing_the_same_again_changes_nothing(session: Session, clock: Clock, resident: Resident) -> None:
    choose_delivery(session, clock, resident, Choice(frozenset({Channel.EMAIL})))
    assert not choose_delivery(session, clock, resident, Choice(frozenset({Channel.EMAIL})))
    assert len(session.scalars(select(AuditRecord)).all()) == 1


@pytest.mark.parametrize("channel", [Channel.AVTALEGIRO, Channel.PAPER])
def test_the_bank_s_agreement_and_the_letter_cannot_be_closed_here(
    session: Session, clock: Clock, resident: Resident, channel: Channel
) -> None:
    with pytest.raises(ValueError, match="cannot be closed"):
        choose_delivery(session, clock, resident, Choice(frozenset({channel})))
