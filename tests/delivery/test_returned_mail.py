"""A mail that comes back closes its address and sends its invoice on; nothing is lost between box and record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from app.channels.contract import Consignment, Outcome, Result
from app.clients.bounce_box import BoxUnavailable, MaildirBox, Place, Waiting
from app.core.audit import AuditEvent, AuditRecord
from app.delivery import receipts, settle
from app.delivery.actions import Act
from app.delivery.models import Attempt, Receipt, State
from app.delivery.passes import send_due, tidy
from app.delivery.planning import plan_pending
from app.invoices.models import Closure, Invoice
from app.residents.models import ClosedReason, ContactKind, ContactPoint, StaleResident
from app.routing.channels import Channel, Reason
from tests.clients import returned_samples as samples
from tests.delivery.fakes import Killed
from tests.delivery.town import Town

FULL = "smtp; 552 5.2.2 mailbox is full"
LOST = Result(Outcome.UNCERTAIN, detail="no answer to the whole mail")
SENT_TWICE = Result(Outcome.UNCERTAIN, detail="sent_twice_without_answer", is_for_a_person=True)


@dataclass
class Box:
    """A box that does as told. ``dies``: at the next move."""

    mails: dict[str, bytes] = field(default_factory=dict)
    places: dict[Place, list[str]] = field(default_factory=lambda: {place: [] for place in Place})
    is_open: bool = True
    asked: int = 0
    dies: bool = False
    name: str = "box"

    def put(self, content: bytes, invoice_key: str) -> None:
        """Deliver this sample, about the mail of that key."""
        self.mails[f"mail {len(self.mails)}"] = content.replace(samples.KEY.encode(), invoice_key.encode())

    def waiting(self) -> Iterator[Sequence[Waiting]]:
        self.asked += 1
        if not self.is_open:
            raise BoxUnavailable("log-in refused", needs_alarm=True)
        yield [Waiting(name, content) for name, content in self.mails.items() if not self._is_moved(name)]

    def move(self, names: Sequence[str], place: Place) -> None:
        if self.dies:
            self.dies = False
            raise Killed
        self.places[place] += names

    def close(self) -> None:
        pass

    def _is_moved(self, name: str) -> bool:
        return any(name in names for names in self.places.values())


@pytest.fixture
def box(town: Town) -> Box:
    """The only box of the town, whose mails carry the Message-ID that the e-mail channel gives."""
    town.settings = town.settings.model_copy(
        update={"mail_return_path": "retur+{key}@example.com", "email_settle_days": 2}
    )
    town.channels.messages[Channel.EMAIL].script = taken
    box = Box()
    town.boxes = [box]
    return box


def taken(consignment: Consignment) -> Result:
    return Result(Outcome.ACCEPTED, f"{consignment.key}@example.com")


def send(town: Town) -> None:
    with town.desk() as desk:
        tidy(desk)
        send_due(desk)


def collect(town: Town) -> None:
    town.clock.pass_time(seconds=1)
    with town.desk() as desk:
        receipts.collect(desk)


def mailed(town: Town) -> tuple[Invoice, str]:
    """An invoice that was sent by e-mail, with the key of its mail."""
    invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
    send(town)
    return invoice, town.attempts(invoice)[-1].key


def address_of(town: Town, invoice: Invoice) -> ContactPoint:
    query = select(ContactPoint).where(
        ContactPoint.resident_id == invoice.resident_id, ContactPoint.kind == ContactKind.EMAIL
    )
    return town.session.scalars(query.execution_options(populate_existing=True)).one()


@pytest.mark.parametrize(
    ("sample", "reason"),
    [(samples.postfix(), "bounced"), (samples.gmail(), "bounced"), (samples.complaint(), "complained")],
)
def test_a_hard_bounce_or_a_complaint_closes_the_address_with_its_reason_and_sends_the_invoice_on(
    town: Town, box: Box, sample: bytes, reason: str
) -> None:
    invoice, key = mailed(town)
    box.put(sample, key)
    collect(town)
    point = address_of(town, invoice)
    assert (point.closed_at is not None, point.closed_reason) == (True, ClosedReason(reason))
    assert [row.resident_id for row in town.session.scalars(select(StaleResident))] == [invoice.resident_id]
    event = town.session.scalars(select(AuditRecord).where(AuditRecord.event == AuditEvent.ADDRESS_REMOVED)).one()
    assert event.subject == f"invoice:{invoice.public_id}"
    send(town)
    assert town.outcomes(invoice) == [("email", "accepted"), ("paper", "accepted")]
    assert box.places == {Place.HANDLED: ["mail 0"], Place.UNMATCHED: []}


def test_a_soft_bounce_sends_the_invoice_on_and_leaves_the_address_until_there_are_too_many(
    town: Town, box: Box
) -> None:
    first, key = mailed(town)
    for number in range(town.settings.bounce_soft_limit + 1):
        if number:
            town.clock.pass_time(days=30)
            invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER), due_on=first.due_on)
            invoice.resident_id = first.resident_id
            town.session.commit()
            send(town)
            key = town.attempts(invoice)[-1].key
        assert address_of(town, first).closed_at is None
        box.put(samples.postfix("5.2.2", FULL), key)
        collect(town)
        assert town.part(first).channel is Channel.PAPER
    assert address_of(town, first).closed_reason is ClosedReason.BOUNCED


def test_a_mail_that_arrived_between_them_sets_the_count_of_soft_bounces_back(town: Town, box: Box) -> None:
    town.settings = town.settings.model_copy(update={"bounce_soft_limit": 1})
    first, _ = mailed(town)
    for number, comes_back in enumerate((True, False, True)):
        invoice = town.invoice(town.plan(Channel.EMAIL, Channel.PAPER))
        invoice.resident_id = first.resident_id
        town.session.commit()
        send(town)
        if comes_back:
            box.put(samples.postfix("5.2.2", FULL), town.attempts(invoice)[-1].key)
        collect(town)
        town.clock.pass_time(days=3)
        settle.settle_mail(town.session, town.clock.now())
        assert address_of(town, first).closed_at is None, number


@pytest.mark.parametrize(
    "sample", [samples.postfix("4.4.1", "smtp; 451 later", "delayed"), samples.out_of_office(), samples.read_receipt()]
)
def test_a_delay_and_an_automatic_reply_change_nothing(town: Town, box: Box, sample: bytes) -> None:
    invoice, key = mailed(town)
    box.put(sample, key)
    collect(town)
    assert town.part(invoice).state is State.IN_TRANSIT
    assert address_of(town, invoice).closed_at is None
    assert town.session.scalars(select(Receipt)).all() == []
    assert box.places[Place.HANDLED] == ["mail 0"]


def test_a_person_s_letter_and_a_bounce_of_no_mail_of_ours_are_left_for_a_person(town: Town, box: Box) -> None:
    box.put(samples.letter(), "x")
    box.put(samples.postfix(enclosed="Subject: x\n", to="post@example.com"), "x")
    with town.desk() as desk:
        receipts.collect(desk)
        assert desk.ledger.tally.as_json()["unmatched_mails"] == 2
    assert box.places == {Place.HANDLED: [], Place.UNMATCHED: ["mail 0", "mail 1"]}


def test_a_bounce_of_a_mail_nobody_is_known_to_have_sent_is_kept_and_counted(town: Town, box: Box) -> None:
    box.put(samples.postfix(), samples.KEY)
    with town.desk() as desk:
        receipts.collect(desk)
        assert receipts.count_unknown(desk) == 1
        assert desk.ledger.tally.bounces == 1
    (receipt,) = town.session.scalars(select(Receipt)).all()
    assert (receipt.provider_reference, receipt.handled_at) == (f"{samples.KEY}@example.com", None)
    assert box.places[Place.HANDLED] == ["mail 0"]


def test_a_mail_is_moved_only_after_its_receipt_is_committed_and_counts_once(town: Town, box: Box) -> None:
    invoice, key = mailed(town)
    box.put(samples.postfix(), key)
    box.dies = True
    with pytest.raises(Killed):
        collect(town)
    town.session.rollback()
    assert len(town.session.scalars(select(Receipt)).all()) == 1
    assert box.places[Place.HANDLED] == []
    collect(town)
    collect(town)
    assert len(town.session.scalars(select(Receipt)).all()) == 1
    assert box.places[Place.HANDLED] == ["mail 0"]
    assert town.part(invoice).channel is Channel.PAPER


def test_a_box_that_cannot_be_read_needs_a_person_and_is_left_alone_for_the_rest_of_the_run(
    town: Town, box: Box
) -> None:
    other = Box(name="other")
    town.boxes.append(other)
    box.is_open = False
    invoice, key = mailed(town)
    other.put(samples.postfix(), key)
    with town.desk() as desk:
        receipts.collect(desk)
        receipts.collect(desk)
        assert desk.ledger.tally.alarms == 1
    assert (box.asked, other.asked) == (1, 2)
    assert town.part(invoice).channel is Channel.PAPER


# Mails whose answer was lost


def test_a_bounce_settles_a_mail_whose_answer_was_lost_so_that_it_is_not_sent_again(town: Town, box: Box) -> None:
    town.channels.messages[Channel.EMAIL].script = lambda _consignment: LOST
    town.settings = town.settings.model_copy(update={"retry_waits": None})
    invoice, key = mailed(town)
    assert town.outcomes(invoice) == [("email", "uncertain")]
    box.put(samples.postfix(), key)
    collect(town)
    send(town)
    assert town.outcomes(invoice) == [("email", "accepted"), ("paper", "accepted")]
    assert town.channels.messages[Channel.EMAIL].found == []


def held(town: Town) -> tuple[Invoice, str]:
    """An invoice mailed twice without an answer."""
    channel = town.channels.messages[Channel.EMAIL]
    channel.script = lambda consignment: replace(LOST, provider_reference=f"{consignment.key}@example.com")
    channel.finds = lambda _consignment: SENT_TWICE
    invoice, key = mailed(town)
    town.clock.pass_time(days=1)
    send(town)
    return invoice, key


def test_a_mail_sent_twice_without_an_answer_is_held_for_a_person_with_its_own_reason(town: Town, box: Box) -> None:
    invoice, _ = held(town)
    assert (town.part(invoice).state, town.part(invoice).hold) == (State.HELD, Reason.SENT_TWICE)
    asked = len(town.channels.messages[Channel.EMAIL].found)
    town.clock.pass_time(days=9)
    send(town)
    assert len(town.channels.messages[Channel.EMAIL].found) == asked == 1


def test_a_bounce_tells_what_became_of_a_mail_sent_twice(town: Town, box: Box) -> None:
    invoice, key = held(town)
    box.put(samples.postfix(), key)
    collect(town)
    send(town)
    assert town.outcomes(invoice) == [("email", "accepted"), ("paper", "accepted")]


def test_who_releases_a_mail_sent_twice_lets_it_go_again_under_its_own_id(town: Town, box: Box) -> None:
    invoice, key = held(town)
    town.channels.messages[Channel.EMAIL].script = taken
    Act(town.session, town.clock.now(), "test", "not in the server's log").release(invoice.number)
    (attempt,) = town.session.scalars(select(Attempt)).all()
    assert (attempt.outcome, attempt.closed_at is not None) == (Outcome.UNAVAILABLE, True)
    plan_pending(town.session, town.settings, town.clock)
    send(town)
    assert [attempt.key for attempt in town.attempts(invoice) if attempt.channel is Channel.EMAIL] == [key]


def test_who_finds_that_it_arrived_ends_it_and_a_later_bounce_still_counts(
    town: Town, box: Box, runner: FlaskCliRunner
) -> None:
    invoice, key = held(town)
    command = ["invoices", "release", invoice.number, "--arrived", "--reason", "in the server's log"]
    assert runner.invoke(args=command).exit_code == 0
    assert town.part(invoice).state is State.DELIVERED
    assert runner.invoke(args=command).exit_code == 1
    box.put(samples.postfix(), key)
    collect(town)
    assert (town.part(invoice).state, town.part(invoice).channel) == (State.WAITING, Channel.PAPER)


def test_what_is_paid_meanwhile_is_held_no_longer(town: Town, box: Box) -> None:
    invoice, _ = held(town)
    invoice.closed_at, invoice.closed_reason = town.clock.now(), Closure.PAID
    town.session.commit()
    send(town)
    assert town.part(invoice).state is State.CLOSED


# The command


def test_the_command_reads_the_maildir_of_the_installation(town: Town, runner: FlaskCliRunner) -> None:
    town.channels.messages[Channel.EMAIL].script = taken
    invoice, key = mailed(town)
    new: Path = town.settings.bounce_maildir / "new"
    new.mkdir(parents=True)
    (new / "1.a").write_bytes(samples.postfix().replace(samples.KEY.encode(), key.encode()))
    (new / "2.b").write_bytes(samples.postfix())
    counts = json.loads(runner.invoke(args=["invoices", "receipts", "--format", "json"]).stdout)
    assert (counts["bounces"], counts["receipts"], counts["unknown_receipts"]) == (2, 1, 1)
    assert town.part(invoice).channel is Channel.PAPER
    assert [len(some) for some in MaildirBox(town.settings.bounce_maildir).waiting()] == []
