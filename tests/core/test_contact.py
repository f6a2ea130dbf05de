"""Mobile numbers and e-mail addresses: one written form, refusals that say why and never what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.contact import (
    EmailFault,
    EmailInvalid,
    MobileFault,
    MobileInvalid,
    mask_email,
    mask_mobile,
    normalise_email,
    normalise_mobile,
    pretty_mobile,
)


@pytest.mark.parametrize(
    "text", ["90012345", "900 12 345", "+47 90012345", "0047 90 01 23 45", "+47-900-12-345", "(+47) 900 12 345"]
)
def test_every_usual_way_of_writing_gives_one_number(text: str) -> None:
    assert normalise_mobile(text) == "+4790012345"


@pytest.mark.parametrize(
    ("text", "number"),
    [("+46 70 123 45 67", "+46701234567"), ("0045 20 12 34 56", "+4520123456"), ("+1 202 555 0123", "+12025550123")],
)
def test_mobiles_of_other_countries_are_taken(text: str, number: str) -> None:
    assert normalise_mobile(text) == number


def test_the_default_country_can_be_another() -> None:
    assert normalise_mobile("070-123 45 67", "SE") == "+46701234567"


@given(st.integers(90000000, 99999999))
def test_a_normalised_number_stays_as_it_is(number: int) -> None:
    assert normalise_mobile(normalise_mobile(str(number))) == f"+47{number}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("51 74 10 00", MobileFault.LANDLINE),
        ("22222222", MobileFault.LANDLINE),
        ("815 00 000", MobileFault.NOT_MOBILE),
        ("9001234", MobileFault.WRONG_LENGTH),
        ("900123456", MobileFault.WRONG_LENGTH),
        ("12345678", MobileFault.UNKNOWN_RANGE),
        ("", MobileFault.NOT_A_NUMBER),
        ("ukjent", MobileFault.NOT_A_NUMBER),
        ("90012345 ext. 5", MobileFault.NOT_A_NUMBER),
        ("90012345#5", MobileFault.NOT_A_NUMBER),
        ("9" * 1000, MobileFault.NOT_A_NUMBER),
        ("+999 12345678", MobileFault.NOT_A_NUMBER),
    ],
)
def test_each_refused_number_has_its_reason(text: str, reason: MobileFault) -> None:
    with pytest.raises(MobileInvalid) as caught:
        normalise_mobile(text)
    assert caught.value.reason == reason
    assert str(caught.value) == reason.value


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Kari.Nordmann@Example.COM ", "Kari.Nordmann@example.com"),
        ("kari+strand@example.no", "kari+strand@example.no"),
        ("kari@blåbær.no", "kari@xn--blbr-roah.no"),
    ],
)
def test_an_address_comes_in_the_form_mail_servers_use(text: str, address: str) -> None:
    assert normalise_email(text) == address
    assert normalise_email(address) == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("åse@example.no", EmailFault.NOT_ASCII),
        ("", EmailFault.MALFORMED),
        ("kari", EmailFault.MALFORMED),
        ("kari@", EmailFault.MALFORMED),
        ("@example.no", EmailFault.MALFORMED),
        ("kari@example", EmailFault.MALFORMED),
        ("kari@@example.no", EmailFault.MALFORMED),
        ("kari@example.no, ola@example.no", EmailFault.MALFORMED),
        ("Kari <kari@example.no>", EmailFault.MALFORMED),
        ("kari@example.no\nBcc: ola@example.no", EmailFault.MALFORMED),
        ("kari@localhost", EmailFault.MALFORMED),
        ("kari@\ud800.no", EmailFault.MALFORMED),
        ("kari@" + "å" * 70 + ".no", EmailFault.MALFORMED),
        ("k" * 400 + "@example.no", EmailFault.MALFORMED),
    ],
)
def test_each_refused_address_has_its_reason(text: str, reason: EmailFault) -> None:
    with pytest.raises(EmailInvalid) as caught:
        normalise_email(text)
    assert caught.value.reason == reason
    assert str(caught.value) == reason.value


@given(st.text())
def test_whatever_passes_can_stand_in_a_mail_header(text: str) -> None:
    try:
        address = normalise_email(text + "@example.no")
    except EmailInvalid:
        return
    assert address.isascii()
    assert address.isprintable()


def test_masks_leave_enough_to_know_it_again() -> None:
    assert mask_email("kari@example.com") == "k***@example.com"
    assert mask_email("k@example.com") == "k***@example.com"
    assert mask_mobile("+4790012345") == "+47 *** ** 345"
    assert mask_mobile("+46701234567") == "+46 *** ** 567"


@pytest.mark.parametrize("text", ["", "90012345", "ukjent"])
def test_what_is_no_normalised_number_is_hidden_whole(text: str) -> None:
    assert mask_mobile(text) == "***"


@pytest.mark.parametrize(("number", "shown"), [("+4798765432", "987 65 432"), ("+46701234567", "+46 70 123 45 67")])
def test_a_number_is_shown_as_people_write_it(number: str, shown: str) -> None:
    assert pretty_mobile(number) == shown
    assert normalise_mobile(shown) == number
