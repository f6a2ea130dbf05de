"""What is known of each resident, gathered into one number a row, so that planning joins instead of asking.

`refresh_resident_facts` does it for many in one statement, `facts_of` for one in plain Python. They are two
implementations of one meaning, and a property test holds them together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, insert, or_, select, union
from sqlalchemy.orm import Session, aliased

from app.core.dialect import Lock, insert_ignoring, serialize, taken_rows, upsert
from app.delivery.models import ResidentFactsRow
from app.registries.models import Register, RegistryAnswer
from app.residents.models import (
    AddressProtection,
    ContactKind,
    ContactPoint,
    Preference,
    Resident,
    ResidentKind,
    StaleResident,
)
from app.routing.channels import Answer, Channel
from app.routing.facts import ResidentFacts

UNKNOWN_BUYER = ResidentFacts(has_postal_address=False, has_national_id=False)
"""The facts of row 0: nobody we know of."""

NORWAY = ("", "NO", "NOR", "NORGE", "NOREG", "NORWAY")
DIGITS = "0123456789"
ANSWER_FIELDS = {
    Register.EFAKTURA: "efaktura",
    Register.VIPPS: "vipps",
    Register.MAILBOX: "mailbox",
    Register.RESERVATION: "reserved",
}
CLOSED_FIELDS = {
    Channel.EFAKTURA: "closed_efaktura",
    Channel.VIPPS: "closed_vipps",
    Channel.MAILBOX: "closed_mailbox",
    Channel.EMAIL: "closed_email",
}
SHARES = ResidentFacts.weight("shares_efaktura_identifier")


def refresh_resident_facts(session: Session) -> int:
    """Gather anew the facts of every resident in `StaleResident` and empty it; gives how many. Does not commit.

    Whoever shares, or shared until now, an eFaktura identifier with one of them is gathered too.
    """
    # Two gatherings at once could end with the older one's facts: one at a time.
    serialize(session, Lock.FACTS)
    nobody = insert_ignoring(session, ResidentFactsRow)
    session.execute(nobody.values(resident_id=0, facts=UNKNOWN_BUYER.as_bits()))
    if session.scalar(select(StaleResident.id).limit(1)) is None:
        return 0
    taken, empty = taken_rows(session, StaleResident, StaleResident.resident_id)
    mine, other = aliased(RegistryAnswer), aliased(RegistryAnswer)
    stale = union(
        select(taken.c.resident_id),
        select(other.resident_id).where(
            mine.resident_id.in_(select(taken.c.resident_id)), _is_same_identifier(mine, other)
        ),
        select(ResidentFactsRow.resident_id).where(ResidentFactsRow.facts.bitwise_and(SHARES) != 0),
    ).subquery("stale")
    gather = upsert(session, ResidentFactsRow, ["resident_id"], ["facts"]).from_select(
        ["resident_id", "facts"], resident_bits().where(Resident.id.in_(select(stale.c.resident_id)))
    )
    done: Any = session.execute(gather, execution_options={"preserve_rowcount": True})
    if empty is not None:
        session.execute(empty)
    return int(done.rowcount)


def rebuild_resident_facts(session: Session) -> None:
    """Mark every resident stale, for when the meaning of a fact has changed. Does not commit."""
    session.execute(insert(StaleResident).from_select(["resident_id"], select(Resident.id)))


def resident_bits() -> Select[int, int]:
    """The id and the bits of every resident, in SQL that both databases speak."""
    is_person = Resident.kind == ResidentKind.PERSON
    has_national_id = Resident.national_id_index.is_not(None)
    has_mobile = _has_open(ContactKind.MOBILE)
    asked = {
        Register.EFAKTURA: and_(is_person, or_(has_national_id, has_mobile)),
        Register.VIPPS: and_(is_person, has_mobile),
        Register.MAILBOX: and_(is_person, has_national_id),
        Register.RESERVATION: and_(is_person, has_national_id),
    }
    parts = [
        _bit("is_organisation", Resident.kind == ResidentKind.ORGANISATION),
        _bit("is_deceased", Resident.deceased_on.is_not(None)),
        _bit("has_protected_address", Resident.address_protection != AddressProtection.NONE),
        _bit("has_postal_address", _has_postal_address()),
        _bit("has_national_id", has_national_id),
        _bit("has_mobile", has_mobile),
        _bit("has_email", _has_open(ContactKind.EMAIL)),
        _bit("has_confirmed_email", _has_open(ContactKind.EMAIL, ContactPoint.confirmed_at.is_not(None))),
        _bit("shares_efaktura_identifier", _shares_identifier()),
        _bit("wants_letters", _has_preference(Preference.is_all_by_letter)),
        *(_answer(register, field, asked[register]) for register, field in ANSWER_FIELDS.items()),
        *(_bit(field, _has_preference(Preference.channel == channel)) for channel, field in CLOSED_FIELDS.items()),
    ]
    bits: ColumnElement[int] = parts[0]
    for part in parts[1:]:
        bits = bits + part
    return select(Resident.id, bits)


def _bit(field: str, condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, ResidentFacts.weight(field)), else_=0)


def _answer(register: Register, field: str, is_asked: ColumnElement[bool]) -> ColumnElement[int]:
    """No answer yet is unknown for those who can be asked; for the others the answer is no."""
    codes = {answer: ResidentFacts.weight(field, answer) for answer in Answer}
    told = (
        select(case(*((RegistryAnswer.answer == answer, code) for answer, code in codes.items())))
        .where(RegistryAnswer.resident_id == Resident.id, RegistryAnswer.register == register)
        .correlate(Resident)
        .scalar_subquery()
    )
    return case((is_asked, func.coalesce(told, codes[Answer.UNKNOWN])), else_=codes[Answer.NO])


def _has_open(kind: ContactKind, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        ContactPoint.resident_id == Resident.id, ContactPoint.kind == kind, ContactPoint.closed_at.is_(None), *more
    )


def _has_preference(condition: Any) -> ColumnElement[bool]:
    return exists().where(Preference.resident_id == Resident.id, condition)


def _shares_identifier() -> ColumnElement[bool]:
    mine, other = aliased(RegistryAnswer), aliased(RegistryAnswer)
    return exists().where(mine.resident_id == Resident.id, _is_same_identifier(mine, other))


def _is_same_identifier(mine: Any, other: Any) -> ColumnElement[bool]:
    return and_(
        mine.register == Register.EFAKTURA,
        other.register == Register.EFAKTURA,
        mine.answer == Answer.YES,
        other.answer == Answer.YES,
        other.reference == mine.reference,
        other.reference != "",
        other.resident_id != mine.resident_id,
    )


def _has_postal_address() -> ColumnElement[bool]:
    is_norwegian = func.upper(func.trim(Resident.country)).in_(NORWAY)
    code = func.trim(Resident.postal_code)
    return and_(
        or_(func.trim(Resident.address_line_1) != "", func.trim(Resident.address_line_2) != ""),
        func.trim(Resident.city) != "",
        or_(~is_norwegian, and_(func.length(code) == 4, func.ltrim(code, DIGITS) == "")),
    )


def facts_of(session: Session, resident_id: int) -> ResidentFacts:
    """The facts of one resident, read anew; 0, or one who does not exist, gives the facts of nobody."""
    resident = session.get(Resident, resident_id)
    if resident is None:
        return UNKNOWN_BUYER
    points = session.scalars(
        select(ContactPoint).where(ContactPoint.resident_id == resident_id, ContactPoint.closed_at.is_(None))
    ).all()
    emails = [point for point in points if point.kind is ContactKind.EMAIL]
    is_person = resident.kind is ResidentKind.PERSON
    has_national_id = resident.national_id_index is not None
    has_mobile = any(point.kind is ContactKind.MOBILE for point in points)
    asked = _asked(is_person, has_national_id, has_mobile)
    told = {row.register: row for row in session.scalars(select(RegistryAnswer).filter_by(resident_id=resident_id))}
    answers: dict[str, Any] = {
        field: (told[register].answer if register in told else Answer.UNKNOWN) if asked[register] else Answer.NO
        for register, field in ANSWER_FIELDS.items()
    }
    choices = session.scalars(select(Preference).filter_by(resident_id=resident_id)).all()
    closed: dict[str, Any] = {
        field: any(choice.channel is channel for choice in choices) for channel, field in CLOSED_FIELDS.items()
    }
    return ResidentFacts(
        is_organisation=not is_person,
        is_deceased=resident.deceased_on is not None,
        has_protected_address=resident.address_protection is not AddressProtection.NONE,
        has_postal_address=is_usable_address(resident),
        has_national_id=has_national_id,
        has_mobile=has_mobile,
        has_email=bool(emails),
        has_confirmed_email=any(point.confirmed_at is not None for point in emails),
        shares_efaktura_identifier=_others_share(session, told.get(Register.EFAKTURA)),
        wants_letters=any(choice.is_all_by_letter for choice in choices),
        **answers,
        **closed,
    )


def _asked(is_person: bool, has_national_id: bool, has_mobile: bool) -> dict[Register, bool]:
    """Which registers can be asked about somebody."""
    return {
        Register.EFAKTURA: is_person and (has_national_id or has_mobile),
        Register.VIPPS: is_person and has_mobile,
        Register.MAILBOX: is_person and has_national_id,
        Register.RESERVATION: is_person and has_national_id,
    }


def is_usable_address(resident: Resident) -> bool:
    """Whether a letter can be addressed: a line, a place, and inside Norway a postal code of four digits."""
    if not (resident.address_line_1.strip(" ") or resident.address_line_2.strip(" ")) or not resident.city.strip(" "):
        return False
    if resident.country.strip(" ").upper() not in NORWAY:
        return True
    code = resident.postal_code.strip(" ")
    return len(code) == 4 and not code.strip(DIGITS)


def _others_share(session: Session, answer: RegistryAnswer | None) -> bool:
    if answer is None or answer.answer is not Answer.YES or not answer.reference:
        return False
    others = select(RegistryAnswer).filter_by(register=Register.EFAKTURA, answer=Answer.YES, reference=answer.reference)
    return any(other.resident_id != answer.resident_id for other in session.scalars(others))
