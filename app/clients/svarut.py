"""KS SvarUt v2: one consignment that finds its own way to mailbox, Altinn or print, and what became of it.

Source: ks-no/fiks-svarut-klient. SvarUt recognises no repeat: whoever is not sure searches by our reference first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.clients.http import Answered, CallFailed, Outside, ServiceClient, Witness
from app.clients.look_ups import LookUp, ask_in_halves, check_look_up
from app.clients.maskinporten import Maskinporten
from app.clients.rules import Judgement, Verdict, judge, judge_failure
from app.clients.svarut_contract import (
    PROVIDER,
    SCOPE,
    SEND_RULES,
    Shipment,
    Status,
    error_code,
    read_events,
    read_id,
    read_ids,
    read_statuses,
)

# No limit is published; a question of this size stays small.
STATUSES_A_CALL = 200


class SvarUt:
    """The municipality's account at SvarUt. Safe for threads."""

    def __init__(
        self,
        outside: Outside,
        base_url: str,
        maskinporten: Maskinporten,
        *,
        account: str,
        integration_id: str,
        integration_password: str,
    ) -> None:
        integration = {"IntegrasjonId": integration_id, "IntegrasjonPassord": integration_password}
        self._http = ServiceClient(PROVIDER, base_url, outside, headers=integration)
        self._maskinporten = maskinporten
        self._account = f"/v2/kontoer/{account}/forsendelser"

    def send(self, shipment: Shipment, witness: Witness) -> tuple[Judgement, str | None]:
        """Hand over, once; gives SvarUt's id where it was taken. Never raises for what SvarUt does."""
        try:
            answered = self._authorized(
                lambda headers: self._http.call(
                    "POST", self._account, witness=witness, files=shipment.parts(), headers=headers
                )
            )
            judgement = judge(SEND_RULES, answered, error_code(answered))
            return judgement, read_id(answered) if judgement.verdict is Verdict.ACCEPTED else None
        except CallFailed as failure:
            return judge_failure(failure), None

    def find(self, reference: str) -> tuple[str, ...]:
        """The ids of all that was taken under *reference*, none when there is nothing. Raises `CallFailed`."""
        return read_ids(self._asked("GET", self._account, params={"eksternRef": reference}))

    def statuses(self, ids: Sequence[str]) -> LookUp[str, Status]:
        """Status by id, without those that SvarUt does not know; one bad id does not spoil the answers about others.

        Never raises for what SvarUt does. Raises ValueError for more than 200.
        """
        if len(ids) > STATUSES_A_CALL:
            raise ValueError(f"at most {STATUSES_A_CALL} ids a call")
        return ask_in_halves(ids, self._ask_statuses)

    def events(self, shipment_id: str) -> tuple[str, ...]:
        """What SvarUt noted of one consignment, oldest first: free text for people, never for a log.

        Raises `CallFailed`.
        """
        return read_events(self._asked("GET", f"/v2/forsendelser/{shipment_id}/hendelser"))

    def close(self) -> None:
        """Let the connections go, Maskinporten's too."""
        self._http.close()
        self._maskinporten.close()

    def _ask_statuses(self, ids: Sequence[str]) -> Mapping[str, Status]:
        question = {"forsendelseIds": list(ids)}
        return read_statuses(self._asked("POST", f"{self._account}/status-sok", json=question))

    def _asked(self, method: str, path: str, **request: Any) -> Answered:
        answered = self._authorized(
            lambda headers: self._http.look_up(method, path, witness=Witness("lookup"), headers=headers, **request)
        )
        check_look_up(answered)
        return answered

    def _authorized(self, call: Callable[[dict[str, str]], Answered]) -> Answered:
        return self._maskinporten.authorized(SCOPE, lambda token: call({"Authorization": f"Bearer {token}"}))
