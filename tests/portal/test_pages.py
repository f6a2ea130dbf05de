"""Min side: what the resident reads, chooses and changes."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import create_app
from app.contact.preferences import choice_of
from app.core.audit import VIEWS, AuditEvent, AuditRecord, record
from app.core.clock import Clock
from app.core.database import db
from app.core.sessions import StoredSession
from app.core.settings import Settings
from app.registries.models import Register, RegistryAnswer
from app.residents.contacts import register_contact
from app.residents.models import ContactKind, ContactSource, Mandate, Resident
from app.routing.channels import Answer, Channel
from tests.portal.invoices import add_invoice
from tests.portal.people import add_resident, browser, hidden, log_in, national_id, post
from tests.web.conftest import texts


@pytest.fixture
def resident(session: Session, settings: Settings, clock: Clock) -> Resident:
    return add_resident(session, settings, clock, 1)


@pytest.fixture
def kari(reader: FlaskClient, resident: Resident) -> FlaskClient:
    """A browser with the resident logged in."""
    assert log_in(reader, national_id(1)).headers["Location"] == "/min-side"
    return reader


def answer(session: Session, resident: Resident, **said: Answer) -> None:
    for name, value in said.items():
        session.add(
            RegistryAnswer(
                resident_id=resident.id,
                register=Register(name),
                answer=value,
                asked_at=Clock().now(),
                reference="EF1" if (name, value) == ("efaktura", Answer.YES) else None,
            )
        )
    session.commit()


def all_no(session: Session, resident: Resident) -> None:
    answer(session, resident, efaktura=Answer.NO, mailbox=Answer.NO, reservation=Answer.NO)


def contact(session: Session, resident: Resident, kind: ContactKind, value: str, is_confirmed: bool = False) -> None:
    register_contact(
        session, resident.id, kind, value, ContactSource.REGISTER, Clock().now(), is_confirmed=is_confirmed
    )
    session.commit()


def lead(client: FlaskClient, path: str = "/min-side") -> str:
    return texts(client.get(path).text, "//p[@class='lead']")[0]


def ways(client: FlaskClient) -> dict[str, tuple[str, str]]:
    """Each way with its state and its reason."""
    page = client.get("/min-side/levering").text
    names = texts(page, "//ol[@class='channels']/li//h3")
    tags = texts(page, "//ol[@class='channels']/li//span[@class='ds-tag']")
    reasons = texts(page, "//ol[@class='channels']/li//div[@class='channel-words']/p[1]")
    return dict(zip(names, zip(tags, reasons, strict=True), strict=True))


def test_the_answer_comes_first_and_is_what_the_rules_would_do(
    kari: FlaskClient, session: Session, resident: Resident
) -> None:
    all_no(session, resident)
    assert lead(kari) == "Nå får du fakturaen som brev i posten."
    contact(session, resident, ContactKind.EMAIL, "kari@example.com")
    assert lead(kari) == "Nå får du fakturaen på e-post."
    session.execute(update(RegistryAnswer).where(RegistryAnswer.register == Register.MAILBOX).values(answer="yes"))
    session.commit()
    assert lead(kari) == "Nå får du fakturaen i digital postkasse."


def test_what_no_register_has_said_is_told_as_unasked(kari: FlaskClient) -> None:
    assert (
        lead(kari)
        == "Nå får du fakturaen som brev i posten. Før neste faktura sjekker vi om det finnes en enklere måte."
    )
    assert ways(kari)["eFaktura i nettbanken"] == (
        "Sjekkes først",
        "Vi spør banken om du har eFaktura når neste faktura skal sendes.",
    )


def test_each_way_stands_in_order_with_its_state_its_reason_and_one_action(
    kari: FlaskClient, session: Session, resident: Resident
) -> None:
    all_no(session, resident)
    contact(session, resident, ContactKind.EMAIL, "kari@example.com")
    found = ways(kari)
    assert list(found) == ["eFaktura i nettbanken", "Vipps", "Digital postkasse", "E-post", "Brev i posten"]
    assert found["eFaktura i nettbanken"] == ("Ikke slått på", "Du har ikke slått på eFaktura i banken din.")
    assert found["Vipps"] == ("Ikke mulig", "Vi har ikke mobilnummeret ditt.")
    assert found["E-post"] == ("Brukes nå", "Fakturaen ligger ved e-posten som PDF.")
    assert found["Brev i posten"] == ("Reserve", "Vi sender brev hvis ingen av de andre måtene virker.")
    page = kari.get("/min-side/levering").text
    assert texts(page, "//ol[@class='channels']//a[@href='/min-side/mobil']") == ["Legg til mobilnummer"]


def test_a_choice_counts_at_once_and_is_told(kari: FlaskClient, session: Session, resident: Resident) -> None:
    all_no(session, resident)
    contact(session, resident, ContactKind.EMAIL, "kari@example.com")
    answer_ = post(kari, "/min-side/levering", way="auto", email="y")
    assert (answer_.status_code, answer_.headers["Location"]) == (302, "/min-side/levering")
    page = kari.get("/min-side/levering").text
    assert texts(page, "//*[@role='status']") == ["Valget er lagret. Det gjelder fra neste faktura."]
    assert choice_of(session, resident).closed == {Channel.EMAIL}
    assert lead(kari) == "Nå får du fakturaen som brev i posten."
    assert ways(kari)["E-post"] == ("Valgt bort", "Du har valgt bort denne måten.")
    post(kari, "/min-side/levering", way="letters")
    assert ways(kari)["Brev i posten"] == ("Brukes nå", "Du har valgt å få alt som brev.")
    assert choice_of(session, resident).is_all_by_letter
    assert texts(kari.get("/min-side/levering").text, "//input[@value='letters'][@checked]") == [""]


def test_a_choice_without_a_way_is_sent_back_with_words(kari: FlaskClient) -> None:
    answer_ = post(kari, "/min-side/levering")
    assert answer_.status_code == 422
    assert texts(answer_.text, "//*[@id='feil']//li") == ["Velg hvordan du vil ha fakturaen"]


def test_the_number_is_changed_by_the_code_and_not_before(
    kari: FlaskClient, session: Session, resident: Resident, settings: Settings
) -> None:
    contact(session, resident, ContactKind.MOBILE, "+4741234567")
    asked = post(kari, "/min-side/mobil", value="987 65 432")
    assert asked.headers["Location"] == "/min-side/mobil/kode"
    page = kari.get("/min-side/mobil/kode").text
    assert lead(kari, "/min-side/mobil/kode") == "Vi har sendt en kode med 6 siffer til +47 *** ** 432."
    assert "412 34 567" in kari.get("/min-side").text
    (message,) = (settings.outbox_dir / "sms").iterdir()
    code = re.findall(r"\b\d{6}\b", message.read_text())[0]
    wrong = kari.post(
        "/min-side/mobil/kode",
        data={"csrf_token": hidden(page, "csrf_token"), "code": f"{(int(code) + 1) % 10**6:06d}"},
    )
    assert wrong.status_code == 422
    assert texts(wrong.text, "//*[@id='feil']//li") == ["Koden stemmer ikke. Prøv igjen, du har 4 forsøk igjen"]
    right = post(kari, "/min-side/mobil/kode", code=f"{code[:3]} {code[3:]}")
    assert right.headers["Location"] == "/min-side"
    page = kari.get("/min-side").text
    assert texts(page, "//*[@role='status']") == ["Mobilnummeret ditt er bekreftet."]
    assert "987 65 432" in page
    assert kari.get("/min-side/mobil/kode").headers["Location"] == "/min-side/mobil"


def test_the_address_is_confirmed_by_the_link_from_any_browser(
    app: Flask, kari: FlaskClient, session: Session, settings: Settings
) -> None:
    post(kari, "/min-side/epost", value="kari@example.com")
    (mail,) = (settings.outbox_dir / "email" / "new").iterdir()
    text = mail.read_bytes().replace(b"=\n", b"").replace(b"=\r\n", b"").decode()
    link = "/min-side/epost/bekreft/" + re.findall(r"/bekreft/([A-Za-z0-9_.-]+)", text)[0]
    other = browser(app)
    page = other.get(link)
    assert page.status_code == 200
    assert "k***@example.com" in page.text
    assert "kari@" not in page.text
    assert "Mangler" in kari.get("/min-side").text, "looking confirms nothing"
    assert other.post(link).status_code == 400, "nor does a press that the page did not make"
    done = other.post(link, data={"csrf_token": hidden(page.text, "csrf_token")})
    assert done.headers["Location"] == link
    assert texts(other.get(link).text, "//h1") == ["E-postadressen er bekreftet"]
    assert "kari@example.com" in kari.get("/min-side").text
    assert other.get("/min-side").status_code == 302, "the link logs nobody in"
    assert other.get("/min-side/epost/bekreft/made-up").status_code == 404


def test_a_link_that_a_newer_one_replaced_is_gone(kari: FlaskClient, settings: Settings, clock: Clock) -> None:
    post(kari, "/min-side/epost", value="kari@example.com")
    (mail,) = (settings.outbox_dir / "email" / "new").iterdir()
    text = mail.read_bytes().replace(b"=\n", b"").decode()
    link = "/min-side/epost/bekreft/" + re.findall(r"/bekreft/([A-Za-z0-9_.-]+)", text)[0]
    post(kari, "/min-side", "/min-side/epost/fjern")
    answer_ = kari.get(link)
    assert (answer_.status_code, texts(answer_.text, "//h1")) == (410, ["Lenken virker ikke lenger"])


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("/min-side/mobil", "", "Skriv inn mobilnummeret ditt"),
        ("/min-side/mobil", "12", "Mobilnummeret må ha 8 siffer"),
        ("/min-side/mobil", "51 74 30 00", "Dette ser ut som et fasttelefonnummer"),
        ("/min-side/epost", "", "Skriv inn e-postadressen din"),
        ("/min-side/epost", "kari", "E-postadressen må ha krøllalfa"),
    ],
)
def test_what_cannot_be_an_address_is_told_in_words_and_stays_in_the_field(
    kari: FlaskClient, path: str, value: str, words: str
) -> None:
    answer_ = post(kari, path, value=value)
    assert answer_.status_code == 422
    assert texts(answer_.text, "//*[@id='feil']//li")[0].startswith(words)
    assert hidden(answer_.text, "value") == value


def test_a_second_code_within_a_minute_waits(kari: FlaskClient, settings: Settings) -> None:
    post(kari, "/min-side/mobil", value="98765432")
    again = post(kari, "/min-side/mobil/kode", "/min-side/mobil/ny-kode")
    assert again.headers["Location"] == "/min-side/mobil/kode"
    assert "Vent" in texts(kari.get("/min-side/mobil/kode").text, "//*[@role='status']")[0]
    assert len(list((settings.outbox_dir / "sms").iterdir())) == 1


def test_an_address_can_be_removed(kari: FlaskClient, session: Session, resident: Resident) -> None:
    contact(session, resident, ContactKind.EMAIL, "kari@example.com")
    post(kari, "/min-side/epost", "/min-side/epost/fjern")
    page = kari.get("/min-side").text
    assert texts(page, "//*[@role='status']") == ["Vi har fjernet e-postadressen din."]
    assert "kari@example.com" not in page


def test_the_file_holds_everything_and_neither_it_nor_the_page_shows_the_whole_national_id(
    kari: FlaskClient, session: Session, resident: Resident
) -> None:
    all_no(session, resident)
    contact(session, resident, ContactKind.EMAIL, "kari@example.com", is_confirmed=True)
    page = kari.get("/min-side/innsyn")
    assert national_id(1) not in page.text
    assert "kari@example.com" in page.text
    answer_ = kari.get("/min-side/innsyn/fil")
    assert answer_.headers["Content-Disposition"] == 'attachment; filename="innsyn.json"'
    assert answer_.headers["Cache-Control"] == "no-store"
    held = json.loads(answer_.data)
    assert held["person"]["national_id"] == national_id(1)[:6] + "*****"
    assert national_id(1).encode() not in answer_.data
    assert held["contact_points"][0]["value"] == "kari@example.com"
    assert {row["register"] for row in held["register_answers"]} == {"efaktura", "mailbox", "reservation"}
    events = session.scalars(select(AuditRecord.event)).all()
    assert AuditEvent.OWN_DATA_FETCHED in events


def test_the_log_says_who_did_what(kari: FlaskClient, session: Session, resident: Resident) -> None:
    now = Clock().now()
    subject = f"resident:{resident.public_id}"
    for actor, about in (("staff:ola", subject), ("x", "resident:another")):
        record(session, at=now, actor=actor, event=AuditEvent.ADDRESS_REMOVED, subject=about)
    session.commit()
    rows = texts(kari.get("/min-side/innsyn").text, "//table[caption='Hva som er gjort']//tbody/tr")
    assert len(rows) == 2
    assert "En ansatt hos oss" in rows[0]
    assert "ola" not in rows[0]
    assert "Du" in rows[1]


def test_everything_that_can_be_done_has_words(kari: FlaskClient, session: Session, resident: Resident) -> None:
    subject = f"resident:{resident.public_id}"
    for event in AuditEvent:
        record(session, at=Clock().now(), actor="delivery", event=event, subject=subject)
    session.commit()
    page = kari.get("/min-side/innsyn").text
    done = texts(page, "//table[caption='Hva som er gjort']//tbody/tr/td[2]")
    seen = texts(page, "//table[caption='Hvem som har sett opplysningene dine']//tbody/tr/td[2]")
    assert (len(done), len(seen)) == (len(AuditEvent) - len(VIEWS) + 1, len(VIEWS))
    assert all(done + seen)


def test_a_resident_sees_who_has_looked_on_the_page_and_in_the_file(
    kari: FlaskClient, session: Session, resident: Resident, clock: Clock
) -> None:
    assert "Ingen ansatte har sett på opplysningene dine." in kari.get("/min-side/innsyn").text
    for event, subject in (
        (AuditEvent.RESIDENT_VIEWED, f"resident:{resident.public_id}"),
        (AuditEvent.RESIDENT_VIEWED, "resident:another"),
    ):
        record(session, at=clock.now(), actor="staff:5a7d-ola", event=event, subject=subject)
    session.commit()
    page = kari.get("/min-side/innsyn").text
    rows = texts(page, "//table[caption='Hvem som har sett opplysningene dine']//tbody/tr")
    assert len(rows) == 1
    assert "En ansatt hos ossSå på opplysningene dine" in rows[0]
    assert "5a7d-ola" not in page
    held = json.loads(kari.get("/min-side/innsyn/fil").data)
    assert [(row["who"], row["event"]) for row in held["seen"]] == [("staff", "resident_viewed")]


def test_who_has_avtalegiro_reads_that_the_bank_pays(
    kari: FlaskClient, session: Session, resident: Resident, clock: Clock
) -> None:
    all_no(session, resident)
    invoice = add_invoice(session, resident, clock, 1)
    session.add(
        Mandate(account="12345678911", kid=invoice.kid, kid_key=invoice.kid, wants_notice=True,
                registered_at=clock.now(), updated_at=clock.now())
    )  # fmt: skip
    session.commit()
    assert lead(kari) == "Nå får du fakturaen som brev i posten. AvtaleGiro trekker beløpet på forfallsdatoen."


def test_the_bank_s_form_is_filled_in_and_its_way_back_proves_nothing(
    kari: FlaskClient, session: Session, resident: Resident, clock: Clock
) -> None:
    add_invoice(session, resident, clock, 1, kid="1234567897")
    add_invoice(session, resident, clock, 2, kid="1234567897")
    page = kari.get("/min-side/levering").text
    assert hidden(page, "kid") == "1234567897"
    assert hidden(page, "companyAccountNo") == "12345678911"
    form = {name: hidden(page, name) for name in ("kid", "companyAccountNo", "companyName", "returnUrl")}
    bank = kari.post("/sandbox/avtalegiro/ecsa/start", data=form)
    assert bank.status_code == 200
    back = kari.get("/min-side/levering?avtalegiro=tilbake&status=OK")
    assert "sier banken fra til oss" in back.text
    assert "Du har AvtaleGiro hos oss" not in back.text


def test_the_page_may_post_to_the_bank_and_nowhere_else(
    settings: Settings, session: Session, resident: Resident, clock: Clock
) -> None:
    for number in (1, 2):
        add_invoice(session, resident, clock, number, kid="1234567897")
    bank = "https://pvu.avtalegiro.no/ecsa/start"
    app = create_app(settings.model_copy(update={"avtalegiro_agreement_url": bank}))
    client = browser(app, lints=False)
    log_in(client, national_id(1))
    policy = client.get("/min-side/levering").headers["Content-Security-Policy"]
    assert "form-action 'self' https://pvu.avtalegiro.no;" in policy
    assert "form-action 'self';" in client.get("/min-side").headers["Content-Security-Policy"]
    with app.app_context():
        db.engine.dispose()


def test_a_form_sent_after_the_session_has_ended_is_answered_by_the_log_in(kari: FlaskClient, session: Session) -> None:
    now = session.scalars(select(StoredSession.seen_at)).one()
    session.execute(update(StoredSession).values(seen_at=now - dt.timedelta(minutes=31)))
    session.commit()
    answer_ = kari.post("/min-side/levering", data={"csrf_token": "old", "way": "letters"})
    assert (answer_.status_code, texts(answer_.text, "//h1")) == (401, ["Du er logget ut"])


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_pages_speak_the_resident_s_language(
    app: Flask, session: Session, settings: Settings, clock: Clock, language: str
) -> None:
    add_resident(session, settings, clock, 5, language=language)
    client = browser(app)
    log_in(client, national_id(5))
    title = {"nb": "Min side", "nn": "Mi side", "en": "My page"}[language]
    assert texts(client.get("/min-side").text, "//h1") == [title]


def test_a_very_long_name_and_address_break_nothing(
    app: Flask, session: Session, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    person = add_resident(session, settings, clock, 6)
    person.name, person.address_line_1 = "Å" * 200, "x" * 120
    session.commit()
    client = browser(app)
    log_in(client, national_id(6))
    for path in ("/min-side", "/min-side/innsyn", "/min-side/levering"):
        assert client.get(path).status_code == 200
