"""The shape of a JSON value, learnt from samples: which keys, of which types, and which of them always."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def type_of(value: Any) -> str:
    """JSON's own word for the type."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return "null" if value is None else names[type(value)]


def differences(value: Any, samples: Sequence[Any], known: Mapping[str, str], place: str = "") -> Iterator[str]:
    """How *value* differs from what all *samples* are instances of; nothing when it does not.

    An object has no key that no sample has, and every key that all of them have; types are those seen. *known* names
    what the samples do not show: ``{"digital.fakturaReferanse": "where it is documented"}``; a name with ``?`` at its
    end is a key that may be missing though every sample has it, one with ``=null`` may be null.
    """
    seen = {type_of(sample) for sample in samples} | ({"null"} if f"{place}=null" in known else set())
    if type_of(value) not in seen:
        yield f"{place or 'all'}: {type_of(value)}, not {' or '.join(sorted(seen))}"
    elif isinstance(value, dict):
        yield from _of_object(value, [sample for sample in samples if isinstance(sample, dict)], known, place)
    elif isinstance(value, list):
        inner = [one for sample in samples if isinstance(sample, list) for one in sample]
        for one in value if inner else []:
            yield from differences(one, inner, known, f"{place}[]")


def _of_object(
    value: Mapping[str, Any], samples: Sequence[Mapping[str, Any]], known: Mapping[str, str], place: str
) -> Iterator[str]:
    always = set.intersection(*(set(sample) for sample in samples))
    for key in sorted(always - value.keys()):
        if f"{place}.{key}?".lstrip(".") not in known:
            yield f"{place or 'all'}: {key} is missing"
    for key, inner in value.items():
        inside = f"{place}.{key}".lstrip(".")
        shown = [sample[key] for sample in samples if key in sample]
        if shown:
            yield from differences(inner, shown, known, inside)
        elif inside not in known:
            yield f"{inside}: unknown"
