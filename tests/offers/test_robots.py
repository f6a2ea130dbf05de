"""Programs that read mail open every link, again and again, and some send every form: nothing comes of it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.campaigns.models import OfferAnswer, OfferMail
from app.core.database import Base
from tests.campaigns.office import Office
from tests.offers.situations import SITUATIONS
from tests.portal.people import browser, hidden
from tests.web.conftest import texts

OPENINGS: tuple[tuple[str, dict[str, str]], ...] = (
    ("GET", {}), ("HEAD", {}), ("OPTIONS", {}), ("GET", {"Sec-Purpose": "prefetch", "Purpose": "prefetch"}),
)  # fmt: skip
# Sessions are kept, and uses counted, without anything being said about an offer.
BESIDE = {"stored_session", "throttle", "alembic_version"}


def everything(office: Office) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that says anything."""
    found = {
        table.name: sorted((tuple(row) for row in office.session.execute(select(table))), key=repr)
        for table in Base.metadata.sorted_tables
        if table.name not in BESIDE
    }
    office.session.commit()
    return found


def unsubscribe_path(office: Office) -> str:
    """The link of the newest mail to be asked no more."""
    public_id = office.session.scalars(select(OfferMail.public_id).order_by(OfferMail.id.desc())).first()
    return f"/avmeld/{office.links.unsubscribe_token(public_id or '')}"


@pytest.mark.parametrize(("name", "times"), [(name, 100 if name == "fresh" else len(OPENINGS)) for name in SITUATIONS])
def test_opening_every_link_a_hundred_times_in_every_way_changes_nothing(
    office: Office, app: Flask, name: str, times: int
) -> None:
    path = f"/efaktura/{SITUATIONS[name][0](office)}"
    paths = [path, f"{path}?endre=1", f"{path}?answer=yes&svar=ja", unsubscribe_path(office)]
    before, asked = everything(office), len(office.provider.requests)
    robot = browser(app, lints=False)
    for number in range(times):
        method, headers = OPENINGS[number % len(OPENINGS)]
        for one in paths:
            assert robot.open(one, method=method, headers=headers).status_code < 500
    assert everything(office) == before
    assert len(office.provider.requests) == asked


def test_a_program_that_sends_the_form_without_choosing_changes_nothing(office: Office, app: Flask) -> None:
    path = f"/efaktura/{SITUATIONS['fresh'][0](office)}"
    before, robot = everything(office), browser(app)
    for _ in range(10):
        page = robot.get(path)
        form = {"csrf_token": hidden(page.text, "csrf_token")}
        assert robot.post(path, data=form).status_code == 422
        assert robot.post(path, data={}).status_code == 400, "without the page's token it is not even read"
    assert everything(office) == before
    assert office.provider.requests == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused(office: Office, app: Flask, method: str) -> None:
    token = SITUATIONS["fresh"][0](office)
    assert browser(app).open(f"/efaktura/{token}", method=method).status_code == 405


def test_one_press_of_a_mail_program_is_enough_to_be_asked_no_more(office: Office, app: Flask) -> None:
    SITUATIONS["fresh"][0](office)
    path, program = unsubscribe_path(office), browser(app)
    for _ in range(2):
        answer = program.post(path, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, texts(answer.text, "//h1")) == (200, ["Du får ikke flere e-poster om eFaktura"])
    (offer,) = office.offers()
    assert offer.unsubscribed_at is not None
    assert offer.answer is OfferAnswer.UNSUBSCRIBED


def test_a_person_is_shown_a_button_first(office: Office, app: Flask) -> None:
    SITUATIONS["fresh"][0](office)
    path, person = unsubscribe_path(office), browser(app)
    page = person.get(path)
    assert texts(page.text, "//main//button") == ["Ikke send meg flere"]
    assert office.offers()[0].unsubscribed_at is None
    done = person.post(path, data={"csrf_token": hidden(page.text, "csrf_token")})
    assert texts(done.text, "//h1") == ["Du får ikke flere e-poster om eFaktura"]
    assert office.offers()[0].unsubscribed_at is not None


def test_a_link_to_answer_is_none_to_be_asked_no_more_nor_the_other_way_round(office: Office, app: Flask) -> None:
    token = SITUATIONS["fresh"][0](office)
    client = browser(app)
    other = unsubscribe_path(office).removeprefix("/avmeld/")
    for answer in (client.post(f"/avmeld/{token}"), client.get(f"/avmeld/{token}"), client.get(f"/efaktura/{other}")):
        assert (answer.status_code, texts(answer.text, "//h1")) == (404, ["Lenken virker ikke"])
    assert office.offers()[0].unsubscribed_at is None
