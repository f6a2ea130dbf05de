from __future__ import annotations

import base64
from itertools import permutations

import httpx
import pytest

from app.clients.eformidling_contract import Kind, State, strongest
from app.clients.exchange import CallFailed
from app.clients.http import Witness
from app.clients.rules import Judgement, Verdict
from tests.clients.access_point import MESSAGE, MESSAGE_ID, AccessPoint, a_message, capabilities, error, statuses
from tests.clients.fakes import answer

DEMAND = Witness("demand", "17")
LOST = httpx.ReadTimeout("no answer")
NOBODY = httpx.ConnectError("nobody there")


def sent(point: AccessPoint) -> Judgement:
    return point.client.send(a_message(), DEMAND)


# Handing over


def test_a_letter_is_created_attached_and_sent() -> None:
    point = AccessPoint()
    assert sent(point).verdict is Verdict.ACCEPTED
    assert point.steps == ["create", "attach", "send"]
    create, attach, send = point.told.requests
    [document] = point.told.bodies("/api/messages/out")
    header = document["standardBusinessDocumentHeader"]
    assert header["sender"][0]["identifier"]["value"] == "0192:946485764"
    assert header["receiver"] == [{"identifier": {"value": "13857410038", "authority": "iso6523-actorid-upis"}}]
    assert header["documentIdentification"] == {
        "standard": "urn:no:difi:digitalpost:xsd:digital::digital",
        "typeVersion": "1.0",
        "instanceIdentifier": MESSAGE_ID,
        "type": "digital",
    }
    [scope] = header["businessScope"]["scope"]
    assert scope["identifier"] == "urn:no:difi:profile:digitalpost:vedtak:ver1.0"
    assert document["digital"] == {"hoveddokument": "faktura-17.pdf"}
    assert attach.content == b"%PDF-1.7"
    assert attach.headers["Content-Type"] == "application/pdf"
    assert attach.headers["Content-Disposition"] == 'attachment; name="faktura-17.pdf"; filename="faktura-17.pdf"'
    assert send.url.path == attach.url.path == MESSAGE
    assert create.headers["Authorization"] == "Basic " + base64.b64encode(b"user:pass word").decode()


def test_without_a_national_id_no_receiver_is_named() -> None:
    point = AccessPoint()
    point.client.send(a_message(kind=Kind.PRINT, receiver=None, content={}), DEMAND)
    [document] = point.told.bodies("/api/messages/out")
    assert "receiver" not in document["standardBusinessDocumentHeader"]
    assert "print" in document


def test_a_message_created_but_not_sent_is_continued_under_the_same_id() -> None:
    point = AccessPoint(
        create=error("MessageAlreadyExistsException"),
        attach=error("DuplicateFilenameException"),
        statuses=statuses("OPPRETTET"),
    )
    assert sent(point).verdict is Verdict.ACCEPTED
    assert point.steps == ["create", "statuses", "attach", "send"]


@pytest.mark.parametrize("words", [("SENDT",), ("OPPRETTET", "SENDT", "MOTTATT"), ("LEVERT", "OPPRETTET")])
def test_a_message_that_is_on_its_way_is_not_sent_again(words: tuple[str, ...]) -> None:
    point = AccessPoint(create=error("MessageAlreadyExistsException"), statuses=statuses(*words))
    assert sent(point).verdict is Verdict.ACCEPTED
    assert point.steps == ["create", "statuses"]


def test_a_message_that_failed_meanwhile_leads_on() -> None:
    point = AccessPoint(create=error("MessageAlreadyExistsException"), statuses=statuses("SENDT", "FEIL"))
    assert sent(point).verdict is Verdict.REFUSED


def test_a_message_whose_life_ran_out_counts_as_taken_so_that_its_receipt_gives_it_a_new_id() -> None:
    point = AccessPoint(create=error("MessageAlreadyExistsException"), statuses=statuses("OPPRETTET", "LEVETID_UTLOPT"))
    assert sent(point) == Judgement(Verdict.ACCEPTED, "LEVETID_UTLOPT")
    late = AccessPoint(send=error("TimeToLiveException"), statuses=statuses("OPPRETTET", "LEVETID_UTLOPT"))
    assert sent(late) == Judgement(Verdict.ACCEPTED, "LEVETID_UTLOPT")


def test_an_existing_message_that_cannot_be_asked_about_is_uncertain() -> None:
    point = AccessPoint(create=error("MessageAlreadyExistsException"), statuses=NOBODY)
    assert sent(point).verdict is Verdict.UNCERTAIN


@pytest.mark.parametrize(
    ("answered", "verdict", "needs_alarm"),
    [
        (error("MissingAddressInformationException"), Verdict.REFUSED, False),
        (error("ReceiverDoNotAcceptProcessException"), Verdict.REFUSED, False),
        (error("ReceiverDoNotAcceptDocumentStandard"), Verdict.REFUSED, False),
        (error("ServiceNotEnabledException"), Verdict.UNAVAILABLE, True),
        (error("ConstraintViolationException"), Verdict.UNAVAILABLE, True),
        (answer(400, "not an error of theirs"), Verdict.UNAVAILABLE, True),
        (answer(401), Verdict.UNAVAILABLE, True),
        (answer(403), Verdict.UNAVAILABLE, True),
        (answer(404), Verdict.UNAVAILABLE, True),
        (answer(429, headers={"Retry-After": "7"}), Verdict.UNAVAILABLE, False),
        (answer(500), Verdict.UNAVAILABLE, False),
        (answer(503), Verdict.UNAVAILABLE, False),
        (LOST, Verdict.UNAVAILABLE, False),
        (NOBODY, Verdict.UNAVAILABLE, False),
    ],
)
def test_before_the_last_step_only_a_refusal_of_the_recipient_leads_on_and_nothing_is_uncertain(
    answered: httpx.Response | Exception, verdict: Verdict, needs_alarm: bool
) -> None:
    judgement = sent(AccessPoint(create=answered))
    assert (judgement.verdict, judgement.needs_alarm) == (verdict, needs_alarm)


def test_a_request_to_wait_is_passed_on() -> None:
    judgement = sent(AccessPoint(create=answer(429, headers={"Retry-After": "7"})))
    assert judgement.retry_after is not None
    assert judgement.retry_after.total_seconds() == 7


@pytest.mark.parametrize("answered", [LOST, NOBODY, answer(500), error("MissingFileTitleException")])
def test_a_letter_that_could_not_be_attached_has_surely_not_left(answered: httpx.Response | Exception) -> None:
    point = AccessPoint(attach=answered)
    assert sent(point).verdict is Verdict.UNAVAILABLE
    assert "send" not in point.steps


@pytest.mark.parametrize(
    ("answered", "verdict"),
    [(LOST, Verdict.UNCERTAIN), (answer(500), Verdict.UNCERTAIN), (NOBODY, Verdict.UNAVAILABLE),
     (answer(401), Verdict.UNAVAILABLE), (error("MissingPrimaryDocumentException"), Verdict.UNAVAILABLE)],
)  # fmt: skip
def test_a_lost_answer_to_the_last_step_is_uncertain(answered: httpx.Response | Exception, verdict: Verdict) -> None:
    assert sent(AccessPoint(send=answered)).verdict is verdict


@pytest.mark.parametrize("answered", [answer(404), error("MessageAlreadyExistsException")])
@pytest.mark.parametrize(
    ("words", "verdict"),
    [(("SENDT",), Verdict.ACCEPTED), (("OPPRETTET",), Verdict.UNCERTAIN), ((), Verdict.UNAVAILABLE)],
)
def test_when_the_message_is_past_the_last_step_its_state_says_what_came_of_it(
    answered: httpx.Response, words: tuple[str, ...], verdict: Verdict
) -> None:
    assert sent(AccessPoint(send=answered, statuses=statuses(*words))).verdict is verdict


# Capabilities


def test_the_mailbox_is_asked_for_by_the_process_that_honours_reservation() -> None:
    point = AccessPoint(capabilities=capabilities("digital"))
    assert point.client.reaches("13857410038", Kind.DIGITAL).verdict is Verdict.ACCEPTED
    [request] = point.told.requests
    assert request.url.params["process"] == "urn:no:difi:profile:digitalpost:vedtak:ver1.0"


@pytest.mark.parametrize(
    "answered",
    [capabilities("print"), capabilities(), answer(200, {"capabilities": []}),
     capabilities("digital", process="urn:no:difi:profile:digitalpost:info:ver1.0")],
)  # fmt: skip
def test_who_can_only_be_sent_paper_is_refused(answered: httpx.Response) -> None:
    point = AccessPoint(capabilities=answered)
    assert point.client.reaches("13857410038", Kind.DIGITAL).verdict is Verdict.REFUSED


@pytest.mark.parametrize("answered", [LOST, NOBODY, answer(500), answer(401), answer(200, []), answer(200, {})])
def test_a_question_without_an_answer_is_not_a_no(answered: httpx.Response | Exception) -> None:
    point = AccessPoint(capabilities=answered)
    judgement = point.client.reaches("13857410038", Kind.DIGITAL)
    assert judgement.verdict is Verdict.UNAVAILABLE
    assert "13857410038" not in judgement.detail


# States


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), None),
        (("OPPRETTET",), State.CREATED),
        (("OPPRETTET", "SENDT", "LEVERT", "MOTTATT"), State.DELIVERED),
        (("LEVERT", "FEIL"), State.FAILED),
        (("LEVERT", "LEVETID_UTLOPT"), State.DELIVERED),
        (("SENDT", "LEVETID_UTLOPT"), State.EXPIRED),
        (("LEVERT", "LEST"), State.READ),
        (("sendt", "levert"), State.DELIVERED),
        (("SENDT", "SOMETHING_NEW"), State.SENT),
    ],
)
def test_the_last_word_is_the_strongest_one_in_any_order(words: tuple[str, ...], expected: State | None) -> None:
    for order in permutations(words):
        assert AccessPoint(statuses=statuses(*order)).client.state(MESSAGE_ID) is expected


def test_every_state_has_its_place() -> None:
    assert all(strongest([state]) is state for state in State)


def test_the_page_of_statuses_is_asked_for_in_full() -> None:
    point = AccessPoint()
    point.client.state(MESSAGE_ID)
    assert point.told.requests[0].url.params["size"] == "1000"


def test_statuses_of_other_messages_say_nothing() -> None:
    point = AccessPoint(statuses=statuses("FEIL", message_id="another"))
    assert point.client.state(MESSAGE_ID) is None


def test_an_unknown_message_has_no_state() -> None:
    assert AccessPoint(statuses=answer(404)).client.state(MESSAGE_ID) is None


@pytest.mark.parametrize("answered", [answer(200, {}), answer(200, {"content": [1]}), answer(500), answer(401), LOST])
def test_a_state_that_cannot_be_read_is_not_an_unknown_message(answered: httpx.Response | Exception) -> None:
    with pytest.raises(CallFailed):
        AccessPoint(statuses=answered).client.state(MESSAGE_ID)


def test_neither_receiver_nor_letter_shows_in_a_repr() -> None:
    assert "13857410038" not in repr(a_message())
    assert "%PDF" not in repr(a_message())
