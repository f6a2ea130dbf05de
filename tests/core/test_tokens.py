"""Signed links: readable by purpose and time, and by nobody who changed them."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from app.core.tokens import LONGEST_TOKEN, LinkExpired, LinkInvalid, LinkSigner

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SIGNER = LinkSigner(("a key for tests",), "confirm-email", HOUR)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=16) | st.integers(-(2**63), 2**63), max_size=3))
def test_what_was_signed_is_read_again(payload: dict[str, str | int]) -> None:
    assert SIGNER.read(SIGNER.sign(payload)) == payload


def test_a_token_is_safe_in_an_address() -> None:
    token = SIGNER.sign({"contact": 17, "nonce": "æøå/?&="})
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_link_lives_as_long_as_it_was_given() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = SIGNER.sign({"contact": 17})
        clock.shift(HOUR)
        assert SIGNER.read(token) == {"contact": 17}
        clock.shift(dt.timedelta(seconds=1))
        with pytest.raises(LinkExpired):
            SIGNER.read(token)


def test_a_token_for_another_purpose_is_noise() -> None:
    other = LinkSigner(SIGNER.keys, "activate-efaktura", HOUR)
    with pytest.raises(LinkInvalid):
        SIGNER.read(other.sign({"contact": 17}))


def test_keys_can_be_changed_without_breaking_links() -> None:
    old = LinkSigner(("old",), "confirm-email", HOUR)
    both = LinkSigner(("old", "new"), "confirm-email", HOUR)
    new = LinkSigner(("new",), "confirm-email", HOUR)
    assert both.read(old.sign({"contact": 17})) == {"contact": 17}
    assert new.read(both.sign({"contact": 17})) == {"contact": 17}
    with pytest.raises(LinkInvalid):
        new.read(old.sign({"contact": 17}))


def test_every_changed_character_breaks_the_signature() -> None:
    token = SIGNER.sign({"contact": 17})
    for index in range(token.rindex(".")):
        changed = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
        with pytest.raises(LinkInvalid):
            SIGNER.read(changed)


@given(st.text())
def test_any_text_that_is_no_token_is_refused_quietly(text: str) -> None:
    with pytest.raises(LinkInvalid):
        SIGNER.read(text)


@pytest.mark.parametrize("text", ["", ".", "..", "\udcff", "a.b.c", "eyJpZCI6MX0.æ.ø"])
def test_a_mangled_token_is_refused_quietly(text: str) -> None:
    with pytest.raises(LinkInvalid):
        SIGNER.read(text)


def test_a_token_signed_with_sha1_is_refused() -> None:
    weak = URLSafeTimedSerializer("a key for tests", salt="confirm-email", signer_kwargs={"key_derivation": "hmac"})
    with pytest.raises(LinkInvalid):
        SIGNER.read(str(weak.dumps({"contact": 17})))


def test_the_signature_is_sha256() -> None:
    signature = SIGNER.sign({"contact": 17}).rpartition(".")[2]
    assert len(base64.urlsafe_b64decode(signature + "=")) == 32


def test_a_token_too_long_to_be_ours_is_refused_either_way() -> None:
    with pytest.raises(LinkInvalid):
        SIGNER.read("A" * (LONGEST_TOKEN + 1))
    with pytest.raises(ValueError, match="too long"):
        SIGNER.sign({"text": "".join(chr(0x4E00 + step * 37) for step in range(400))})


def test_a_signed_payload_that_is_no_mapping_is_refused() -> None:
    foreign = SIGNER._serializer.dumps([1, 2])
    with pytest.raises(LinkInvalid):
        SIGNER.read(str(foreign))


def test_the_keys_do_not_show() -> None:
    assert "a key for tests" not in repr(SIGNER)


@pytest.mark.parametrize("keys", [(), ("",), ("good", "")])
def test_a_signer_without_a_key_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="key"):
        LinkSigner(keys, "confirm-email", HOUR)


def test_a_signature_has_one_spelling() -> None:
    token = SIGNER.sign({"contact": 17})
    signed, signature = token.rsplit(".", 1)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [signature[:-1] + last for last in alphabet if last != signature[-1]]
    spellings += [
        signature[:at] + junk + signature[at:] for at in (0, 20, 43) for junk in ("=", "!", "\n", " ", "%", "+")
    ]
    for spelling in spellings:
        with pytest.raises(LinkInvalid):
            SIGNER.read(f"{signed}.{spelling}")
