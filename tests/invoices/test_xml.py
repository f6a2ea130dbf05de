"""Files that a stranger may have written."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.invoices import schema
from app.invoices.ehf import parse_invoice, same_content
from app.invoices.problems import InvoiceUnreadable
from app.invoices.xml import DTD_REASON
from tests.invoices.builders import ehf

BILLION_LAUGHS = (
    "<!DOCTYPE a [<!ENTITY l0 'lol'>"
    + "".join(f"<!ENTITY l{level} '{f'&l{level - 1};' * 10}'>" for level in range(1, 10))
    + "]><a {attribute}>{text}</a>"
)


def refusal(data: bytes) -> str:
    with pytest.raises(InvoiceUnreadable) as caught:
        parse_invoice(data, "bad.xml")
    assert all(problem.source == "bad.xml" for problem in caught.value.problems)
    return caught.value.problems[0].reason


def test_a_truncated_file_says_that_it_is_cut_off_and_where() -> None:
    with pytest.raises(InvoiceUnreadable) as caught:
        parse_invoice(ehf()[:1500], "bad.xml")
    (problem,) = caught.value.problems
    assert problem.row is not None
    assert problem.row > 1
    assert problem.reason == "the file ends too early: it is cut off"


@pytest.mark.parametrize("length", range(120, len(ehf()), 123))
def test_wherever_a_file_is_cut_it_says_so(length: int) -> None:
    assert refusal(ehf()[:length]) == "the file ends too early: it is cut off"


@pytest.mark.parametrize(
    "bomb",
    [
        BILLION_LAUGHS.format(attribute="", text="&l9;"),
        BILLION_LAUGHS.format(attribute='b="&l9;"', text=""),
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x.dtd'> %x;]><a/>",
    ],
    ids=["expanding text", "expanding attribute", "external DTD", "external entity", "parameter entity"],
)
def test_a_file_with_a_document_type_is_refused_unexpanded(bomb: str) -> None:
    assert refusal(bomb.encode()) == DTD_REASON
    assert refusal(f"<?xml version='1.0' encoding='UTF-16'?>{bomb}".encode("utf-16")) == DTD_REASON


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"Dette er ikke XML", "the file is not XML"),
        (b"%PDF-1.7 \x00\x01", "the file is not XML"),
        (b"<a>\x00</a>", "the bytes are not in the encoding that the file declares"),
        (b"<a><b></a></b>", "the file is not well-formed XML (libxml2 error 76)"),
        (b"<a>" * 5000, "elements lie too deep, or one text is too large (libxml2's own limits)"),
        (b"<a/>", "the file is neither a UBL 2.1 Invoice nor a CreditNote"),
    ],
)
def test_rubbish_is_refused_with_its_own_reason(data: bytes, reason: str) -> None:
    assert refusal(data) == reason


def test_latin_1_bytes_under_a_utf_8_declaration_are_refused() -> None:
    wrong = ehf(name="Kåre Æsøy").decode().encode("iso-8859-1")
    assert refusal(wrong) == "the bytes are not in the encoding that the file declares"


def test_any_encoding_that_is_declared_rightly_is_read() -> None:
    text = ehf(name="Kåre Æsøy").decode()
    for declared, codec in (("UTF-16", "utf-16"), ("ISO-8859-1", "iso-8859-1"), ("UTF-8", "utf-8-sig")):
        data = text.replace('encoding="UTF-8"', f'encoding="{declared}"').encode(codec)
        assert parse_invoice(data, "x.xml").buyer.name == "Kåre Æsøy"


def test_an_element_out_of_place_is_named_with_its_line() -> None:
    with pytest.raises(InvoiceUnreadable) as caught:
        parse_invoice(ehf().replace(b"<cbc:ID>F-1</cbc:ID>", b""), "bad.xml")
    problem = caught.value.problems[0]
    row = ehf().split(b"<cbc:IssueDate>")[0].count(b"\n") + 1
    assert (problem.row, problem.field) == (row, "IssueDate")
    assert "Expected is" in problem.reason


def test_no_value_of_the_file_reaches_the_reason() -> None:
    secret = "15076500565"  # shaped like a national id
    with pytest.raises(InvoiceUnreadable) as caught:
        parse_invoice(ehf(issued=secret), "bad.xml")
    assert secret not in str(caught.value)
    assert caught.value.problems[0].field == "IssueDate"


def test_layout_and_comments_make_no_other_content_but_a_value_does() -> None:
    plain = ehf()
    laid_out = plain.replace(b"><", b">\r\n   <").replace(b"<cbc:ID>F-1", b"<!-- made again --><cbc:ID>F-1")
    other_prefix = plain.replace(b"cbc:", b"b:").replace(b"xmlns:cbc", b"xmlns:b")
    assert same_content(plain, laid_out)
    assert same_content(plain, other_prefix)
    assert not same_content(plain, ehf(amount="1250.01"))


def test_schemas_are_built_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, most = 0, 0

    class Building:
        def __init__(self, _tree: object) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            time.sleep(0.02)
            under_way -= 1

    monkeypatch.setattr("app.invoices.schema.etree.XMLSchema", Building)
    schema._built.cache_clear()
    try:
        tags = [schema.INVOICE_ROOT, schema.CREDIT_NOTE_ROOT] * 4
        with ThreadPoolExecutor(8) as threads:
            built = set(threads.map(schema._schema, tags))
    finally:
        schema._built.cache_clear()
    assert (len(built), most) == (2, 1)
