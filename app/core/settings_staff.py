"""The settings of the municipality's people: who lets them in, and which role each claim gives."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from app.core.settings_portal import PortalSettings
from app.core.settings_values import table

# What Entra ID calls itself when any organisation may log in: then nobody knows whose people come.
ANYBODY = re.compile(r"https://login\.microsoftonline\.com/(common|organizations|consumers)(/|$)")

RoleName = Literal["statistics", "caseworker", "operator"]
Roles = Annotated[dict[str, RoleName], NoDecode, BeforeValidator(table)]


class StaffSettings(PortalSettings):
    """Log-in by the municipality's own OpenID provider, in the shape of Entra ID. No issuer: the stand-in."""

    staff_issuer: str = ""
    staff_client_id: str = "fakturaportalen-ansatt"
    staff_client_secret: str = ""
    staff_key_id: str = ""
    staff_claim: Literal["roles", "groups"] = "roles"
    staff_subject_claim: Literal["oid", "sub"] = "oid"
    staff_roles: Roles = Field(
        {
            "Fakturaportalen.Statistics": "statistics",
            "Fakturaportalen.Caseworker": "caseworker",
            "Fakturaportalen.Operator": "operator",
        }
    )

    @model_validator(mode="after")
    def _possible_staff(self) -> Self:
        """Impossible combinations stop the start."""
        if ANYBODY.match(self.staff_issuer):
            raise ValueError("STAFF_ISSUER must name the municipality's own tenant, not one that anybody may log in to")
        if not self.staff_roles:
            raise ValueError("STAFF_ROLES must give a role to at least one value of the claim")
        if self.staff_client_secret and self.staff_key_id:
            raise ValueError("set STAFF_CLIENT_SECRET or STAFF_KEY_ID, not both: one proof is enough")
        return self

    @property
    def staff_needs(self) -> dict[str, str]:
        """What production must have, by name; the key itself is looked for when somebody logs in."""
        proof = self.staff_client_secret or self.staff_key_id
        return {"STAFF_ISSUER": self.staff_issuer, "STAFF_CLIENT_SECRET or STAFF_KEY_ID": proof}
