"""Channels and letters that do as told, and remember what left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.channels.contract import Consignment, Outcome, ReceiptNote, Result
from app.delivery.consignments import Letter
from app.delivery.parcels import Parcel
from app.routing.channels import Channel


class Killed(BaseException):
    """The process ends here, as far as the code can tell."""


Script = Callable[[Consignment], Result]
ACCEPTED = Result(Outcome.ACCEPTED)


def always(result: Result) -> Script:
    """The same answer every time."""
    return lambda _consignment: result


def in_turn(*results: Result) -> Script:
    """One answer a call; the last one for ever."""
    left: Iterator[Result] = iter(results)

    def answer(_consignment: Consignment) -> Result:
        return next(left, results[-1])

    return answer


@dataclass
class Provider:
    """What stands on the other side: it takes each key once, whatever it answers, and keeps it over our death."""

    taken: dict[str, Consignment] = field(default_factory=dict)
    repeats: list[str] = field(default_factory=list)

    def take(self, consignment: Consignment) -> None:
        """Keep it, or recognise it."""
        if consignment.key in self.taken:
            self.repeats.append(consignment.key)
        self.taken.setdefault(consignment.key, consignment)

    def numbers(self, witness_kind: str = "demand") -> list[str]:
        """The invoice numbers it has, one for each key."""
        return sorted(one.number for one in self.taken.values() if one.witness_kind == witness_kind)


@dataclass
class FakeMessages:
    """A message channel. ``script`` answers; what it accepts, and what it is uncertain of, the provider takes.

    ``dies``: "before" or "after" the provider takes it, at the consignment with this number.
    """

    channel: Channel = Channel.EMAIL
    provider: str = "fake"
    batch_size: int = 1
    commit_each: bool = False
    script: Script = field(default=lambda _consignment: ACCEPTED)
    other_side: Provider = field(default_factory=Provider)
    dies: dict[str, str] = field(default_factory=dict)
    notes: list[ReceiptNote] = field(default_factory=list)
    finds: Callable[[Consignment], Result] | None = None
    asked: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    seats: set[int] = field(default_factory=set)
    is_answer_lost: bool = True

    def send(self, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        self.seats.add(threading.get_ident())
        return {one.key: self._one(one) for one in consignments}

    def _one(self, consignment: Consignment) -> Result:
        when = self.dies.pop(consignment.number, "")
        if when == "before":
            raise Killed
        result = self.script(consignment)
        is_taken = result.outcome is Outcome.ACCEPTED or (result.outcome is Outcome.UNCERTAIN and self.is_answer_lost)
        if is_taken:
            self.other_side.take(consignment)
        if when == "after":
            raise Killed
        if result.outcome is Outcome.ACCEPTED and result.provider_reference is None:
            return Result(Outcome.ACCEPTED, provider_reference=f"{self.channel}:{consignment.key}")
        return result

    def find(self, consignment: Consignment) -> Result:
        self.found.append(consignment.number)
        if self.finds is not None:
            return self.finds(consignment)
        if consignment.key in self.other_side.taken:
            return Result(Outcome.ACCEPTED, provider_reference=f"{self.channel}:{consignment.key}")
        return Result(Outcome.UNAVAILABLE)

    def receipts(self, references: Sequence[str]) -> Sequence[ReceiptNote]:
        self.asked.extend(references)
        return [note for note in self.notes if note.provider_reference in references]

    def close(self) -> None:
        pass


@dataclass
class FakeFiles:
    """A file channel. ``dies`` names the step at which the process ends: before or after prepare or hand_over."""

    channel: Channel = Channel.PAPER
    batch_size: int = 500
    script: Script = field(default=lambda _consignment: ACCEPTED)
    hidden: dict[str, list[Consignment]] = field(default_factory=dict)
    outbox: dict[str, list[Consignment]] = field(default_factory=dict)
    dies: set[str] = field(default_factory=set)
    breaks: bool = False

    def _die(self, step: str) -> None:
        if step in self.dies:
            self.dies.discard(step)
            raise Killed

    def prepare(self, name: str, consignments: Sequence[Consignment]) -> Mapping[str, Result]:
        self._die("before prepare")
        if self.breaks:
            raise OSError("disk full")
        results = {one.key: self.script(one) for one in consignments}
        taken = [one for one in consignments if results[one.key].outcome is Outcome.ACCEPTED]
        if taken:
            self.hidden[name] = taken
        self._die("after prepare")
        return results

    def hand_over(self, name: str) -> None:
        self._die("before hand_over")
        if name in self.hidden:
            self.outbox[name] = self.hidden.pop(name)
        self._die("after hand_over")

    def discard(self, name: str) -> None:
        self.hidden.pop(name, None)

    def numbers(self, *, cancelled: bool = False) -> list[str]:
        """The invoice numbers in all files that are in place."""
        files = self.outbox.values()
        return sorted(one.number for file in files for one in file if one.is_cancellation == cancelled)


@dataclass
class FakeChannels:
    """The channels of one municipality."""

    messages: dict[Channel, FakeMessages] = field(default_factory=dict)
    files: dict[Channel, FakeFiles] = field(default_factory=dict)

    @classmethod
    def all(cls) -> FakeChannels:
        """Every channel, taking everything."""
        messages = (Channel.EFAKTURA, Channel.VIPPS, Channel.MAILBOX, Channel.EMAIL)
        files = (Channel.AVTALEGIRO, Channel.PAPER)
        return cls(
            {channel: FakeMessages(channel) for channel in messages}, {channel: FakeFiles(channel) for channel in files}
        )

    def demands(self) -> list[str]:
        """The number of every demand and claim that left and stands, as the witnesses would count them."""
        taken = [number for channel in self.messages.values() for number in channel.other_side.numbers()]
        return sorted(taken + [number for channel in self.files.values() for number in self._in_files(channel)])

    @staticmethod
    def _in_files(channel: FakeFiles) -> list[str]:
        return [
            one.number
            for file in channel.outbox.values()
            for one in file
            if one.witness_kind in ("demand", "claim") and not one.is_cancellation
        ]


class FakeLetters:
    """Letters of a few bytes."""

    def make(self, session: Session, parcels: Sequence[Parcel]) -> Mapping[int, Letter]:
        return {parcel.delivery.id: Letter(pdf=b"%PDF", sha256="00") for parcel in parcels}
