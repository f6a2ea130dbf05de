"""Drafts as EHF Billing 3 / Peppol BIS 3 XML: plain text with escaped values, since speed and fixed bytes matter."""

from __future__ import annotations

from base64 import b64encode
from xml.sax.saxutils import escape

from app.sandbox.demo.drafts import ISSUER, Document, Draft
from app.sandbox.demo.fees import Line, kroner, vat_groups
from app.sandbox.demo.pdf import BROKEN_PDF, invoice_pdf

CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:"
VAT_SCHEME = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
EXEMPTION = "Unntatt fra merverdiavgift etter merverdiavgiftsloven kapittel 3"
SPREADSHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUPPLIER = f"""<cac:AccountingSupplierParty><cac:Party>
<cbc:EndpointID schemeID="0192">{ISSUER}</cbc:EndpointID>
<cac:PartyName><cbc:Name>Strand kommune</cbc:Name></cac:PartyName>
<cac:PostalAddress><cbc:StreetName>Postboks 115</cbc:StreetName><cbc:CityName>Jørpeland</cbc:CityName>\
<cbc:PostalZone>4126</cbc:PostalZone><cac:Country><cbc:IdentificationCode>NO</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
<cac:PartyTaxScheme><cbc:CompanyID>NO{ISSUER}MVA</cbc:CompanyID>{VAT_SCHEME}</cac:PartyTaxScheme>
<cac:PartyLegalEntity><cbc:RegistrationName>Strand kommune</cbc:RegistrationName>\
<cbc:CompanyID schemeID="0192">{ISSUER}</cbc:CompanyID></cac:PartyLegalEntity>
</cac:Party></cac:AccountingSupplierParty>"""


def ubl(draft: Draft) -> bytes:
    """The document as UTF-8 XML, elements in the order of the UBL 2.1 schemas.

    A private person has no EndpointID, since Peppol has no address for one (channels.md §1.4).
    """
    kind = "CreditNote" if draft.credits else "Invoice"
    parts = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{NAMESPACE}{kind}-2"'
        f' xmlns:cac="{NAMESPACE}CommonAggregateComponents-2" xmlns:cbc="{NAMESPACE}CommonBasicComponents-2">',
        _heading(draft),
        _attachment(draft),
        SUPPLIER,
        _buyer(draft),
        "" if draft.credits else _payment(draft),
        _totals(draft),
        *(_line(place, line, draft) for place, line in enumerate(draft.lines, 1)),
        f"</{kind}>\n",
    ]
    return "\n".join(part for part in parts if part).encode()


def _heading(draft: Draft) -> str:
    """Everything before the parties; a credit note has no due date of its own."""
    due, code = f"<cbc:DueDate>{draft.due_on}</cbc:DueDate>", "<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>"
    credited = ""
    if draft.credits:
        due, code = "", "<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>"
        credited = (
            "<cac:BillingReference><cac:InvoiceDocumentReference>"
            f"<cbc:ID>{escape(draft.credits)}</cbc:ID></cac:InvoiceDocumentReference></cac:BillingReference>"
        )
    return (
        f"<cbc:CustomizationID>{CUSTOMIZATION}</cbc:CustomizationID><cbc:ProfileID>{PROFILE}</cbc:ProfileID>\n"
        f"<cbc:ID>{escape(draft.number)}</cbc:ID><cbc:IssueDate>{draft.issued_on}</cbc:IssueDate>{due}{code}"
        f"<cbc:Note>{escape(draft.fee.title)}</cbc:Note><cbc:DocumentCurrencyCode>NOK</cbc:DocumentCurrencyCode>"
        f"<cbc:AccountingCost>{draft.fee.accounting_cost}</cbc:AccountingCost>"
        f"<cbc:BuyerReference>{draft.customer_number}</cbc:BuyerReference>{credited}"
    )


def _attachment(draft: Draft) -> str:
    """The embedded document, if any: the invoice as PDF, something that only says so, or a spreadsheet."""
    match draft.document:
        case Document.EMBEDDED:
            name, kind, content = "faktura.pdf", "application/pdf", invoice_pdf(draft)
        case Document.BROKEN_EMBEDDED:
            name, kind, content = "faktura.pdf", "application/pdf", BROKEN_PDF
        case Document.SPREADSHEET:
            name, kind, content = "grunnlag.xlsx", SPREADSHEET_TYPE, b"PK\x03\x04 timeliste"
        case _:
            return ""
    return (
        f"<cac:AdditionalDocumentReference><cbc:ID>{escape(draft.number)}</cbc:ID><cac:Attachment>"
        f'<cbc:EmbeddedDocumentBinaryObject mimeCode="{kind}" filename="{name}">{b64encode(content).decode()}'
        "</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    )


def _buyer(draft: Draft) -> str:
    """The buyer: customer number for everyone, organisation number and VAT-free legal entity for organisations.

    Every third organisation comes with its organisation number alone.
    """
    buyer = draft.buyer
    is_organisation = buyer.traits.is_organisation
    endpoint = f'<cbc:EndpointID schemeID="0192">{buyer.national_id}</cbc:EndpointID>' if is_organisation else ""
    identification = f"<cac:PartyIdentification><cbc:ID>{draft.customer_number}</cbc:ID></cac:PartyIdentification>"
    if is_organisation and buyer.number % 3 == 0 and draft.customer_number == buyer.customer_number:
        identification = ""
    street = f"<cbc:StreetName>{escape(buyer.address.street)}</cbc:StreetName>" if buyer.address.street else ""
    city = f"<cbc:CityName>{escape(buyer.address.city)}</cbc:CityName>" if buyer.address.city else ""
    zone = f"<cbc:PostalZone>{escape(buyer.address.postal_code)}</cbc:PostalZone>" if buyer.address.postal_code else ""
    company = f'<cbc:CompanyID schemeID="0192">{buyer.national_id}</cbc:CompanyID>' if is_organisation else ""
    return (
        f"<cac:AccountingCustomerParty><cac:Party>{endpoint}{identification}"
        f"<cac:PartyName><cbc:Name>{escape(buyer.name)}</cbc:Name></cac:PartyName>"
        f"<cac:PostalAddress>{street}{city}{zone}<cac:Country><cbc:IdentificationCode>{buyer.country or 'NO'}"
        "</cbc:IdentificationCode></cac:Country></cac:PostalAddress>"
        f"<cac:PartyLegalEntity><cbc:RegistrationName>{escape(buyer.name)}</cbc:RegistrationName>{company}"
        "</cac:PartyLegalEntity></cac:Party></cac:AccountingCustomerParty>"
    )


def _payment(draft: Draft) -> str:
    """Account and KID; code 30 is a credit transfer."""
    return (
        "<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>"
        f"<cbc:PaymentID>{draft.kid}</cbc:PaymentID><cac:PayeeFinancialAccount><cbc:ID>{draft.account}</cbc:ID>"
        "</cac:PayeeFinancialAccount></cac:PaymentMeans>"
    )


def _category(rate: int, *, name: str, reason: str = "") -> str:
    """A VAT category: S for a rate, E with its reason for what is exempt (EN 16931 BR-E-10)."""
    code = "S" if rate else "E"
    return f"<cac:{name}><cbc:ID>{code}</cbc:ID><cbc:Percent>{rate}</cbc:Percent>{reason}{VAT_SCHEME}</cac:{name}>"


def _money(element: str, amount_ore: int) -> str:
    return f'<cbc:{element} currencyID="NOK">{kroner(amount_ore)}</cbc:{element}>'


def _totals(draft: Draft) -> str:
    """VAT per rate and the document's sums, which add up as EN 16931 BR-CO-10 to BR-CO-16 ask."""
    groups = vat_groups(draft.lines)
    net, vat = sum(net for net, _ in groups.values()), sum(vat for _, vat in groups.values())
    reason = f"<cbc:TaxExemptionReason>{EXEMPTION}</cbc:TaxExemptionReason>"
    subtotals = "".join(
        f"<cac:TaxSubtotal>{_money('TaxableAmount', taxable)}{_money('TaxAmount', tax)}"
        f"{_category(rate, name='TaxCategory', reason='' if rate else reason)}</cac:TaxSubtotal>"
        for rate, (taxable, tax) in groups.items()
    )
    prepaid = _money("PrepaidAmount", draft.prepaid_ore) if draft.prepaid_ore else ""
    return (
        f"<cac:TaxTotal>{_money('TaxAmount', vat)}{subtotals}</cac:TaxTotal>\n"
        f"<cac:LegalMonetaryTotal>{_money('LineExtensionAmount', net)}{_money('TaxExclusiveAmount', net)}"
        f"{_money('TaxInclusiveAmount', net + vat)}{prepaid}{_money('PayableAmount', net + vat - draft.prepaid_ore)}"
        "</cac:LegalMonetaryTotal>"
    )


def _line(place: int, line: Line, draft: Draft) -> str:
    """One line; the price is never below zero, a refund has a quantity that is."""
    kind, quantity = ("CreditNoteLine", "CreditedQuantity") if draft.credits else ("InvoiceLine", "InvoicedQuantity")
    return (
        f'<cac:{kind}><cbc:ID>{place}</cbc:ID><cbc:{quantity} unitCode="EA">{line.quantity}</cbc:{quantity}>'
        f"{_money('LineExtensionAmount', line.amount_ore)}<cac:Item><cbc:Name>{escape(line.text)}</cbc:Name>"
        f"{_category(line.vat, name='ClassifiedTaxCategory')}</cac:Item>"
        f"<cac:Price>{_money('PriceAmount', line.price_ore)}</cac:Price></cac:{kind}>"
    )
