"""Every state of an offer's link has its own page and status, and says no more than what happened."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.campaigns.models import AgreementState, OfferAnswer, OfferMail
from app.residents.models import Resident
from tests.campaigns.office import DOWN, Office
from tests.offers.situations import SITUATIONS, expired, wished
from tests.portal.people import hidden
from tests.web.conftest import texts

QUESTION = "Få fakturaen fra Strand kommune som eFaktura"


def link(office: Office, address: str | None = None, **values: object) -> str:
    """The path of a new offer's link."""
    return f"/efaktura/{office.offer(office.resident(address, **values))}"


def title(answer: TestResponse) -> str:
    return texts(answer.text, "//h1")[0]


def reply(client: FlaskClient, path: str, said: str) -> TestResponse:
    """Choose, press, and follow to the page that comes of it."""
    page = client.get(path)
    question = page if 'name="answer"' in page.text else client.get(f"{path}?endre=1")
    form: dict[str, Any] = {"csrf_token": hidden(question.text, "csrf_token"), "answer": said}
    answer = client.post(path, data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    return client.get(path)


def press(client: FlaskClient, page: str, path: str) -> TestResponse:
    """Press the button on *page* that posts to *path*."""
    return client.post(path, data={"csrf_token": hidden(client.get(page).text, "csrf_token")})


def test_the_question_names_first_name_and_masked_address_alone_and_nothing_is_chosen(
    office: Office, reader: FlaskClient
) -> None:
    answer = reader.get(link(office, "kari.nordmann@example.com"))
    assert (answer.status_code, title(answer)) == (200, QUESTION)
    assert "Kari" in answer.text
    assert "k***@example.com" in answer.text
    assert not re.search("Nordmann|kari.nordmann|K1<|Utsikten", answer.text)
    assert "checked" not in answer.text
    assert texts(answer.text, "//fieldset//label") == [
        "Ja, slå på eFaktura", "Nei takk, jeg vil ha det som nå", "E-posten er ikke til meg",
    ]  # fmt: skip
    assert "andre som sender eFaktura" in answer.text, "the consent is general, and says so"


def test_no_page_of_a_link_is_kept_found_or_told_to_others(office: Office, reader: FlaskClient) -> None:
    path = link(office)
    for answer in (reader.get(path), reader.get("/efaktura/rubbish"), reader.get("/avmeld/rubbish")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Referrer-Policy"] == "same-origin"


def test_a_yes_waits_for_the_provider_and_then_is_on(office: Office, reader: FlaskClient) -> None:
    path = link(office)
    answer = reply(reader, path, "yes")
    assert (answer.status_code, title(answer)) == (202, "Vi holder på å slå på eFaktura")
    assert "slått på på" not in answer.text
    assert len(office.provider.requests) == 1


def test_pressing_yes_twice_is_one_request(office: Office, reader: FlaskClient) -> None:
    path = link(office)
    token = hidden(reader.get(path).text, "csrf_token")
    for _ in range(2):
        assert reader.post(path, data={"csrf_token": token, "answer": "yes"}).status_code == 303
    assert len(office.provider.requests) == 1


def test_a_provider_that_is_down_is_told_of_and_loses_nothing(office: Office, reader: FlaskClient) -> None:
    office.provider.replies = [DOWN]
    answer = reply(reader, link(office), "yes")
    assert (answer.status_code, title(answer)) == (202, "Vi får ikke kontakt med banken nå")
    assert "Svaret ditt er lagret." in answer.text
    assert [agreement.state for agreement in office.agreements()] == [AgreementState.REQUESTED]


def test_a_no_can_be_undone(office: Office, reader: FlaskClient) -> None:
    path = link(office)
    answer = reply(reader, path, "no")
    assert (answer.status_code, title(answer)) == (200, "Greit, vi endrer ingenting")
    assert office.agreements() == []
    again = reader.get(texts_of_href(answer, "Angre – jeg vil ha eFaktura likevel", path))
    assert title(again) == QUESTION
    assert "checked" not in again.text, "a program that follows links and sends forms still answers nothing"
    assert title(reply(reader, path, "yes")) == "Vi holder på å slå på eFaktura"


def texts_of_href(answer: TestResponse, words: str, path: str) -> str:
    """Where the link with these *words* leads."""
    found = re.search(rf'href="([^"]+)">{words}<', answer.text)
    assert found
    assert found[1].startswith(path)
    return found[1]


def test_a_no_after_the_provider_has_the_yes_is_too_late_and_told_so(office: Office, reader: FlaskClient) -> None:
    path = link(office)
    token = hidden(reader.get(path).text, "csrf_token")
    reply(reader, path, "yes")
    reader.post(path, data={"csrf_token": token, "answer": "no"})
    answer = reader.get(path)
    assert texts(answer.text, "//*[@role='status']") == [
        "Det er for sent å si nei her. Du kan slå av eFaktura i nettbanken."
    ]
    assert title(answer) == "Vi holder på å slå på eFaktura"


def test_not_me_stops_the_address_and_names_nobody(office: Office, reader: FlaskClient) -> None:
    path = link(office)
    answer = reply(reader, path, "not_me")
    assert (answer.status_code, title(answer)) == (200, "Takk for at du sa fra")
    assert "Kari" not in answer.text
    assert office.offers()[0].answer is OfferAnswer.NOT_ME


def test_without_a_choice_nothing_happens_and_the_field_says_what_to_do(office: Office, reader: FlaskClient) -> None:
    path = link(office)
    answer = press(reader, path, path)
    assert (answer.status_code, texts(answer.text, "//*[@id='feil']//li")) == (
        422, ["Velg om du vil ha eFaktura eller ikke"],
    )  # fmt: skip
    strange = reader.post(path, data={"csrf_token": hidden(answer.text, "csrf_token"), "answer": "unsubscribed"})
    assert strange.status_code == 422
    assert (office.offers()[0].answer, office.agreements()) == (None, [])


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_state_has_its_own_page_and_status_and_names_nobody_it_need_not(
    office: Office, reader: FlaskClient, name: str
) -> None:
    make, status, heading = SITUATIONS[name]
    answer = reader.get(f"/efaktura/{make(office)}")
    assert (answer.status_code, title(answer)) == (status, heading)
    assert name in {"fresh"} or "Kari" not in answer.text
    assert "Nordmann" not in answer.text
    assert "@example.com" not in answer.text.replace("k***@example.com", "")


def test_whoever_has_the_link_of_a_guide_is_shown_how_and_can_check(office: Office, reader: FlaskClient) -> None:
    path = f"/efaktura/{wished(office)}"
    assert "Logg inn i nettbanken" in reader.get(path).text
    resident = office.session.scalars(select(Resident)).one()
    for takes, words in (({}, "Vi ser ikke eFaktura hos deg ennå."), ({str(resident.id): "EF1"}, "Det virker.")):
        office.provider.takes = takes
        answer = press(reader, path, f"{path}/sjekk")
        assert answer.headers["Location"] == path
        assert texts(reader.get(path).text, "//*[@role='status']")[0].startswith(words)
    assert title(reader.get(path)) == "eFaktura er slått på"


def test_an_answer_that_cannot_be_had_is_told_as_such_and_checking_has_an_end(
    office: Office, reader: FlaskClient
) -> None:
    path = f"/efaktura/{wished(office)}"
    office.provider.is_down = True
    heard = []
    for _ in range(6):
        press(reader, path, f"{path}/sjekk")
        heard.append(texts(reader.get(path).text, "//*[@role='status']")[0])
    assert heard[0] == "Vi fikk ikke svar fra banken nå. Prøv igjen om en time."
    assert heard[-1] == "Du har sjekket mange ganger nå. Prøv igjen om en time."


def test_where_the_bank_switches_it_on_the_question_promises_no_more(guided: Office, reader: FlaskClient) -> None:
    answer = reader.get(link(guided))
    assert texts(answer.text, "//fieldset//label")[0] == "Ja, vis meg hvordan"
    assert "her viser vi deg hvordan" in texts(answer.text, "//p[@class='lead']")[0]


@pytest.mark.parametrize("name", ["expired", "replaced", "unknown", "fresh"])
def test_a_new_link_is_asked_for_with_the_same_answer_whatever_the_link(
    office: Office, reader: FlaskClient, name: str
) -> None:
    token = SITUATIONS[name][0](office)
    csrf = hidden(reader.get(f"/efaktura/{expired(office)}").text, "csrf_token")
    answer = reader.post(f"/efaktura/{token}/ny-lenke", data={"csrf_token": csrf})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/efaktura/ny-lenke")
    assert title(reader.get("/efaktura/ny-lenke")) == "Se etter en ny e-post"
    assert len(office.new_links.sent) == (name in ("expired", "replaced"))


@pytest.mark.parametrize(
    "path", ["/efaktura", "/efaktura/", "/efaktura/rubbish", "/efaktura/a/b/c", "/efaktura/" + "x" * 5000]
)
def test_half_a_link_is_told_what_to_do(office: Office, reader: FlaskClient, path: str) -> None:
    answer = reader.get(path)
    assert (answer.status_code, title(answer)) == (404, "Lenken virker ikke")
    assert "Logg inn på Min side" in answer.text


def test_the_page_speaks_the_mail_s_language_unless_another_is_chosen(office: Office, reader: FlaskClient) -> None:
    path = link(office)
    for mail in office.session.scalars(select(OfferMail)):
        mail.language = "nn"
    office.session.commit()
    assert 'lang="nn"' in reader.get(path).text
    assert 'lang="en"' in reader.get(f"{path}?lang=en").text


def test_somebody_without_a_first_name_is_greeted_all_the_same(office: Office, reader: FlaskClient) -> None:
    resident = office.resident()
    token = office.offer(resident)
    resident.name = "Nordmann,"
    office.session.commit()
    assert "Hei. Med eFaktura" in texts(reader.get(f"/efaktura/{token}").text, "//p[@class='lead']")[0]
