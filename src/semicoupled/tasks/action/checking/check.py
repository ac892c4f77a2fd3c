"""`semicoupled data check action`: every video is decoded, everything that is wrong is named, nothing stops it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from semicoupled.data.augment import Size, covering, resize
from semicoupled.data_report import DataReport, Finding
from semicoupled.errors import DataError
from semicoupled.report import Cell, Picture, Section, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.action.checking.describe import class_table, summary
from semicoupled.tasks.action.frames import iterate_frames
from semicoupled.tasks.action.listing.clip import Clip, Listing
from semicoupled.tasks.action.listing.recognize import list_clips
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.splitting import refuse_leaks
from semicoupled.training.progress import NoProgress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHORT = 4
_UNEVEN = 10.0
_PICTURES = 40
_FRAMES = 6
_SIDE = 64
_VARYING = 1.5


@dataclass
class Facts:
    """What was seen of one clip.

    Args:
        clip: which.
        frames: decoded.
        size: of them.
        rate: frames a second, from the median of their distances; None of a single one.
        varying: whether they come unevenly.
        digest: of its pixels, small: equal videos have equal ones.
        still: whether all frames are alike.
        strip: some frames, small.
        problem: why it cannot be used; None if it can.
    """

    clip: Clip
    frames: int = 0
    size: Size | None = None
    rate: float | None = None
    varying: bool = False
    digest: str = ""
    still: bool = False
    strip: np.ndarray | None = None
    problem: str | None = None


def check(request: DataRequest[ActionSettings]) -> DataReport:
    """See `Task.check`: counts, sizes, lengths; broken, doubled, still, short, uneven videos; leaks; pictures.

    Raises:
        DataError: there are no labeled videos at all.
    """
    listing = list_clips(request.root, request.settings.data.split)
    shown = request.progress or NoProgress()
    facts: list[Facts] = []
    pictured: Counter[str] = Counter()
    shown.begin("checking videos", len(listing.clips))
    try:
        for done, clip in enumerate(listing.clips):
            wanted = pictured[clip.label] == 0 and len(pictured) < _PICTURES
            facts.append(_look(clip, request.settings, picture=wanted))
            pictured[clip.label] += facts[-1].strip is not None
            shown.update(done + 1)
    finally:
        shown.end()
    findings = [*_unlisted(listing), *_leaks(listing), *_each(facts, request.settings), *_together(listing, facts)]
    sections = [
        Section("Classes", "", [class_table(listing)]),
        Section("Videos", "", [_kinds(facts), _lengths(facts)]),
    ]
    if any(one.strip is not None for one in facts):
        picture = Picture(_sheet(facts), f"{_FRAMES} frames each, evenly spread.")
        sections.append(Section("One video of each class", "", [picture]))
    return DataReport(
        title=f"Videos in {request.root}",
        summary=f"{summary(listing)} Cannot be read: {sum(one.problem is not None for one in facts)}.",
        sections=sections,
        findings=findings,
    )


def _look(clip: Clip, settings: ActionSettings, *, picture: bool) -> Facts:
    found, sums, pictures = Facts(clip), hashlib.sha256(), _Spread(_FRAMES)
    first: np.ndarray | None = None
    times: list[float] = []
    moves = False
    try:
        frames = iterate_frames(clip.path, start=clip.start, end=clip.end, frame_rate=settings.data.frame_rate)
        for time, image in frames:
            found.size = found.size or Size(*image.shape[:2])
            times.append(time)
            tiny = resize(image, Size(8, 8))
            sums.update(tiny.tobytes())
            first = tiny if first is None else first
            moves = moves or not np.array_equal(first, tiny)
            if picture:
                pictures.add(image)
    except DataError as error:
        found.problem = str(error).removeprefix(f"{clip.path}: ")
    found.frames, found.digest, found.still = len(times), sums.hexdigest(), len(times) > 1 and not moves
    if len(times) > 1:
        steps = np.array([later - earlier for earlier, later in pairwise(times)])
        middle = float(np.median(steps))
        found.rate = 1 / middle if middle > 0 else None
        found.varying = bool(np.quantile(steps, 0.95) > _VARYING * max(middle, 1e-9))
    if picture and times:
        found.strip = pictures.chosen()
    return found


class _Spread:
    """Keeps some images of a video of unknown length, evenly spread: every second one goes when there are too many."""

    def __init__(self, count: int) -> None:
        self._count, self._every, self._seen = count, 1, 0
        self._kept: list[np.ndarray] = []

    def add(self, image: np.ndarray) -> None:
        if self._seen % self._every == 0:
            self._kept.append(resize(image, covering(Size(*image.shape[:2]), Size(_SIDE, _SIDE))))
            if len(self._kept) > 8 * self._count:
                self._kept, self._every = self._kept[::2], 2 * self._every
        self._seen += 1

    def chosen(self) -> np.ndarray:
        places = np.linspace(0, len(self._kept) - 1, self._count).round().astype(int)
        return np.stack([self._kept[place] for place in places])


def _leaks(listing: Listing) -> list[Finding]:
    try:
        refuse_leaks(listing, listing.clips)
    except DataError as error:
        return [Finding("problem", listing.format, str(error).removeprefix(f"{listing.root}: "))]
    return []


def _unlisted(listing: Listing) -> list[Finding]:
    return [
        Finding("problem", listing.format, problem.removeprefix(f"{listing.root}: ")) for problem in listing.problems
    ]


def _each(facts: Sequence[Facts], settings: ActionSettings) -> list[Finding]:
    findings: list[Finding] = []
    for one in facts:
        where = one.clip.name
        if one.problem is not None:
            findings.append(Finding("problem", where, one.problem))
        elif one.frames == 1:
            findings.append(Finding("warning", where, "has one frame; expected several. Nothing moves in it"))
        elif one.frames < min(_SHORT, settings.data.frames):
            findings.append(Finding("warning", where, f"has {one.frames} frames; expected at least {_SHORT}"))
        elif one.still:
            findings.append(Finding("warning", where, f"all {one.frames} frames are alike. The recording stood still"))
        if one.varying:
            findings.append(
                Finding(
                    "note",
                    where,
                    f"its frames come unevenly, about {one.rate:.3g} a second. Set data.rate to see it at an even rate",
                )
            )
    return findings


def _together(listing: Listing, facts: Sequence[Facts]) -> list[Finding]:
    findings: list[Finding] = []
    whole = [one for one in facts if one.problem is None and one.frames and one.clip.start is None]
    for _, group in groupby(sorted(whole, key=lambda one: one.digest), key=lambda one: one.digest):
        same = list(group)
        if len({one.clip.path for one in same}) > 1:
            apart = {one.clip.label for one in same}, {one.clip.split for one in same}, {one.clip.group for one in same}
            worse = any(len(values) > 1 for values in apart)
            names = ", ".join(one.clip.name for one in same[:4])
            findings.append(
                Finding(
                    "problem" if worse else "warning",
                    same[0].clip.name,
                    f"{len(same)} videos look alike, frame by frame: {names}"
                    + ("; they differ in class, split or group" if worse else "")
                    + ". Keep one, or put them into one group",
                )
            )
    rates = sorted({round(one.rate, 1) for one in facts if one.rate is not None})
    if rates and rates[-1] > 1.2 * rates[0]:
        findings.append(
            Finding(
                "note",
                listing.format,
                f"frames a second range from {rates[0]:g} to {rates[-1]:g}. Motion is seen frame by frame: set "
                "data.rate to bring all to one rate",
            )
        )
    counts = Counter(clip.label for clip in listing.clips)
    least, most = min(counts, key=lambda name: counts[name]), max(counts, key=lambda name: counts[name])
    if counts[most] > _UNEVEN * counts[least]:
        findings.append(
            Finding(
                "note",
                listing.format,
                f"{most} has {counts[most]} clips, {least} {counts[least]}. Look at scores by class",
            )
        )
    if all(clip.group is None for clip in listing.clips):
        findings.append(
            Finding(
                "note",
                listing.format,
                "no groups are known: videos of one person or place may come into different splits. A column group in "
                "a videos.csv keeps them together",
            )
        )
    return findings


def _kinds(facts: Sequence[Facts]) -> Table:
    kinds = Counter(
        (one.clip.path.suffix or "folder", one.size, None if one.rate is None else round(one.rate, 2)) for one in facts
    )
    lines: list[list[Cell]] = [
        [kind, None if size is None else f"{size.width} x {size.height}", rate, count]
        for (kind, size, rate), count in kinds.most_common(20)
    ]
    return Table(("kind", "size", "frames a second", "clips"), lines, "The commonest kinds of files.")


def _lengths(facts: Sequence[Facts]) -> Table:
    frames = [one.frames for one in facts if one.frames]
    if not frames:
        return Table(("shortest", "median", "longest", "together"), [[None] * 4], "Frames.")
    line: list[Cell] = [min(frames), float(np.median(frames)), max(frames), sum(frames)]
    return Table(("shortest", "median", "longest", "together"), [line], "Frames.")


def _sheet(facts: Sequence[Facts]) -> Figure:
    from matplotlib.figure import Figure

    strips = [one for one in facts if one.strip is not None]
    figure = Figure(figsize=(0.85 * _FRAMES + 1.6, 0.75 * len(strips) + 0.2), layout="constrained")
    panels = figure.subplots(len(strips), _FRAMES, squeeze=False)
    for row, one in zip(panels, strips, strict=True):
        assert one.strip is not None
        for panel, image in zip(row, one.strip, strict=True):
            panel.imshow(image)
            panel.set_xticks([])
            panel.set_yticks([])
        row[0].set_ylabel(one.clip.label, rotation=0, ha="right", va="center", fontsize=7)
    return figure
