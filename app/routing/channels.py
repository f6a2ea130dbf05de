"""The closed list of channels, and the closed list of reasons."""

from __future__ import annotations

from enum import StrEnum

from app.routing.reasons import SENTENCES


class Channel(StrEnum):
    """How an invoice can leave. The order of preference is configuration, not this order."""

    AVTALEGIRO = "avtalegiro"
    EFAKTURA = "efaktura"
    VIPPS = "vipps"
    MAILBOX = "mailbox"
    EMAIL = "email"
    PAPER = "paper"


class Answer(StrEnum):
    """What a registry said: unknown is not no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Mandate(StrEnum):
    """The AvtaleGiro mandate for this KID, and whether the payer wants a notice (J) or none (N)."""

    NONE = "none"
    SILENT = "silent"
    NOTIFY = "notify"


class Claim(StrEnum):
    """The AvtaleGiro transaction type of a claim; source: AvtaleGiro system spec 3.3 §2.2.2."""

    PAYEE_NOTIFIES = "02"
    BANK_NOTIFIES = "21"


class SentClaim(StrEnum):
    """The claim the bank already has for this very invoice, by its transaction type."""

    NONE = "none"
    PAYEE_NOTIFIES = "02"
    BANK_NOTIFIES = "21"


class Kind(StrEnum):
    """What is sent. Payable of nothing or less goes as information, and so does a credit note."""

    DEMAND = "demand"
    INFORMATION = "information"
    CREDIT_NOTE = "credit_note"


class Reason(StrEnum):
    """Why a channel was passed over, why there is no claim, or why the invoice is held.

    Stored as its key; ``sentence`` is what staff and residents read, in bokmål, to be looked up in gettext
    (`app.core.language`).
    """

    @property
    def sentence(self) -> str:
        """The sentence in bokmål."""
        return SENTENCES[self.value]

    # No channel at all: held for a person
    UNKNOWN_BUYER = "unknown_buyer"
    WRONG_KID = "wrong_kid"
    WRONG_ACCOUNT = "wrong_account"
    DECEASED = "deceased"
    PROTECTED_ADDRESS = "protected_address"
    NO_POSTAL_ADDRESS = "no_postal_address"
    IDENTIFIER_SHARED = "identifier_shared"
    PARTLY_CREDITED = "partly_credited"
    REGISTER_SILENT = "register_silent"
    HELD_BY_STAFF = "held_by_staff"
    NOTHING_LEFT = "nothing_left"
    SENT_TWICE = "sent_twice"

    # AvtaleGiro
    NO_MANDATE = "no_mandate"
    CLAIM_TOO_LATE = "claim_too_late"
    CLAIM_TOO_EARLY = "claim_too_early"
    BANK_NOTICE_TOO_LATE = "bank_notice_too_late"
    CLAIM_EXISTS = "claim_exists"
    CLAIM_LOST = "claim_lost"
    CLAIM_ALONE = "claim_alone"
    BANK_NOTIFIES = "bank_notifies"

    # eFaktura
    NO_EFAKTURA = "no_efaktura"
    EFAKTURA_UNKNOWN = "efaktura_unknown"
    EFAKTURA_TOO_LATE = "efaktura_too_late"

    # Vipps
    NO_MOBILE = "no_mobile"
    NO_VIPPS = "no_vipps"
    VIPPS_UNKNOWN = "vipps_unknown"
    VIPPS_TOO_LATE = "vipps_too_late"
    VIPPS_TOO_EARLY = "vipps_too_early"
    CLAIM_PAYS = "claim_pays"

    # Digital mailbox
    NO_MAILBOX = "no_mailbox"
    MAILBOX_UNKNOWN = "mailbox_unknown"
    MAILBOX_TOO_LATE = "mailbox_too_late"
    NO_NATIONAL_ID = "no_national_id"
    RESERVED = "reserved"
    KRR_NOT_FOR_CATEGORY = "krr_not_for_category"
    MAILBOX_PRINTS = "mailbox_prints"

    # E-mail
    NO_EMAIL = "no_email"
    EMAIL_UNCONFIRMED = "email_unconfirmed"
    EMAIL_TOO_LATE = "email_too_late"
    RESERVATION_UNKNOWN = "reservation_unknown"
    NEVER_EMAIL = "never_email"

    # Several channels
    CONTAINS_DECISION = "contains_decision"
    ORGANISATION = "organisation"
    NOT_A_DEMAND = "not_a_demand"
    CLOSED_BY_RESIDENT = "closed_by_resident"
    ALL_BY_LETTER = "all_by_letter"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    RELEASED_TO_PAPER = "released_to_paper"
