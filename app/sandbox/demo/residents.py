"""Made-up residents: who they are in the register, and what the outside registries know about them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

from app.sandbox.demo.checks import kid_mod10, kid_mod11
from app.sandbox.demo.traits import KidStyle, Traits, Where, traits
from app.sandbox.people import (
    Address,
    chance,
    made_up_person,
    mobile_number,
    organisation_name,
    organisation_number,
    street_address,
)
from app.sandbox.world import Efaktura, Krr, Person, Vipps

FIRST_CUSTOMER = 100_001
RUNNING_NUMBERS = 10_000_000
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
ABROAD = (
    ("Østergade 14", "1100", "København K", "DK"),
    ("Sveavägen 88", "113 59", "Stockholm", "SE"),
    ("Ilica 25", "10000", "Zagreb", "HR"),
    ("ul. Długa 7", "80-827", "Gdańsk", "PL"),
)
BAD_MOBILES = ("51 74 00 12", "9O1 23 456", "1234", "ukjent", "+47 22 22 22 22")
BAD_EMAILS = ("kari@@example.com", "ingen e-post", "ola@example", "post@example..com")


@dataclass(frozen=True, slots=True)
class Resident:
    """One customer; ``national_id`` is the organisation number of an organisation, "" where the register has none."""

    number: int
    customer_number: str
    traits: Traits
    name: str
    national_id: str
    true_national_id: str
    address: Address
    country: str
    true_mobile: str
    mobile: str
    email: str
    deceased_on: dt.date | None


@dataclass(frozen=True)
class Town:
    """The world's two numbers and its day; every resident follows from them, so none has to be kept."""

    seed: int
    residents: int
    today: dt.date

    def resident(self, number: int) -> Resident:
        """Resident *number*, 0 … ``residents`` - 1."""
        return _resident(self.seed, number, self.today)


@lru_cache(maxsize=512)
def _resident(seed: int, number: int, today: dt.date) -> Resident:
    """Kept for a moment, since an invoice's story asks for its resident several times."""
    dice = chance(seed, "resident", number)
    own = traits(number, dice)
    person = made_up_person(seed, number)
    name = organisation_name(seed, number) if own.is_organisation else person.name
    true_id = organisation_number(seed, number) if own.is_organisation else person.national_id
    address, country = street_address(dice), "NO"
    if own.address is Where.ABROAD:
        street, postal_code, city, country = dice.choice(ABROAD)
        address = Address(street, postal_code, city)
    elif own.address is Where.NOWHERE:
        address, country = Address("", "", ""), ""
    mobile = mobile_number(seed, number)
    return Resident(
        number=number,
        customer_number=str(FIRST_CUSTOMER + number),
        traits=own,
        name=name,
        national_id=true_id if own.is_identified else "",
        true_national_id=true_id,
        address=address,
        country=country,
        true_mobile=f"+47{mobile}",
        mobile=_registered_mobile(own, mobile, number),
        email=_registered_email(own, seed, number),
        deceased_on=today - dt.timedelta(days=dice.randint(20, 400)) if own.is_deceased else None,
    )


def _registered_mobile(own: Traits, mobile: str, number: int) -> str:
    """As people write it in a register: with and without spaces and country code, or wrong."""
    if own.has_bad_mobile:
        return BAD_MOBILES[number % len(BAD_MOBILES)]
    if not own.has_mobile:
        return ""
    spaced = f"{mobile[:3]} {mobile[3:5]} {mobile[5:]}"
    return (mobile, mobile, spaced, f"+47{mobile}", f"+47 {spaced}", f"0047{mobile}")[number % 6]


def _registered_email(own: Traits, seed: int, number: int) -> str:
    """An address at a domain that is reserved for examples (RFC 2606), or a wrong one."""
    if own.has_bad_email:
        return BAD_EMAILS[number % len(BAD_EMAILS)]
    if not own.has_email:
        return ""
    return email_address(seed, number - 1 if own.shares_email and number else number)


def email_address(seed: int, number: int) -> str:
    """The address of person *number*, which may stand in two residents' rows."""
    person = made_up_person(seed, number)
    plain = "".join(sign for sign in anyascii(f"{person.given_name}.{person.family_name}").lower() if sign in LOCAL)
    return f"{plain}{number}@{MAIL_DOMAINS[number % len(MAIL_DOMAINS)]}"


LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz.")


def kid_of(resident: Resident, serial: int) -> str:
    """The KID of the resident's invoice *serial*: 9 digits customer, 10 invoice (0 = the customer's own), 1 check."""
    part = 0 if resident.traits.kid_style is KidStyle.CUSTOMER else serial
    body = kid_body(resident.customer_number, part)
    eleven = kid_mod11(body)
    return eleven if resident.traits.has_mod11_kid and not eleven.endswith("-") else kid_mod10(body)


def kid_body(customer_number: str, serial: int) -> str:
    """The 19 digits before the check digit."""
    return f"{customer_number:0>9}{serial:010d}"


def serial_of(today: dt.date, index: int) -> int:
    """The serial number of invoice *index*: the day of the year and a running number, so that days do not clash."""
    return today.timetuple().tm_yday * RUNNING_NUMBERS + index + 1


def mandate_kid(resident: Resident, today: dt.date) -> str:
    """The KID the resident's mandate was signed with; invoices go round, so the first one's index is the resident's."""
    if resident.traits.kid_style is KidStyle.EARLIER:
        return kid_of(resident, 999 * RUNNING_NUMBERS + resident.number + 1)
    return kid_of(resident, serial_of(today, resident.number))


def registry_person(resident: Resident, issuer: str, today: dt.date) -> Person:
    """What KRR, eFaktura and Vipps know; *issuer* is the organisation number some have blocked."""
    own = resident.traits
    updated_on = today - dt.timedelta(days=700 if own.is_krr_stale else 30 + resident.number % 300)
    krr = Krr(
        status="AKTIV",
        reserved=own.is_reserved,
        can_be_notified=not own.is_reserved and not own.is_krr_stale,
        mailbox=own.mailbox,
        email=resident.email if "@example." in resident.email and not own.has_bad_email else None,
        mobile=resident.true_mobile,
        updated_at=f"{updated_on}T21:00:01+02",
    )
    return Person(
        national_id=resident.true_national_id,
        mobile=resident.true_mobile,
        name=resident.name,
        krr=krr if own.is_in_krr else Krr(status="SLETTET" if resident.number % 3 == 0 else "IKKE_REGISTRERT"),
        efaktura=Efaktura(
            identifier=f"EF{resident.number + 1:012d}",
            accepts=own.takes_efaktura,
            blocked_issuers=(issuer,) if own.blocks_us else (),
        ),
        vipps=Vipps(accepts=own.takes_vipps),
        address_line_1=resident.address.street or None,
        postal_code=resident.address.postal_code or None,
        city=resident.address.city or None,
    )
