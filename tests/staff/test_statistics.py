"""The statistics page: every figure from the summary tables, by the filters in the address, small groups hidden."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from app.core.database import db
from app.delivery.statistics_models import InvoiceCount, RefusalCount, ResidentCount
from app.staff import charts
from app.staff.charts import Drawing
from app.staff.statistics_tables import TABLES
from tests.staff.statistics_support import LAST, fill_a_year, invoices
from tests.web.conftest import texts

PAGE = "/ansatt/statistikk"


@pytest.fixture(autouse=True)
def pencil(monkeypatch: pytest.MonkeyPatch) -> list[Drawing]:
    """A drawing program that only remembers what it was asked for."""
    asked: list[Drawing] = []

    def draw(drawings: list[Drawing]) -> list[str]:
        asked.extend(drawings)
        return ['<svg role="img" aria-label="x"></svg>' for _ in drawings]

    monkeypatch.setattr(charts, "_draw", draw)
    return asked


def cells(page: str, key: str) -> list[list[str]]:
    """The table under the heading *key*, row by row."""
    row = f"//section[@aria-labelledby='{key}']//tbody/tr"
    count = len(texts(page, row))
    return [[*texts(page, f"({row})[{place}]/*")] for place in range(1, count + 1)]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_page_says_what_is_in_the_tables(statistician: FlaskClient, session: Session) -> None:
    fill_a_year(session)
    page = statistician.get(PAGE).text
    assert texts(page, "//h1") == ["Statistikk for fakturakanaler"]
    assert "Sist oppdatert 24. november 2026 kl. 06.00" in page
    assert [plain(text) for text in texts(page, "//dl[@class='key-figures']//dd")] == [
        "69,8 %", "37,3 %", "850", "kr 887 138",
    ]  # fmt: skip
    assert [[plain(cell) for cell in row] for row in cells(page, "kanaler")][-2:] == [
        ["Brev i posten", "20 064", "30,2 %"], ["Sum", "66 480", "100 %"],
    ]  # fmt: skip
    assert len(cells(page, "utvikling")) == 12
    assert cells(page, "kontakt")[0][:1] == ["Mobilnummer"]
    assert [plain(cell) for cell in cells(page, "avtaler")[-1]] == ["november 2026", "1 940", "2 360"]
    assert cells(page, "holdt")[-1] == ["Beskyttet adresse", "færre enn 5"]
    assert cells(page, "avvist")[0] == ["E-post", "550 5.1.1", "med en gang", "84"]
    assert texts(page, "//section//h2") == [
        "Nøkkeltall", "Slik får innbyggerne fakturaen", "Utvikling måned for måned", "Dette har vi spart (anslag)",
        "Så mange kan vi nå", "Avtaler om eFaktura og AvtaleGiro", "Fra e-post til eFaktura",
        "Fakturaer som venter på en saksbehandler", "Fakturaer som ikke ble tatt imot",
    ]  # fmt: skip


def test_months_and_category_are_chosen_in_the_address(statistician: FlaskClient, session: Session) -> None:
    fill_a_year(session)
    page = statistician.get(f"{PAGE}?fra=2026-10&til=2026-11&kategori=barnehage").text
    assert [row[0] for row in cells(page, "utvikling")] == ["oktober 2026", "november 2026"]
    assert plain(cells(page, "kanaler")[-1][1]) == "1 000"
    assert texts(page, "//select/option[@selected]") == ["oktober 2026", "november 2026", "Barnehage"]
    link = "/ansatt/statistikk/kanaler.csv?fra=2026-10&amp;til=2026-11&amp;kategori=barnehage"
    assert link in page


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("", "desember 2025", "november 2026"),
        ("?fra=2026-11&til=2026-09", "september 2026", "november 2026"),
        ("?fra=1900-01&til=2099-12", "desember 2025", "november 2026"),
        ("?fra=2026-13&til=%3Cscript%3E&kategori=nope", "desember 2025", "november 2026"),
    ],
)
def test_whatever_is_asked_for_a_period_is_shown(
    statistician: FlaskClient, session: Session, asked: str, first: str, last: str
) -> None:
    fill_a_year(session)
    page = statistician.get(PAGE + asked).text
    assert [cells(page, "utvikling")[place][0] for place in (0, -1)] == [first, last]


def test_without_figures_the_page_says_so(statistician: FlaskClient) -> None:
    page = statistician.get(PAGE).text
    assert texts(page, "//p[@class='empty']") == ["Vi har ingen tall for denne perioden."]
    assert "Tallene er ikke regnet ut ennå" in page


def test_one_empty_section_says_so_beside_the_others(statistician: FlaskClient, session: Session) -> None:
    session.add(invoices(LAST, 90, channel="paper"))
    session.commit()
    page = statistician.get(PAGE).text
    assert cells(page, "kanaler")[-1][1] == "90"
    assert len(texts(page, "//p[@class='empty']")) == 5


def test_savings_count_letters_that_were_sent_beside_a_claim_too(statistician: FlaskClient, session: Session) -> None:
    session.add(invoices(LAST, 100, channel="paper"))
    session.add(invoices(LAST, 50, channel="avtalegiro"))
    session.add(invoices(LAST, 10, channel="avtalegiro", notice_channel="paper"))
    session.commit()
    row = [plain(cell) for cell in cells(statistician.get(PAGE).text, "spart")[-1]]
    # 160 at 22 kr, less 100 at 22, 60 claims at 1.50 and 10 notices at 22.
    assert row == ["Sum", "160", "110", "50", "kr 1 010"]


def shrunk(session: Session, to: int) -> None:
    """Every small group in the tables gets *to* members."""
    for model in (InvoiceCount, RefusalCount, ResidentCount):
        session.execute(update(model).where(model.count < 5).values(count=to))
    session.commit()


def everything_shown(client: FlaskClient) -> list[str]:
    """Pages and files for several periods and categories, which somebody could subtract from each other."""
    filters = ["", "?fra=2026-11&til=2026-11", "?fra=2026-10&til=2026-11", "?kategori=barnehage", "?kategori=default"]
    pages = [re.sub('name="csrf_token" value="[^"]+"', "", client.get(PAGE + chosen).text) for chosen in filters]
    return pages + [client.get(f"{PAGE}/{key}.csv{chosen}").text for key in TABLES for chosen in filters]


def test_the_size_of_a_small_group_changes_nothing_that_is_shown(
    statistician: FlaskClient, session: Session, pencil: list[Drawing]
) -> None:
    fill_a_year(session)
    session.add(invoices(LAST, 2, category="barnevern", channel="vipps"))
    session.add(invoices(202610, 3, category="barnehage", channel="avtalegiro", notice_channel="paper"))
    session.add(RefusalCount(month=LAST, category="barnehage", channel="email", detail="x", is_late=False, count=4))
    session.add(ResidentCount(month=LAST, mobile="none", email="confirmed", efaktura="yes", count=3))
    session.commit()
    shrunk(session, 4)
    with_four = everything_shown(statistician)
    drawn = len(pencil)
    shrunk(session, 1)
    assert everything_shown(statistician) == with_four
    assert len(pencil) == drawn, "the charts are the same ones"
    assert "færre enn 5" in with_four[0]


def test_a_figure_made_of_small_groups_alone_says_only_what_it_is_less_than(
    statistician: FlaskClient, session: Session
) -> None:
    session.add(invoices(LAST, 90, channel="paper"))
    session.add(invoices(LAST, 4, channel="vipps"))
    session.add(invoices(202610, 4, channel="email"))
    session.add(invoices(LAST, 3, channel="email", category="barnehage"))
    session.commit()
    shown = {row[0]: row[1] for row in cells(statistician.get(PAGE).text, "kanaler")}
    assert (shown["Vipps"], shown["E-post"], shown["eFaktura"]) == ("færre enn 5", "færre enn 9", "0")
    assert shown["Sum"] == "96"


def test_the_page_says_when_sums_are_about_right_only(statistician: FlaskClient, session: Session) -> None:
    note = "Små grupper er skjult. Derfor kan summene avvike litt."
    session.add(invoices(LAST, 90, channel="paper"))
    session.commit()
    assert note not in statistician.get(PAGE).text
    session.add(invoices(LAST, 4, channel="vipps"))
    session.commit()
    assert note in statistician.get(PAGE).text


def test_a_page_without_charts_has_its_figures_all_the_same(
    statistician: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "_draw", lambda _drawings: [])
    fill_a_year(session)
    page = statistician.get(PAGE).text
    assert "<figure" not in page
    assert plain(cells(page, "kanaler")[-1][1]) == "66 480"


def test_the_page_asks_the_database_as_often_for_any_number_of_groups(
    app: Flask, statistician: FlaskClient, session: Session
) -> None:
    def queries() -> int:
        asked: list[str] = []

        def hear(*arguments: object) -> None:
            asked.append(str(arguments[2]))

        event.listen(db.engine, "before_cursor_execute", hear)
        assert statistician.get(PAGE).status_code == 200
        event.remove(db.engine, "before_cursor_execute", hear)
        return len(asked)

    statistician.get(PAGE)
    before = queries()
    fill_a_year(session)
    assert queries() == before


def test_the_charts_are_drawn_once_for_each_state_of_the_figures(
    statistician: FlaskClient, session: Session, pencil: list[Drawing]
) -> None:
    fill_a_year(session)
    statistician.get(PAGE)
    drawn = len(pencil)
    assert drawn == 16
    statistician.get(PAGE)
    assert len(pencil) == drawn
    session.add(invoices(LAST, 500, channel="vipps", category="ny"))
    session.commit()
    statistician.get(PAGE)
    assert drawn < len(pencil) < 2 * drawn, "only the charts that changed"


def test_everyone_in_a_role_may_see_it_and_nobody_else(
    reader: FlaskClient, statistician: FlaskClient, caseworker: FlaskClient, operator: FlaskClient
) -> None:
    for path in (PAGE, f"{PAGE}/kanaler.csv"):
        for client in (statistician, caseworker, operator):
            assert client.get(path).status_code == 200
        assert reader.get(path).status_code == 302


def test_the_charts_say_their_words_as_data(pencil: list[Drawing], statistician: FlaskClient, session: Session) -> None:
    fill_a_year(session)
    statistician.get(f"{PAGE}?lang=en")
    told = json.dumps([drawing.title for drawing in pencil])
    assert "How residents get the invoice" in told
