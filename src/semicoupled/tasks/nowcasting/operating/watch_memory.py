"""What a watch remembers beside the frames, and how it tells that they are old."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from semicoupled.description import Json

REMEMBERED = 50
"""Entries that a list of the status keeps."""


class Stamp(NamedTuple):
    """What tells whether a file has changed.

    Attributes:
        size: bytes.
        modified: ns since 1970.
    """

    size: int
    modified: int


@dataclass
class Memory:
    """What a watch remembers beside the frames.

    Args:
        seen: files that were taken or given up, by name.
        done: times that were forecast from and that are still in the state.
        floor: times up to this one are history.
        frames: how many were taken.
        forecasts: how many were made.
        newest_forecast: the last time that was forecast from.
        late: frames that came after newer ones.
        missing: times whose frames had not come when a newer one had.
        broken: files that were given up, with the reason.
        early: files whose frames lay in the future, with the time from which they may be taken after all: it was our
            clock that was wrong.
    """

    seen: dict[str, Stamp] = field(default_factory=dict[str, Stamp])
    done: list[str] = field(default_factory=list[str])
    floor: str | None = None
    frames: int = 0
    forecasts: int = 0
    newest_forecast: str | None = None
    late: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    missing: list[str] = field(default_factory=list[str])
    broken: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    early: dict[str, str] = field(default_factory=dict[str, str])

    def to_json(self) -> dict[str, Json]:
        """Give it as plain values."""
        return cast("dict[str, Json]", dataclasses.asdict(self))

    def look_again(self, now: datetime) -> None:
        """Forget of the files that came too early those for which the time has come, so that they are read again."""
        for name in [name for name, moment in self.early.items() if datetime.fromisoformat(moment) <= now]:
            del self.early[name]
            self.seen.pop(name, None)

    @classmethod
    def from_json(cls, notes: Any) -> Memory:
        """Read what `to_json` gave."""
        values: dict[str, Any] = dict(notes)
        values["seen"] = {name: Stamp(*stamp) for name, stamp in values["seen"].items()}
        return cls(**values)


def stale_sentence(newest: datetime | None, minutes: float, now: datetime, place: Path | None = None) -> str:
    """Say that the newest frame is too old.

    Args:
        newest: its valid time, or None if there is no frame.
        minutes: how old it may be.
        now: the time.
        place: the folder, if one is watched.
    """
    where = f"{place}: " if place else ""
    if newest is None:
        return f"{where}no frame is there; expected one not older than {minutes:g} minutes. Does the radar deliver?"
    return (
        f"{where}the newest frame is of {clock(newest)} UTC, {(now - newest).total_seconds() / 60:.0f} minutes old; "
        f"expected at most {minutes:g} (--max-age). Does the radar deliver, and are the clocks right?"
    )


def clock(moment: datetime) -> str:
    """Give a time as people read it, UTC."""
    return f"{moment:%Y-%m-%d %H:%M}"
