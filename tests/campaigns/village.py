"""Residents, a register that answers as told, and campaigns that run to their end, made in a line each."""

from __future__ import annotations

import email
import email.policy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns import service
from app.campaigns.models import Offer, OfferMail
from app.campaigns.pace import Pace
from app.campaigns.run import Run, RunReport
from app.core.crypto import NationalIdVault, vault
from app.core.settings import Settings
from app.delivery.workers import working
from app.registries.contract import Reply, Said, Target
from app.registries.models import Register
from app.residents.models import ContactKind, ContactPoint, ContactSource, Resident
from app.routing.channels import Answer
from tests.delivery.town import MovingClock


@dataclass
class ToldRegister:
    """Answers no, unless ``answers`` says otherwise; ``is_down``: not at all. ``asked``: about whom, call by call."""

    answers: dict[int, Answer] = field(default_factory=dict)
    is_down: bool = False
    asked: list[list[int]] = field(default_factory=list)
    provider: str = "efaktura"
    registers: tuple[Register, ...] = (Register.EFAKTURA,)
    chunk: int = 1000

    def ask(self, targets: Sequence[Target]) -> Reply:
        self.asked.append([one.resident_id for one in targets])
        if self.is_down:
            return Reply({}, 1, 0, "no connection")
        said = {
            one.resident_id: (Said(Register.EFAKTURA, self.answers.get(one.resident_id, Answer.NO)),) for one in targets
        }
        return Reply(said, 1, 1)


@dataclass
class Village:
    """Everything a test of the offer needs."""

    session: Session
    settings: Settings
    clock: MovingClock = field(default_factory=MovingClock)
    register: ToldRegister = field(default_factory=ToldRegister)
    serial: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    vault: NationalIdVault = field(init=False)

    def __post_init__(self) -> None:
        self.vault = vault(self.settings)

    def resident(self, address: str | None = "own", *, national_id: str | None = None, **values: object) -> Resident:
        """Somebody whom the offer is for, unless *values* say otherwise. ``own``: an address nobody else has."""
        number, now = next(self.serial), self.clock.now()
        kept: dict[str, object] = {"customer_number": f"K{number}", "name": f"Kari{number} Nordmann", "language": "nb",
                                   "postal_code": "4100", "created_at": now, "updated_at": now}  # fmt: skip
        resident = Resident(**(kept | values))
        self.session.add(resident)
        self.session.flush()
        if national_id is not None:
            resident.national_id_encrypted = self.vault.encrypt(national_id, row=resident.public_id)
            resident.national_id_index = self.vault.blind_index(national_id)
        if address is not None:
            self.point(resident, f"k{number}@example.com" if address == "own" else address)
        self.session.commit()
        return resident

    def residents(self, count: int) -> list[Resident]:
        """So many of them."""
        return [self.resident() for _ in range(count)]

    def point(self, resident: Resident, value: str, **values: object) -> ContactPoint:
        """An e-mail address of *resident*."""
        point = ContactPoint(resident_id=resident.id, kind=ContactKind.EMAIL, value=value,
                             source=ContactSource.REGISTER, registered_at=self.clock.now(), **values)  # fmt: skip
        self.session.add(point)
        self.session.commit()
        return point

    def send(
        self, name: str = "first", limit: int | None = None, pace: Pace | None = None,
        collect: Callable[[], None] = lambda: None, progress: Callable[[int], None] = lambda _done: None,
    ) -> RunReport:  # fmt: skip
        """One run of the campaign *name*, which is started where it is not there."""
        campaign = service.start(self.session, self.clock, name, "test")
        with working() as worker:
            return Run(self.session, self.settings, self.clock, worker, self.register, campaign, limit, progress,
                       collect, pace).send_waiting()  # fmt: skip

    def offers(self) -> list[Offer]:
        """All offers, as the database has them."""
        return list(self.session.scalars(select(Offer).order_by(Offer.id).execution_options(populate_existing=True)))

    def mails(self) -> list[OfferMail]:
        """All mails, as the database has them."""
        query = select(OfferMail).order_by(OfferMail.id)
        return list(self.session.scalars(query.execution_options(populate_existing=True)))

    def states(self) -> list[str]:
        """The state of each mail."""
        return [mail.state.value for mail in self.mails()]

    def box(self) -> list[EmailMessage]:
        """The mails in the Maildir, by recipient."""
        folder = self.settings.outbox_dir / "email" / "new"
        found = [read(path.read_bytes()) for path in folder.iterdir()] if folder.exists() else []
        return sorted(found, key=lambda mail: str(mail["To"]))

    def written_to(self) -> list[str]:
        """The addresses of the mails in the Maildir."""
        return [str(mail["To"]).strip("<>") for mail in self.box()]


def read(content: bytes) -> EmailMessage:
    """A mail as a program reads it."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message
