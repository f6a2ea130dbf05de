"""The two links of an offer's mail: one to answer it, one to be asked no more; each with a salt of its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self

from app.core.crypto import KeyFile, KeyRing
from app.core.settings import Settings
from app.core.tokens import LinkExpired, LinkInvalid, LinkSigner

OFFER, UNSUBSCRIBE = "offer", "unsubscribe"
# Whoever has had enough must be heard as long as anybody keeps mail.
UNSUBSCRIBE_LIFE = dt.timedelta(days=730)
# So long an offer's link is still known as one of ours that is too old.
REMEMBERED = dt.timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class OfferLink:
    """What an offer's token says: the offer's public id, and which of its links it is."""

    offer: str
    number: int
    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class OfferLinks:
    """Makes and reads the links, under the installation's link keys, newest last."""

    base: str
    offers: LinkSigner
    old_offers: LinkSigner
    mails: LinkSigner

    @classmethod
    def by(cls, settings: Settings) -> Self:
        """With the keys under ``INSTANCE_DIR/keys``."""
        settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls.under(KeyRing.create(settings.keys_dir / KeyFile.LINKS).secrets, settings)

    @classmethod
    def under(cls, secrets: tuple[str, ...], settings: Settings) -> Self:
        """With *secrets*, newest last."""
        life = dt.timedelta(days=settings.offer_link_days)
        return cls(
            settings.base_url.rstrip("/"),
            LinkSigner(secrets, OFFER, life),
            LinkSigner(secrets, OFFER, REMEMBERED),
            LinkSigner(secrets, UNSUBSCRIBE, UNSUBSCRIBE_LIFE),
        )

    def offer_token(self, offer: str, number: int) -> str:
        """The token of link *number* of the offer with this public id."""
        return self.offers.sign({"o": offer, "n": number})

    def offer_url(self, offer: str, number: int) -> str:
        """``BASE_URL/efaktura/<token>``."""
        return f"{self.base}/efaktura/{self.offer_token(offer, number)}"

    def read_offer(self, token: str) -> OfferLink:
        """What *token* says, however old. Raises `LinkInvalid`."""
        try:
            return _offer(self.offers.read(token))
        except LinkExpired:
            return _offer(self._read_old(token), is_expired=True)

    def _read_old(self, token: str) -> dict[str, str | int]:
        try:
            return self.old_offers.read(token)
        except LinkExpired:
            raise LinkInvalid from None

    def unsubscribe_token(self, mail: str) -> str:
        """The token by which the readers of the mail with this public id are asked no more."""
        return self.mails.sign({"m": mail})

    def unsubscribe_url(self, mail: str) -> str:
        """``BASE_URL/avmeld/<token>``."""
        return f"{self.base}/avmeld/{self.unsubscribe_token(mail)}"

    def read_unsubscribe(self, token: str) -> str:
        """The mail's public id. Raises `LinkInvalid`, also for a link that is older than two years."""
        try:
            mail = self.mails.read(token).get("m")
        except LinkExpired:
            raise LinkInvalid from None
        if not isinstance(mail, str):
            raise LinkInvalid
        return mail


def _offer(payload: dict[str, str | int], *, is_expired: bool = False) -> OfferLink:
    match payload:
        case {"o": str(offer), "n": int(number)}:
            return OfferLink(offer, number, is_expired)
    raise LinkInvalid
