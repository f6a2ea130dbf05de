"""What a municipality invoices: services with believable prices, their VAT, and the inbox folder they come in."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice line; ``price_ore`` is without VAT, ``vat`` in per cent (0 = exempt), a refund counts below 0."""

    text: str
    price_ore: int
    vat: int = 0
    quantity: int = 1

    @property
    def amount_ore(self) -> int:
        """Quantity times price, without VAT."""
        return self.price_ore * self.quantity


@dataclass(frozen=True, slots=True)
class Fee:
    """A kind of invoice; ``folder`` "" lies in the inbox itself and is known by its ``accounting_cost``."""

    folder: str
    accounting_cost: str
    title: str
    lines: tuple[Line, ...]
    share: int
    fits_organisations: bool = False


FEES: tuple[Fee, ...] = (
    Fee(
        "kommunale-avgifter",
        "3420",
        "Kommunale avgifter",
        (
            Line("Renovasjon, standard 140 l", 98_750, 25),
            Line("Vann, abonnement og forbruk", 61_240, 15),
            Line("Avløp, abonnement og forbruk", 84_930, 15),
            Line("Feiing og tilsyn", 13_600, 25),
        ),
        share=34,
        fits_organisations=True,
    ),
    Fee(
        "kommunale-avgifter",
        "3421",
        "Kommunale avgifter, hytte",
        (Line("Renovasjon, fritidsbolig", 51_200, 25), Line("Tømming av slamavskiller", 72_450, 15)),
        share=8,
        fits_organisations=True,
    ),
    Fee(
        "barnehage",
        "2010",
        "Barnehage",
        (Line("Foreldrebetaling, hel plass", 120_000), Line("Kost", 36_500)),
        share=11,
    ),
    Fee("", "sfo", "SFO", (Line("SFO, hel plass", 187_300), Line("Mat i SFO", 21_000)), share=13),
    Fee("", "husleie", "Husleie", (Line("Husleie, kommunal bolig", 812_400), Line("Strøm, a konto", 62_000)), share=9),
    Fee("", "kulturskole", "Kulturskole", (Line("Elevplass, halvår", 214_000),), share=6),
    Fee(
        "",
        "hjemmetjeneste",
        "Hjemmetjenester",
        (Line("Trygghetsalarm", 28_900), Line("Praktisk bistand", 19_500, 0, 3)),
        share=7,
    ),
    Fee(
        "",
        "utleie",
        "Utleie av lokaler",
        (Line("Leie av idrettshall, time", 29_000, 25, 4),),
        share=5,
        fits_organisations=True,
    ),
    Fee("", "2550", "Næringsavfall", (Line("Container, tømming", 184_000, 25, 2),), share=3, fits_organisations=True),
    Fee("sosial", "2810", "Faktura etter avtale", (Line("Avdrag etter avtale", 50_000),), share=1),
    Fee("barnevern", "2440", "Faktura etter avtale", (Line("Egenandel etter avtale", 32_000),), share=1),
    Fee(
        "vedtak",
        "3010",
        "Gebyr med vedtak",
        (Line("Gebyr for byggesak, søknad etter pbl. § 20-4", 463_000), Line("Gebyr for oppmåling", 128_000)),
        share=2,
        fits_organisations=True,
    ),
)
FOR_PEOPLE = tuple(fee.share for fee in FEES)
FOR_ORGANISATIONS = tuple(fee.share * fee.fits_organisations for fee in FEES)


def some_fee(dice: random.Random, *, is_organisation: bool) -> tuple[Fee, tuple[Line, ...]]:
    """A fee and its lines: the first line always, each other one often, prices a little different."""
    fee = dice.choices(FEES, FOR_ORGANISATIONS if is_organisation else FOR_PEOPLE)[0]
    chosen = [line for place, line in enumerate(fee.lines) if place == 0 or dice.random() < 0.75]
    lines = [Line(line.text, line.price_ore * dice.randint(80, 130) // 100, line.vat, line.quantity) for line in chosen]
    return fee, tuple(lines)


def vat_groups(lines: tuple[Line, ...]) -> dict[int, tuple[int, int]]:
    """Per VAT rate the taxable amount and the VAT, both øre; VAT is rounded half up per rate (EN 16931 BR-CO-17)."""
    taxable: dict[int, int] = {}
    for line in lines:
        taxable[line.vat] = taxable.get(line.vat, 0) + line.amount_ore
    return {rate: (amount, _half_up(amount * rate)) for rate, amount in sorted(taxable.items())}


def _half_up(hundredths: int) -> int:
    """Hundredths of an øre as whole øre, halves away from zero."""
    whole = (abs(hundredths) + 50) // 100
    return whole if hundredths >= 0 else -whole


def total_ore(lines: tuple[Line, ...]) -> int:
    """The sum with VAT, øre."""
    return sum(amount + vat for amount, vat in vat_groups(lines).values())


def kroner(amount_ore: int) -> str:
    """Øre as kroner with two decimals."""
    whole, rest = divmod(abs(amount_ore), 100)
    return f"{'-' if amount_ore < 0 else ''}{whole}.{rest:02d}"
