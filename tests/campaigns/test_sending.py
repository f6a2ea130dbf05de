"""A campaign sends each mail once: over SMTP and into a Maildir, at its pace, in its hours, and until it is stopped."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from sqlalchemy.orm import Session

from app.campaigns import claims, journal, service
from app.campaigns.models import Campaign, CampaignState, MailState, OfferMail, StopReason
from app.campaigns.outgoing import outgoing
from app.campaigns.pace import Pace, is_open_at
from app.clients.rules import Verdict
from app.core.errors import NotFound, NotPossible
from app.core.settings import Settings
from app.residents.models import ClosedReason, ContactPoint
from app.routing.channels import Answer
from tests.campaigns.village import Village, read
from tests.clients.smtp_servers import HANG_UP, scripted

GONE = "another-host/1:1:1.00:1"


@pytest.fixture
def village(session: Session, settings: Settings) -> Village:
    return Village(session, settings)


def over_smtp(village: Village, port: int) -> None:
    village.settings = village.settings.model_copy(
        update={"mail_server": "127.0.0.1", "mail_port": port, "mail_use_tls": False,
                "mail_return_path": "retur+{key}@example.com"}
    )  # fmt: skip


def ids_of(mails: list[bytes]) -> list[str]:
    return [str(read(mail)["Message-ID"]).strip("<>") for mail in mails]


def left_open(village: Village, worker: str = GONE, *, resent: bool = False) -> OfferMail:
    """A mail that a worker began long ago and never ended."""
    village.resident()
    _enrol(village)
    mail = village.mails()[-1]
    mail.state, mail.worker, mail.resent = MailState.SENDING, worker, resent
    mail.opened_at = village.clock.now() - dt.timedelta(hours=1)
    village.session.commit()
    return mail


def _enrol(village: Village) -> None:
    """Make the mails without sending them: the server takes none."""
    with scripted(greeting="421 busy") as server:
        before = village.settings
        over_smtp(village, server.port)
        village.send()
        village.settings = before


def test_over_smtp_each_leaves_once_with_a_return_address_of_its_own(village: Village) -> None:
    village.residents(20)
    with scripted() as server:
        over_smtp(village, server.port)
        assert village.send().sent == 20
        assert village.send().sent == 0
    keys = [mail.key for mail in village.mails()]
    assert sorted(ids_of(server.mails)) == sorted(f"{key}@example.com" for key in keys)
    senders = [command for command in server.commands if command.startswith("MAIL")]
    assert sorted(senders) == sorted(f"MAIL FROM:<retur+{key}@example.com>" for key in keys)
    assert server.connections <= village.settings.seats
    assert set(village.states()) == {"sent"}


def test_a_mail_counts_as_delivered_when_it_has_not_come_back_in_time(village: Village) -> None:
    village.settings = village.settings.model_copy(update={"email_settle_days": 2})
    village.resident()
    village.send()
    assert village.states() == ["sent"]
    village.clock.pass_time(days=2)
    village.send()
    assert village.states() == ["delivered"]


def test_a_refused_address_is_closed_and_never_written_to_again(village: Village) -> None:
    resident = village.resident("gone@example.com")
    with scripted(RCPT="550 5.1.1 no such user") as server:
        over_smtp(village, server.port)
        report = village.send()
    assert (report.sent, report.refused, village.states()) == (0, 1, ["refused"])
    point = village.session.query(ContactPoint).populate_existing().filter_by(resident_id=resident.id).one()
    assert point.closed_reason is ClosedReason.BOUNCED
    village.clock.pass_time(days=4000)
    assert village.send("second").skipped == {"bounced": 1}


def test_a_full_mailbox_refuses_the_mail_and_keeps_the_address(village: Village) -> None:
    resident = village.resident()
    with scripted(RCPT="552 5.2.2 full") as server:
        over_smtp(village, server.port)
        assert village.send().refused == 1
    point = village.session.query(ContactPoint).populate_existing().filter_by(resident_id=resident.id).one()
    assert point.closed_at is None


def test_what_the_server_does_not_take_now_waits_for_the_next_run(village: Village) -> None:
    village.resident()
    with scripted(RCPT=["450 4.2.1 later"]) as server:
        over_smtp(village, server.port)
        first = village.send()
        assert (first.sent, first.not_taken, first.waiting) == (0, 1, 1)
        assert village.mails()[0].opened_at is None
        assert village.send().sent == 1
    assert len(server.mails) == 1
    assert village.mails()[0].resent is False


def test_a_server_that_takes_nothing_ends_the_run(village: Village) -> None:
    village.residents(200)
    with scripted(greeting="421 busy") as server:
        over_smtp(village, server.port)
        report = village.send()
    assert report.ended_by == "server"
    assert report.needs_a_person
    assert report.waiting == 200
    assert report.not_taken < 200


def test_a_mail_without_an_answer_leaves_once_more_under_the_same_id_and_then_counts_as_sent(
    village: Village,
) -> None:
    village.resident()
    with scripted(end=[HANG_UP, HANG_UP]) as server:
        over_smtp(village, server.port)
        assert village.send().waiting == 1
        assert village.send().sent == 1
        assert village.send().sent == 0
    assert len(server.mails) == 2
    assert len(set(ids_of(server.mails))) == 1
    assert [read(mail)["X-Offer-Resend"] for mail in server.mails] == [None, "yes"]
    mail = village.mails()[0]
    assert (mail.resent, mail.detail) == (True, claims.SENT_TWICE)


def test_over_smtp_a_mail_left_open_elsewhere_leaves_once_more_and_marked(village: Village) -> None:
    mail = left_open(village)
    with scripted() as server:
        over_smtp(village, server.port)
        report = village.send()
    assert (report.left_open, report.sent) == (1, 1)
    assert ids_of(server.mails) == [f"{mail.key}@example.com"]
    assert village.mails()[0].resent is True


def test_over_smtp_a_mail_left_open_twice_leaves_no_more(village: Village) -> None:
    left_open(village, resent=True)
    with scripted() as server:
        over_smtp(village, server.port)
        assert village.send().sent == 0
    assert server.mails == []
    assert village.mails()[0].detail == claims.SENT_TWICE


@pytest.mark.parametrize(
    ("notes", "leaves", "resent"),
    [((), 1, False), (("ending",), 1, True), (("ending", "accepted"), 0, False), (("ending", "refused"), 1, False)],
)
def test_our_own_notes_tell_how_far_a_mail_came_that_was_left_open(
    village: Village, notes: tuple[str, ...], leaves: int, resent: bool
) -> None:
    mail = left_open(village)
    book = journal.Journal(journal.place(village.settings.instance_dir, GONE))
    for note in notes:
        if note == journal.ENDING:
            book.ending(mail.key)
        else:
            book.answered(mail.key, Verdict(note))
    book.close(is_done=False)
    with scripted() as server:
        over_smtp(village, server.port)
        village.send()
    assert (len(server.mails), village.mails()[0].resent) == (leaves, resent)
    assert list((village.settings.instance_dir / "offers").iterdir()) == []


def test_notes_of_another_boot_are_not_trusted(village: Village) -> None:
    place = journal.place(village.settings.instance_dir, GONE)
    place.parent.mkdir(parents=True)
    place.write_text("boot 12345\naccepted key\n")
    assert journal.read(place) is None
    assert journal.verdict_of(None, "key") is Verdict.UNCERTAIN


@pytest.mark.parametrize("is_there", [True, False])
def test_in_a_maildir_a_mail_left_open_is_settled_by_looking(village: Village, is_there: bool) -> None:
    mail = left_open(village)
    folder = village.settings.outbox_dir / "email" / "new"
    if is_there:
        folder.mkdir(parents=True)
        (folder / mail.key).write_text("To: <somebody@example.com>\n\n")
    assert village.send().sent == int(not is_there)
    assert len(village.box()) == 1
    assert village.mails()[0].resent is False


def test_the_mails_of_a_living_worker_are_left_alone(village: Village) -> None:
    mail = left_open(village)
    mail.opened_at = village.clock.now()
    village.session.commit()
    assert claims.free_gone(village.session, village.settings, outgoing(village.settings), village.clock.now()) == 0


def test_what_waited_is_looked_up_anew_before_it_leaves(village: Village) -> None:
    late, died, _ = village.residents(3)
    _enrol(village)
    village.register.answers[late.id] = Answer.YES
    died.deceased_on = village.clock.today()
    village.session.commit()
    report = village.send()
    assert report.sent == 1
    assert len(village.box()) == 1
    assert village.states() == ["sent"]


def test_a_limit_ends_the_run_and_the_next_goes_on(village: Village) -> None:
    village.residents(5)
    first = village.send(limit=2)
    assert (first.sent, first.waiting, first.ended_by) == (2, 3, "limit")
    assert not first.needs_a_person
    assert village.send(limit=10).sent == 3
    assert len(set(village.written_to())) == 5


def test_a_campaign_that_is_stopped_while_it_runs_sends_no_more_until_it_is_resumed(village: Village) -> None:
    village.settings = village.settings.model_copy(update={"seats": 1, "offer_mails_per_minute": 60_000})
    village.residents(300)

    def stop_soon(_done: int) -> None:
        if len(village.box()) >= 2:
            service.stop(village.session, village.clock, "first", "person:test")

    report = village.send(progress=stop_soon)
    assert report.ended_by == "stopped"
    assert 0 < report.sent < 300
    assert report.sent + report.waiting == 300
    with pytest.raises(NotPossible):
        village.send()
    campaign = service.resume(village.session, village.clock, "first", "person:test")
    assert campaign.state is CampaignState.RUNNING
    assert village.send().sent == 300 - report.sent
    assert len(set(village.written_to())) == 300


def test_a_campaign_that_has_reached_everybody_is_finished_and_goes_on_for_newcomers(village: Village) -> None:
    village.resident()
    village.send()
    assert village.session.query(Campaign).one().state is CampaignState.FINISHED
    village.resident()
    assert village.send().sent == 1


def test_a_campaign_that_is_not_there_cannot_be_stopped_and_one_needs_a_name(village: Village) -> None:
    with pytest.raises(NotFound):
        service.stop(village.session, village.clock, "none", "test")
    with pytest.raises(NotPossible):
        service.start(village.session, village.clock, "  ", "test")


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        ("", "03:00", True),
        ("08-20", "06:59", False),
        ("08-20", "07:00", True),
        ("08-20", "18:59", True),
        ("08-20", "19:00", False),
    ],
)
def test_mails_leave_in_the_hours_of_the_settings_in_oslo(
    settings: Settings, hours: str, moment: str, expected: bool
) -> None:
    now = dt.datetime.fromisoformat(f"2026-11-24T{moment}+00:00")
    assert is_open_at(now, settings.model_copy(update={"offer_hours": hours})) is expected


def test_outside_its_hours_a_run_sends_nothing_and_needs_nobody(village: Village) -> None:
    village.settings = village.settings.model_copy(update={"offer_hours": "20-21"})
    village.resident()
    report = village.send()
    assert (report.sent, report.waiting, report.ended_by, report.needs_a_person) == (0, 1, "hours", False)


def test_no_more_leave_in_a_minute_than_the_settings_say(village: Village) -> None:
    village.residents(10)
    seconds, begun = [0.0], []

    def sleep(span: float) -> None:
        seconds[0] += span or 0.001

    pace = Pace(120, lambda: seconds[0], sleep)
    village.send(pace=pace, progress=lambda done: begun.extend([seconds[0]] * done))
    assert len(begun) == 10
    assert all(later - earlier >= 0.499 for earlier, later in itertools.pairwise(begun))


def test_a_mail_that_is_late_does_not_make_the_next_ones_hurry() -> None:
    seconds = [0.0]
    pace = Pace(60, lambda: seconds[0])
    assert pace.may_go(5) == 1
    seconds[0] = 100.0
    assert pace.may_go(50) == 2


def test_a_campaign_whose_mails_are_refused_is_stopped_and_a_resumed_one_counts_anew(village: Village) -> None:
    village.settings = village.settings.model_copy(update={"offer_bounce_minimum": 10, "seats": 1})
    village.residents(400)
    refusals = ["550 5.1.1 no such user" if number % 5 == 0 else "250 2.1.5 Ok" for number in range(400)]
    with scripted(RCPT=refusals) as server:
        over_smtp(village, server.port)
        report = village.send()
        campaign = village.session.query(Campaign).populate_existing().one()
        assert (campaign.state, campaign.stop_reason) == (CampaignState.STOPPED, StopReason.BOUNCES)
        assert report.ended_by == "stopped"
        assert report.sent + report.refused < 400
        village.clock.pass_time(minutes=1)
        service.resume(village.session, village.clock, "first", "person:test")
        server.script = {}
        assert village.send().ended_by == ""


def test_five_in_a_hundred_that_come_back_are_said_and_stop_nothing(village: Village) -> None:
    village.settings = village.settings.model_copy(update={"offer_bounce_minimum": 10, "seats": 1})
    village.residents(40)
    refusals = ["250 Ok"] * 30 + ["550 5.1.1 no such user"] * 2
    with scripted(RCPT=refusals) as server:
        over_smtp(village, server.port)
        report = village.send()
    assert (report.sent, report.refused, report.ended_by, report.is_warned) == (38, 2, "", True)
    assert report.needs_a_person
