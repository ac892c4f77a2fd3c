"""A prediction of which each piece gives bytes, made by several processes and put together by one."""

from __future__ import annotations

import copy
import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from semicoupled.files import write_bytes
from semicoupled.sharing import Group, Parts, Sharing
from semicoupled.training.progress import NoProgress, Progress
from semicoupled.workers import autocast_type, place_of, share_of_threads, workers


class SharedPieces:
    """What pieces of a prediction gave, until its output is put together."""

    def __init__(self, parts: Parts) -> None:
        """Touch nothing yet.

        Args:
            parts: of the output; begun before a piece is made.
        """
        self._parts = parts

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
            DataError: as `make` does.
        """
        place = {name: index for index, name in enumerate(names)}
        waiting = deque(names)

        def write(taken: Sequence[str]) -> list[None]:
            return [write_bytes(self._file(name), make(place[name])) for name in taken]

        progress.begin("predicting", len(names))
        try:
            for _ in self._parts.work(waiting, 1, write, lambda left: progress.update(len(names) - left), stopped):
                pass
        finally:
            progress.end()
        return not waiting

    def result(self, name: str) -> bytes:
        """Read what a piece gave."""
        return self._file(name).read_bytes()

    def end(self) -> None:
        """Say that the output is whole; its parts go."""
        self._parts.end()

    def _file(self, name: str) -> Path:
        return self._parts.folder / f"{hashlib.sha256(self._parts.key(name).encode()).hexdigest()[:24]}.piece"


class Work(NamedTuple):
    """A prediction in pieces; what of it goes to other processes is picklable.

    Attributes:
        out: the output.
        about: what the pieces follow from; JSON.
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
        DataError: as a piece does, or see `Parts.begin`.
    """
    parts = Parts(work.out, work.about, how.group)
    if not parts.begin(stopped):
        return None
    pieces = SharedPieces(parts)
    sent = work._replace(model=copy.deepcopy(work.model).cpu()) if how.started > 1 else work
    with workers(how.started, _work_along, (sent, autocast_type()), stopped) as asked, share_of_threads(how.started):
        make = work.maker(work.model, *work.arguments)
        done = pieces.make(work.names, make, progress or NoProgress(), asked)
    return pieces if done and how.group.rank == 0 else None


def _work_along(rank: int, size: int, stop: Any, work: Work, precision: torch.dtype | None) -> None:
    device = place_of(work.model, rank)
    make = work.maker(work.model.to(device), *work.arguments)
    with share_of_threads(size), torch.autocast(device.type, dtype=precision, enabled=precision is not None):
        pieces = SharedPieces(Parts(work.out, work.about, Group(0, 1)))
        _ = pieces.make(work.names, make, NoProgress(), stop.is_set)


def weights_digest(model: nn.Module) -> str:
    """Give what tells a model's weights from others: SHA-256 over names and values."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
