"""Paper through eFormidling's print service, for municipalities that print nothing themselves."""

from __future__ import annotations

import re

from app.channels.contract import Address, Consignment, Outcome, Result
from app.channels.eformidling import EformidlingLetters, conversation_of, file_name_of
from app.channels.postal import is_complete, is_norwegian
from app.clients.eformidling import Eformidling
from app.clients.eformidling_contract import Kind, OutMessage
from app.core.errors import SettingsInvalid
from app.core.settings import Settings
from app.routing.channels import Channel

# The service takes only these two words for Norway; "NO" would count as abroad and skip its check of the address.
NORWAY = "Norge"

_OWN_ADDRESS = re.compile(r"(?P<line>.+?),\s*(?P<code>[0-9]{4})\s+(?P<city>[^,]+)")


class PrintService(EformidlingLetters):
    """Document type ``print``: in black and white, second class, returned to us when it cannot be delivered."""

    channel = Channel.PAPER

    def __init__(self, client: Eformidling, settings: Settings) -> None:
        super().__init__(client)
        self._sender = settings.organisation_number
        self._own_address = own_address(settings)

    def objection(self, consignment: Consignment) -> Result | None:
        """Refused: ``incomplete_address``. The service fills gaps from the population register field by field, which
        may glue two addresses together, so it gets a whole one or none."""
        if is_complete(consignment.recipient.address):
            return None
        return Result(Outcome.REFUSED, detail="incomplete_address")

    def message(self, consignment: Consignment) -> OutMessage:
        """Address and return are always said, since the service's defaults differ from place to place."""
        file_name = file_name_of(consignment)
        return OutMessage(
            message_id=consignment.key,
            conversation_id=conversation_of(consignment),
            kind=Kind.PRINT,
            sender=self._sender,
            receiver=consignment.recipient.national_id,
            content={
                "hoveddokument": file_name,
                "mottaker": printed_address(consignment.recipient.address, consignment.recipient.name),
                "utskriftsfarge": "SORT_HVIT",
                "posttype": "B_OEKONOMI",
                "retur": {
                    "mottaker": printed_address(self._own_address, self._own_address.name),
                    "returhaandtering": "DIREKTE_RETUR",
                },
            },
            file_name=file_name,
            pdf=consignment.pdf,
        )


def printed_address(address: Address, name: str) -> dict[str, str]:
    """*address* in the service's fields; *name* where it holds none. The first line is never empty."""
    lines = [line.strip() for line in (address.line_1, address.line_2) if line.strip()]
    return {
        "navn": address.name or name,
        **{f"adresselinje{number}": line for number, line in enumerate(lines, start=1)},
        "postnummer": address.postal_code.strip(),
        "poststed": address.city.strip(),
        "land": NORWAY if is_norwegian(address) else address.country.strip(),
    }


def own_address(settings: Settings) -> Address:
    """Where undeliverable letters come back. Raises `SettingsInvalid`."""
    found = _OWN_ADDRESS.fullmatch(settings.municipality_address.strip())
    if found is None:
        raise SettingsInvalid("MUNICIPALITY_ADDRESS must be written like: Postboks 115, 4126 Jørpeland")
    return Address(settings.municipality_name, found["line"], "", found["code"], found["city"].strip(), NORWAY)
