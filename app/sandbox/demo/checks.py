"""Check digits of KIDs and account numbers, written apart from the checker they are used to try out."""

from __future__ import annotations

ACCOUNT_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def kid_mod10(body: str) -> str:
    """*body* with its Luhn digit; source: AvtaleGiro system spec 3.3, KID."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        product = int(digit) * (1 if place % 2 else 2)
        total += product // 10 + product % 10
    return f"{body}{-total % 10}"


def kid_mod11(body: str) -> str:
    """*body* with its modulus 11 character (weights 2-7 from the right), ``-`` where it would be 10."""
    check = -sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(body))) % 11
    return f"{body}{'-' if check == 10 else check}"


def wrong_kid(body: str) -> str:
    """*body* with a check digit that neither modulus gives."""
    right = {kid_mod10(body), kid_mod11(body)}
    return next(kid for kid in (f"{body}{digit}" for digit in range(10)) if kid not in right)


def account_number(body: str) -> str:
    """Ten digits with their check digit; raises `ValueError` where there is none."""
    check = -sum(int(digit) * weight for digit, weight in zip(body, ACCOUNT_WEIGHTS, strict=True)) % 11
    if check == 10:
        raise ValueError("no account number begins with these ten digits")
    return f"{body}{check}"


def norwegian_iban(account: str) -> str:
    """The IBAN of an 11-digit account; source: ISO 13616, check digits by modulus 97 (N = 23, O = 24)."""
    return f"NO{98 - int(f'{account}232400') % 97:02d}{account}"
