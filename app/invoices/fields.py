"""Where in a UBL document each value lies, and how to fetch many of them in one call into libxml2.

In each table a field's default *is* its XPath. All paths of a table are joined into one compiled expression, which
is several times faster than asking for them one by one. Values come with blanks normalised, so a line break can
part them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

from lxml import etree

NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}

Texts = TypeVar("Texts", bound=NamedTuple)

_SUPPLIER = "cac:AccountingSupplierParty/cac:Party"
_BUYER = "cac:AccountingCustomerParty/cac:Party"
_LEGAL_NUMBER = "cac:PartyLegalEntity/cbc:CompanyID"
_PAYABLE = "cac:LegalMonetaryTotal/cbc:PayableAmount"


class HeadTexts(NamedTuple):
    """What the database keeps, from the root element. The payment fields are those of the first PaymentMeans."""

    number: str = "cbc:ID"
    issued_on: str = "cbc:IssueDate"
    due_on: str = "cbc:DueDate"
    terms_due_on: str = "cac:PaymentTerms/cbc:PaymentDueDate"
    currency: str = "cbc:DocumentCurrencyCode"
    accounting_cost: str = "cbc:AccountingCost"
    original_number: str = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"
    payable: str = _PAYABLE
    payable_currency: str = f"{_PAYABLE}/@currencyID"
    supplier_legal_number: str = f"{_SUPPLIER}/{_LEGAL_NUMBER}[not(@schemeID) or @schemeID='0192']"
    supplier_endpoint: str = f"{_SUPPLIER}/cbc:EndpointID[@schemeID='0192']"
    supplier_vat_number: str = f"{_SUPPLIER}/cac:PartyTaxScheme[cac:TaxScheme/cbc:ID='VAT']/cbc:CompanyID"
    buyer_customer_number: str = f"{_BUYER}/cac:PartyIdentification/cbc:ID[not(@schemeID)]"
    buyer_identification: str = f"{_BUYER}/cac:PartyIdentification/cbc:ID"
    buyer_legal_number: str = f"{_BUYER}/{_LEGAL_NUMBER}[@schemeID='0192']"
    means_count: str = "count(cac:PaymentMeans)"
    means_code: str = "cac:PaymentMeans/cbc:PaymentMeansCode"
    kid: str = "cac:PaymentMeans/cbc:PaymentID"
    account: str = "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID"
    means_due_on: str = "cac:PaymentMeans/cbc:PaymentDueDate"
    attachment_count: str = "count(cac:AdditionalDocumentReference/cac:Attachment/cbc:EmbeddedDocumentBinaryObject)"


class BodyTexts(NamedTuple):
    """What only the letter shows, from the root element."""

    order_reference: str = "cbc:BuyerReference"
    period_starts_on: str = "cac:InvoicePeriod/cbc:StartDate"
    period_ends_on: str = "cac:InvoicePeriod/cbc:EndDate"
    payment_terms: str = "cac:PaymentTerms/cbc:Note"
    excluding_tax: str = "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount"
    including_tax: str = "cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount"
    prepaid: str = "cac:LegalMonetaryTotal/cbc:PrepaidAmount"
    rounding: str = "cac:LegalMonetaryTotal/cbc:PayableRoundingAmount"
    allowance: str = "cac:LegalMonetaryTotal/cbc:AllowanceTotalAmount"
    charge: str = "cac:LegalMonetaryTotal/cbc:ChargeTotalAmount"
    # A second TaxTotal without subtotals holds the same sum in another currency.
    tax: str = "cac:TaxTotal[cac:TaxSubtotal or not(../cac:TaxTotal/cac:TaxSubtotal)]/cbc:TaxAmount"


class PartyTexts(NamedTuple):
    """Supplier or buyer, from its ``cac:Party``."""

    name: str = "cac:PartyName/cbc:Name"
    legal_name: str = "cac:PartyLegalEntity/cbc:RegistrationName"
    street: str = "cac:PostalAddress/cbc:StreetName"
    second_street: str = "cac:PostalAddress/cbc:AdditionalStreetName"
    third_street: str = "cac:PostalAddress/cac:AddressLine/cbc:Line"
    postal_code: str = "cac:PostalAddress/cbc:PostalZone"
    city: str = "cac:PostalAddress/cbc:CityName"
    country: str = "cac:PostalAddress/cac:Country/cbc:IdentificationCode"


class MeansTexts(NamedTuple):
    """One ``cac:PaymentMeans``."""

    code: str = "cbc:PaymentMeansCode"
    kid: str = "cbc:PaymentID"
    account: str = "cac:PayeeFinancialAccount/cbc:ID"
    due_on: str = "cbc:PaymentDueDate"


class LineTexts(NamedTuple):
    """One ``cac:InvoiceLine`` or ``cac:CreditNoteLine``."""

    name: str = "cac:Item/cbc:Name"
    description: str = "cac:Item/cbc:Description"
    quantity: str = "cbc:InvoicedQuantity | cbc:CreditedQuantity"
    unit: str = "(cbc:InvoicedQuantity | cbc:CreditedQuantity)/@unitCode"
    unit_price: str = "cac:Price/cbc:PriceAmount"
    base_quantity: str = "cac:Price/cbc:BaseQuantity"
    amount: str = "cbc:LineExtensionAmount"
    vat_percent: str = "cac:Item/cac:ClassifiedTaxCategory/cbc:Percent"


class TaxTexts(NamedTuple):
    """One ``cac:TaxSubtotal``."""

    percent: str = "cac:TaxCategory/cbc:Percent"
    taxable: str = "cbc:TaxableAmount"
    tax: str = "cbc:TaxAmount"


def _fetcher(table: type[Texts]) -> Callable[[Any], Texts]:
    paths = ", '\n', ".join(f"normalize-space({path})" for path in cast(Any, table)._field_defaults.values())
    fetch = cast(Callable[[Any], str], etree.XPath(f"concat({paths})", namespaces=NAMESPACES, smart_strings=False))
    make = cast(Callable[[list[str]], Texts], cast(Any, table)._make)

    def texts(element: Any) -> Texts:
        return make(fetch(element).split("\n"))

    return texts


def _finder(path: str) -> Callable[[Any], list[Any]]:
    return cast(Callable[[Any], list[Any]], etree.XPath(path, namespaces=NAMESPACES, smart_strings=False))


head_texts = _fetcher(HeadTexts)
body_texts = _fetcher(BodyTexts)
party_texts = _fetcher(PartyTexts)
means_texts = _fetcher(MeansTexts)
line_texts = _fetcher(LineTexts)
tax_texts = _fetcher(TaxTexts)

find_suppliers = _finder(_SUPPLIER)
find_buyers = _finder(_BUYER)
find_means = _finder("cac:PaymentMeans")
find_notes = _finder("cbc:Note/text()")
find_lines = _finder("cac:InvoiceLine | cac:CreditNoteLine")
find_taxes = _finder("cac:TaxTotal/cac:TaxSubtotal")
find_attachments = _finder("cac:AdditionalDocumentReference[cac:Attachment/cbc:EmbeddedDocumentBinaryObject]")
