"""What a job is made of: a request that can be sent to the worker, what it gets there, and what it gives."""

from __future__ import annotations

import importlib
import io
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from semicoupled.description import Json

if TYPE_CHECKING:
    from semicoupled.run_folder import LoadedRun
    from semicoupled.serving.settings import Limits

_LOADED = 3


class Cancelled(BaseException):
    """Somebody does not want the result any more."""


class Source(NamedTuple):
    """What to look at: files, or something generated.

    Attributes:
        files: that were found below a root or in an upload; empty for a sample.
        sample: name of something generated, or None.
        place: one file or folder, for jobs that look into it themselves; None where `files` say all.
        base: folder that neither `files` nor what `place` names may lie outside of; None for the server's own.
        dropped: whether the place is the server's own, with files of an upload in it.
    """

    files: tuple[Path, ...] = ()
    sample: str | None = None
    place: Path | None = None
    base: Path | None = None
    dropped: bool = False


@dataclass(frozen=True)
class JobRequest:
    """What to do.

    Args:
        name: of the function that does it, ``package.module:function``.
        run: folder of the run whose model is asked.
        source: what to look at.
        options: of the function; a frozen dataclass.
    """

    name: str
    run: Path
    source: Source
    options: Any = None


@dataclass(frozen=True)
class Result:
    """What a job gives.

    Args:
        document: to be sent as JSON.
        files: to be fetched, by name.
    """

    document: Mapping[str, Json]
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    @property
    def bytes(self) -> int:
        """How much memory it takes, nearly."""
        return 4096 + sum(len(content) for content in self.files.values())


class Work:
    """What a job has in the worker: models, a cache, and somebody to tell how far it is."""

    def __init__(
        self,
        device: str,
        limits: Limits,
        tell: Callable[[float, str], None],
        give: Callable[[Json], None] = lambda part: None,
    ) -> None:
        """Begin.

        Args:
            device: where models run.
            limits: how much is let through.
            tell: hears how far a job is, 0 to 1, and what it is doing; raises `Cancelled`.
            give: takes a part of the result before the rest is there; raises `Cancelled`.
        """
        self.device, self.limits = device, limits
        self._tell, self._give = tell, give
        self._runs: OrderedDict[Path, tuple[float, LoadedRun]] = OrderedDict()
        self.cache: OrderedDict[object, Any] = OrderedDict()
        self.sessions: OrderedDict[str, Any] = OrderedDict()
        """What goes on from job to job, such as a camera's state, by id; gone with the process."""

    def progress(self, done: float, doing: str) -> None:
        """Say how far the job is.

        Args:
            done: 0 to 1.
            doing: a few words.

        Raises:
            Cancelled: nobody waits for it any more.
        """
        self._tell(done, doing)

    def part(self, part: Json) -> None:
        """Give a part of the result, such as a point that was drawn, before the rest is there.

        Raises:
            Cancelled: nobody waits for it any more.
        """
        self._give(part)

    def run(self, path: Path) -> LoadedRun:
        """Load a run, or take it from the last ones; its weights are read from safetensors, never from a pickle."""
        from semicoupled.run_folder import load
        from semicoupled.training.weights import FILE

        file = path / FILE
        written = file.stat().st_mtime if file.exists() else 0.0
        if path not in self._runs or self._runs[path][0] != written:
            self._runs[path] = written, load(path, self.device)
        self._runs.move_to_end(path)
        while len(self._runs) > _LOADED:
            self._runs.popitem(last=False)
        return self._runs[path][1]

    def cached(self, key: object, make: Callable[[], Any], most: int = 2) -> Any:
        """Give what was made before for this key, or make it; the last few are kept."""
        if key not in self.cache:
            self.cache[key] = make()
        self.cache.move_to_end(key)
        while len(self.cache) > most:
            self.cache.popitem(last=False)
        return self.cache[key]


def find_function(name: str) -> Any:
    """Import what a request names; names come from this package alone, never from a client."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def npy(array: np.ndarray) -> bytes:
    """Write an array of any shape as the bytes of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def in_bytes(values: np.ndarray, steps: float) -> np.ndarray:
    """Write numbers from 0 as bytes.

    Args:
        values: of any shape; NaN = missing, which becomes 255.
        steps: how many to one; above 254 / steps they are cut.
    """
    scaled = np.clip(np.rint(np.nan_to_num(values, nan=0.0) * steps), 0, 254).astype(np.uint8)
    scaled[np.isnan(values)] = 255
    return scaled


def numbers(values: Sequence[float] | np.ndarray, digits: int = 6) -> list[Any]:
    """Write numbers of any shape as JSON: nested lists, None for NaN, so many digits that count."""
    array = np.asarray(values, np.float64)
    if array.ndim > 1:
        return [numbers(part, digits) for part in array]
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in array.tolist()]
