"""What delivery asks of a channel, and the four ways a channel may answer.

Two shapes. A *message channel* hands each invoice to a provider that knows it by our own key and can be asked
about it. A *file channel* (bank file, print batch) takes many at once in two steps, so that a crash between them
is always settled by looking.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from app.routing.channels import Channel


class Outcome(StrEnum):
    """What one attempt came to.

    accepted: taken; it may still be refused later. refused: never this recipient, the next channel now.
    unavailable: surely not taken, the same channel later. uncertain: may be taken, ask before anything else.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as it is printed."""

    name: str
    line_1: str
    line_2: str
    postal_code: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom it goes to: only what the channel needs is filled in. repr never shows the national id or contacts.

    ``mailbox_provider``: ``digipost`` or ``e-boks``, where payment data goes along and KRR has named it.
    """

    customer_number: str
    name: str
    language: str
    address: Address
    national_id: str | None = field(default=None, repr=False)
    mobile: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    efaktura_identifier: str | None = field(default=None, repr=False)
    mailbox_provider: str | None = None


@dataclass(frozen=True, slots=True)
class Consignment:
    """An invoice made ready for one attempt.

    ``key`` is the UUIDv5 derived from the attempt, the same on every repeat of it. ``witness_kind`` is ``demand``,
    ``notice`` or ``claim``. ``amount_ore``: whole øre. ``pdf``: the document in full (empty for a claim).
    ``claim_type`` is the AvtaleGiro transaction type ("02", "21") and ``is_cancellation`` takes a claim back.
    ``presentation_url``: where a bank or Vipps fetches the PDF (`app.core.links`); only those two channels need it.
    ``opened_at``: when this attempt was begun (aware UTC), for a provider that may take a letter long in.
    """

    key: str
    number: str
    kind: str
    witness_kind: str
    recipient: Recipient = field(repr=False)
    amount_ore: int
    due_on: dt.date
    kid: str | None
    account: str | None
    subject: str
    issuer_name: str
    pdf: bytes = field(default=b"", repr=False)
    pdf_sha256: str = ""
    claim_type: str | None = None
    is_cancellation: bool = False
    pays_by_avtalegiro: bool = False
    is_resend: bool = False
    lines: tuple[str, ...] = ()
    presentation_url: str = field(default="", repr=False)
    opened_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The answer for one consignment. ``detail`` is a provider's code or a short fact, never personal data.

    ``needs_alarm``: our own fault (401, 403, a 4xx, a bad certificate): it waits, and somebody must know.
    ``is_for_a_person``: uncertain, and no later question can settle it.
    """

    outcome: Outcome
    provider_reference: str | None = None
    detail: str | None = None
    needs_alarm: bool = False
    retry_after: dt.timedelta | None = None
    is_for_a_person: bool = False


class ReceiptStatus(StrEnum):
    """A provider's later word, in meaning: source channels.md §8.4."""

    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    EXPIRED = "expired"
    SETTLED_BY_HAND = "settled_by_hand"


@dataclass(frozen=True, slots=True)
class ReceiptNote:
    """One status of one message. ``provider_reference`` is what `Result` gave when it was accepted."""

    provider_reference: str
    status: ReceiptStatus
    detail: str | None = None


class MessageChannel(Protocol):
    """A channel that takes invoices one by one, or some at a time, and can be asked about each.

    ``batch_size``: most consignments a call. ``commit_each``: a repeat is not recognised by the other side, so each
    attempt is committed by itself (SMTP).
    """

    @property
    def channel(self) -> Channel: ...
    @property
    def provider(self) -> str: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def commit_each(self) -> bool: ...

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Hand over; one result a ``key``. Never raises for what a provider answers or fails to."""
        ...

    def find(self, consignment: Consignment) -> Result:
        """What became of an attempt left open: accepted (it was taken), unavailable (it was not, send again with the
        same key), refused, or uncertain (could not be asked now)."""
        ...

    def receipts(self, references: Sequence[str]) -> Sequence[ReceiptNote]:
        """The newest word on each accepted one that is still in transit or lately delivered."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...


class FileChannel(Protocol):
    """A channel that takes a whole file: written under a hidden name, then renamed into the outbox."""

    @property
    def channel(self) -> Channel: ...
    @property
    def batch_size(self) -> int: ...

    def prepare(self, name: str, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        """Write the whole batch durably under a hidden name derived from *name*; one result a ``key``."""
        ...

    def hand_over(self, name: str) -> None:
        """Rename into place. Safe to repeat: already renamed (and even fetched) is fine."""
        ...

    def discard(self, name: str) -> None:
        """Remove what `prepare` wrote, if anything: nothing of it left."""
        ...
