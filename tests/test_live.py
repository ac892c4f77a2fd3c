"""The loop over live frames: how it ends, what it drops, and what is written meanwhile."""

from __future__ import annotations

import csv
import io
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from semicoupled.data.live import Source
from semicoupled.data.video import VideoFrame, check_video
from semicoupled.errors import DataError
from semicoupled.live import Done, Sink, follow, open_source, table_sink, video_sink
from semicoupled.training.progress import NO_NUMBERS, NoProgress


class Answer(NamedTuple):
    value: float
    seconds: float


def answer(frame: VideoFrame) -> Answer:
    return Answer(float(frame.image.mean()), 0.5)


class Progress(NoProgress):
    def __init__(self) -> None:
        self.said: list[object] = []

    def begin(self, title: str, total: float | None = None) -> None:
        self.said.append((title, total))

    def update(
        self, done: float, *, seconds_left: float | None = None, numbers: Mapping[str, float] = NO_NUMBERS
    ) -> None:
        self.said.append((done, dict(numbers)))

    def end(self) -> None:
        self.said.append("end")


class Made:
    """A source of `count` frames that ends by an error, if one is given."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.closed = 0
        self.source = Source("made", self._frames(count, error), self._close, live=False)

    def _frames(self, count: int, error: BaseException | None) -> Iterator[VideoFrame]:
        for number in range(count):
            yield VideoFrame(number / 10, np.full((16, 16, 3), number, np.uint8))
        if error is not None:
            raise error

    def _close(self) -> None:
        self.closed += 1


class Kept:
    """A sink that keeps what it gets, and whether it was ended."""

    def __init__(self) -> None:
        self.got: list[tuple[float, float, int]] = []
        self.ended = False

    @contextmanager
    def open(self) -> Generator[Sink[Answer]]:
        try:
            yield lambda frame, said, dropped: self.got.append((frame.time, said.value, dropped))
        finally:
            self.ended = True


def run(made: Made, kept: Kept, most: int | None = None, stopped: Callable[[], bool] = lambda: False) -> Done:
    return follow(made.source, answer, [kept.open()], NoProgress(), stopped, title="a test", drop=False, most=most)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), BrokenPipeError()])
def test_it_ends_with_the_frames_or_by_ctrl_c_and_all_is_closed(error: BaseException | None) -> None:
    made, kept = Made(3, error), Kept()
    assert run(made, kept) == Done(3, 0, 0.5)
    assert kept.got == [(0.0, 0.0, 0), (0.1, 1.0, 0), (0.2, 2.0, 0)]
    assert (kept.ended, made.closed) == (True, 1)


def test_it_ends_after_so_many_or_where_it_is_stopped() -> None:
    assert run(Made(9), Kept(), most=4).frames == 4
    kept = Kept()
    assert run(Made(9), kept, stopped=lambda: len(kept.got) == 2).frames == 2


def test_a_failing_source_is_told_and_what_was_said_is_kept() -> None:
    made, kept = Made(2, DataError("the cable was pulled")), Kept()
    with pytest.raises(DataError, match="the cable was pulled"):
        run(made, kept)
    assert (len(kept.got), kept.ended, made.closed) == (2, True, 1)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
def test_no_frame_at_all_is_an_error(error: BaseException | None) -> None:
    made, kept = Made(0, error), Kept()
    with pytest.raises(DataError, match="made: gave no frame; expected at least one"):
        run(made, kept)
    assert (kept.ended, made.closed) == (True, 1)


def test_late_frames_are_dropped_and_counted() -> None:
    given = threading.Event()

    def frames() -> Iterator[VideoFrame]:
        yield from Made(1).source.frames
        began.wait(10)
        yield from Made(5).source.frames
        given.set()

    began, kept = threading.Event(), Kept()

    def slow(frame: VideoFrame) -> Answer:
        began.set()
        assert given.wait(10)
        return answer(frame)

    source = Source("camera", frames(), lambda: None, live=True)
    done = follow(source, slow, [kept.open()], NoProgress(), lambda: False, title="a test", drop=True)
    assert (done.frames, done.dropped) == (2, 4)
    assert kept.got[-1] == (0.4, 4.0, 4)


def test_the_progress_hears_milliseconds_and_a_task_s_own_numbers() -> None:
    progress = Progress()
    follow(
        Made(3).source, answer, [], progress, lambda: False, title="a test", drop=False, most=2,
        numbers=lambda said: {"value": said.value},
    )  # fmt: skip
    assert progress.said[0] == ("a test", 2)
    assert progress.said[1] == (1, {"value": 0.0, "ms": 500.0, "dropped": 0.0})
    assert progress.said[-1] == "end"


def test_a_line_and_a_picture_a_frame(tmp_path: Path) -> None:
    def cells(said: Answer) -> Sequence[str]:
        return [f"{said.value:.1f}"]

    def draw(frame: VideoFrame, said: Answer, dropped: int) -> np.ndarray:
        assert (said.seconds, dropped) == (0.5, 0)
        return frame.image

    table, film = tmp_path / "new" / "a.csv", tmp_path / "a.mp4"
    sinks = [table_sink(table, ("frame", "time", "value", "milliseconds", "dropped"), cells)]
    if pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]"):
        sinks.append(video_sink(film, 10, draw))
    follow(Made(3).source, answer, sinks, NoProgress(), lambda: False, title="a test", drop=False)
    rows = list(csv.reader(io.StringIO(table.read_text())))
    assert rows[0] == ["frame", "time", "value", "milliseconds", "dropped"]
    assert rows[2] == ["1", "0.100", "1.0", "500.00", "0"]
    assert len(rows) == 4
    assert check_video(film).frames == 3


def test_the_standard_input_is_raw_or_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(bytes(4 * 2 * 3 * 2))))
    frames = list(open_source(None, "4x2", 10.0).frames)
    assert [frame.time for frame in frames] == [0.0, 0.1]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"no picture at all")))
    with pytest.raises(DataError, match="expected JPEG images"):
        list(open_source(None, "mjpeg").frames)
    with pytest.raises(DataError, match="camera 77: cannot be opened"):
        open_source("77", None)
