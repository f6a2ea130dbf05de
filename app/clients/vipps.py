"""The Vipps Invoice API: who takes invoices there, handing one over, its state, and taking it back.

Source: vippsas/vipps-invoice-api. Recipient tokens live 15 minutes; an invoice's id is ours, so a repeat is recognised.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from app.clients.http import Answered, CallFailed, NotSent, Outside, ServiceClient, Witness, until_answered
from app.clients.look_ups import check_look_up
from app.clients.rules import Judgement, Verdict, judge, judge_failure
from app.clients.tokens import TokenCache
from app.clients.vipps_contract import (
    INVOICE_RULES,
    RECIPIENT_RULES,
    REVOKE_RULES,
    VippsInvoice,
    VippsStatus,
    problem_of,
    read_status,
)

PROVIDER = "vipps"
PREFIX = "/vipps-isp/v1"
NOT_FOUND = "invoice-not-found"
CONFLICT = 409


class Vipps:
    """The sender's side of Vipps. Safe for threads."""

    def __init__(
        self,
        outside: Outside,
        base_url: str,
        *,
        client_id: str,
        client_secret: str,
        subscription_key: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._http = ServiceClient(PROVIDER, base_url, outside, headers={"Ocp-Apim-Subscription-Key": subscription_key})
        self._login = {"client_id": client_id, "client_secret": client_secret}
        self._tokens = TokenCache(self._fetch_token, now)

    def recipient_token(self, mobile: str) -> tuple[Judgement, str]:
        """Whether the owner of *mobile* (E.164) takes invoices in Vipps, and the token to send one with (15 minutes).

        The token is empty unless accepted. Refused: this recipient does not. Raises `CallFailed` without an answer.
        """
        body = {"type": "msisdn", "value": mobile.removeprefix("+")}
        # A question, though it is a POST: it changes nothing, and may be asked again.
        answered = self._authorized(
            lambda headers: self._http.look_up(
                "POST", f"{PREFIX}/recipients/tokens", witness=Witness("lookup"), json=body, headers=headers
            )
        )
        judgement = judge(RECIPIENT_RULES, answered, _problem(answered))
        if judgement.verdict is not Verdict.ACCEPTED:
            return judgement, ""
        token = answered.json_object().get("recipientToken")
        if not isinstance(token, str) or not token:
            raise NotSent(PROVIDER, "the answer has no recipientToken")
        return judgement, token

    def put(self, invoice: VippsInvoice, recipient_token: str, witness: Witness | None = None) -> Judgement:
        """Hand over, once. The same invoice again is accepted. Never raises for what Vipps does."""
        try:
            answered = self._authorized(
                lambda headers: self._http.call(
                    "PUT",
                    _path(invoice.invoice_id),
                    witness=witness,
                    json=invoice.as_json(recipient_token),
                    headers=headers,
                )
            )
            problem = _problem(answered)
            if answered.status == CONFLICT and self._is_ours(invoice):
                return Judgement(Verdict.ACCEPTED, "409, and the same invoice is there")
        except CallFailed as failure:
            return judge_failure(failure)
        return judge(INVOICE_RULES, answered, problem)

    def get(self, invoice_id: str) -> VippsStatus | None:
        """The invoice and its state, None when Vipps has never had it. Raises `CallFailed`."""
        answered = self._authorized(
            lambda headers: self._http.look_up("GET", _path(invoice_id), headers=headers, witness=Witness("lookup"))
        )
        if answered.status == 404 and _problem(answered) in {NOT_FOUND, None}:
            return None
        check_look_up(answered)
        return read_status(answered)

    def revoke(self, invoice_id: str, etag: str, idempotency_key: str) -> Judgement:
        """Take an invoice back, safe to repeat with the same key. Refused: too late, or never there."""
        more = {"If-Match": etag, "Idempotency-Key": idempotency_key}
        try:
            answered = self._authorized(
                lambda headers: self._http.call("PUT", f"{_path(invoice_id)}/status/revoked", headers=headers | more)
            )
        except CallFailed as failure:
            return judge_failure(failure)
        return judge(REVOKE_RULES, answered, _problem(answered))

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _is_ours(self, invoice: VippsInvoice) -> bool:
        """Whether the invoice that stands under our id is this one; when that cannot be seen, it is not known to be."""
        try:
            status = self.get(invoice.invoice_id)
        except CallFailed:
            return False
        return status is not None and invoice.is_shown_as(status.content)

    def _authorized(self, call: Callable[[dict[str, str]], Answered]) -> Answered:
        return self._tokens.authorized("", lambda token: call({"Authorization": f"Bearer {token}"}))

    def _fetch_token(self, _scope: str) -> tuple[str, float]:
        """Raises `NotSent`: without a token nothing of what was to be said is said."""
        try:
            answered = until_answered(lambda: self._http.call("POST", "/accesstoken/get", headers=self._login))
            if answered.is_success:
                return _token(answered.json_object())
            detail = f"no access token: answered {answered.status}"
            failure = NotSent(PROVIDER, detail, needs_alarm=answered.status < 500 and answered.status != 429)
        except CallFailed as error:
            failure = NotSent(PROVIDER, error.detail, needs_alarm=error.needs_alarm)
        except (KeyError, TypeError, ValueError):
            failure = NotSent(PROVIDER, "the answer has no usable access_token and expires_in")
        raise failure


def _token(content: Mapping[str, Any]) -> tuple[str, float]:
    # Vipps writes the seconds as text.
    return str(content["access_token"]), float(content["expires_in"])


def _path(invoice_id: str) -> str:
    return f"{PREFIX}/invoices/{invoice_id}"


def _problem(answered: Answered) -> str | None:
    return None if answered.is_success else problem_of(answered)
