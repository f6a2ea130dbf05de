"""Verifying the link of an offer, among forged and mangled ones, against bare itsdangerous on the same tokens."""

from __future__ import annotations

import hashlib
import statistics
import time
import uuid
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from app.campaigns.links import OFFER, OfferLinks
from app.core.settings import Settings
from app.core.tokens import LinkInvalid
from bench.memory import peak_mb
from bench.rows import Row
from tests.campaigns.forgeries import forgeries

FORGED, SMALL, PORTION = 1_000_000, 20_000, 20_000
MOST_MICROSECONDS = 50.0
Refusal = type[Exception] | tuple[type[Exception], ...]


def run(is_small: bool = False) -> list[Row]:
    """One row: microseconds a verification over *n* forged tokens and as many right ones as there are portions.

    Raises AssertionError when a forged token is taken or a right one is not.
    """
    settings = Settings(_env_file=None, instance_dir=Path("instance"))
    links = OfferLinks.under(("an old key", "the key of now"), settings)
    bare = URLSafeTimedSerializer(
        list(links.offers.keys), salt=OFFER, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    )
    loads = partial(bare.loads, max_age=10**9)
    ids = [str(uuid.UUID(int=number)) for number in range(64)]
    right = [links.offer_token(one, 1) for one in ids]
    total = SMALL if is_small else FORGED
    spent, limit = [], []
    forged = forgeries(links, settings, ids, total)
    while portion := list(islice(forged, PORTION)):
        taken, seconds = timed(links.read_offer, LinkInvalid, portion)
        assert taken == 0, "a forged token was taken"
        spent.append(seconds / len(portion))
        limit.append(timed(loads, (BadData, UnicodeError), portion)[1] / len(portion))
    taken, genuine = timed(links.read_offer, LinkInvalid, right * 50)
    assert taken == len(right) * 50, "a right token was refused"
    ours, least = statistics.fmean(spent) * 1e6, statistics.fmean(limit) * 1e6
    each = genuine / (len(right) * 50) * 1e6
    return [
        {
            "name": "token",
            "n": total,
            "ours": round(ours, 2),
            "limit": round(least, 2),
            "ratio": round(ours / least, 2),
            "unit": "µs",
            "peak_mb": round(peak_mb()),
            "note": f"0 taken; a right one {each:.1f} µs; "
            + ("below" if max(ours, each) < MOST_MICROSECONDS else "NOT below")
            + f" {MOST_MICROSECONDS:.0f} µs",
        }
    ]


def timed(read: Callable[[str], object], refusal: Refusal, tokens: list[str]) -> tuple[int, float]:
    """How many of *tokens* were taken, and the seconds it took; anything but *refusal* is an error."""
    taken, begun = 0, time.perf_counter()
    for token in tokens:
        try:
            read(token)
        except refusal:
            continue
        taken += 1
    return taken, time.perf_counter() - begun
