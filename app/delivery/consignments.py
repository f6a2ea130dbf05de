"""Parcels made into what a channel takes: only the personal data that the channel needs is read and decrypted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.contract import Address, Consignment, Recipient
from app.core.crypto import NationalIdUnreadable, NationalIdVault
from app.core.settings import Settings
from app.delivery.models import Part
from app.delivery.parcels import Parcel
from app.invoices.letter_texts import letter_texts
from app.registries.models import Register, RegistryAnswer
from app.residents.models import ContactKind, ContactPoint, Resident
from app.routing.channels import Channel, Kind
from app.routing.policy import Claim

log = structlog.get_logger(__name__)

# These get no PDF: the bank fetches it when the resident opens the invoice.
FETCHED = frozenset({Channel.EFAKTURA, Channel.VIPPS})
NO_ADDRESS = Address("", "", "", "", "", "")


@dataclass(frozen=True, slots=True)
class Letter:
    """A document ready to leave: its bytes, and the row it is kept under. ``lines``: the bank's notice, 80 wide."""

    pdf: bytes = field(default=b"", repr=False)
    sha256: str = ""
    document_id: int | None = None
    lines: tuple[str, ...] = ()


NO_LETTER = Letter()


class Letters(Protocol):
    """Makes the documents of a group; keeps them in the session's transaction, and does not commit."""

    def make(self, session: Session, parcels: Sequence[Parcel]) -> Mapping[int, Letter]:
        """The letter of each parcel, by the id of its delivery."""
        ...


@dataclass(slots=True)
class Consignments:
    """Makes consignments. ``vault`` opens national ids for the channels that must have them; ``link`` gives the address
    at which a bank fetches the PDF of an invoice, by its public id."""

    session: Session
    settings: Settings
    vault: NationalIdVault
    link: Callable[[str], str]

    def recipients(self, channel: Channel, parcels: Sequence[Parcel]) -> Mapping[int, Recipient]:
        """Whom each parcel goes to, by the id of its delivery; without those whose national id cannot be opened."""
        secrets, providers = self._secrets(channel, parcels), self._mailbox_providers(channel, parcels)
        return {
            parcel.delivery.id: self._recipient(
                channel, parcel.resident, secret, providers.get(parcel.invoice.resident_id or 0)
            )
            for parcel in parcels
            if (secret := secrets.get(parcel.invoice.resident_id or 0, "")) is not None
        }

    def fill(
        self, parcels: Sequence[Parcel], recipients: Mapping[int, Recipient], letters: Mapping[int, Letter]
    ) -> None:
        """Give each parcel its consignment, for the attempt that it has open."""
        for parcel in parcels:
            letter = letters.get(parcel.delivery.id, NO_LETTER)
            parcel.consignment = self._consignment(parcel, recipients[parcel.delivery.id], letter)

    def _consignment(self, parcel: Parcel, recipient: Recipient, letter: Letter) -> Consignment:
        invoice, attempt = parcel.invoice, parcel.attempt
        if attempt is None:
            raise ValueError("a consignment is made for an open attempt")
        # A notice shows nothing that could be paid a second time; only eFaktura needs it, to say who draws the money.
        is_payable = not attempt.is_notice or attempt.channel is Channel.EFAKTURA
        return Consignment(
            key=attempt.key,
            number=invoice.number,
            kind=invoice.kind.value,
            witness_kind=witness_kind(parcel),
            recipient=recipient,
            amount_ore=invoice.amount_ore,
            due_on=invoice.due_on,
            kid=invoice.kid if is_payable else None,
            account=invoice.account if is_payable else None,
            subject=self.subject(parcel, recipient.language),
            issuer_name=self.settings.municipality_name,
            pdf=letter.pdf,
            pdf_sha256=letter.sha256,
            claim_type=(parcel.plan.claim or Claim.PAYEE_NOTIFIES.value) if parcel.is_claim else None,
            is_cancellation=attempt.is_cancellation,
            pays_by_avtalegiro=attempt.is_notice and attempt.channel is Channel.EFAKTURA,
            is_resend=attempt.resent,
            lines=letter.lines,
            presentation_url=self.link(invoice.public_id) if attempt.channel in FETCHED else "",
            opened_at=attempt.opened_at,
        )

    def subject(self, parcel: Parcel, language: str) -> str:
        """What stands on the outside: nothing of what the invoice is for."""
        texts = letter_texts(language)
        word = texts["credit_note" if parcel.invoice.kind is Kind.CREDIT_NOTE else "invoice"]
        return f"{word} {parcel.invoice.number}, {self.settings.municipality_name}"

    def _recipient(
        self, channel: Channel, resident: Resident | None, secret: str, mailbox_provider: str | None
    ) -> Recipient:
        if resident is None:
            return Recipient("", "", self.settings.default_language, NO_ADDRESS)
        has_address = channel in (Channel.PAPER, Channel.MAILBOX)
        return Recipient(
            customer_number=resident.customer_number,
            name=resident.name,
            language=resident.language,
            address=_address(resident) if has_address else NO_ADDRESS,
            national_id=secret or None if channel in (Channel.MAILBOX, Channel.PAPER) else None,
            mobile=secret or None if channel is Channel.VIPPS else None,
            email=secret or None if channel is Channel.EMAIL else None,
            efaktura_identifier=secret or None if channel is Channel.EFAKTURA else None,
            mailbox_provider=mailbox_provider,
        )

    def _secrets(self, channel: Channel, parcels: Sequence[Parcel]) -> Mapping[int, str | None]:
        """The one thing the channel reaches a resident by, by the resident's id."""
        residents = {parcel.resident.id: parcel.resident for parcel in parcels if parcel.resident is not None}
        match channel:
            case Channel.EMAIL:
                return self._contact_points(ContactKind.EMAIL, list(residents))
            case Channel.VIPPS:
                return self._contact_points(ContactKind.MOBILE, list(residents))
            case Channel.EFAKTURA:
                return self._references(Register.EFAKTURA, residents)
            case Channel.MAILBOX:
                return self._national_ids(residents.values())
            case Channel.PAPER if self.settings.print_provider == "eformidling":
                return self._national_ids(residents.values())
        return {}

    def _contact_points(self, kind: ContactKind, residents: list[int]) -> Mapping[int, str]:
        query = select(ContactPoint.resident_id, ContactPoint.value).where(
            ContactPoint.resident_id.in_(residents), ContactPoint.kind == kind, ContactPoint.closed_at.is_(None)
        )
        return {row.resident_id: row.value for row in self.session.execute(query)}

    def _mailbox_providers(self, channel: Channel, parcels: Sequence[Parcel]) -> Mapping[int, str]:
        """Whose the mailbox is, by the resident's id: only where something depends on it."""
        if channel is not Channel.MAILBOX or not self.settings.digipost_payment_data:
            return {}
        return self._references(Register.MAILBOX, {one.resident.id for one in parcels if one.resident is not None})

    def _references(self, register: Register, residents: Collection[int]) -> Mapping[int, str]:
        query = select(RegistryAnswer.resident_id, RegistryAnswer.reference).where(
            RegistryAnswer.resident_id.in_(residents), RegistryAnswer.register == register
        )
        return {row.resident_id: row.reference or "" for row in self.session.execute(query)}

    def _national_ids(self, residents: Iterable[Resident]) -> Mapping[int, str | None]:
        return {one.id: self._opened(one) for one in residents if one.national_id_encrypted is not None}

    def _opened(self, resident: Resident) -> str | None:
        """The national id, or None when it was changed or its key is gone: our fault, which refuses nobody."""
        try:
            return self.vault.decrypt(resident.national_id_encrypted or b"", row=resident.public_id)
        except NationalIdUnreadable as error:
            log.error("a national id cannot be opened", resident=resident.public_id, detail=str(error))
            return None


def witness_kind(parcel: Parcel) -> str:
    """``claim``, ``notice`` or ``demand``. A credit note demands nothing, so it counts as a notice."""
    if parcel.delivery.part is Part.CLAIM:
        return "claim"
    is_notice = parcel.attempt.is_notice if parcel.attempt is not None else parcel.delivery.is_notice
    return "notice" if is_notice or parcel.invoice.kind is Kind.CREDIT_NOTE else "demand"


def _address(resident: Resident) -> Address:
    return Address(
        name=resident.name,
        line_1=resident.address_line_1,
        line_2=resident.address_line_2,
        postal_code=resident.postal_code,
        city=resident.city,
        country=resident.country,
    )
