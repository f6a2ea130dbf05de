"""What SvarUt checks of a consignment, which way it finds for it, and what it tells of it afterwards."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.standin import Call
from app.sandbox.world import Person

NORWAY = {"", "norge", "norway", "noreg"}
LONGEST = {"tittel": 1000, "eksternReferanse": 100, "korrelasjonsid": 100, "avgivendeSystem": 100}
LONGEST_FILE_NAME = 226
FORBIDDEN = re.compile(r'[*:"\\/<>|?]')
ACCOUNTING_CODE = re.compile(r"[a-zA-Z0-9_\-.øæåØÆÅ]{0,20}")

# The last status of each way is where a consignment rests; LEST only where the ages name it.
WAYS = {
    "mailbox": ("MOTTATT", "AKSEPTERT", "SENDT_SDP", "LEVERT_SDP"),
    "altinn": ("MOTTATT", "AKSEPTERT", "VARSLET", "SENDT_PRINT", "PRINTET"),
    "print": ("MOTTATT", "AKSEPTERT", "SENDT_PRINT", "PRINTET"),
}
EVENTS = {
    "MOTTATT": "Forsendelse mottatt",
    "AKSEPTERT": "Akseptert for ekspedering",
    "SENDT_SDP": "Sendt til sikker digital postkasse",
    "LEVERT_SDP": "Levert til sikker digital postkasse",
    "VARSLET": "Varsel sendt til mottaker",
    "LEST": "Lest av mottaker",
    "SENDT_PRINT": "Overført til utskrift",
    "PRINTET": "Utskrift bekreftet",
}
REFUSED_BY_FAULT = "Avvist: mottakers adresse kunne ikke brukes"


class Malformed(ValueError):
    """What was posted is no consignment at all; the text says why and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A consignment as it was posted. ``are_readable``: whether each file begins as a PDF does."""

    content: Mapping[str, Any]
    are_readable: bool

    @property
    def reference(self) -> str:
        """The sender's own id, or nothing."""
        return str(self.content.get("eksternReferanse") or "")

    @property
    def receiver(self) -> Mapping[str, Any]:
        """Whom it goes to."""
        receiver: Mapping[str, Any] = self.content["mottaker"]
        return receiver

    @property
    def identity(self) -> str | None:
        """A national id or organisation number; None where it is to be printed."""
        return self.receiver.get("digitalId") or None


def read_letter(call: Call) -> Letter:
    """The consignment in a multipart body. Raises `Malformed`."""
    request = call.request
    try:
        content = json.loads(request.form["forsendelse"])
        documents = content.get("dokumenter") or []
        named = [document["filnavn"] for document in documents]
        is_addressed = bool(content["mottaker"]["navn"]) and bool(content["tittel"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Malformed("forsendelse mangler eller kan ikke leses") from None
    if not is_addressed:
        raise Malformed("mottaker.navn og tittel er påkrevd")
    too_long = [name for name, most in LONGEST.items() if len(str(content.get(name) or "")) > most]
    if too_long or not ACCOUNTING_CODE.fullmatch(str(content.get("konteringskode") or "")):
        raise Malformed(f"ugyldig verdi: {', '.join(too_long) or 'konteringskode'}")
    files = [file for _, file in sorted(request.files.items(multi=True), key=lambda part: _place(part[0]))]
    if [file.filename for file in files] != named:
        raise Malformed("filene stemmer ikke med dokumenter")
    return Letter(content, all(file.stream.read(1024).lstrip()[:5] == b"%PDF-" for file in files))


def _place(name: str) -> int:
    return int(name.rpartition("_")[2]) if re.fullmatch(r"filer_\d+", name) else 0


def objection(letter: Letter) -> str:
    """Why SvarUt refuses it after it took it (AVVIST), in the words of its log, or nothing."""
    return _about_receiver(letter) or _about_documents(letter)


def _about_receiver(letter: Letter) -> str:
    receiver, identity = letter.receiver, letter.identity
    is_printable = not letter.content.get("kunDigitalLevering")
    is_norwegian = str(receiver.get("land") or "").strip().casefold() in NORWAY
    has_code = bool(re.fullmatch(r"\d{4}", str(receiver.get("postnummer") or "")))
    if identity and not re.fullmatch(r"\d{9}|\d{11}", identity):
        return "Avvist: ugyldig fødselsnummer eller organisasjonsnummer"
    if is_printable and not receiver.get("poststed"):
        return "Avvist: poststed mangler"
    if is_printable and is_norwegian and not has_code:
        return "Avvist: postnummer mangler eller er ugyldig"
    return ""


def _about_documents(letter: Letter) -> str:
    documents: list[Mapping[str, Any]] = list(letter.content.get("dokumenter") or [])
    names = [str(document["filnavn"]) for document in documents]
    if not documents:
        return "Avvist: forsendelsen har ingen dokumenter"
    if len(set(names)) < len(names) or any(FORBIDDEN.search(name) or len(name) > LONGEST_FILE_NAME for name in names):
        return "Avvist: filnavn er ikke unike eller ikke gyldige"
    if not letter.are_readable or not all(_is_printable(document) for document in documents):
        return "Avvist: dokument kan ikke skrives ut"
    pages = [page for document in documents for page in document.get("giroarkSider") or ()]
    if any(type(page) is not int or page < 1 for page in pages):
        return "Avvist: giroarkSider er ikke sidetall i dokumentet"
    return ""


def _is_printable(document: Mapping[str, Any]) -> bool:
    return document.get("mimeType") == "application/pdf" or bool(document.get("skalEkskluderesFraUtskrift"))


def way_of(person: Person | None) -> str:
    """``mailbox``, ``altinn`` (unread, it is printed) or ``print``. Source: ksdif.no, as far as it is public.

    A reserved person, and one without a national id, gets paper at once.
    """
    if person is None or person.krr.reserved or person.krr.status != "AKTIV":
        return "print"
    return "mailbox" if person.krr.mailbox is not None else "altinn"


def event(status: str, at: dt.datetime, text: str = "") -> dict[str, str]:
    """One line of the log of a consignment."""
    return {"tidspunkt": at.isoformat(timespec="milliseconds"), "hendelse": text or EVENTS[status]}
