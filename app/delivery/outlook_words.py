"""What each standing of a way is called on every page, and the colour of its tag."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from app.delivery.outlook import Standing

STANDINGS: Mapping[Standing, tuple[object, str]] = {
    Standing.IN_USE: (_("Brukes nå"), "success"),
    Standing.READY: (_("Klar"), "info"),
    Standing.FALLBACK: (_("Reserve"), "neutral"),
    Standing.UNASKED: (_("Sjekkes først"), "info"),
    Standing.CHOSEN_AWAY: (_("Valgt bort"), "neutral"),
    Standing.OFF: (_("Ikke slått på"), "neutral"),
    Standing.IMPOSSIBLE: (_("Ikke mulig"), "warning"),
}
