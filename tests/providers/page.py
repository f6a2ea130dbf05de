"""``docs/providers.md``: the rule tables as they stand in the code, and the matrix as it comes out of running it.

``python -m tests.providers.page`` writes it anew.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import stamina
import structlog
from flask_migrate import upgrade

from app import create_app
from app.channels import efaktura, eformidling, svarut, vipps
from app.channels.contract import ReceiptStatus
from app.clients.efaktura_agreement import AGREEMENT_RULES
from app.clients.efaktura_contract import SHIPMENT_RULES, TRANSACTION_RULES
from app.clients.eformidling_contract import ATTACH_RULES, CREATE_RULES
from app.clients.eformidling_contract import SEND_RULES as MESSAGE_RULES
from app.clients.mail_rules import PERMANENT
from app.clients.rules import GENERAL, Rule
from app.clients.svarut_contract import SEND_RULES as LETTER_RULES
from app.clients.vipps_contract import INVOICE_RULES, RECIPIENT_RULES
from app.core.database import db
from tests.conftest import make_settings
from tests.delivery.town import Town
from tests.providers.cells import Cell, cells_of
from tests.providers.places import PROVIDERS, Provider
from tests.providers.registers import REGISTERS, LookedUp, Register, look_ups_of
from tests.providers.situations import Situation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "providers.md"
Cells = Mapping[Situation, Cell]
LookUps = Mapping[Situation, LookedUp]

INTRODUCTION = """\
# Providers: what each answer means, and what follows

Made by `make providers` from the rule tables in `app/clients/` and from running every channel in every situation. A
test fails when it no longer says what the program does.

Four outcomes. **accepted**: taken, though it may still be refused later. **refused**: never this recipient, so the next
channel goes at once. **unavailable**: surely not taken, so the same channel later, under the same id. **uncertain**:
may have been taken, so the provider is asked before anything else. An *alarm* is our own fault, or something that
somebody must look at: it stands in the log and in the run's report, and the command ends with 1.

In the matrices *next* is what follows at once, *in the end* where the invoice is when the provider works again, and
*staff see* what `flask invoices explain` lists. Whatever the situation, the resident is asked to pay once.
"""
RULES: Mapping[str, Sequence[tuple[str, Sequence[Rule]]]] = {
    "eFaktura gateway": (
        ("A shipment", SHIPMENT_RULES), ("One invoice in a shipment", TRANSACTION_RULES),
        ("A request for an agreement", AGREEMENT_RULES),
    ),
    "Vipps": (("Does this number take invoices?", RECIPIENT_RULES), ("An invoice", INVOICE_RULES)),
    "Digital mailbox by eFormidling": (
        ("Create", CREATE_RULES), ("Attach", ATTACH_RULES), ("Send", MESSAGE_RULES),
    ),
    "Digital mailbox by SvarUt": (("A letter", LETTER_RULES),),
}  # fmt: skip
SAME_AS = {"Print by eFormidling": "Digital mailbox by eFormidling", "Print by SvarUt": "Digital mailbox by SvarUt"}
# What a provider says later, and what it means; source: channels.md §8.4.
LATER: Mapping[str, Mapping[Any, ReceiptStatus]] = {
    "eFaktura gateway": efaktura.RECEIPTS,
    "Vipps": vipps.RECEIPTS,
    "Digital mailbox by eFormidling": eformidling.RECEIPTS,
    "Digital mailbox by SvarUt": svarut.RECEIPTS,
}
NO_WORD = "SMTP has no word for a conflict, and tells nothing later but by a returned mail, which is told once.\n"


def page(cells: Mapping[str, Cells], look_ups: Mapping[str, LookUps]) -> str:
    """The whole page; *cells* by provider and *look_ups* by register."""
    parts = [INTRODUCTION, "## Answers that mean the same everywhere\n", _rules(GENERAL)]
    for provider in PROVIDERS:
        parts.append(f"## {provider.title}\n")
        for title, rules in RULES.get(provider.title, ()):
            parts += [f"{title}:\n", _rules(rules)]
        if provider.title in SAME_AS:
            parts.append(f"The answers mean what they mean under *{SAME_AS[provider.title]}*.\n")
        if provider.title in LATER:
            parts += ["What it says later:\n", _later(LATER[provider.title])]
        if not provider.service:
            parts += ["A permanent reply (5xx); every 4xx is unavailable:\n", _replies(), NO_WORD]
        parts.append(_matrix(cells[provider.title]))
    parts += [
        "## Registers\n",
        "No answer is *unknown*, and unknown is not no: the invoice waits, and is asked about again.\n",
    ]
    for register in REGISTERS:
        parts += [f"### {register.title}\n", _looked_up(look_ups[register.title])]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def _rules(rules: Sequence[Rule]) -> str:
    rows = [
        (
            f"{row.lowest}" if row.lowest == row.highest else f"{row.lowest}–{row.highest}",
            f"`{row.code}`" if row.code else "",
            row.verdict.value,
            "yes" if row.needs_alarm else "",
            row.source,
        )
        for row in rules
    ]
    return _table(("answer", "code", "means", "alarm", "source"), rows)


def _replies() -> str:
    rows = [
        (
            ", ".join(sorted(stage.value for stage in row.stages)),
            f"`{row.start}…`",
            row.verdict.value,
            "yes" if row.needs_alarm else "",
            row.source,
        )
        for row in PERMANENT
    ]
    return _table(("at", "code", "means", "alarm", "source"), rows)


def _later(meanings: Mapping[Any, ReceiptStatus]) -> str:
    follows = {
        ReceiptStatus.FAILED: "the next channel, even after it was delivered",
        ReceiptStatus.EXPIRED: "the same channel again under a new id",
        ReceiptStatus.SETTLED_BY_HAND: "counts as delivered: a person there took care of it",
        ReceiptStatus.IN_TRANSIT: "asked about again",
        ReceiptStatus.DELIVERED: "delivered; asked about for 30 days more",
        ReceiptStatus.READ: "delivered, and not asked about any more",
    }
    rows = [(f"`{word.value}`", meaning.value, follows[meaning]) for word, meaning in meanings.items()]
    return _table(("word", "means", "follows"), rows)


def _matrix(cells: Cells) -> str:
    rows = [(one.situation.value, one.answer, one.following, one.end, one.seen) for one in cells.values()]
    return _table(("situation", "outcome", "next", "in the end", "staff see"), rows)


def _looked_up(look_ups: LookUps) -> str:
    rows = [
        (_asked(situation), one.answer, str(one.calls), f"{one.seen}{'; alarm' if one.needs_alarm else ''}")
        for situation, one in look_ups.items()
    ]
    return _table(("situation", "known then", "calls", "the run's report"), rows)


def _asked(situation: Situation) -> str:
    words = {Situation.ACCEPTED: "the resident is there", Situation.REFUSED: "the resident is not there"}
    return words.get(situation, situation.value.replace(" after taking it", ""))


def played(provider: Provider, town: Town) -> Cells:
    """The cells of one provider, without the waits between retries."""
    with stamina.set_testing(True, attempts=3, cap=True):
        return cells_of(provider, town)


def asked(register: Register, town: Town) -> LookUps:
    """The look-ups of one register, without the waits between retries."""
    with stamina.set_testing(True, attempts=3, cap=True):
        return look_ups_of(register, town.settings, town.clock)


def main() -> None:
    """Write the page."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    cells: dict[str, Cells] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, provider in enumerate(PROVIDERS):
            cells[provider.title] = _in_a_new_town(Path(folder) / str(number), provider)
        app = create_app(make_settings(Path(folder) / "registers", log_level="ERROR"))
        with app.app_context():
            upgrade()
            town = Town(db.session(), app.config["SETTINGS"])
            look_ups = {register.title: asked(register, town) for register in REGISTERS}
            db.engine.dispose()
    PAGE.write_text(page(cells, look_ups), encoding="utf-8")


def _in_a_new_town(folder: Path, provider: Provider) -> Cells:
    app = create_app(make_settings(folder, log_level="ERROR"))
    with app.app_context():
        upgrade()
        found = played(provider, Town(db.session(), app.config["SETTINGS"]))
        db.session.remove()
        db.engine.dispose()
    return found


if __name__ == "__main__":
    main()
