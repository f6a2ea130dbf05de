"""How settings written as text become values: lists, spans of time, tables, and the order of the channels."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, PositiveFloat, PositiveInt
from pydantic_settings import NoDecode

CHANNELS = ("avtalegiro", "efaktura", "vipps", "mailbox", "email", "paper")


def split(value: object) -> object:
    """``a, b`` from the environment becomes ``["a", "b"]``."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def durations(value: object) -> object:
    """``5m, 30m, 2h`` or plain seconds become time spans."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    parts = split(value)
    if not isinstance(parts, list):
        return value
    return tuple(
        dt.timedelta(seconds=float(part[:-1]) * units[part[-1]] if part[-1:] in units else float(part))
        if isinstance(part, str)
        else part
        for part in parts
    )


def table(value: object) -> object:
    """``efaktura=5, vipps=3`` becomes a mapping."""
    parts = split(value)
    if not isinstance(parts, list):
        return value
    return {name.strip(): number.strip() for name, _, number in (str(part).partition("=") for part in parts)}


def known_channels(order: tuple[str, ...]) -> tuple[str, ...]:
    """Raises ValueError unless *order* names each channel once, with paper last."""
    if sorted(order) != sorted(CHANNELS) or order[-1] != "paper":
        raise ValueError(f"ROUTING_ORDER must name each of {', '.join(CHANNELS)} once, with paper last")
    return order


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]
Durations = Annotated[tuple[dt.timedelta, ...], NoDecode, BeforeValidator(durations)]
Shares = Annotated[dict[str, float], NoDecode, BeforeValidator(table)]
Leads = Annotated[dict[str, int], NoDecode, BeforeValidator(table)]
Calls = Annotated[dict[str, PositiveInt], NoDecode, BeforeValidator(table)]
Seconds = Annotated[dict[str, PositiveFloat], NoDecode, BeforeValidator(table)]
Prices = Annotated[dict[str, int], NoDecode, BeforeValidator(table)]
RoutingOrder = Annotated[Names, AfterValidator(known_channels)]
Offsets = Annotated[tuple[Literal["80", "65", "40"], ...], NoDecode, BeforeValidator(split)]
