"""The file of answers: a line of JSON for each video, behind one that says what made them.

The file format is a promise (format 1). Its first line is

    {"format": 1, "task": "action", "classes": ["..."], "weights": "sha256 of the model", "options": {...}}

and each other one a record, in the order of the videos (side by side, in the order in which they end):

    {"video": "...", "frames": [[time, p of each class ...], ...], "count": 17, "seconds": 1.6, "answer": "...",
     "probability": 0.93, "top": [["...", 0.93], ...], "spatial": [["...", 0.3], ...], "temporal": [...],
     "importance": {"...": 0.6, ...}, "error": null}

Times are seconds. `spatial` and `temporal` are what the two streams say alone, `importance` what time says more than
space of each class of `top`. Of a video that cannot be read, `error` is a sentence; what was read before it, is
answered.

While it is made the file is called NAME.part. A line is whole or does not count, so that what was stopped can be
taken up.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from semicoupled.errors import DataError
from semicoupled.files import write_bytes
from semicoupled.tasks.action.operating.video_answer import FrameAnswer, RunningAnswer
from semicoupled.tasks.action.settings import Average

FORMAT = 1
DIGITS = 6


class Style(NamedTuple):
    """What a record says.

    Attributes:
        classes: names.
        top: how many are named.
        per_frame: whether each frame's probabilities are written.
        average: how frames become the answer for a video.
    """

    classes: Sequence[str]
    top: int
    per_frame: bool
    average: Average


class RecordFile:
    """Writes records, and knows which are there."""

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        """Begin a file, or take up one that was stopped, or go on with one that was finished.

        Args:
            path: of the finished file.
            about: the first line: what makes the records.

        Raises:
            DataError: there is a file, made otherwise, or none of ours.
        """
        self.path, self.about = path, {"format": FORMAT, "task": "action", **about}
        self.part = path.with_name(f"{path.name}.part")
        self.done: list[str] = []
        source = self.part if self.part.exists() else path
        kept = self._read(source) if source.exists() else b""
        self._kept = kept

    def begin(self) -> None:
        """Make the file ready to be written to; nothing was touched before."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = self._kept or first_line(self.about)
        if not (self.part.exists() and self.part.read_bytes() == content):
            write_bytes(self.part, content)

    def write(
        self,
        video: str,
        answers: Iterable[FrameAnswer],
        style: Style,
        *,
        keep_errors: bool = True,
    ) -> None:
        """Write a record, frame by frame.

        Args:
            video: its name.
            answers: of its frames; may raise DataError.
            style: what is written of each.
            keep_errors: an error is written down; else it is raised, and the half line does not count.

        Raises:
            DataError: `answers` did, and errors are not kept.
        """
        with self.part.open("ab") as file:
            record, error = Record(file, video, style), None
            try:
                for answer in answers:
                    record.add(answer)
            except DataError as problem:
                if not keep_errors:
                    raise
                error = str(problem)
            record.end(error)
            _flush(file)
        self.done.append(video)

    def append(self, video: str, line: IO[bytes]) -> None:
        """Append a record that was made aside.

        Args:
            video: its name.
            line: a file that holds it, at any place.
        """
        _ = line.seek(0)
        with self.part.open("ab") as file:
            shutil.copyfileobj(line, file)
            _flush(file)
        self.done.append(video)

    def finish(self) -> Path:
        """Give the file its name."""
        self.part.replace(self.path)
        return self.path

    def _read(self, source: Path) -> bytes:
        """Give the whole lines of a file, and note which videos are answered."""
        content = source.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.decode(errors="replace").splitlines()
        if not lines:
            return b""
        try:
            about, records = json.loads(lines[0]), [json.loads(line)["video"] for line in lines[1:]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(
                f"{source}: is no file of answers ({error}); expected none, or one of ours. Choose another --out"
            ) from error
        if about != json.loads(json.dumps(self.about)):
            raise DataError(
                f"{source}: was made by another model or with other options; expected the same, to go on with it. "
                "Choose another --out, or remove it"
            )
        self.done = [str(name) for name in records]
        return whole


class Record:
    """One record, written while its video goes on."""

    def __init__(self, file: IO[bytes], video: str, style: Style) -> None:
        """Begin the line; see `RecordFile.write`."""
        self._file, self._style = file, style
        self._running, self._last = RunningAnswer(style.average), 0.0
        _put(file, f'{{"video": {json.dumps(video)}, "frames": [')

    def add(self, answer: FrameAnswer) -> None:
        """Take in a frame's answer."""
        if self._style.per_frame:
            numbers = [round(answer.time, 4), *(_short(value) for value in answer.main)]
            _put(self._file, (", " if self._running.count else "") + json.dumps(numbers))
        self._running.add(answer)
        self._last = answer.time

    def end(self, error: str | None) -> None:
        """End the line.

        Args:
            error: why the video ended before its time; None where it did not.
        """
        about = {"count": self._running.count, "seconds": round(self._last, 4)}
        rest = {**about, **_answer(self._running, self._style.classes, self._style.top), "error": error}
        _put(self._file, f"], {json.dumps(rest)[1:]}\n")


def first_line(about: Mapping[str, Any]) -> bytes:
    """Give the line that says what made the records."""
    return (json.dumps(about) + "\n").encode()


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _put(file: IO[bytes], text: str) -> None:
    file.write(text.encode())


def _short(value: float) -> float:
    return round(float(value), DIGITS)


def _answer(running: RunningAnswer, classes: Sequence[str], top: int) -> dict[str, Any]:
    main = running.mean("main")
    if main is None:
        return {"answer": None, "probability": None, "top": [], "spatial": None, "temporal": None, "importance": None}
    order = np.argsort(-main, kind="stable")[:top]
    streams = {name: running.mean(name) for name in ("spatial", "temporal")}
    spatial, temporal = streams["spatial"], streams["temporal"]
    importance = None
    if spatial is not None and temporal is not None:
        importance = {classes[i]: _short(float(temporal[i] - spatial[i])) for i in order}
    return {
        "answer": classes[order[0]],
        "probability": _short(float(main[order[0]])),
        "top": [[classes[i], _short(float(main[i]))] for i in order],
        **{name: None if said is None else _best(said, classes, top) for name, said in streams.items()},
        "importance": importance,
    }


def _best(said: np.ndarray, classes: Sequence[str], top: int) -> list[list[Any]]:
    return [[classes[i], _short(float(said[i]))] for i in np.argsort(-said, kind="stable")[:top]]
