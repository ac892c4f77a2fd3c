"""Predictions of many files by several processes, on one machine or many: each takes the next piece that nobody has.

Beside the output OUT there is a folder OUT.parts while it is made: claims (`semicoupled.claims`) and what the pieces
gave. Whatever is killed, its pieces are taken up by those that live, or by the next call. In the end one process puts
the output together, in the order of the pieces, as one process alone would.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import multiprocessing, nn

from semicoupled.claims import Claims
from semicoupled.errors import DataError, SettingsError
from semicoupled.files import remove_folder, write_bytes, write_text
from semicoupled.training.progress import NoProgress, Progress

_LOG = logging.getLogger(__name__)
_ABOUT = "about.json"
_STARTED = time.time()
WAIT = 0.2
"""Seconds between two looks at what others still work on."""


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


class Sharing(NamedTuple):
    """How work is shared.

    Attributes:
        group: who shares it.
        started: processes that this one starts, itself among them.
    """

    group: Group
    started: int


def sharing_of(devices: int, out: Path) -> Sharing | None:
    """Say whether a prediction is shared: among several processes, or because some began it.

    Args:
        devices: processes that were asked for.
        out: the output.

    Returns:
        How; None where one process alone does it.

    Raises:
        SettingsError: torchrun has started processes, and more were asked for.
    """
    group = Group.of_torchrun()
    if group.size > 1 and devices > 1:
        raise SettingsError(f"devices {devices}: torchrun has started {group.size} processes. Leave it out")
    if group.size == 1 and devices == 1 and not parts_folder(out).exists():
        return None
    return Sharing(group, devices if group.size == 1 else 1)


class SharedPieces:
    """What pieces of a prediction gave, until its output is put together."""

    def __init__(self, out: Path, about: Mapping[str, Any]) -> None:
        """Touch nothing yet.

        Args:
            out: the output to be.
            about: what the pieces follow from; JSON.
        """
        self._out, self._folder = out, parts_folder(out)
        self._about = json.dumps(about, sort_keys=True)

    def make(
        self, names: Sequence[str], make: Callable[[int], bytes], progress: Progress, stopped: Callable[[], bool]
    ) -> bool:
        """Make all pieces that nobody else makes.

        Args:
            names: of all, each once, the same for all processes.
            make: makes the piece of a position.
            progress: who is told how far all together are.
            stopped: asked before every piece.

        Returns:
            Whether all pieces are made now, by whomever.

        Raises:
            DataError: as `make` does, or the parts are of another model, other inputs or other options.
        """
        self._begin()
        place = {name: index for index, name in enumerate(names)}
        progress.begin("predicting", len(names))
        try:
            with Claims(self._folder) as claims:
                waiting = deque(names)
                while not stopped():
                    if not self._folder.is_dir():  # another one has put all together
                        return True
                    taken = take_some(claims, waiting, 1)
                    for name in taken:
                        write_bytes(self._file(name), make(place[name]))
                        claims.finish(name)
                    progress.update(len(names) - len(waiting))
                    if not waiting:
                        return True
                    if not taken:  # others work on all that is left
                        time.sleep(WAIT)
                return False
        finally:
            progress.end()

    def put_together(self) -> bool:
        """Whether the output was made while this process was still starting."""
        return not self._folder.exists() and self._out.exists() and self._out.stat().st_mtime > _STARTED

    def result(self, name: str) -> bytes:
        """Read what a piece gave."""
        return self._file(name).read_bytes()

    def remove(self) -> None:
        """Remove the parts, once the output is whole."""
        remove_folder(self._folder)

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / _ABOUT
        if not file.exists():
            write_text(file, self._about)
        elif file.read_text(encoding="utf-8") != self._about:
            raise DataError(
                f"{self._folder}: was made by another model, from other inputs or with other options; expected the "
                "same, to go on with it. Choose another --out, or remove the folder"
            )

    def _file(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.piece"


class Work(NamedTuple):
    """A prediction in pieces; what of it goes to other processes is picklable.

    Attributes:
        out: the output.
        about: see `SharedPieces`.
        names: of the pieces.
        maker: gives, for the model on its device, the function that makes a piece by its position; importable.
        model: on any device, in eval mode.
        arguments: of `maker` behind the model.
    """

    out: Path
    about: Mapping[str, Any]
    names: Sequence[str]
    maker: Callable[..., Callable[[int], bytes]]
    model: nn.Module
    arguments: tuple[Any, ...]


def share(work: Work, how: Sharing, progress: Progress | None, stopped: Callable[[], bool]) -> SharedPieces | None:
    """Make the pieces of a prediction with others.

    Args:
        work: the same for all processes.
        how: see `sharing_of`.
        progress: who is told how far all together are.
        stopped: asked before every piece.

    Returns:
        The pieces, for the process that puts the output together; None for the others, and where it was stopped.

    Raises:
        DataError: see `SharedPieces.make`.
    """
    pieces = SharedPieces(work.out, work.about)
    if how.group.rank and pieces.put_together():
        return None
    sent = work._replace(model=copy.deepcopy(work.model).cpu()) if how.started > 1 else work
    with workers(how.started, _work_along, (sent, autocast_type()), stopped) as asked, share_of_threads(how.started):
        make = work.maker(work.model, *work.arguments)
        done = pieces.make(work.names, make, progress or NoProgress(), asked)
    return pieces if done and how.group.rank == 0 else None


def _work_along(rank: int, size: int, stop: Any, work: Work, precision: torch.dtype | None) -> None:
    device = place_of(work.model, rank)
    make = work.maker(work.model.to(device), *work.arguments)
    with share_of_threads(size), torch.autocast(device.type, dtype=precision, enabled=precision is not None):
        _ = SharedPieces(work.out, work.about).make(work.names, make, NoProgress(), stop.is_set)


def weights_digest(model: nn.Module) -> str:
    """Give what tells a model's weights from others: SHA-256 over names and values."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


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


def take_some(claims: Claims, waiting: deque[str], most: int) -> list[str]:
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
