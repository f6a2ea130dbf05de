"""The words of the gateway's calls about agreements, and what each of its answers means for us.

Our own contract: no public interface lets an issuer ask for a consumer's eFaktura
(docs/decisions/efaktura-agreement.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.clients.efaktura_contract import GATEWAY
from app.clients.rules import Judgement, Rule, Verdict, rule

NO_CONSUMER, SEVERAL_CONSUMERS, NOT_WANTED = "6001", "6002", "6003"
# Of the request itself: only these three are about the consumer.
AGREEMENT_RULES: tuple[Rule, ...] = (
    rule(422, Verdict.REFUSED, GATEWAY, code=NO_CONSUMER),
    rule(422, Verdict.REFUSED, GATEWAY, code=SEVERAL_CONSUMERS),
    rule(422, Verdict.REFUSED, GATEWAY, code=NOT_WANTED),
    rule(409, Verdict.UNAVAILABLE, "our gateway contract: the id is another consumer's", needs_alarm=True),
)


class Standing(StrEnum):
    """Where an agreement is at the provider. DECLINED may come after PENDING, ENDED after ACTIVE."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    DECLINED = "DECLINED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class AgreementStatus:
    """The newest word on one agreement. ``identifier``: by which eFaktura reaches the consumer, once it is ACTIVE."""

    agreement_id: str
    standing: Standing
    code: str | None = None
    identifier: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Requested:
    """What came of a request: ``status`` when the gateway has it. ``code`` of a refusal."""

    judgement: Judgement
    status: AgreementStatus | None = None
    code: str | None = None


def read_status(entry: Mapping[str, Any], agreement_id: str, code: str | None) -> AgreementStatus | None:
    """The status in *entry*, None when it is none that we know, or another agreement's."""
    word, given = entry.get("status"), entry.get("agreementId")
    known = next((standing for standing in Standing if standing.value == word), None)
    if known is None or given != agreement_id:
        return None
    identifier = entry.get("identifier")
    return AgreementStatus(agreement_id, known, code, identifier if isinstance(identifier, str) else None)
