"""From files to sequences of regular time steps, cut at gaps and never bridged."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semicoupled.errors import DataError
from semicoupled.skipping import Skipped, place_of
from semicoupled.tasks.nowcasting.data_settings import Quantity, Reading
from semicoupled.tasks.nowcasting.files.coarsen import coarsen, factor_for
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.files.listing import base_folder, find_files, matches_glob
from semicoupled.tasks.nowcasting.files.reading import iterate_frames
from semicoupled.tasks.nowcasting.files.timeline import Gap, make_timeline
from semicoupled.tasks.nowcasting.grid import Grid

__all__ = [
    "About",
    "Gap",
    "RadarData",
    "RadarSequence",
    "event_name",
    "find_files",
    "matches_glob",
    "read_sequences",
    "refuse_mixture",
]

log = logging.getLogger(__name__)

_SAME_INTERVAL = 0.1
_AS_THEY_ARE = Reading()


@dataclass(frozen=True, eq=False)
class RadarSequence:
    """Fields one time step apart, without a gap.

    Args:
        event: the folder the files lie in, relative to the root.
        times: valid times, UTC.
        step: time from one field to the next.
        dbz: T H W, float16: clip(dBZ, 0, 60) with dry = 0, NaN = missing.
        grid: where the pixels lie.
        sources: the file of each field.
        product: the product's name in the files.
    """

    event: str
    times: tuple[datetime, ...]
    step: timedelta
    dbz: np.ndarray
    grid: Grid
    sources: tuple[Path, ...]
    product: str

    def __len__(self) -> int:
        return len(self.times)

    def part(self, start: int, stop: int) -> RadarSequence:
        """Give the fields from `start` up to, not including, `stop`."""
        return RadarSequence(
            self.event,
            self.times[start:stop],
            self.step,
            self.dbz[start:stop],
            self.grid,
            self.sources[start:stop],
            self.product,
        )


class RadarData(NamedTuple):
    """All sequences of a place, what is missing between them, and the files that could not be read.

    Attributes:
        sequences: without gaps, in order of time within an event.
        gaps: between them.
        skipped: a sentence for each file.
    """

    sequences: tuple[RadarSequence, ...]
    gaps: tuple[Gap, ...]
    skipped: tuple[str, ...]


class About(NamedTuple):
    """What a field is, without its pixels.

    Attributes:
        valid: when it was observed, or the end of its sum; UTC.
        quantity: what its numbers are.
        interval: over which rain was gathered; None for moments.
        grid: where its pixels lie.
        source: the file.
        product: as the file calls it.
    """

    valid: datetime
    quantity: Quantity
    interval: timedelta | None
    grid: Grid
    source: Path
    product: str

    @classmethod
    def of(cls, frame: RadarFrame) -> About:
        """Leave the pixels away."""
        return cls(frame.valid, frame.quantity, frame.interval, frame.grid, frame.source, frame.product)


class _Field(NamedTuple):
    about: About
    factor: int
    dbz: np.ndarray


def read_sequences(
    files: Iterable[Path], root: Path | None = None, *, reading: Reading = _AS_THEY_ARE, at_least: int = 1
) -> RadarData:
    """Read files, group them by folder, and cut them at gaps.

    Args:
        files: the files, in any order.
        root: folders are named relative to it; a folder, or the pattern that the files were found by.
        reading: size of the pixels, time step, Z-R, what the files do not say, and what becomes of unreadable ones.
        at_least: fields of the shortest sequence that is of use; shorter ones are logged and left out.

    Returns:
        The sequences by folder and time, the gaps between them, and what was skipped.

    Raises:
        DataError: no files, a file that cannot be read, two fields of one time, two products, quantities or grids in
            one folder, pixels or a time step that cannot be had, or no sequence of `at_least` fields.
    """
    folders: dict[Path, list[_Field]] = {}
    paths = sorted(files)
    if not paths:
        raise DataError("no radar files were given; expected at least one. Check the folder and the pattern")
    skipped = Skipped(reading.on_error, str(root or place_of(path.parent for path in paths)), "files")
    for path in paths:
        try:
            fields = [
                _prepare(frame, reading, event_name(path.parent, root)) for frame in iterate_frames(path, reading.files)
            ]
        except DataError as error:
            skipped.add(error)
            continue
        folders.setdefault(path.parent, []).extend(fields)
    skipped.close(len(paths))
    sequences: list[RadarSequence] = []
    gaps: list[Gap] = []
    longest = 0
    for folder, fields in folders.items():
        event = event_name(folder, root)
        for piece in _cut(event, sorted(fields, key=lambda field: field.about.valid), gaps, reading.step_minutes):
            longest = max(longest, len(piece))
            if len(piece) < at_least:
                log.warning(
                    "%s: %d fields from %s are fewer than the %d needed; left out",
                    event,
                    len(piece),
                    piece.times[0],
                    at_least,
                )
            else:
                sequences.append(piece)
    for gap in gaps:
        log.warning("%s", gap)
    if not sequences:
        holes = f", with {len(gaps)} gaps ({gaps[0]})" if gaps else ""
        raise DataError(
            f"{root or next(iter(folders))}: the longest sequence has {longest} fields{holes}; expected at least "
            f"{at_least} without a gap. Add files, or ask for fewer input or output frames"
        )
    return RadarData(tuple(sequences), tuple(gaps), tuple(skipped.reasons))


def event_name(folder: Path, root: Path | None) -> str:
    """Name the event that a folder is: relative to the root, or by the folder's own name."""
    base = None if root is None else base_folder(root)
    if base is None or folder == base or base.is_file() or not folder.is_relative_to(base):
        return folder.resolve().name
    return folder.relative_to(base).as_posix()


def refuse_mixture(one: About, first: About) -> None:
    """Refuse fields that cannot be of one sequence.

    Args:
        one: a field.
        first: the first field of the same folder.

    Raises:
        DataError: another quantity, interval, product or grid; names both files.
    """
    why = "Put different products, places and grids into folders of their own"
    if one.quantity != first.quantity or not _as_long(one.interval, first.interval):
        raise DataError(
            f"{one.source}: holds {_quantity(one)}; expected the folder's {_quantity(first)}, as in "
            f"{first.source}. {why}"
        )
    if one.product != first.product:
        raise DataError(
            f"{one.source}: is of {one.product!r}; expected the folder's {first.product!r}, as in {first.source}. {why}"
        )
    if not one.grid.agrees_with(first.grid):
        raise DataError(
            f"{one.source}: its grid is {one.grid}; expected the folder's {first.grid}, as in {first.source}. {why}"
        )


def _prepare(frame: RadarFrame, reading: Reading, event: str) -> _Field:
    factor = factor_for(frame.grid, reading.kilometers, event)
    return _Field(About.of(frame), factor, coarsen(frame.dbz(reading.z_r), factor, reading.z_r).astype(np.float16))


def _as_long(one: timedelta | None, other: timedelta | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _SAME_INTERVAL * other


def _quantity(about: About) -> str:
    return about.quantity if about.interval is None else f"{about.quantity} gathered in {about.interval}"


def _cut(event: str, fields: Sequence[_Field], gaps: list[Gap], step_minutes: float | None) -> list[RadarSequence]:
    """Cut the fields of a folder, sorted by time, where the time from one to the next is not the usual one."""
    first = fields[0].about
    for field in fields:
        refuse_mixture(field.about, first)
    for one, two in pairwise(field.about for field in fields):
        if one.valid == two.valid:
            raise DataError(
                f"{two.source}: is valid at {two.valid:%Y-%m-%d %H:%M} UTC, as is {one.source}; expected one field a "
                "time. Leave one of them out, or put different products into folders of their own"
            )
    line = make_timeline(event, [field.about.valid for field in fields], step_minutes, first.interval)
    gaps += line.gaps
    return [
        RadarSequence(
            event=event,
            times=tuple(fields[index].about.valid for index in piece),
            step=line.step,
            dbz=np.stack([fields[index].dbz for index in piece]),
            grid=first.grid.coarsened(fields[0].factor),
            sources=tuple(fields[index].about.source for index in piece),
            product=first.product,
        )
        for piece in line.pieces
    ]
