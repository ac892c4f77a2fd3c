"""From files to sequences of regular time steps, cut at gaps and never bridged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.coarsen import coarsen
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.reading import read_frames

log = logging.getLogger(__name__)

OnError = Literal["fail", "skip"]

BESIDE_DATA = (".md", ".txt", ".json", ".csv", ".yaml", ".yml", ".html", ".pdf", ".log")
"""Files that lie beside radar files and are none; hidden ones are passed over as well."""

_MOST_SKIPPED = 0.01
_SAME_STEP = 0.1


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


class Gap(NamedTuple):
    """A hole between two fields."""

    event: str
    before: datetime
    after: datetime
    missing: int

    def __str__(self) -> str:
        before, after = f"{self.before:%Y-%m-%d %H:%M}", f"{self.after:%Y-%m-%d %H:%M}"
        return f"{self.event}: {self.missing} fields missing between {before} and {after} UTC"


class RadarData(NamedTuple):
    """All sequences of a place, what is missing between them, and the files that could not be read."""

    sequences: tuple[RadarSequence, ...]
    gaps: tuple[Gap, ...]
    skipped: tuple[str, ...]


class _Field(NamedTuple):
    valid: datetime
    dbz: np.ndarray
    grid: Grid
    source: Path
    product: str
    interval: timedelta | None


def find_files(root: Path, pattern: str | None = None) -> list[Path]:
    """List the radar files below a folder, or one file.

    Args:
        root: a folder, or a file.
        pattern: keeps only what `matches_glob`.

    Raises:
        DataError: there is no such folder, or nothing in it.
    """
    if not root.exists():
        raise DataError(f"{root}: no such folder; expected radar files. Give the folder with --data.root")
    if root.is_file():
        return [root]
    files = sorted(
        path
        for path in root.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
        and path.suffix.lower() not in BESIDE_DATA
    )
    if pattern is not None:
        files = [path for path in files if matches_glob(path, root, pattern)]
    if not files:
        asked = f" that match {pattern!r}" if pattern else ""
        raise DataError(
            f"{root}: holds no radar files{asked}; expected at least one. Check --data.root and the pattern"
        )
    return files


def matches_glob(path: Path, root: Path, pattern: str) -> bool:
    """Whether a file, or a folder above it, matches a pattern relative to the root, such as ``2021-02-05``."""
    relative = path.relative_to(root)
    return any(fnmatch(part.as_posix(), pattern.rstrip("/")) for part in (relative, *relative.parents[:-1]))


def read_sequences(
    files: Iterable[Path], root: Path | None = None, *, factor: int = 1, at_least: int = 1, on_error: OnError = "fail"
) -> RadarData:
    """Read files, group them by folder, and cut them at gaps.

    Args:
        files: the files, in any order.
        root: folders are named relative to it.
        factor: pixels of a block's side, to coarsen the grid by.
        at_least: fields of the shortest sequence that is of use; shorter ones are logged and left out.
        on_error: ``"fail"``, or ``"skip"`` files that cannot be read; more than 1 % of them fail all the same.

    Returns:
        The sequences by folder and time, the gaps between them, and what was skipped.

    Raises:
        DataError: no files, a file that cannot be read, two fields of one time, two grids in one folder, or no sequence
            of `at_least` fields.
    """
    folders: dict[Path, list[_Field]] = {}
    skipped: list[str] = []
    count = 0
    for path in sorted(files):
        count += 1
        try:
            fields = [
                _Field(
                    frame.valid,
                    coarsen(frame.dbz(), factor).astype(np.float16),
                    frame.grid,
                    path,
                    frame.product,
                    frame.interval,
                )
                for frame in read_frames(path)
            ]
        except DataError as error:
            if on_error == "fail":
                raise
            log.warning("left out: %s", error)
            skipped.append(str(error))
            continue
        folders.setdefault(path.parent, []).extend(fields)
    if not count:
        raise DataError("no radar files were given; expected at least one. Check --data.root and the pattern")
    if len(skipped) > _MOST_SKIPPED * count:
        raise DataError(
            f"{len(skipped)} of {count} files cannot be read, more than the {_MOST_SKIPPED:.0%} that may be left "
            f"out. The first: {skipped[0]}"
        )
    sequences: list[RadarSequence] = []
    gaps: list[Gap] = []
    longest = 0
    for folder, fields in folders.items():
        event = _event(folder, root)
        for piece in _cut(event, sorted(fields, key=lambda field: field.valid), gaps, factor):
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
    return RadarData(tuple(sequences), tuple(gaps), tuple(skipped))


def _event(folder: Path, root: Path | None) -> str:
    if root is None or folder == root or root.is_file():
        return folder.resolve().name
    return folder.relative_to(root).as_posix()


def _cut(event: str, fields: Sequence[_Field], gaps: list[Gap], factor: int) -> list[RadarSequence]:
    """Cut the fields of a folder, sorted by time, where the time from one to the next is not the usual one."""
    first = fields[0]
    for field in fields:
        if not field.grid.agrees_with(first.grid):
            raise DataError(
                f"{field.source}: its grid is {field.grid}; expected the folder's {first.grid}, as in {first.source}. "
                "Put fields of different grids into folders of their own"
            )
    for one, two in pairwise(fields):
        if one.valid == two.valid:
            raise DataError(
                f"{two.source}: is valid at {two.valid:%Y-%m-%d %H:%M} UTC, as is {one.source}; expected one field a "
                "time. Leave one of them out, or put different products into folders of their own"
            )
    step = _usual_step(fields)
    pieces: list[list[_Field]] = [[first]]
    for one, two in pairwise(fields):
        steps = (two.valid - one.valid) / step
        if abs(steps - 1) > _SAME_STEP:
            gaps.append(Gap(event, one.valid, two.valid, max(round(steps) - 1, 0)))
            pieces.append([])
        pieces[-1].append(two)
    return [
        RadarSequence(
            event=event,
            times=tuple(field.valid for field in piece),
            step=step,
            dbz=np.stack([field.dbz for field in piece]),
            grid=first.grid.coarsened(factor),
            sources=tuple(field.source for field in piece),
            product=first.product,
        )
        for piece in pieces
    ]


def _usual_step(fields: Sequence[_Field]) -> timedelta:
    """Give the most frequent time between fields, the shortest of those that are equally frequent."""
    if len(fields) == 1:
        return fields[0].interval or timedelta(minutes=5)
    counts = Counter(two.valid - one.valid for one, two in pairwise(fields))
    return min(counts, key=lambda step: (-counts[step], step))
