"""Small EHF files, OCR giro files and PDFs made to order; every value is made up."""

from __future__ import annotations

import base64
import io

from pypdf import PdfWriter

SUPPLIER = "946485764"
ACCOUNT = "86011117947"
KID = "1234567897"  # mod10


def line(name: str = "Vann og avløp", amount: str = "1000.00", root: str = "Invoice", price: str = "500") -> str:
    quantity = "InvoicedQuantity" if root == "Invoice" else "CreditedQuantity"
    return (
        f"<cac:{root}Line><cbc:ID>1</cbc:ID><cbc:{quantity} unitCode='EA'>2</cbc:{quantity}>"
        f"<cbc:LineExtensionAmount currencyID='NOK'>{amount}</cbc:LineExtensionAmount>"
        f"<cac:Item><cbc:Name>{name}</cbc:Name><cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent>"
        "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:ClassifiedTaxCategory></cac:Item>"
        f"<cac:Price><cbc:PriceAmount currencyID='NOK'>{price}</cbc:PriceAmount></cac:Price></cac:{root}Line>"
    )


def means(kid: str = KID, account: str = ACCOUNT, code: str = "30", due: str = "") -> str:
    due_on = f"<cbc:PaymentDueDate>{due}</cbc:PaymentDueDate>" if due else ""
    payment_id = f"<cbc:PaymentID>{kid}</cbc:PaymentID>" if kid else ""
    payee = f"<cac:PayeeFinancialAccount><cbc:ID>{account}</cbc:ID></cac:PayeeFinancialAccount>" if account else ""
    return (
        f"<cac:PaymentMeans><cbc:PaymentMeansCode>{code}</cbc:PaymentMeansCode>{due_on}{payment_id}{payee}"
        "</cac:PaymentMeans>"
    )


def attachment(
    content: bytes, name: str = "faktura.pdf", reference: str = "Faktura", media: str = "application/pdf"
) -> str:
    return (
        f"<cac:AdditionalDocumentReference><cbc:ID>{reference}</cbc:ID><cac:Attachment>"
        f"<cbc:EmbeddedDocumentBinaryObject mimeCode='{media}' filename='{name}'>{base64.b64encode(content).decode()}"
        "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    )


_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<{root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0</cbc:CustomizationID>
<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>
<cbc:ID>{number}</cbc:ID><cbc:IssueDate>{issued}</cbc:IssueDate>{due_on}
<cbc:{root}TypeCode>{code}</cbc:{root}TypeCode>
{notes}
<cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>{accounting_cost}
<cbc:BuyerReference>ref</cbc:BuyerReference>{billing}{attachments}
<cac:AccountingSupplierParty><cac:Party><cac:PartyName><cbc:Name>Strand kommune</cbc:Name></cac:PartyName>
<cac:PostalAddress><cbc:StreetName>Postboks 115</cbc:StreetName><cbc:CityName>Jørpeland</cbc:CityName>
<cbc:PostalZone>4126</cbc:PostalZone></cac:PostalAddress>
<cac:PartyLegalEntity><cbc:CompanyID schemeID="0192">{supplier}</cbc:CompanyID></cac:PartyLegalEntity>
</cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party>{identification}
<cac:PartyName><cbc:Name>{name}</cbc:Name></cac:PartyName>
<cac:PostalAddress><cbc:StreetName>Strandgata 1</cbc:StreetName><cbc:CityName>Jørpeland</cbc:CityName>
<cbc:PostalZone>4100</cbc:PostalZone></cac:PostalAddress>
<cac:PartyLegalEntity><cbc:RegistrationName>{name}</cbc:RegistrationName>{company}</cac:PartyLegalEntity>
</cac:Party></cac:AccountingCustomerParty>
{payments}{terms}
<cac:TaxTotal><cbc:TaxAmount currencyID="NOK">250.00</cbc:TaxAmount><cac:TaxSubtotal>
<cbc:TaxableAmount currencyID="NOK">1000.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="NOK">250.00</cbc:TaxAmount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>25</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="NOK">1000.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="NOK">1000.00</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="NOK">1250.00</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="{currency}">{amount}</cbc:PayableAmount></cac:LegalMonetaryTotal>
{all_lines}
</{root}>"""


def ehf(
    number: str = "F-1",
    *,
    root: str = "Invoice",
    issued: str = "2026-11-20",
    due: str = "2026-12-20",
    currency: str = "NOK",
    amount: str = "1250.00",
    buyer: str = "100001",
    buyer_company: str = "",
    supplier: str = SUPPLIER,
    cost: str = "",
    original: str = "",
    attachments: str = "",
    payment: str | None = None,
    terms: str = "",
    lines: str | None = None,
    note: str = "",
    name: str = "Kari Nordmann",
) -> bytes:
    """One document, valid by its schema unless a value makes it not."""
    return _DOCUMENT.format(
        root=root,
        number=number,
        issued=issued,
        currency=currency,
        amount=amount,
        supplier=supplier,
        name=name,
        attachments=attachments,
        terms=terms,
        code="380" if root == "Invoice" else "381",
        due_on=_wrapped(due if root == "Invoice" else "", "cbc:DueDate"),
        notes=_wrapped(note, "cbc:Note"),
        accounting_cost=_wrapped(cost, "cbc:AccountingCost"),
        billing=_wrapped(original, "cac:BillingReference", "cac:InvoiceDocumentReference", "cbc:ID"),
        identification=_wrapped(buyer, "cac:PartyIdentification", "cbc:ID"),
        company=f'<cbc:CompanyID schemeID="0192">{buyer_company}</cbc:CompanyID>' if buyer_company else "",
        payments=means() if payment is None else payment,
        all_lines=line(root=root) if lines is None else lines,
    ).encode()


def _wrapped(text: str, *names: str) -> str:
    if not text:
        return ""
    return "".join(f"<{name}>" for name in names) + text + "".join(f"</{name}>" for name in reversed(names))


def pdf(pages: int = 1, password: str = "") -> bytes:
    """A PDF of empty A4 pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    if password:
        writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def ocr(*payments: tuple[str, int, str], account: str = ACCOUNT) -> bytes:
    """An OCR giro file with these payments: KID, øre (below 0: sign ``-``), transaction type."""
    lines = ["NY000010" + "00008080" + "1234567" + "00001234".ljust(57, "0")]
    lines.append("NY090020" + "001008566" + "0000001" + account + "0" * 45)
    for number, (kid, amount_ore, kind) in enumerate(payments, 1):
        sign = "-" if amount_ore < 0 else "0"
        first = f"NY09{kind}30{number:07}241126" + "00" + "00" + "0" + "00000" + sign
        lines.append(f"{first}{abs(amount_ore):017}{kid:>25}000000")
        lines.append(f"NY09{kind}31{number:07}" + "0" * 10 + "0" * 9 + "0" * 7 + "241126" + "99990512341" + "0" * 22)
    count, total = len(payments), sum(amount for _, amount, _ in payments)
    records = 2 * count + 2
    dates = "241126"
    lines.append(f"NY090088{count:08}{records:08}{abs(total):017}{dates * 3}".ljust(80, "0"))
    lines.append(f"NY000089{count:08}{records + 2:08}{abs(total):017}{dates}".ljust(80, "0"))
    return ("\n".join(lines) + "\n").encode("iso-8859-1")
