"""Vipps as a register: does the owner of the resident's mobile number take invoices there?"""

from __future__ import annotations

from collections.abc import Sequence

from app.clients.http import CallFailed
from app.clients.rules import Verdict
from app.clients.vipps import Vipps
from app.registries.contract import Reply, Said, Target
from app.registries.models import Register
from app.routing.channels import Answer

CHUNK = 25
# So many in a row say that Vipps is away, and the rest of the chunk need not wait for it.
MOST_FAILURES_IN_A_ROW = 3

_ANSWERS = {Verdict.ACCEPTED: Answer.YES, Verdict.REFUSED: Answer.NO}


class VippsRegistry:
    """Asks for a recipient token by mobile number, one a call; a resident without a mobile is unknown."""

    provider = "vipps"
    registers = (Register.VIPPS,)
    chunk = CHUNK

    def __init__(self, client: Vipps) -> None:
        self._client = client

    def ask(self, targets: Sequence[Target]) -> Reply:
        """Whether each takes invoices in Vipps."""
        said: dict[int, tuple[Said, ...]] = {}
        calls = failed_in_a_row = 0
        failure, needs_alarm = None, False
        for target in targets:
            if not target.mobile:
                continue
            if failed_in_a_row == MOST_FAILURES_IN_A_ROW:
                break
            calls += 1
            try:
                judgement, _ = self._client.recipient_token(target.mobile)
                answer, detail, is_ours = _ANSWERS.get(judgement.verdict), judgement.detail, judgement.needs_alarm
            except CallFailed as error:
                answer, detail, is_ours = None, error.detail, error.needs_alarm
            if answer is None:
                failure, needs_alarm = f"{self.provider}: {detail}", needs_alarm or is_ours
                failed_in_a_row += 1
            else:
                said[target.resident_id] = (Said(Register.VIPPS, answer),)
                failed_in_a_row = 0
        return Reply(said, calls, len(said), failure, needs_alarm)
