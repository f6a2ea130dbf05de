"""A new link leaves in the offer's own mail, to one address, and outside production to nobody it may not reach."""

from __future__ import annotations

import email
import email.policy

from app.campaigns.link_mail import MailedLinks
from app.campaigns.links import OfferLinks
from app.campaigns.mail import Letter
from app.core.clock import Clock
from app.core.settings import Settings

LINK = Letter(
    "00000000-0000-5000-8000-000000000001", "mail-1", "00000000-0000-4000-8000-000000000001", 2,
    "kari@example.com", "Kari", "nb",
)  # fmt: skip


def test_the_mail_holds_the_new_link_and_the_way_to_be_asked_no_more(settings: Settings, clock: Clock) -> None:
    links = OfferLinks.by(settings)
    assert MailedLinks(settings, clock, links).send(LINK)
    [path] = (settings.outbox_dir / "email").glob("new/*")
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["To"] == "kari@example.com"
    assert links.unsubscribe_url("mail-1") in message["List-Unsubscribe"].replace("\n", "").replace(" ", "")
    body = message.get_body(("plain",))
    assert body is not None
    [url] = [word for word in body.get_content().split() if "/efaktura/" in word]
    assert links.read_offer(url.rpartition("/")[2]).number == 2


def test_a_repeat_is_one_mail(settings: Settings, clock: Clock) -> None:
    sender = MailedLinks(settings, clock, OfferLinks.by(settings))
    assert sender.send(LINK)
    assert sender.send(LINK)
    assert len(list((settings.outbox_dir / "email").glob("new/*"))) == 1


def test_nobody_is_written_to_by_a_real_server_who_is_not_on_the_list(settings: Settings, clock: Clock) -> None:
    real = settings.model_copy(update={"mail_server": "smtp.example.com"})
    assert not MailedLinks(real, clock, OfferLinks.by(real)).send(LINK)


def test_a_link_to_send_shows_nobody(settings: Settings) -> None:
    assert "kari" not in repr(LINK).lower()
