"""Many videos by several processes: each takes the next that nobody has, and one file of answers comes out in the end.

Beside the file OUT there is a folder OUT.parts while it is made: claims (`semicoupled.claims`), and a file of answers
of each process. Whatever is killed, its videos are taken up by those that live, or by the next call.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import multiprocessing, nn

from semicoupled.claims import Claims
from semicoupled.files import remove_folder, replacing
from semicoupled.tasks.action.operating.records import RecordFile, first_line
from semicoupled.training.progress import Progress

_LOG = logging.getLogger(__name__)
_WAIT = 0.2
"""Seconds between two looks at what others still work on."""

Answer = Callable[[Sequence[Path], RecordFile], Iterator[Sequence[Path]]]
"""Writes a record for each video, and gives what was drawn of it."""


class Group(NamedTuple):
    """Processes that share the work.

    Attributes:
        rank: of this one; 0 puts the file together.
        size: how many there are.
    """

    rank: int
    size: int

    @classmethod
    def of_torchrun(cls) -> Group:
        """Give what torchrun says; one process alone where it says nothing."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


def parts_folder(out: Path) -> Path:
    """Give the folder of what is not yet put together."""
    return out.with_name(f"{out.name}.parts")


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
                    taken = _take(claims, waiting, batch)
                    for drawn in answer([left[name] for name in taken], own):
                        yield from drawn
                    for name in taken:
                        claims.finish(name)
                    progress.update(len(videos) - len(waiting))
                    if not waiting:
                        return True
                    if not taken:  # others work on all that is left
                        time.sleep(_WAIT)
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


@contextmanager
def workers(
    count: int, work: Callable[..., None], arguments: Sequence[Any], stopped: Callable[[], bool]
) -> Generator[Callable[[], bool]]:
    """Start processes that share the work with this one.

    Args:
        count: processes together with this one.
        work: called in each as work(rank, size, stop, *arguments); it must be importable.
        arguments: picklable.
        stopped: whether this one is to end; the others then end, too.

    Yields:
        A function that tells whether to stop, and tells the others.
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    started = [
        context.Process(target=work, args=(rank, count, stop, *arguments), daemon=True) for rank in range(1, count)
    ]

    def asked() -> bool:
        if stopped():
            stop.set()
        return stop.is_set()

    for process in started:
        process.start()
    try:
        yield asked
    except BaseException:
        stop.set()
        raise
    finally:
        for process in started:
            process.join()
            if process.exitcode:
                _LOG.warning("a process ended early (exit %d); what it had begun was taken up", process.exitcode)


def autocast_type() -> torch.dtype | None:
    """Give the precision that this process computes in, for those that it starts; None for float32."""
    for device in ("cpu", "cuda"):
        if torch.is_autocast_enabled(device):
            return torch.get_autocast_dtype(device)
    return None


@contextmanager
def share_of_threads(size: int) -> Generator[None]:
    """Compute with this process's share of the threads that it would have alone, so that all together fill the cores.

    Args:
        size: processes on this machine.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // size))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def place_of(model: nn.Module, rank: int) -> torch.device:
    """Give the device of a process: the CPU, or the GPUs in turn, from the model's own on."""
    device = next(model.parameters()).device
    if device.type != "cuda":
        return device
    return torch.device("cuda", ((device.index or 0) + rank) % torch.cuda.device_count())


def _take(claims: Claims, waiting: deque[str], most: int) -> list[str]:
    """Claim some names. What is finished leaves the queue, what others have goes to its end; each is looked at once."""
    taken: list[str] = []
    for _ in range(len(waiting)):
        name = waiting.popleft()
        if claims.take(name):
            taken.append(name)
            if len(taken) == most:
                break
        elif not claims.finished(name):
            waiting.append(name)
    return taken


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
