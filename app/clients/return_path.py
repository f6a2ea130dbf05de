"""How a mail of ours is known again when it comes back: by its `Message-ID`, and by the address it was returned to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Self

from app.core.contact import EmailInvalid, normalise_email
from app.core.errors import SettingsInvalid
from app.core.settings import Settings
from app.core.settings_mail import KEY

LONGEST_LOCAL_PART = 64
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ANY_KEY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """The sender, and one return address for each mail's key, where MAIL_RETURN_PATH says so.

    ``sender``: name and checked ASCII address. ``pattern``: an address with ``{key}`` in it, or just the sender's.
    """

    sender: tuple[str, str]
    pattern: str

    @classmethod
    def by(cls, settings: Settings) -> Self:
        """What the settings give. Raises `SettingsInvalid`."""
        name, address = parseaddr(settings.mail_default_sender)
        try:
            sender = (name, normalise_email(address))
        except EmailInvalid:
            raise SettingsInvalid("MAIL_DEFAULT_SENDER must hold an e-mail address: Name <name@example.com>") from None
        if not settings.mail_return_path:
            return cls(sender, sender[1])
        if not _is_address(settings.mail_return_path.replace(KEY, _ANY_KEY)):
            raise SettingsInvalid(
                f"MAIL_RETURN_PATH must be an address: returned+{KEY}@example.com, at most "
                f"{LONGEST_LOCAL_PART - len(_ANY_KEY)} characters beside {KEY} before the @"
            )
        return cls(sender, settings.mail_return_path)

    @property
    def domain(self) -> str:
        """The sender's domain, which our `Message-ID`s end with."""
        return self.sender[1].rpartition("@")[2]

    def address(self, key: str) -> str:
        """Where the mail of *key* is returned to."""
        return self.pattern.replace(KEY, key)

    def message_id(self, key: str) -> str:
        """The `Message-ID` of the mail of *key*, without angle brackets: the same on every repeat."""
        return f"{key}@{self.domain}"

    def keys_in(self, text: str) -> tuple[str, ...]:
        """The keys of every `Message-ID` and return address of ours in *text*, in order, each once."""
        before, after = (re.escape(part) for part in self.pattern.partition(KEY)[::2])
        by_address = rf"|(?<![\w.+-]){before}({_UUID}){after}(?![\w.-])" if KEY in self.pattern else ""
        found = re.finditer(rf"(?<![\w.+-])({_UUID})@{re.escape(self.domain)}(?![\w.-]){by_address}", text, re.I)
        # Mail systems may change the case of addresses; a key is written in lower case.
        return tuple(dict.fromkeys((match[1] or match[2]).lower() for match in found))


def _is_address(text: str) -> bool:
    try:
        return normalise_email(text) == text and len(text.rpartition("@")[0]) <= LONGEST_LOCAL_PART
    except EmailInvalid:
        return False
