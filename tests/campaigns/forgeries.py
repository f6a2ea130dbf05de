"""Tokens that are not ours, of every kind that somebody might try, the same at every run."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator

from app.campaigns.links import OfferLinks
from app.core.settings import Settings
from app.core.tokens import LONGEST_TOKEN, LinkSigner

SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
Forge = Callable[[random.Random], str]


def forgeries(links: OfferLinks, settings: Settings, ids: list[str], count: int, seed: int = 1) -> Iterator[str]:
    """*count* tokens none of which may be taken, made from right ones for *ids* (at least two) and from nothing."""
    dice = random.Random(seed)
    right = [links.offer_token(public_id, 1) for public_id in ids]
    others = OfferLinks.under(("another installation's key",), settings)
    purposes = [
        LinkSigner(links.offers.keys, purpose, links.offers.lifetime)
        for purpose in ("unsubscribe", "presentation", "confirm-email", "Offer", "offer ")
    ]
    kinds: list[Forge] = [
        lambda dice: flipped_bit(dice, dice.choice(right)),
        lambda dice: changed_letter(dice, dice.choice(right)),
        lambda dice: swapped_id(dice, right),
        lambda dice: cut(dice, dice.choice(right)),
        lambda dice: longer(dice, dice.choice(right)),
        lambda dice: dice.choice(purposes).sign({"o": dice.choice(ids), "n": 1}),
        lambda dice: others.offer_token(dice.choice(ids), 1),
        lambda dice: links.unsubscribe_token(dice.choice(ids)),
        lambda dice: "".join(dice.choices(SAFE, k=dice.randrange(200))),
        lambda dice: dice.randbytes(dice.randrange(120)).decode("latin-1"),
        lambda dice: dice.choice(("", ".", "..", "...", "\udcff", "\0", "null", "A" * (LONGEST_TOKEN + 1), "." * 500)),
        lambda dice: "A" * dice.randrange(LONGEST_TOKEN, 100_000),
    ]
    taken = set(right)
    while count:
        token = dice.choice(kinds)(dice)
        if token not in taken:
            count -= 1
            yield token


def flipped_bit(dice: random.Random, token: str) -> str:
    """One bit of the text otherwise."""
    data = bytearray(token.encode())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return data.decode("latin-1")


def changed_letter(dice: random.Random, token: str) -> str:
    """One letter otherwise, with a letter that a token may hold."""
    at = dice.randrange(len(token))
    return token[:at] + dice.choice(SAFE) + token[at + 1 :]


def swapped_id(dice: random.Random, tokens: list[str]) -> str:
    """One offer's payload under another one's signature, or a payload made by hand."""
    one, two = (token.split(".") for token in dice.sample(tokens, 2))
    by_hand = base64.urlsafe_b64encode(b'{"o":"%d","n":1}' % dice.randrange(10**6)).decode().rstrip("=")
    return ".".join([dice.choice([two[0], by_hand]), *one[1:]])


def cut(dice: random.Random, token: str) -> str:
    """A part of a token, as a mail program breaks it."""
    start, end = sorted((dice.randrange(len(token)), dice.randrange(len(token))))
    return token[start:end]


def longer(dice: random.Random, token: str) -> str:
    """A token with something more in it."""
    at = dice.randrange(len(token) + 1)
    return token[:at] + dice.choice(["=", "==", "%3D", " ", "\n", "+", "/", "A", ".", "-", "\u00e6"]) + token[at:]
