"""What the tests of the refresh share."""

from __future__ import annotations

from sqlalchemy import select

from app.residents.models import StaleResident
from app.routing.channels import Answer
from tests.registries.town import Town

NUMBER, OTHER, THIRD = "20914695016", "22885399316", "21836797660"
MOBILE, OTHER_MOBILE = "+4790000017", "+4790000018"
YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def stale(town: Town) -> list[int]:
    """The residents marked as changed; the marks are taken away."""
    found = sorted(town.session.scalars(select(StaleResident.resident_id)))
    town.session.query(StaleResident).delete()
    town.session.commit()
    return found
