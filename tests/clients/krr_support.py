"""An entry of KRR, whole but for what a test is about."""

from __future__ import annotations

from typing import Any

from app.routing.channels import Answer

NUMBER, OTHER = "20914695016", "22885399316"
POST = {"postkasseadresse": "kari.nordmann#1ABC", "postkasseleverandoeradresse": "984661185"}
NO, YES, UNKNOWN = Answer.NO, Answer.YES, Answer.UNKNOWN


def person(**fields: Any) -> dict[str, Any]:
    given = {"personidentifikator": NUMBER, "status": "AKTIV", "reservasjon": "NEI", "digital_post": POST, **fields}
    return {name: value for name, value in given.items() if value != "absent"}
