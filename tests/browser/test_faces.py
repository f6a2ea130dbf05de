"""Every public page can be used by everyone: no barrier that axe-core knows, no sideways scrolling, no complaint."""

from __future__ import annotations

import pytest

from tests.browser.conftest import FORCED, Reader, Visit, faces, screenshots

PAGES = {
    "front": "/",
    "privacy": "/personvern",
    "accessibility": "/tilgjengelighet",
    "not-found": "/finnes-ikke",
    "failed": "/feil/500",
    "components": "/galleri",
}
IN_BOKMAL_ONLY = {"components"}


@pytest.mark.parametrize("visit", faces(FORCED), ids=str, indirect=True)
def test_no_page_has_a_barrier_or_scrolls_sideways(reader: Reader, visit: Visit) -> None:
    folder = screenshots()
    for name, path in PAGES.items():
        if visit.language != "nb" and name in IN_BOKMAL_ONLY:
            continue
        page = reader.open(path)
        if folder:
            page.screenshot(path=folder / f"{name}-{visit}.png", full_page=True)
        assert reader.barriers() == [], path
        assert reader.overflow() <= 0, path


@pytest.mark.parametrize("visit", [Visit("nb", "light", 1280), Visit("nb", "dark", 320)], ids=str, indirect=True)
def test_errors_and_opened_parts_have_no_barrier_either(reader: Reader, visit: Visit) -> None:
    page = reader.open("/galleri")
    for summary in page.query_selector_all("summary"):
        summary.click()
    page.get_by_role("button", name="Lagre valget").click()
    folder = screenshots()
    if folder:
        page.screenshot(path=folder / f"errors-{visit}.png", full_page=True)
    assert page.locator("[aria-invalid]").count() > 0
    assert reader.barriers() == []
    assert reader.overflow() <= 0


@pytest.mark.parametrize("visit", [Visit(width=640)], ids=str, indirect=True)
def test_text_of_double_size_fits(reader: Reader) -> None:
    for path in PAGES.values():
        page = reader.open(path)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert reader.overflow() <= 0, path


@pytest.mark.parametrize("visit", [Visit(has_javascript=False), Visit()], ids=str, indirect=True)
def test_a_form_works_with_and_without_javascript(reader: Reader) -> None:
    page = reader.open("/galleri")
    page.get_by_label("Mobilnummer").fill("41 23")
    page.get_by_role("button", name="Lagre valget").click()
    assert page.title().startswith("Feil: ")
    assert page.locator("#feil").evaluate("box => box === document.activeElement"), "the errors are read first"
    page.get_by_role("link", name="Mobilnummeret må ha 8 siffer").click()
    page.get_by_label("Mobilnummer").fill("41234567")
    page.get_by_label("Kode").fill("123456")
    page.get_by_label("Bruk den første måten").check()
    page.get_by_label("Personen sa").check()
    page.get_by_role("button", name="Lagre valget").click()
    assert page.get_by_role("status").inner_text() == "Valget er lagret."


def test_a_line_of_the_errors_puts_the_reader_in_its_field(reader: Reader) -> None:
    page = reader.open("/galleri")
    page.get_by_role("button", name="Lagre valget").click()
    page.get_by_role("link", name="Velg hvordan du vil ha fakturaen").click()
    assert page.evaluate("document.activeElement.id") == "way-0"


def test_a_second_press_does_not_send_twice(reader: Reader) -> None:
    page = reader.open("/galleri")
    button = page.get_by_role("button", name="Lagre valget")
    reader.requests.clear()
    with page.expect_navigation():
        button.evaluate("button => { button.click(); button.click(); }")
    assert [address for address in reader.requests if address.endswith("/galleri")] == [f"{reader.address}/galleri"]


def test_the_keyboard_alone_reaches_the_content_and_the_language(reader: Reader) -> None:
    page = reader.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Hopp til hovedinnhold"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "innhold"
    page.get_by_role("link", name="English").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("heading", level=1).inner_text() == "How you get your invoice"


def test_the_page_wears_its_own_typeface_and_asks_nobody_else(reader: Reader) -> None:
    page = reader.open("/")
    assert page.evaluate("document.fonts.check('16px Inter') && [...document.fonts].some(f => f.status === 'loaded')")
    assert all(address.startswith(reader.address) for address in reader.requests)
    assert len(reader.requests) <= 10


def test_the_policy_stops_what_a_stranger_writes_into_a_page(reader: Reader) -> None:
    page = reader.open("/")
    page.evaluate("""() => {
        window.ran = false;
        const script = document.createElement('script');
        script.append('window.ran = true');
        document.body.append(script);
    }""")
    assert page.evaluate("window.ran") is False
    assert reader.complaints, "the browser says so"
    reader.complaints.clear()
