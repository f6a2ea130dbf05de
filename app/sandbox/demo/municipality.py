"""Writes the whole made-up municipality: one resident and one invoice at a time, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from app.sandbox.demo.badfiles import bad_invoice_files, bad_mandate_file
from app.sandbox.demo.bankfiles import ENCODING, MandateFile, Payment, PaymentFile, Registration
from app.sandbox.demo.checks import kid_mod10
from app.sandbox.demo.drafts import ACCOUNT, ISSUER, Document, Draft
from app.sandbox.demo.output import Places, whole_file, write_bytes
from app.sandbox.demo.pdf import BROKEN_PDF, invoice_pdf
from app.sandbox.demo.register import bad_rows, write_register
from app.sandbox.demo.residents import Resident, Town, kid_body, mandate_kid, registry_person
from app.sandbox.demo.stories import UNKNOWN_CUSTOMER, drafts
from app.sandbox.demo.tally import Tally, traits_of
from app.sandbox.demo.traits import KidStyle
from app.sandbox.demo.ubl import ubl
from app.sandbox.world import SERVICES, Faults, Person, ServiceFaults, write_world

OUR_BANK_CUSTOMER = "00102000"
FAULT_RATE = 0.05
Progress = Callable[[Iterable[Any], str, int], Iterable[Any]]


def silent(items: Iterable[Any], _label: str, _length: int) -> Iterable[Any]:
    """No progress shown."""
    return items


def write_municipality(
    town: Town, invoices: int, places: Places, *, has_faults: bool = False, progress: Progress = silent
) -> Tally:
    """Write all files of *town* with *invoices* invoices and credit notes in all; gives the counts.

    Files of the same name are replaced, each whole or not at all; others are left alone. Raises `OSError`.
    """
    tally = Tally()
    for folder in places.all():
        folder.mkdir(parents=True, exist_ok=True)
    _write_residents(town, places, tally, progress)
    people = progress(_people(town), "What registries know", town.residents)
    write_world(places.sandbox, people, some_faults(town) if has_faults else None)
    _write_invoices(town, invoices, places, tally, progress)
    return tally


def some_faults(town: Town) -> Faults:
    """Every service fails now and then, and for one person eFaktura refuses each time."""
    stubborn = town.resident(0).true_national_id
    services = {name: ServiceFaults(FAULT_RATE) for name in SERVICES}
    return Faults(seed=town.seed, services=services, people={stubborn: {"efaktura": "refuse"}})


def _people(town: Town) -> Iterator[Person]:
    """Organisations are in none of the three registries."""
    for number in range(town.residents):
        resident = town.resident(number)
        if not resident.traits.is_organisation:
            yield registry_person(resident, ISSUER, town.today)


def _write_residents(town: Town, places: Places, tally: Tally, progress: Progress) -> None:
    """The register, the complete list of mandates, and the changes that came after it."""
    with (
        whole_file(places.register / "residents.csv", "utf-8") as register,
        whole_file(places.mandates / "fbo-1-fullstendig.txt", ENCODING) as complete,
        whole_file(places.mandates / "fbo-2-endringer.txt", ENCODING) as changes,
        MandateFile(complete, customer=OUR_BANK_CUSTOMER, number=1, account=ACCOUNT, today=town.today) as old,
        MandateFile(changes, customer=OUR_BANK_CUSTOMER, number=2, account=ACCOUNT, today=town.today) as new,
    ):
        for resident in progress(write_register(register, town), "Residents and mandates", town.residents):
            tally.residents += 1
            tally.traits.update(traits_of(resident))
            tally.mandates += _write_mandate(resident, town, old, new)
        old.mandate(kid_mod10(kid_body(str(UNKNOWN_CUSTOMER), 0)), "J", Registration.COMPLETE_LIST)
    tally.bad_rows = len(bad_rows(town))
    write_bytes(places.mandates / "bad-79-tegn.txt", bad_mandate_file(town))
    tally.bad_files += 1


def _write_mandate(resident: Resident, town: Town, old: MandateFile, new: MandateFile) -> int:
    """Most are in the complete list; every tenth is new since, or changed its flag, and some have ended."""
    own = resident.traits
    if own.mandate is None:
        return 0
    kid, is_news = mandate_kid(resident, town.today), resident.number % 10 == 3
    if own.has_mandate_ended:
        old.mandate(kid, own.mandate, Registration.COMPLETE_LIST)
        new.mandate(kid, own.mandate, Registration.DELETED)
        return 0
    if is_news and resident.number % 20 == 3:
        old.mandate(kid, "N" if own.mandate == "J" else "J", Registration.COMPLETE_LIST)
    if is_news:
        new.mandate(kid, own.mandate, Registration.NEW_OR_CHANGED)
    else:
        old.mandate(kid, own.mandate, Registration.COMPLETE_LIST)
    return 1


def _write_invoices(town: Town, invoices: int, places: Places, tally: Tally, progress: Progress) -> None:
    """Invoices in their folders, payments for some of them, and the bad files."""
    for folder in ("sosial", "barnevern", "vedtak", "barnehage", "kommunale-avgifter"):
        (places.invoices / folder).mkdir(exist_ok=True)
    with (
        whole_file(places.payments / "ocr-1.txt", ENCODING) as out,
        PaymentFile(out, customer=OUR_BANK_CUSTOMER, number=3, account=ACCOUNT, today=town.today) as payments,
    ):
        for draft in progress(drafts(town, invoices), "Invoices", invoices):
            _write_invoice(draft, places.invoices, tally)
            _pay(draft, payments)
        payments.payment(Payment.GIRO, kid_mod10(kid_body(str(UNKNOWN_CUSTOMER), 1)), 12_345)
        tally.payments = payments.transactions
    for name, content in bad_invoice_files(town, invoices).items():
        write_bytes(places.invoices / name, content)
        tally.bad_files += 1


def _write_invoice(draft: Draft, folder: Path, tally: Tally) -> None:
    """The XML last, so that whoever sees it also sees its PDF."""
    path = folder / draft.fee.folder / f"{draft.number}.xml"
    if draft.document in (Document.BESIDE, Document.BROKEN_BESIDE):
        write_bytes(path.with_suffix(".pdf"), invoice_pdf(draft) if draft.document is Document.BESIDE else BROKEN_PDF)
        tally.pdf_files += 1
    write_bytes(path, ubl(draft))
    tally.invoices += not draft.credits
    tally.credit_notes += bool(draft.credits)
    tally.stories[draft.story] += 1
    tally.folders[draft.fee.folder or "(inbox)"] += 1


def _pay(draft: Draft, payments: PaymentFile) -> None:
    """Some pay before we have sent anything: in full, a half, or in full and then taken back."""
    if not draft.is_payable or draft.buyer.traits.kid_style is KidStyle.CUSTOMER:
        return  # a KID of the customer's own does not say which invoice is paid
    match draft.index % 200:
        case 39 | 79 | 119:
            payments.payment(Payment.GIRO, draft.kid, draft.amount_ore)
        case 159:
            payments.payment(Payment.WITH_TEXT, draft.kid, draft.amount_ore, "Betalt på servicetorget")
        case 199:
            payments.payment(Payment.TERMINAL, draft.kid, draft.amount_ore // 2)
        case 60:
            payments.payment(Payment.COUNTER, draft.kid, draft.amount_ore)
            payments.payment(Payment.REVERSED, draft.kid, draft.amount_ore)
