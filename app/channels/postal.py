"""Whether a postal address is whole enough to be printed, and whether it lies in Norway."""

from __future__ import annotations

import re

from app.channels.contract import Address

_NORWEGIAN = frozenset({"", "no", "nor", "norge", "noreg", "norway"})
_POSTAL_CODE = re.compile(r"[0-9]{4}")


def is_norwegian(address: Address) -> bool:
    """Whether the country is Norway, however it is written; none given means Norway."""
    return address.country.strip().casefold() in _NORWEGIAN


def is_complete(address: Address) -> bool:
    """Whether the post can deliver to it: a street line, and in Norway a postal code of four digits and a city.

    Abroad the form differs too much to check more than that there are a line and a city or code.
    """
    has_line = bool(address.line_1.strip() or address.line_2.strip())
    if not is_norwegian(address):
        return has_line and bool(address.city.strip() or address.postal_code.strip())
    return has_line and bool(_POSTAL_CODE.fullmatch(address.postal_code.strip())) and bool(address.city.strip())
