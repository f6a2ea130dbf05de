"""The offer goes to whom it is for and to nobody else, and each who is left out has a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.campaigns import service
from app.campaigns.age import is_minor
from app.campaigns.asking import LastLook
from app.campaigns.models import (
    Activation,
    Agreement,
    AgreementSource,
    AgreementState,
    Campaign,
    CampaignState,
    MailState,
    Offer,
    OfferAnswer,
    OfferMail,
)
from app.core.settings import Settings
from app.invoices.models import Batch, Document, Invoice
from app.residents.models import AddressProtection, ClosedReason, Mandate, Preference, Resident, ResidentKind
from app.routing.channels import Answer, Channel, Kind
from tests.campaigns.village import Village

KID = "12345678903"
# Made-up numbers in the Tenor way, with the month raised by 80.
CHILD, GROWN_UP = "15811590190", "15819500131"


@pytest.fixture
def village(session: Session, settings: Settings) -> Village:
    return Village(session, settings)


def reasons(village: Village, name: str | None = None) -> dict[str, int]:
    return dict(service.preview(village.session, village.settings, village.clock, name).skipped)


def earlier_mail(village: Village, resident: Resident, address: str, **values: object) -> OfferMail:
    """A mail of a campaign of long ago, with the resident's offer."""
    now = village.clock.now()
    campaign = Campaign(name=f"old {resident.id}", state=CampaignState.FINISHED, started_at=now, started_by="test")
    village.session.add(campaign)
    village.session.flush()
    kept: dict[str, object] = {"opened_at": now - dt.timedelta(days=4000), "state": MailState.DELIVERED}
    mail = OfferMail(campaign_id=campaign.id, address=address, key=f"key {resident.id}", language="nb",
                     **(kept | values))  # fmt: skip
    village.session.add(mail)
    village.session.flush()
    return mail


def offered(village: Village, resident: Resident, address: str, **values: object) -> None:
    mail = earlier_mail(village, resident, address)
    point = village.point(village.resident(address=None), f"other{resident.id}@example.com")
    village.session.add(Offer(mail_id=mail.id, resident_id=resident.id, contact_point_id=point.id, **values))
    village.session.commit()


def with_mandate(village: Village, *, ended: bool = False) -> None:
    resident, now, session = village.resident(), village.clock.now(), village.session
    document = Document(sha256=b"\0" * 32, size=0, media_type="application/xml", stored_at=now)
    batch = Batch(source="inbox", started_at=now, finished_at=now, invoice_count=1, rejected_count=0)
    session.add_all([document, batch])
    session.flush()
    session.add(
        Invoice(batch_id=batch.id, source="946485764", number="F1", kind=Kind.DEMAND, resident_id=resident.id,
                category="default", issued_on=now.date(), due_on=now.date(), amount_ore=100_00, kid=KID, kid_key=KID,
                account="86011117947", content_sha256=b"\0" * 32, xml_document_id=document.id, imported_at=now)
    )  # fmt: skip
    session.add(Mandate(account="86011117947", kid=KID, kid_key=KID, wants_notice=True, registered_at=now,
                        updated_at=now, ended_at=now if ended else None))  # fmt: skip
    session.commit()


def agreed(village: Village, state: AgreementState) -> None:
    resident, now = village.resident(), village.clock.now()
    village.session.add(
        Agreement(resident_id=resident.id, source=AgreementSource.MIN_SIDE, activation=Activation.AGREEMENT,
                  state=state, key="k", requested_at=now)
    )  # fmt: skip
    village.session.commit()


def closed(village: Village, reason: ClosedReason) -> None:
    resident = village.resident(address=None)
    village.point(resident, "shut@example.com", closed_at=village.clock.now(), closed_reason=reason)


def chose(village: Village, **values: object) -> None:
    village.session.add(Preference(resident_id=village.resident().id, chosen_at=village.clock.now(), **values))
    village.session.commit()


def neighbour_bounced(village: Village) -> None:
    """Two have the same address, and mail to it came back for one of them."""
    village.resident("both@example.com")
    village.point(village.resident(address=None), "both@example.com", closed_at=village.clock.now(),
                  closed_reason=ClosedReason.BOUNCED)  # fmt: skip


def declined(village: Village) -> None:
    offered(village, village.resident("no@example.com"), "before@example.com", answer=OfferAnswer.NO)


def unsubscribed(village: Village) -> None:
    now = village.clock.now()
    offered(village, village.resident("no@example.com"), "before@example.com", unsubscribed_at=now)


def neighbour_unsubscribed(village: Village) -> None:
    """Whoever reads the address wants no more mails, whomever they are for."""
    village.resident("both@example.com")
    now = village.clock.now()
    offered(village, village.resident(address=None), "both@example.com", unsubscribed_at=now)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda village: village.resident(kind=ResidentKind.ORGANISATION), "organisation"),
        (lambda village: village.resident(deceased_on=dt.date(2026, 1, 1)), "deceased"),
        (lambda village: village.resident(address_protection=AddressProtection.CONFIDENTIAL), "protected"),
        (lambda village: village.resident(address=None), "no_email"),
        (lambda village: closed(village, ClosedReason.WITHDRAWN), "no_email"),
        (lambda village: closed(village, ClosedReason.BOUNCED), "bounced"),
        (lambda village: closed(village, ClosedReason.NOT_ME), "bounced"),
        (neighbour_bounced, "bounced"),
        (declined, "declined"),
        (unsubscribed, "unsubscribed"),
        (neighbour_unsubscribed, "unsubscribed"),
        (lambda village: agreed(village, AgreementState.REQUESTED), "has_agreement"),
        (lambda village: agreed(village, AgreementState.ACTIVE), "has_agreement"),
        (with_mandate, "has_avtalegiro"),
        (lambda village: chose(village, is_all_by_letter=True), "chose_otherwise"),
        (lambda village: chose(village, channel=Channel.EFAKTURA), "chose_otherwise"),
    ],
)
def test_whoever_it_is_not_for_is_left_out_with_the_reason(
    village: Village, make: Callable[[Village], object], reason: str
) -> None:
    make(village)
    found = service.preview(village.session, village.settings, village.clock)
    assert found.skipped[reason] >= 1
    village.send()
    assert [address for address in village.written_to() if not address.startswith("other")] == []


@pytest.mark.parametrize(
    "make",
    [
        lambda village: village.resident(),
        lambda village: agreed(village, AgreementState.DECLINED),
        lambda village: with_mandate(village, ended=True),
        lambda village: chose(village, channel=Channel.VIPPS),
        lambda village: village.resident(national_id=GROWN_UP),
    ],
)
def test_whoever_it_is_for_is_asked(village: Village, make: Callable[[Village], object]) -> None:
    make(village)
    report = village.send()
    assert (report.asked, report.sent, report.skipped) == (1, 1, {})
    assert len(village.box()) == 1


def test_a_child_whose_number_tells_so_is_not_asked(village: Village) -> None:
    village.resident(national_id=CHILD)
    assert village.send().skipped == {"minor": 1}
    assert village.box() == []
    assert village.register.asked == []


@pytest.mark.parametrize(
    ("number", "today", "expected"),
    [
        (CHILD, dt.date(2033, 1, 14), True),
        (CHILD, dt.date(2033, 1, 15), False),
        (GROWN_UP, dt.date(2026, 11, 24), False),
    ],
)
def test_one_is_a_child_until_the_eighteenth_birthday(number: str, today: dt.date, expected: bool) -> None:
    assert is_minor(number, today) is expected


def test_a_number_of_the_kind_from_2032_tells_nothing() -> None:
    others = [CHILD[:9] + digit + CHILD[10:] for digit in "0123456789" if digit != CHILD[9]]
    assert [number for number in others if is_minor(number, dt.date(2026, 11, 24))] == []


def test_everyone_is_looked_up_just_before_and_whoever_has_efaktura_or_is_unknown_gets_no_mail(
    village: Village,
) -> None:
    has, unknown, neither = village.residents(3)
    village.register.answers = {has.id: Answer.YES, unknown.id: Answer.UNKNOWN}
    report = village.send()
    assert report.skipped == {"has_efaktura": 1, "unknown": 1}
    assert [offer.resident_id for offer in village.offers()] == [neither.id]
    assert report.asked == report.sent == 1


def test_whoever_was_unknown_is_asked_the_next_time(village: Village) -> None:
    village.resident()
    village.register.is_down = True
    assert village.send().sent == 0
    village.register.is_down = False
    assert village.send().sent == 1


def test_a_silent_gateway_ends_the_run_and_nobody_is_written_to(village: Village) -> None:
    village.settings = village.settings.model_copy(update={"offer_mails_per_minute": 1})
    village.residents(30)
    village.register.is_down = True
    report = village.send()
    assert report.ended_by == "gateway"
    assert report.needs_a_person
    assert len(village.register.asked) == 3
    assert village.box() == []


def test_nobody_is_asked_twice_in_a_campaign_nor_soon_again_in_another(village: Village) -> None:
    village.residents(2)
    assert village.send("first").sent == 2
    assert village.send("first").sent == 0
    village.clock.pass_time(days=364)
    assert village.send("second").skipped == {"offered": 2}
    village.clock.pass_time(days=2)
    assert village.send("third").sent == 2
    assert len({mail.key for mail in village.mails()}) == 4


def test_with_no_days_to_wait_nobody_is_ever_asked_twice(village: Village) -> None:
    village.settings = village.settings.model_copy(update={"offer_again_days": 0})
    village.resident()
    village.send("first")
    village.clock.pass_time(days=5000)
    assert village.send("second").sent == 0


def test_an_address_that_several_share_gets_one_mail_with_an_offer_for_each(village: Village) -> None:
    first, second = village.resident("home@example.com", language="en"), village.resident("home@example.com")
    report = village.send()
    assert (report.asked, report.sent) == (2, 1)
    assert [offer.resident_id for offer in village.offers()] == [first.id, second.id]
    mail = village.box()[0]
    assert mail["Content-Language"] == "en"
    assert "Kari" not in mail.as_string()


def test_whoever_comes_to_share_an_address_that_was_written_to_is_not_written_to(village: Village) -> None:
    village.resident("home@example.com")
    village.send()
    village.resident("home@example.com")
    assert village.send().skipped == {"offered": 2}
    assert len(village.box()) == 1


def test_a_preview_with_a_look_counts_as_the_campaign_then_does_and_changes_nothing(village: Village) -> None:
    has, *_ = village.residents(3)
    village.resident("home@example.com")
    village.resident("home@example.com")
    village.register.answers = {has.id: Answer.YES}
    look = LastLook(village.session, village.settings, village.register, village.clock.today())
    found = service.preview(village.session, village.settings, village.clock, None, look)
    assert (found.asked, found.mails, found.skipped) == (4, 3, {"has_efaktura": 1})
    assert village.mails() == []
    report = village.send()
    assert (report.asked, report.sent, dict(report.skipped)) == (found.asked, found.mails, found.skipped)
    assert sorted(offer.resident_id for offer in village.offers()) == list(found.resident_ids)


def test_outside_production_a_real_server_is_given_mails_to_allowed_addresses_alone(village: Village) -> None:
    village.settings = village.settings.model_copy(
        update={"mail_server": "mail.example.com", "allowed_recipients": ("nobody@example.com",)}
    )
    village.residents(2)
    assert village.send().skipped == {"not_allowed": 2}
    assert village.mails() == []


def test_a_thousand_addresses_are_looked_up_a_thousand_at_a_time(village: Village) -> None:
    village.register.chunk = 3
    village.residents(8)
    assert village.send().sent == 8
    assert [len(call) for call in village.register.asked] == [3, 3, 2]


def test_reasons_and_candidates_add_up_to_everybody(village: Village) -> None:
    village.residents(2)
    village.resident(address=None)
    village.resident(kind=ResidentKind.ORGANISATION)
    found = service.preview(village.session, village.settings, village.clock)
    assert found.asked + sum(found.skipped.values()) == village.session.query(Resident).count()
    assert reasons(village) == {"no_email": 1, "organisation": 1}
