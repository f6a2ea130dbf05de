"""Who may have which national id within a batch: the first row, unless another resident has it and keeps it."""

from __future__ import annotations

from app.residents.national_id_claims import Claim, Holder, Refusals, refuse

X, Y, Z = b"x", b"y", b"z"
A, B, C = 1, 2, 3


def claim(place: int, resident: int | None, index: bytes | None) -> Claim:
    return Claim(place, resident, [index] if index else [])


def holders(**held: int) -> dict[bytes, Holder]:
    return {name.encode(): Holder(resident, str(resident)) for name, resident in held.items()}


def test_the_first_of_two_rows_keeps_the_id() -> None:
    assert refuse([claim(0, None, X), claim(1, None, X)], {}) == Refusals({1}, {})


def test_an_id_that_another_resident_has_is_taken() -> None:
    held = holders(x=A)
    assert refuse([claim(0, B, X), claim(1, None, X)], held) == Refusals({1}, {0: held[X]})


def test_a_resident_keeps_its_own_id() -> None:
    assert refuse([claim(0, A, X)], holders(x=A)) == Refusals()


def test_two_residents_may_swap() -> None:
    assert refuse([claim(0, A, Y), claim(1, B, X)], holders(x=A, y=B)) == Refusals()


def test_an_id_given_up_in_the_same_batch_is_free() -> None:
    assert refuse([claim(0, None, X), claim(1, A, None)], holders(x=A)) == Refusals()


def test_a_holder_whose_own_claim_is_refused_keeps_what_it_has() -> None:
    held = holders(x=A, y=B, z=C)
    # A wants B's, B wants C's, and C does not move: so nobody does.
    assert refuse([claim(0, A, Y), claim(1, B, Z)], held) == Refusals(set(), {1: held[Z], 0: held[Y]})


def test_an_older_key_still_finds_the_holder() -> None:
    both = Claim(0, None, [b"old", b"new"])
    assert refuse([both], {b"new": Holder(A, "1")}).taken == {0: Holder(A, "1")}
