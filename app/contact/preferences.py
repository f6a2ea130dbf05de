"""What a resident chooses about delivery: letters alone, or some channels closed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.core.audit import AuditEvent, record
from app.core.clock import Clock
from app.residents.models import Resident
from app.residents.preferences import Choice, choices, choose
from app.routing.channels import Channel

# AvtaleGiro ends in the bank, and there must always be the letter.
CLOSABLE = (Channel.EFAKTURA, Channel.VIPPS, Channel.MAILBOX, Channel.EMAIL)


def choice_of(session: Session, resident: Resident) -> Choice:
    """What *resident* has chosen."""
    return choices(session, [resident.id]).get(resident.id, Choice())


def choose_delivery(session: Session, clock: Clock, resident: Resident, choice: Choice) -> bool:
    """Make *choice* the resident's from the next invoice on; whether it differs. Commits.

    Raises ValueError for a channel that cannot be closed.
    """
    if not choice.closed <= set(CLOSABLE):
        raise ValueError("this channel cannot be closed by the resident")
    is_new = choose(session, resident.id, choice, clock.now())
    if is_new:
        subject = f"resident:{resident.public_id}"
        chosen = "letters" if choice.is_all_by_letter else ", ".join(sorted(choice.closed)) or "nothing closed"
        record(
            session,
            at=clock.now(),
            actor=subject,
            event=AuditEvent.PREFERENCE_CHOSEN,
            subject=subject,
            reason=chosen,
        )
    session.commit()
    return is_new
