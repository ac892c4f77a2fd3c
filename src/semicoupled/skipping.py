"""What becomes of parts that cannot be used: the first ends it, or a few are left out, counted and listed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from semicoupled.errors import DataError

_LOG = logging.getLogger(__name__)

OnError = Literal["fail", "skip"]
"""``fail`` at the first part that cannot be used, or ``skip`` it."""

MOST_SKIPPED = 0.01
"""Share of the parts of a place (frames, files, images, clips) that may be left out."""


class Skipped:
    """Takes what could not be used, and says when it is too much."""

    def __init__(self, on_error: OnError, where: str, what: str = "frames", *, spared: int = 0, hint: str = "") -> None:
        """Begin to count.

        Args:
            on_error: ``fail`` raises the first; ``skip`` keeps them.
            where: the file or folder, for messages.
            what: the things that are counted, for messages.
            spared: so many may be left out however few there are.
            hint: a sentence that ends the message of too many.
        """
        self._on_error, self._where, self._what = on_error, where, what
        self._spared, self._hint = spared, hint
        self.reasons: list[str] = []
        self.count = 0

    def add(self, error: DataError, count: int = 1) -> None:
        """Take one more, and name it in the log.

        Args:
            error: why it cannot be used.
            count: how many parts are lost by it.

        Raises:
            DataError: `error` itself, where nothing may be skipped.
        """
        if self._on_error == "fail":
            raise error
        _LOG.warning("left out: %s", error)
        self.reasons.append(str(error))
        self.count += count

    def check(self, total: int) -> None:
        """Refuse too many.

        Args:
            total: how many there are, those that were left out among them.

        Raises:
            DataError: more than `MOST_SKIPPED` of them were left out.
        """
        if self.count > max(self._spared, MOST_SKIPPED * total):
            raise DataError(
                f"{self._where}: {self.count} of {total} {self._what} cannot be used, more than the {MOST_SKIPPED:.0%} "
                f"that may be left out. The first: {self.reasons[0]}" + (f". {self._hint}" if self._hint else "")
            )

    def close(self, total: int) -> None:
        """End the count: `check` it, and log how many were left out.

        Raises:
            DataError: see `check`.
        """
        self.check(total)
        if self.count:
            _LOG.warning("%s: %d of %d %s left out", self._where, self.count, total, self._what)


def place_of(paths: Iterable[Path]) -> str:
    """Name where parts lie, for messages: a path, or the first and how many more."""
    names = list(dict.fromkeys(map(str, paths)))
    return " and ".join([*names[:1], *([f"{len(names) - 1} more"] if len(names) > 1 else [])])
