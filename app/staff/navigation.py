"""The menu of the staff pages: what the role of whoever is logged in may open, of what is there."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import lazy_gettext as _

from app.staff.access import Role, Staff


class Entry(NamedTuple):
    """One page of the menu: its address, its name, and the least role."""

    address: str
    name: object
    role: Role


ENTRIES = (
    Entry("/ansatt/statistikk", _("Statistikk"), Role.STATISTICS),
    Entry("/ansatt/sok", _("Finn"), Role.CASEWORKER),
    Entry("/ansatt/trenger-deg", _("Trenger deg"), Role.CASEWORKER),
    Entry("/ansatt/kjoringer", _("Kjøringer"), Role.CASEWORKER),
    Entry("/ansatt/tilbud", _("Tilbud"), Role.OPERATOR),
)

ROLES: dict[Role, object] = {
    Role.STATISTICS: _("statistikk"),
    Role.CASEWORKER: _("saksbehandler"),
    Role.OPERATOR: _("driftsansvarlig"),
}


def entries_for(staff: Staff) -> list[Entry]:
    """What *staff* may open."""
    return [entry for entry in ENTRIES if staff.may(entry.role)]
