"""KRR, the contact and reservation register: has a person a digital mailbox, and is the person reserved?

Only outcomes leave this module. Source: docs.digdir.no oppslagstjenesten_rest (fields, 1000 a call), krr_18mnd (age of
contact data), and Digdir's own client (``canReceiveDigitalPost``).
"""

from __future__ import annotations

import base64
import binascii
import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from app.clients.http import Answered, AnswerLost, Outside, ServiceClient, Witness
from app.clients.look_ups import LookUp, ask_in_halves, check_look_up
from app.clients.maskinporten import Maskinporten
from app.core.clock import Clock
from app.routing.channels import Answer

PROVIDER = "krr"
PATH = "/rest/v2/personer"
MOST_NUMBERS = 1000
# The mailbox and the reservation are all that routing needs: contact data is not asked for.
MAILBOX_SCOPE = "krr:global/digitalpost.read"
NOTIFICATION_MONTHS = 18
MAILBOX_PROVIDERS = {"984661185": "digipost", "922020175": "e-boks"}

ACTIVE, DELETED, UNREGISTERED = "AKTIV", "SLETTET", "IKKE_REGISTRERT"
_RESERVED = {"JA": Answer.YES, "NEI": Answer.NO}


@dataclass(frozen=True, slots=True)
class KrrAnswer:
    """What follows from one person's entry.

    ``mailbox_provider``: digipost, e-boks or an organisation number. ``may_notify_*``: whether the contact data may be
    used for a notice (not older than 18 months, and this person's alone); False when the question did not cover it.
    """

    mailbox: Answer = Answer.UNKNOWN
    reserved: Answer = Answer.UNKNOWN
    mailbox_provider: str | None = None
    may_notify_email: bool = False
    may_notify_mobile: bool = False


class Krr:
    """Look-ups in KRR. Safe for threads."""

    def __init__(
        self, outside: Outside, base_url: str, maskinporten: Maskinporten, clock: Clock, scope: str = MAILBOX_SCOPE
    ) -> None:
        self._http = ServiceClient(PROVIDER, base_url, outside)
        self._maskinporten, self._clock, self._scope = maskinporten, clock, scope

    def look_up(self, national_ids: Sequence[str]) -> LookUp[str, KrrAnswer]:
        """The answer about each of at most 1000 national ids; a number that the register leaves out is unknown.

        Never raises for what the register does. Raises ValueError for more than 1000.
        """
        if len(national_ids) > MOST_NUMBERS:
            raise ValueError(f"at most {MOST_NUMBERS} numbers a call")
        return ask_in_halves(list(dict.fromkeys(national_ids)), self._ask)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _ask(self, national_ids: Sequence[str]) -> Mapping[str, KrrAnswer]:
        def call(token: str) -> Answered:
            return self._http.look_up(
                "POST",
                PATH,
                witness=Witness("lookup"),
                json={"personidentifikatorer": list(national_ids)},
                headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            )

        answered = self._maskinporten.authorized(self._scope, call)
        check_look_up(answered)
        people = answered.json_object().get("personer")
        if not isinstance(people, list):
            raise AnswerLost(PROVIDER, "the answer has no list of people")
        now = self._clock.now()
        # By number and not by place: neither order nor completeness is promised.
        answers = dict.fromkeys(national_ids, KrrAnswer())
        for person in people:
            number = person.get("personidentifikator") if isinstance(person, dict) else None
            if isinstance(number, str) and number in answers:
                answers[number] = read_person(person, now)
        return answers


def read_person(person: Mapping[str, Any], now: dt.datetime) -> KrrAnswer:
    """What one entry of the answer means; unknown fields are nothing to us, and any object may be missing."""
    status = str(person.get("status"))
    reserved = _RESERVED.get(str(person.get("reservasjon")), Answer.UNKNOWN)
    if status in {DELETED, UNREGISTERED}:
        # Deleted people come without a reservation: nobody has one who is not in the register.
        return KrrAnswer(Answer.NO, Answer.YES if reserved is Answer.YES else Answer.NO)
    if status != ACTIVE:
        return KrrAnswer(Answer.UNKNOWN, reserved)
    post = _object(person, "digital_post")
    has_mailbox = bool(post.get("postkasseadresse")) and _accepts_certificate(person, now)
    if not has_mailbox or reserved is Answer.YES:
        mailbox = Answer.NO
    else:
        mailbox = Answer.YES if reserved is Answer.NO else Answer.UNKNOWN
    contact = _object(person, "kontaktinformasjon") if person.get("varslingsstatus") == "KAN_VARSLES" else {}
    return KrrAnswer(
        mailbox,
        reserved,
        _provider(post) if mailbox is Answer.YES else None,
        may_notify_email=_is_usable(contact, "epostadresse", now),
        may_notify_mobile=_is_usable(contact, "mobiltelefonnummer", now),
    )


def _object(person: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = person.get(name)
    return value if isinstance(value, dict) else {}


def _provider(post: Mapping[str, Any]) -> str | None:
    number = post.get("postkasseleverandoeradresse")
    return MAILBOX_PROVIDERS.get(number, number) if isinstance(number, str) and number else None


def _accepts_certificate(person: Mapping[str, Any], now: dt.datetime) -> bool:
    """An entry may come without the field; an empty or expired certificate cannot be encrypted for.

    One that we cannot read is left to the service that encrypts.
    """
    if "sertifikat" not in person:
        return True
    text = person["sertifikat"]
    if not isinstance(text, str) or not text.strip():
        return False
    try:
        data = text.encode("ascii")
        if b"-----BEGIN" in data:
            certificate = x509.load_pem_x509_certificate(data)
        else:
            certificate = x509.load_der_x509_certificate(base64.b64decode(data))
    except (ValueError, binascii.Error):
        return True
    return certificate.not_valid_after_utc > now


def _is_usable(contact: Mapping[str, Any], field: str, now: dt.datetime) -> bool:
    """Present, not shared with others, and updated or verified within 18 calendar months; each kind by itself."""
    if not contact.get(field) or contact.get(f"{field}_duplisert") == "JA":
        return False
    moments = [_moment(contact.get(f"{field}_{event}")) for event in ("oppdatert", "sist_verifisert")]
    oldest = months_before(now, NOTIFICATION_MONTHS)
    return any(moment is not None and moment > oldest for moment in moments)


def _moment(text: object) -> dt.datetime | None:
    """``2023-06-10T21:00:01+02`` and ``2023-08-05T10:45:15.768Z`` both occur."""
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def months_before(moment: dt.datetime, months: int) -> dt.datetime:
    """The same day of the month *months* calendar months ago, or that month's last."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
