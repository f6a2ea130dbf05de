"""What comes back by mail: which of it means that the address is no good, and which mail of ours it is about."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clients.bounce_rules import RULES, code_in, is_hard
from app.clients.return_path import ReturnPath
from app.clients.returned import Kind, Returned, read_returned
from app.core.errors import SettingsInvalid
from tests.clients import returned_samples as samples
from tests.clients.returned_samples import ENCLOSED_HEAD, KEY
from tests.conftest import make_settings

PATH = ReturnPath(("Strand kommune", "faktura@example.com"), "retur+{key}@example.com")
NO_VERP = ReturnPath(("Strand kommune", "faktura@example.com"), "faktura@example.com")
HARD = Returned(Kind.HARD, "hard 5.1.1", KEY)
FULL = "smtp; 552 5.2.2 mailbox is full"
NAMELESS = "From: Strand kommune <faktura@example.com>\nTo: <kari@example.net>\n"

READ = {
    "postfix, unknown user": (samples.postfix(), HARD),
    "postfix, the head of the mail alone": (samples.postfix(part="text/rfc822-headers"), HARD),
    "postfix, a general status and a telling diagnostic": (samples.postfix(status="5.0.0"), HARD),
    "postfix, no code but the server's reply": (
        samples.postfix(status="5.0.0", diagnostic="smtp; 550 no such user here"), Returned(Kind.HARD, "hard 550", KEY)
    ),
    "postfix, mailbox full": (samples.postfix("5.2.2", FULL), Returned(Kind.SOFT, "soft 5.2.2", KEY)),
    "postfix, gave up after five days": (
        samples.postfix("4.4.1", "X-Postfix; connect to mx.example.net: Connection timed out"),
        Returned(Kind.SOFT, "soft 4.4.1", KEY),
    ),
    "postfix, taken for spam": (
        samples.postfix("5.7.1", "smtp; 554 5.7.1 Message rejected"), Returned(Kind.SOFT, "soft 5.7.1", KEY)
    ),
    "postfix, no such domain": (
        samples.postfix("5.4.4", "X-Postfix; Host or domain name not found"), Returned(Kind.HARD, "hard 5.4.4", KEY)
    ),
    "postfix, a delay": (
        samples.postfix("4.4.1", "smtp; 451 later", "delayed"), Returned(Kind.DELAYED, "delayed 4.4.1")
    ),
    "postfix, word of success": (samples.postfix("2.0.0", "smtp; 250 ok", "relayed"), Returned(Kind.REPLY, "reply")),
    "exchange, unknown user": (samples.exchange(), Returned(Kind.HARD, "hard 5.1.10", KEY)),
    "exchange, unknown in this domain": (
        samples.exchange("5.4.1", "Recipient address rejected: Access denied."), Returned(Kind.HARD, "hard 5.4.1", KEY)
    ),
    "exchange, no such domain": (samples.exchange("5.4.310"), Returned(Kind.HARD, "hard 5.4.310", KEY)),
    "exchange, a routing loop": (samples.exchange("5.4.14"), Returned(Kind.SOFT, "soft 5.4.14", KEY)),
    "exchange, we sent too much": (samples.exchange("5.1.90"), Returned(Kind.SOFT, "soft 5.1.90", KEY)),
    "gmail": (samples.gmail(), HARD),
    "exim, words alone": (samples.exim(), HARD),
    "qmail, words alone": (samples.qmail(), Returned(Kind.HARD, "hard", KEY)),
    "qmail, mailbox full": (samples.qmail("Mailbox is full 5.2.2"), Returned(Kind.SOFT, "soft 5.2.2", KEY)),
    "a complaint": (samples.complaint(), Returned(Kind.COMPLAINT, "complaint abuse", KEY)),
    "a complaint taken back": (samples.complaint("not-spam"), Returned(Kind.REPLY, "reply not-spam")),
    "on holiday": (samples.out_of_office(), Returned(Kind.REPLY, "reply")),
    "on holiday, in the old way": (samples.out_of_office("X-Autoreply: yes"), Returned(Kind.REPLY, "reply")),
    "on holiday, by precedence": (samples.out_of_office("Precedence: auto_reply"), Returned(Kind.REPLY, "reply")),
    "on holiday, by its subject alone": (
        samples.out_of_office("X: 1").replace(b"Takk for e-posten", b"=?utf-8?Q?Frav=C3=A6rsmelding?="),
        Returned(Kind.REPLY, "reply"),
    ),
    "read": (samples.read_receipt(), Returned(Kind.REPLY, "reply")),
    "a person's letter": (samples.letter(), Returned(Kind.OTHER, "other")),
    "nothing": (b"", Returned(Kind.OTHER, "unreadable")),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_each_kind_of_returned_mail_is_read_as_what_it_is(name: str) -> None:
    content, expected = READ[name]
    assert read_returned(content, PATH) == expected
    assert read_returned(content.replace(b"\n", b"\r\n"), PATH) == expected


def test_a_mail_is_known_by_its_return_address_when_nothing_is_enclosed() -> None:
    content = samples.postfix(enclosed=NAMELESS)
    assert read_returned(content, PATH).key == KEY
    assert read_returned(content.replace(b"retur+", b"Retur+").replace(b"7c0d7d0e", b"7C0D7D0E"), PATH).key == KEY


def test_a_mail_is_known_by_its_message_id_when_no_return_path_is_set() -> None:
    assert read_returned(samples.postfix(to="faktura@example.com"), NO_VERP).key == KEY
    assert read_returned(samples.exchange(), NO_VERP).key == KEY


def test_the_enclosed_mail_counts_before_the_address_it_came_to() -> None:
    other = "11111111-2222-5333-8444-555555555555"
    assert read_returned(samples.postfix(to=f"retur+{other}@example.com"), PATH).key == KEY


def test_a_mail_that_is_not_ours_has_no_key() -> None:
    foreign = ENCLOSED_HEAD.replace("@example.com", "@example.org")
    assert read_returned(samples.postfix(enclosed=foreign, to="faktura@example.com"), NO_VERP).key == ""


def test_a_report_on_several_recipients_counts_by_the_worst() -> None:
    again = "Final-Recipient: rfc822; ola@example.net\nAction: delayed\nStatus: 4.4.1\n\nFinal-Recipient: rfc822; kari"
    content = samples.postfix().replace(b"Final-Recipient: rfc822; kari", again.encode(), 1)
    assert read_returned(content, PATH) == HARD


def test_a_mail_cut_short_is_read_as_far_as_it_goes() -> None:
    whole = samples.postfix(enclosed=ENCLOSED_HEAD + "\n" + "A" * 400_000)
    assert read_returned(whole, PATH) == HARD


def test_what_was_said_is_never_the_address() -> None:
    assert not any("kari" in read_returned(content, PATH).detail for content, _ in READ.values())


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([content for content, _ in READ.values()]), st.data())
def test_no_mail_however_broken_stops_the_reading(content: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(content)))
    cut = data.draw(st.integers(0, 200))
    junk = data.draw(
        st.binary(max_size=60) | st.sampled_from([b"\xff\xfe", b"=?x-none?Q?=A?=", b'charset="nowhere"\n'])
    )
    assert read_returned(content[:place] + junk + content[place + cut :], PATH).kind in Kind


def test_a_mail_of_parts_in_parts_without_end_stops_nothing() -> None:
    nested = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(3000))
    assert read_returned(nested.encode(), PATH).kind is Kind.OTHER


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code or "none")
def test_each_row_of_the_table_is_reached(rule: object) -> None:
    code = getattr(rule, "code", "")
    example = code + ("0.9" if code in ("5.", "4.") else "3" if code.endswith(".") else "")
    assert next(row for row in RULES if row.fits(example)) is rule
    assert is_hard(example) is getattr(rule, "is_hard", None)


@pytest.mark.parametrize(
    ("texts", "code"),
    [(("smtp; 550 5.1.1 unknown", "5.0.0"), "5.1.1"), (("host 192.0.2.20 said 421", "5.0.0"), "5.0.0"),
     (("version 15.1.2.3", ""), ""), (("smtp; 550-no such user", "5.0.0"), "550")],
)  # fmt: skip
def test_the_most_telling_code_is_taken_and_no_version_or_address(texts: tuple[str, ...], code: str) -> None:
    assert code_in(*texts) == code


@pytest.mark.parametrize("pattern", ["retur {key}@example.com", "et-altfor-langt-navn-til-dette+{key}@example.com"])
def test_a_return_path_that_is_no_address_stops_the_start(tmp_path: object, pattern: str) -> None:
    with pytest.raises(SettingsInvalid, match="MAIL_RETURN_PATH"):
        ReturnPath.by(make_settings(tmp_path, mail_return_path=pattern))  # type: ignore[arg-type]
