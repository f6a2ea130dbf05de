"""Text messages that fit one part of the GSM alphabet, and never hold a link: nobody should learn to press those.

Source of the alphabet: 3GPP TS 23.038 §6.2.1; one part holds 160 septets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from anyascii import anyascii

ONE_PART = 160
# The alphabet itself, without its escape.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each takes two.
EXTENDED = frozenset("^{}\\[~]|€\f")
LINK = re.compile(r"://|\bwww\.|\b[a-z0-9-]+\.(no|com|net|org|eu|info)\b", re.IGNORECASE)

CODE_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "nb": "{code} er koden din hos {municipality}. Den gjelder i {minutes} minutter. Gi den aldri til andre.",
        "nn": "{code} er koden din hos {municipality}. Han gjeld i {minutes} minutt. Gi han aldri til andre.",
        "en": "{code} is your code at {municipality}. It is valid for {minutes} minutes. Never give it to anyone.",
    }
)


class SmsUnfit(ValueError):
    """The text needs more than one part, or holds a link. The message does not repeat the text."""


def code_text(code: str, language: str, municipality: str, minutes: int) -> str:
    """The message that brings a code, in nb, nn or en. Raises `SmsUnfit` when the municipality's name is too long."""
    text = CODE_TEXTS.get(language, CODE_TEXTS["nb"])
    return one_part(text.format(code=code, municipality=municipality, minutes=minutes))


def one_part(text: str) -> str:
    """*text* in the GSM alphabet: what it lacks is written with letters that it has. Raises `SmsUnfit`."""
    plain = "".join(
        sign if sign in BASIC or sign in EXTENDED else "".join(letter for letter in anyascii(sign) if letter in BASIC)
        for sign in text
    )
    if septets(plain) > ONE_PART:
        raise SmsUnfit(f"{septets(plain)} septets: one part holds {ONE_PART}")
    if LINK.search(plain):
        raise SmsUnfit("a link in a text message")
    return plain


def septets(text: str) -> int:
    """How much of a part *text* takes. Raises `SmsUnfit` for a sign that the GSM alphabet lacks."""
    if not set(text) <= BASIC | EXTENDED:
        raise SmsUnfit("a sign that is not in the GSM alphabet")
    return sum(2 if sign in EXTENDED else 1 for sign in text)
