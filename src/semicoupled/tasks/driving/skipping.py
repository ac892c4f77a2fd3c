"""What becomes of parts that cannot be read: the first ends it, or a few are left out, counted and listed."""

from __future__ import annotations

import logging

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import OnError

_LOG = logging.getLogger(__name__)
MOST_SKIPPED = 0.01
"""Share of the frames of a file or folder that may be left out."""


class Skipped:
    """Takes what could not be read, and says when it is too much."""

    def __init__(self, on_error: OnError, where: str, what: str = "frames") -> None:
        """Begin to count.

        Args:
            on_error: ``fail`` raises the first; ``skip`` keeps them.
            where: the file or folder, for messages.
            what: the things that are counted, for messages.
        """
        self._on_error, self._where, self._what = on_error, where, what
        self.reasons: list[str] = []
        self.count = 0

    def add(self, error: DataError, count: int = 1) -> None:
        """Take one more.

        Args:
            error: why it cannot be read.
            count: how many frames are lost by it.

        Raises:
            DataError: `error` itself, where nothing may be skipped.
        """
        if self._on_error == "fail":
            raise error
        self.reasons.append(str(error))
        self.count += count

    def close(self, total: int) -> None:
        """End the count: list what was left out.

        Args:
            total: how many there were, those that were left out among them.

        Raises:
            DataError: more than `MOST_SKIPPED` of them were left out.
        """
        if self.count > MOST_SKIPPED * total:
            raise DataError(
                f"{self._where}: {self.count} of {total} {self._what} cannot be read, more than the {MOST_SKIPPED:.0%} "
                f"that may be left out. The first: {self.reasons[0]}"
            )
        for reason in self.reasons:
            _LOG.warning("left out: %s", reason)
        if self.count:
            _LOG.warning("%s: %d of %d %s left out", self._where, self.count, total, self._what)
