"""The lines of a text file with their numbers, none of them ever held whole when it is too long."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from typing import TextIO

LONGEST_RECORD = 32_768
MOST_LINES = 16

Progress = Callable[[int], None]
"""Told how many bytes of a file were read since the last time."""

Line = tuple[int, str | None]
"""A line's number, from 1, and its text; None when it is longer than LONGEST_RECORD."""


class Lines:
    """Iterates over the non-blank lines; lends the next ones to a reader of quotes and takes them back."""

    def __init__(self, text: TextIO, raw: io.BufferedReader, progress: Progress | None) -> None:
        self._text, self._raw, self._progress = text, raw, progress
        self._row = self._told = 0
        self._returned: deque[Line] = deque()
        self._lent: list[Line] = []

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        while (line := self._next()) is not None:
            if line[1] is None or line[1].strip():
                return line
        raise StopIteration

    def following(self, first: str) -> Iterator[str]:
        """*first*, and behind it the lines that one record may reach over at most."""
        self._lent = []
        yield first + "\n"
        length = len(first)
        while len(self._lent) < MOST_LINES and (line := self._next()) is not None:
            self._lent.append(line)
            if line[1] is None or (length := length + len(line[1])) > LONGEST_RECORD:
                return
            yield line[1] + "\n"

    def take_back(self) -> None:
        """Let the lent lines be read again, one by one."""
        self._returned.extendleft(reversed(self._lent))
        self._lent = []

    def report_progress(self) -> None:
        """Tell how far the file was read."""
        if self._progress is not None:
            position = self._raw.tell()
            self._progress(position - self._told)
            self._told = position

    def _next(self) -> Line | None:
        if self._returned:
            return self._returned.popleft()
        text = self._text.readline(LONGEST_RECORD)
        if not text:
            return None
        self._row += 1
        if self._row % 1000 == 0:
            self.report_progress()
        if text.endswith("\n"):
            return self._row, text[:-1]
        if len(text) < LONGEST_RECORD:
            return self._row, text
        while text and not text.endswith("\n"):
            text = self._text.readline(LONGEST_RECORD)
        return self._row, None
