"""Many videos by several processes: each takes the next that nobody has, and one file of answers comes out in the end.

Beside the file OUT there is a folder OUT.parts while it is made: claims (`semicoupled.claims`), and a file of answers
of each process. Whatever is killed, its videos are taken up by those that live, or by the next call.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semicoupled.claims import Claims
from semicoupled.files import remove_folder, replacing
from semicoupled.sharing import WAIT, Group, parts_folder, take_some
from semicoupled.tasks.action.operating.records import RecordFile, first_line
from semicoupled.training.progress import Progress

Answer = Callable[[Sequence[Path], RecordFile], Iterator[Sequence[Path]]]
"""Writes a record for each video, and gives what was drawn of it."""


class SharedRecords:
    """A file of answers that several processes make."""

    def __init__(self, out: Path, about: Mapping[str, Any], group: Group) -> None:
        """Touch nothing yet.

        Args:
            out: the file to be.
            about: its first line, but for the format.
            group: who shares the work.
        """
        self._out, self._about = out, about
        self._folder = parts_folder(out)
        self._name = f"{group.rank}-{secrets.token_hex(4)}"

    def write(
        self, videos: Sequence[Path], answer: Answer, batch: int, progress: Progress, stopped: Callable[[], bool]
    ) -> Generator[Path, None, bool]:
        """Answer for all videos that nobody else answers for.

        Args:
            videos: all of them, the same for all processes.
            answer: answers for some, and writes their records.
            batch: videos to take at a time.
            progress: who is told how far all together are.
            stopped: asked after every video.

        Yields:
            What was drawn.

        Returns:
            Whether all videos are answered now, by whomever.

        Raises:
            DataError: as `answer` does, or there are parts that another model or other options made.
        """
        before = {name for file in self._files() for name in file.done}
        left = {str(video): video for video in videos if str(video) not in before}
        if not left:
            return True
        own = RecordFile(self._folder / f"{self._name}.jsonl", self._about)
        own.begin()
        progress.begin("answering", len(videos))
        try:
            with Claims(self._folder) as claims:
                waiting = deque(left)
                while not stopped():
                    if not self._folder.is_dir():  # another one has put all together
                        return True
                    taken = take_some(claims, waiting, batch)
                    for drawn in answer([left[name] for name in taken], own):
                        yield from drawn
                    for name in taken:
                        claims.finish(name)
                    progress.update(len(videos) - len(waiting))
                    if not waiting:
                        return True
                    if not taken:  # others work on all that is left
                        time.sleep(WAIT)
                return False
        finally:
            progress.end()

    def join(self, videos: Sequence[Path]) -> Path:
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
        if self._folder.exists():  # at once: those who still look at it must not see half of it
            remove_folder(self._folder)
        return self._out

    def _files(self) -> list[RecordFile]:
        """Give what was answered before: by parts, and by one process alone."""
        parts = sorted(self._folder.glob("*.jsonl.part"))
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
