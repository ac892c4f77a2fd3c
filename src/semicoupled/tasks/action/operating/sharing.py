"""Many videos by several processes: each takes the next that nobody has, and one file of answers comes out in the end.

In the folder of the parts (`semicoupled.sharing`) each process has a file of answers of its own.
"""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semicoupled.files import replacing
from semicoupled.sharing import Group, Parts
from semicoupled.tasks.action.operating.inputs import Input
from semicoupled.tasks.action.operating.records import RecordFile, first_line
from semicoupled.training.progress import Progress

Answer = Callable[[Sequence[Input], RecordFile], Iterator[Sequence[Path]]]
"""Writes a record for each video, and gives what was drawn of it."""


class SharedRecords:
    """A file of answers that several processes make."""

    def __init__(self, out: Path, about: Mapping[str, Any], group: Group) -> None:
        """Touch nothing yet.

        Args:
            out: the file to be.
            about: its first line, but for the format.
            group: who shares the work; of processes that one of it has started, that one alone.
        """
        self._out, self._about = out, about
        self._parts = Parts(out, about, group)

    def begin(self, stopped: Callable[[], bool]) -> bool:
        """Make the folder of the parts; see `Parts.begin`.

        Raises:
            DataError: there is a file, or there are parts, that another model or other options made.
        """
        _ = RecordFile(self._out, self._about)  # it is ours, or none
        return self._parts.begin(stopped)

    def write(
        self, videos: Sequence[Input], answer: Answer, batch: int, progress: Progress, stopped: Callable[[], bool]
    ) -> Generator[Path, None, bool]:
        """Answer for all videos that nobody else answers for.

        Args:
            videos: all of them, the same for all processes.
            answer: answers for some, and writes their records.
            batch: videos to take at a time.
            progress: who is told how far all together are.
            stopped: asked before every batch.

        Yields:
            What was drawn.

        Returns:
            Whether all videos are answered now, by whomever.

        Raises:
            DataError: as `answer` does, or there are parts that another model or other options made.
        """
        before = {name for file in self._files() for name in file.done}
        left = {str(video): video for video in videos if str(video) not in before}
        waiting = deque(left)
        own = RecordFile(self._parts.folder / f"{secrets.token_hex(8)}.jsonl", self._about)
        own.begin()

        def answer_some(names: Sequence[str]) -> Iterator[Path]:
            for drawn in answer([left[name] for name in names], own):
                yield from drawn

        progress.begin("answering", len(videos))
        try:
            yield from self._parts.work(
                waiting, batch, answer_some, lambda count: progress.update(len(videos) - count), stopped
            )
        finally:
            progress.end()
        return not waiting

    def join(self, videos: Sequence[Input]) -> Path:
        """Put the file together, in the order of the videos, and remove its parts."""
        lines: dict[str, tuple[Path, int]] = {}
        for file in self._files():
            source = file.part if file.part.exists() else file.path
            for name, place in _places(source):
                lines.setdefault(name, (source, place))
        alone = RecordFile(self._out, self._about)
        wanted = list(map(str, videos))
        others = [name for name in alone.done if name not in set(wanted)]
        with replacing(self._out) as temporary, temporary.open("wb") as written:
            written.write(first_line(alone.about))
            for name in [*others, *wanted]:
                source, place = lines[name]
                with source.open("rb") as opened:
                    opened.seek(place)
                    written.write(opened.readline())
        alone.part.unlink(missing_ok=True)
        self._parts.end()
        return self._out

    def _files(self) -> list[RecordFile]:
        """Give what was answered before: by parts, and by one process alone."""
        parts = sorted(self._parts.folder.glob("*.jsonl.part"))
        made = [RecordFile(part.with_suffix(""), self._about) for part in parts]
        return [RecordFile(self._out, self._about), *made]


def _places(file: Path) -> Iterator[tuple[str, int]]:
    """Give where each whole record of a file of answers begins."""
    if not file.exists():
        return
    with file.open("rb") as opened:
        place = len(opened.readline())
        for line in opened:
            if line.endswith(b"\n"):
                yield str(json.loads(line)["video"]), place
            place += len(line)
