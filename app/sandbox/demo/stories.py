"""What does not go as usual: every gate, exception and odd document once by script, then now and then by chance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace

from app.sandbox.demo.checks import kid_mod11, wrong_kid
from app.sandbox.demo.drafts import Document, Draft, everyday
from app.sandbox.demo.fees import Line, total_ore
from app.sandbox.demo.residents import RUNNING_NUMBERS, Resident, Town, kid_body
from app.sandbox.demo.traits import CAST, KidStyle, Traits
from app.sandbox.people import chance

TRIPLE = 3
FIRST_STORY = -(-len(CAST) // TRIPLE)  # the cast gets its everyday invoices first
STORY_CHANCE = 0.05
UNKNOWN_CUSTOMER = 900_000_000

Story = Callable[[Town, int], list[Draft]]


def drafts(town: Town, invoices: int) -> Iterator[Draft]:
    """All *invoices* invoices and credit notes of the world, three by three, in the order of their numbers."""
    for first in range(0, invoices, TRIPLE):
        story = story_at(town, first // TRIPLE)
        told = [replace(draft, is_payable=False) for draft in story(town, first)] if story else []
        named = [replace(draft, story=story.__name__) for draft in told] if story else []
        rest = [everyday(town, index) for index in range(first + len(named), first + TRIPLE)]
        yield from [draft for draft in (*named, *rest) if draft.index < invoices]


def story_at(town: Town, place: int) -> Story | None:
    """The story of the triple *place*: after the cast every second one is scripted until each was told."""
    scripted, is_between = divmod(place - FIRST_STORY, 2)
    if 0 <= scripted < len(STORIES):
        return None if is_between else STORIES[scripted]
    dice = chance(town.seed, "story", place)
    if place < FIRST_STORY or dice.random() >= STORY_CHANCE:
        return None
    return dice.choice([story for story in STORIES if story is not dash_kid])  # one is enough


def buyer_with(town: Town, index: int, fits: Callable[[Traits], bool]) -> Resident:
    """The next resident whose traits fit, from the one whose turn it is; after 500 in vain that one."""
    for step in range(min(500, town.residents)):
        resident = town.resident((index + step) % town.residents)
        if fits(resident.traits):
            return resident
    return town.resident(index % town.residents)


def has_fixed_mandate(own: Traits) -> bool:
    """A living mandate whose KID stands on every invoice, and nothing that holds the invoice first."""
    has_gate = own.is_deceased or own.protection != "none"
    return own.mandate is not None and own.kid_style is KidStyle.CUSTOMER and not has_gate and not own.has_mandate_ended


def in_days(town: Town, days: int) -> dt.date:
    """The date *days* from today."""
    return town.today + dt.timedelta(days=days)


def unknown_buyer(town: Town, index: int) -> list[Draft]:
    """A customer number that the register does not have; a person, whom no organisation number finds either."""
    buyer = buyer_with(town, index, lambda own: not own.is_organisation)
    return [replace(everyday(town, index, buyer), customer_number=str(UNKNOWN_CUSTOMER + index))]


def false_kid(town: Town, index: int) -> list[Draft]:
    """A check digit that neither modulus gives."""
    draft = everyday(town, index)
    return [replace(draft, kid=wrong_kid(draft.kid[:-1]))]


def dash_kid(town: Town, index: int) -> list[Draft]:
    """A right modulus 11 KID that ends in a dash, which several banks refuse."""
    draft = everyday(town, index)
    bodies = (kid_body(draft.customer_number, 998 * RUNNING_NUMBERS + index + step) for step in range(100))
    return [replace(draft, kid=next(kid for kid in map(kid_mod11, bodies) if kid.endswith("-")))]


def twin_claims(town: Town, index: int) -> list[Draft]:
    """Two invoices with one KID and one due date: only one claim may go to the bank."""
    buyer = buyer_with(town, index, has_fixed_mandate)
    first, second = everyday(town, index, buyer), everyday(town, index + 1, buyer)
    due_on = in_days(town, 50)
    return [replace(first, due_on=due_on), replace(second, due_on=due_on)]


def nothing_to_pay(town: Town, index: int) -> list[Draft]:
    """Paid beforehand in full."""
    draft = everyday(town, index)
    return [replace(draft, prepaid_ore=total_ore(draft.lines))]


def money_back(town: Town, index: int) -> list[Draft]:
    """An invoice whose sum is below zero."""
    draft = everyday(town, index)
    refund = Line("Tilbakebetalt, for mye innbetalt a konto", draft.lines[0].price_ore + 25_000, draft.lines[0].vat, -1)
    return [replace(draft, lines=(replace(draft.lines[0], quantity=1), refund))]


def full_credit(town: Town, index: int) -> list[Draft]:
    """An invoice and the credit note that takes all of it back."""
    draft = everyday(town, index)
    return [draft, _credit(town, index + 1, draft, draft.lines)]


def partial_credit(town: Town, index: int) -> list[Draft]:
    """An invoice and a credit note for a part of its first line."""
    draft = everyday(town, index)
    part = replace(draft.lines[0], price_ore=draft.lines[0].price_ore // 4, quantity=1)
    return [draft, _credit(town, index + 1, draft, (part,))]


def late_credit(town: Town, index: int) -> list[Draft]:
    """A credit note for an invoice of last year, which is not here."""
    draft = everyday(town, index)
    old = replace(draft, number=f"{town.today.year % 100 - 1:02d}100{index + 1:07d}")
    return [_credit(town, index, old, draft.lines)]


def _credit(town: Town, index: int, credited: Draft, lines: tuple[Line, ...]) -> Draft:
    """The credit note *index* for *lines* of *credited*; a credit note asks nothing, so it has no KID."""
    own = everyday(town, index, credited.buyer)
    return replace(own, credits=credited.number, lines=lines, fee=credited.fee, kid="", document=Document.NONE)


def past_due(town: Town, index: int) -> list[Draft]:
    """Fell due three days ago."""
    return [replace(everyday(town, index), issued_on=in_days(town, -20), due_on=in_days(town, -3))]


def too_near(town: Town, index: int) -> list[Draft]:
    """Too near for a claim, for eFaktura, and for nearly anything: six, four and one days."""
    buyer = buyer_with(town, index, has_fixed_mandate)
    return [
        replace(everyday(town, index, buyer), due_on=in_days(town, 6)),
        replace(everyday(town, index + 1), due_on=in_days(town, 4)),
        replace(everyday(town, index + 2), due_on=in_days(town, 1)),
    ]


def far_away(town: Town, index: int) -> list[Draft]:
    """More than a year ahead, which Vipps and AvtaleGiro do not take."""
    vipps = buyer_with(town, index, lambda own: own.takes_vipps and own.has_mobile and not own.takes_efaktura)
    claim = buyer_with(town, index + 1, has_fixed_mandate)
    due_on = in_days(town, 400)
    return [
        replace(everyday(town, index, vipps), due_on=due_on),
        replace(everyday(town, index + 1, claim), due_on=due_on),
    ]


def long_numbers(town: Town, index: int) -> list[Draft]:
    """Two numbers that are longer than a bank reference (25) and end alike, for people who pay by mandate."""
    first = buyer_with(town, index, has_fixed_mandate)
    second = buyer_with(town, first.number + 1, has_fixed_mandate)
    tail = f"AVGIFT-{town.today.year}-STRAND-{index + 1:07d}"
    return [
        replace(everyday(town, index, first), number=f"KOMMUNALE-A-{tail}"),
        replace(everyday(town, index + 1, second), number=f"KOMMUNALE-B-{tail}"),
    ]


def odd_documents(town: Town, index: int) -> list[Draft]:
    """A PDF beside that is none, an embedded one that is none, and an attachment of another kind."""
    kinds = (Document.BROKEN_BESIDE, Document.BROKEN_EMBEDDED, Document.SPREADSHEET)
    return [replace(everyday(town, index + place), document=kind) for place, kind in enumerate(kinds)]


def only_claim(town: Town, index: int) -> list[Draft]:
    """Someone with a mandate and nothing else: AvtaleGiro without any document, or with a paper notice."""
    return [everyday(town, index, buyer_with(town, index, has_fixed_mandate))]


STORIES: tuple[Story, ...] = (
    unknown_buyer,
    false_kid,
    dash_kid,
    twin_claims,
    nothing_to_pay,
    money_back,
    full_credit,
    partial_credit,
    late_credit,
    past_due,
    too_near,
    far_away,
    long_numbers,
    odd_documents,
    only_claim,
)
