"""eFormidling's integrasjonspunkt: create, attach, send; whom it reaches, and what became of a message.

A message's id is ours, so a repeat is recognised at every step and an interrupted one is continued. Source:
docs.digdir.no (eFormidling) and felleslosninger/efm-integrasjonspunkt v4.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.clients.eformidling_contract import (
    ATTACH_RULES,
    CREATE_RULES,
    EXISTS,
    EXPIRED,
    PROCESS,
    PROVIDER,
    SEND_RULES,
    Kind,
    OutMessage,
    State,
    exception_of,
    read_states,
    strongest,
    takes,
)
from app.clients.http import Answered, CallFailed, Outside, ServiceClient, Witness
from app.clients.look_ups import check_look_up
from app.clients.rules import Judgement, Rule, Verdict, judge, judge_failure

# The service's own page is ten.
STATUSES_A_PAGE = 1000
NOT_FOUND = 404


class Eformidling:
    """The municipality's own access point. Safe for threads."""

    def __init__(self, outside: Outside, base_url: str, user: str, password: str) -> None:
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}"} if user else {}
        self._http = ServiceClient(PROVIDER, base_url, outside, headers=headers)

    def reaches(self, national_id: str, kind: Kind) -> Judgement:
        """Whether this person takes letters of *kind* now: accepted or refused; unavailable when it cannot be asked."""
        try:
            answered = self._http.look_up(
                "GET", f"/api/capabilities/{national_id}", params={"process": PROCESS}, witness=Witness("lookup")
            )
            if not answered.is_success:
                return _surely_not_taken(judge((), answered, exception_of(answered)))
            is_taker = takes(answered, kind)
        except CallFailed as failure:
            return _surely_not_taken(judge_failure(failure))
        return Judgement(Verdict.ACCEPTED if is_taker else Verdict.REFUSED, f"capabilities: {kind.value} {is_taker}")

    def send(self, message: OutMessage, witness: Witness) -> Judgement:
        """Hand over, continuing where an earlier try ended. Never raises for what the access point does.

        Uncertain only when the last step, sending, got no answer: until then nothing can have left.
        """
        created = self._step(CREATE_RULES, "POST", "", witness, json=message.as_json())
        if created.code == EXISTS:
            known = self._continued(message.message_id)
            if known is not None:
                return known
        elif created.judgement.verdict is not Verdict.ACCEPTED:
            return _surely_not_taken(created.judgement)
        for name, media_type, content in message.files:
            disposition = f'attachment; name="{name}"; filename="{name}"'
            headers = {"Content-Type": media_type, "Content-Disposition": disposition}
            attached = self._step(ATTACH_RULES, "PUT", message.message_id, witness, content=content, headers=headers)
            if attached.judgement.verdict is not Verdict.ACCEPTED:
                return self._told(message.message_id, attached, _surely_not_taken(attached.judgement))
        sent = self._step(SEND_RULES, "POST", message.message_id, witness)
        return self._told(message.message_id, sent, sent.judgement)

    def state(self, message_id: str) -> State | None:
        """The last word on a message, None when the access point does not know it. Raises `CallFailed`."""
        answered = self._http.look_up(
            "GET",
            f"/api/statuses/{message_id}",
            params={"size": STATUSES_A_PAGE, "page": 0},
            witness=Witness("lookup"),
        )
        if answered.status == NOT_FOUND:
            return None
        check_look_up(answered)
        return strongest(read_states(answered, message_id))

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _step(self, rules: Sequence[Rule], method: str, message_id: str, witness: Witness, **request: Any) -> _Step:
        path = f"/api/messages/out/{message_id}" if message_id else "/api/messages/out"
        try:
            answered = self._http.call(method, path, witness=witness, **request)
        except CallFailed as failure:
            return _Step(judge_failure(failure))
        return _Step.of(rules, answered)

    def _continued(self, message_id: str) -> Judgement | None:
        """What is known of a message that exists already; None when it was created and not sent."""
        try:
            state = self.state(message_id)
        except CallFailed as failure:
            return Judgement(Verdict.UNCERTAIN, failure.detail, failure.needs_alarm)
        return None if state is State.CREATED else judge_state(state)

    def _told(self, message_id: str, step: _Step, judgement: Judgement) -> Judgement:
        """*judgement*, unless the answer was that it is past this step: then its state says what came of it."""
        if step.code not in {EXISTS, EXPIRED} and step.status != NOT_FOUND:
            return judgement
        known = self._continued(message_id)
        return known if known is not None else Judgement(Verdict.UNCERTAIN, f"{judgement.detail}, still created")


class _Step:
    """What one step came to."""

    def __init__(self, judgement: Judgement, status: int = 0, code: str | None = None) -> None:
        self.judgement, self.status, self.code = judgement, status, code

    @classmethod
    def of(cls, rules: Sequence[Rule], answered: Answered) -> _Step:
        code = exception_of(answered)
        return cls(judge(rules, answered, code), answered.status, code)


def judge_state(state: State | None) -> Judgement:
    """What the state of a message means for the attempt that sent it.

    One whose life has run out counts as taken: the receipt says so, and a new id is needed to send it again.
    """
    if state is None:
        return Judgement(Verdict.UNAVAILABLE, "not known there")
    if state is State.CREATED:
        return Judgement(Verdict.UNAVAILABLE, "created, not sent")
    return Judgement(Verdict.REFUSED if state is State.FAILED else Verdict.ACCEPTED, state.value)


def _surely_not_taken(judgement: Judgement) -> Judgement:
    """Before the last step an answer that got lost has taken nothing with it."""
    if judgement.verdict is not Verdict.UNCERTAIN:
        return judgement
    return replace(judgement, verdict=Verdict.UNAVAILABLE)
