"""One resident's page: how invoices come and why, what is hidden until somebody says why, and who looked."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

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
)  # fmt: skip
from app.core.audit import AuditEvent, AuditRecord
from app.core.clock import Clock
from app.core.settings import Settings
from app.registries.models import Register, RegistryAnswer
from app.residents.contacts import close_contact, register_contact
from app.residents.models import (
    AddressProtection,
    ClosedReason,
    ContactKind,
    ContactPoint,
    ContactSource,
    Mandate,
    Resident,
)
from app.residents.preferences import Choice, choose
from app.routing.channels import Answer, Channel
from tests.invoices.builders import KID
from tests.portal.invoices import add_invoice
from tests.portal.people import add_resident, hidden, national_id

NUMBER, ADDRESS = "900 12 345", "kari@example.com"


@pytest.fixture
def kari(session: Session, settings: Settings, clock: Clock) -> Resident:
    """Somebody with two contact points, an old one, and invoices."""
    found, now = add_resident(session, settings, clock, 1), clock.now()
    for kind, value, source in (
        (ContactKind.EMAIL, "gammel@example.com", ContactSource.REGISTER),
        (ContactKind.EMAIL, ADDRESS, ContactSource.RESIDENT),
        (ContactKind.MOBILE, NUMBER, ContactSource.STAFF),
    ):
        register_contact(session, found.id, kind, value, source, now, is_confirmed=source is ContactSource.RESIDENT)
    session.commit()
    return found


def path(resident: Resident) -> str:
    return f"/ansatt/innbygger/{resident.public_id}"


def viewed(session: Session) -> list[AuditRecord]:
    session.rollback()
    query = select(AuditRecord).where(AuditRecord.event == AuditEvent.RESIDENT_VIEWED).order_by(AuditRecord.id)
    return list(session.scalars(query))


def press(client: FlaskClient, resident: Resident, what: str, **form: str) -> str:
    """Post to the part of the page called *what*; gives the page."""
    token = hidden(client.get(path(resident)).text, "csrf_token")
    return client.post(f"{path(resident)}/{what}", data={"csrf_token": token, **form}).text


def test_how_the_next_invoice_comes_and_why_is_told(caseworker: FlaskClient, kari: Resident) -> None:
    page = caseworker.get(path(kari)).text
    assert "Neste faktura kommer" in page
    for name in ("eFaktura", "Vipps", "Digital postkasse", "E-post", "Brev i posten"):
        assert name in page


def test_contact_points_come_with_their_source_and_why_the_old_ones_are_closed(
    caseworker: FlaskClient, session: Session, clock: Clock, kari: Resident
) -> None:
    close_contact(session, kari.id, ContactKind.MOBILE, "+4790012345", ClosedReason.NOT_ME, clock.now())
    session.commit()
    page = caseworker.get(path(kari)).text
    for words in (ADDRESS, "lagt inn av innbyggeren selv", "Bekreftet", "gammel@example.com", "erstattet av en ny",
                  "noen svarte at den ikke er deres"):  # fmt: skip
        assert words in page


def test_choices_agreements_registers_and_offers_are_there(
    caseworker: FlaskClient, session: Session, clock: Clock, kari: Resident
) -> None:
    now = clock.now()
    add_invoice(session, kari, clock, 1)
    choose(session, kari.id, Choice(frozenset({Channel.VIPPS})), now)
    session.add(
        Mandate(account="12345678911", kid=KID, kid_key=KID, wants_notice=True, registered_at=now, updated_at=now)
    )
    session.add(RegistryAnswer(resident_id=kari.id, register=Register.RESERVATION, answer=Answer.YES, asked_at=now))
    session.add(
        Agreement(resident_id=kari.id, source=AgreementSource.OFFER, activation=Activation.AGREEMENT,
                  state=AgreementState.ACTIVE, key="k", requested_at=now)
    )  # fmt: skip
    campaign = Campaign(name="Høsten 2026", state=CampaignState.FINISHED, started_at=now, started_by="staff:1")
    session.add(campaign)
    session.flush()
    mail = OfferMail(campaign_id=campaign.id, address=ADDRESS, key="m", language="nb", state=MailState.DELIVERED,
                     sent_at=now)  # fmt: skip
    session.add(mail)
    session.flush()
    query = select(ContactPoint.id).where(ContactPoint.resident_id == kari.id, ContactPoint.value == ADDRESS)
    point = session.scalars(query).one()
    session.add(
        Offer(mail_id=mail.id, resident_id=kari.id, contact_point_id=point, answer=OfferAnswer.YES, answered_at=now)
    )
    session.commit()
    page = caseworker.get(path(kari)).text
    for words in ("Har valgt bort:", "med varsel", f"KID {KID}", "Reservert mot digital post", "Slått på",
                  "Høsten 2026", "svarte ja", f"F{kari.id}-1"):  # fmt: skip
        assert words in page, words


def test_the_national_id_is_shown_only_when_asked_for_and_that_is_written_down(
    caseworker: FlaskClient, session: Session, kari: Resident
) -> None:
    number = national_id(1)
    assert number[6:] not in caseworker.get(path(kari)).text
    page = press(caseworker, kari, "fodselsnummer")
    assert f"{number[:6]} {number[6:]}" in page
    assert viewed(session)[-1].details == {"shown": ["national_id"]}
    assert number[6:] not in caseworker.get(path(kari)).text
    assert caseworker.get(f"{path(kari)}/fodselsnummer").headers["Location"] == path(kari)


def test_a_protected_address_and_contact_points_are_hidden_until_somebody_says_why(
    caseworker: FlaskClient, session: Session, kari: Resident
) -> None:
    kari.address_protection = AddressProtection.STRICTLY_CONFIDENTIAL
    session.commit()
    secrets = (kari.address_line_1, ADDRESS, NUMBER[:3] + "\u00a0", "gammel@example.com")
    page = caseworker.get(path(kari)).text
    assert "Strengt fortrolig adresse" in page
    assert not any(secret in page for secret in secrets)
    refused = press(caseworker, kari, "adresse", reason=" ")
    assert "Skriv en begrunnelse" in refused
    assert ADDRESS not in refused
    shown = press(caseworker, kari, "adresse", reason="Må sende nytt brev")
    assert ADDRESS in shown
    assert kari.address_line_1 in shown
    assert viewed(session)[-1].reason == "Må sende nytt brev"
    assert viewed(session)[-1].details == {"shown": ["address", "contact_points"]}
    assert ADDRESS not in caseworker.get(path(kari)).text


def test_opening_the_page_is_written_down_and_shown_there(
    caseworker: FlaskClient, session: Session, kari: Resident
) -> None:
    caseworker.get(path(kari))
    (row,) = viewed(session)
    assert row.subject == f"resident:{kari.public_id}"
    assert "Hvem har sett siden?" in caseworker.get(path(kari)).text


def test_invoices_are_paged(caseworker: FlaskClient, session: Session, clock: Clock, kari: Resident) -> None:
    for number in range(1, 26):
        add_invoice(session, kari, clock, number)
    assert caseworker.get(path(kari)).text.count("/ansatt/faktura/") == 20
    assert caseworker.get(f"{path(kari)}?side=2").text.count("/ansatt/faktura/") == 5


def test_who_has_nothing_has_a_page(
    caseworker: FlaskClient, session: Session, settings: Settings, clock: Clock
) -> None:
    found = add_resident(session, settings, clock, 2)
    found.national_id_encrypted = found.national_id_index = None
    session.commit()
    page = caseworker.get(path(found)).text
    assert "Ingen fakturaer." in page
    assert "Vis fødselsnummeret" not in page


def test_a_resident_that_is_not_there_is_not_found(caseworker: FlaskClient) -> None:
    assert caseworker.get("/ansatt/innbygger/00000000-0000-4000-8000-00000000ffff").status_code == 404


@pytest.mark.parametrize("what", ["", "/fodselsnummer", "/adresse", "/registrer"])
def test_the_statistics_role_opens_no_resident(
    statistician: FlaskClient, session: Session, kari: Resident, what: str
) -> None:
    assert statistician.get(path(kari) + what).status_code == 403
    assert statistician.post(path(kari) + what).status_code in (400, 403, 405)
    assert viewed(session) == []
