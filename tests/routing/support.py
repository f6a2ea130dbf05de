"""Plain builders for routing tests: facts of an everyday invoice, changed field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import product
from typing import Any

from app.routing.channels import Answer, Channel
from app.routing.facts import Bits, DayFacts, Facts, InvoiceFacts, ResidentFacts
from app.routing.policy import Plan, Policy

EVERYDAY = {"has_mobile": True, "has_email": True}
KINDS: tuple[type[Bits], ...] = (ResidentFacts, InvoiceFacts, DayFacts)


def facts(**values: Any) -> Facts:
    """A resident with mobile and e-mail whom every register knows nothing of, changed by *values* of any kind."""
    chosen = {**EVERYDAY, **values}
    resident, invoice, day = (kind(**_own(kind, chosen)) for kind in KINDS)
    unknown = set(chosen) - {field.name for kind in KINDS for field in fields(kind)}  # type: ignore[arg-type]
    assert not unknown, unknown
    return Facts(resident, invoice, day)  # type: ignore[arg-type]


def _own(kind: type[Bits], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in kind.layout() if name in values}


def values_of(name: str) -> tuple[Any, ...]:
    """Every value the fact *name* can have."""
    return next(kind.layout()[name].values for kind in KINDS if name in kind.layout())


def every(*names: str, **fixed: Any) -> Iterator[dict[str, Any]]:
    """The full product over the facts *names*, with *fixed* the same throughout."""
    for combination in product(*(values_of(name) for name in names)):
        yield {**fixed, **dict(zip(names, combination, strict=True))}


def check_properties(plan: Plan, given: Facts, policy: Policy) -> None:
    """What must hold of every plan, whatever the facts."""
    route, passed = plan.route, set(plan.passed_over)
    claimed = {Channel.AVTALEGIRO} if plan.claim else set()
    assert sorted([*route, *passed, *claimed]) == sorted(Channel), "each channel exactly once"
    assert Channel.AVTALEGIRO not in route, "AvtaleGiro delivers no document"
    assert list(route) == [channel for channel in policy.order if channel in route], "order from configuration"
    assert Channel.PAPER not in route[:-1], "paper last"
    assert plan.is_notice == bool(plan.claim and route), "a notice exactly when claim and document"
    assert not (plan.is_notice and Channel.VIPPS in route), "a notice asks for no money"
    if plan.hold is not None or plan.is_waiting:
        assert not route, "held or waiting: nothing leaves"
        assert plan.claim is None, "held or waiting: no claim leaves"
    assert bool(route or plan.claim) != bool(plan.hold or plan.is_waiting), "goes, waits or is held: never nothing"
    if policy.mailbox_prints:
        assert not {Channel.MAILBOX, Channel.PAPER} <= set(plan.route), "who prints by itself is followed by no letter"
    _check_resident(plan, given, policy)


def _check_resident(plan: Plan, given: Facts, policy: Policy) -> None:
    resident, invoice = given.resident, given.invoice
    if resident.reserved is Answer.YES:
        assert Channel.MAILBOX not in plan.route
        assert Channel.EMAIL not in plan.route or not policy.reservation_closes_email
    closed = {
        Channel.EFAKTURA: resident.closed_efaktura or resident.wants_letters or invoice.refused_efaktura,
        Channel.VIPPS: resident.closed_vipps or resident.wants_letters or invoice.refused_vipps,
        Channel.MAILBOX: resident.closed_mailbox or resident.wants_letters or invoice.refused_mailbox,
        Channel.EMAIL: resident.closed_email or resident.wants_letters or invoice.refused_email,
        Channel.PAPER: invoice.refused_paper or not resident.has_postal_address,
    }
    assert not [channel for channel in plan.route if closed[channel]]
    if invoice.is_decision:
        assert set(plan.route) <= {Channel.MAILBOX, Channel.PAPER}
        assert plan.route or plan.claim is None, "a decision is always delivered"
    if (resident.is_deceased or resident.has_protected_address) and not invoice.is_released:
        assert plan.hold is not None
