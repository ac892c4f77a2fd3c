"""What a model says of a video, for the page: probabilities over time by stream, gates, and the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import nn

from semicoupled.data.video import VideoFrame
from semicoupled.errors import DataError
from semicoupled.explain.maps import Records, recording
from semicoupled.nn.streams import STREAMS
from semicoupled.serving.drawn_sample import drawn_frames, find_sample
from semicoupled.serving.film import Choice, Film, told
from semicoupled.serving.messages import public
from semicoupled.serving.places import looking_into
from semicoupled.serving.video_options import VideoOptions
from semicoupled.serving.work import JobRequest, Result, Work, npy, numbers
from semicoupled.tasks.action.answering import can_stream
from semicoupled.tasks.action.frames import iterate_frames
from semicoupled.tasks.action.listing.clip import is_video_name
from semicoupled.tasks.action.operating.inputs import find_videos
from semicoupled.tasks.action.operating.video_answer import FrameAnswer, RunningAnswer, answer_frames
from semicoupled.tasks.action.settings import ActionSettings

_TOP = 8
"""Classes whose probabilities are drawn."""
_CHUNK = 16
_SAID = 8
_LONGEST = 18_000
"""Frames of a video that are looked at: ten minutes and more."""
_MOST_VIDEOS = 500


def answer(work: Work, request: JobRequest) -> Result:
    """Answer one video of a source.

    Raises:
        DataError: the files cannot be used, or there is no such video.
    """
    options = cast(VideoOptions, request.options)
    work.progress(0.02, "loading the model")
    run = work.run(request.run)
    settings = cast(ActionSettings, run.settings)
    work.progress(0.1, "reading the video")
    source = request.source
    if source.sample is not None:
        sample = find_sample(source.sample)
        return _answer(work, request, drawn_frames(source.sample), [Choice(sample.title, sample.frames)], 0)
    with looking_into(work, source) as place:
        videos = videos_of(place)
        if options.part >= len(videos):
            raise DataError(f"there is no video {options.part} of {len(videos)}; expected one from 0. Choose another")
        frames = iterate_frames(videos[options.part], rate=settings.data.rate, frame_rate=options.rate)
        choices = [Choice(_name(video, place)) for video in videos[:_MOST_VIDEOS]]
        return _answer(work, request, frames, choices, options.part)


def videos_of(place: Path) -> list[Path]:
    """Give the videos that are meant by a place.

    Raises:
        DataError: it is no video, and no folder of frames.
    """
    if place.is_file():
        if not is_video_name(place):
            raise DataError(f"{place}: is no video by its name; expected one that FFmpeg reads, or a folder of frames")
        return [place]
    found = find_videos(place)
    if not found:
        raise DataError(f"{place}: holds no videos and no folders of frames; expected at least one")
    return found


def _name(video: Path, place: Path) -> str:
    return video.name if video == place else video.relative_to(place).as_posix()


class Trace:
    """Numbers of a video's frames, of which every n-th is kept, as `Film` keeps its pictures."""

    def __init__(self, film: Film) -> None:
        """Go with a film."""
        self._film = film
        self._kept: list[tuple[int, Any]] = []

    def add(self, index: int, values: Any) -> None:
        """Take in what belongs to a frame; whatever no picture belongs to is let go."""
        if index % self._film.every == 0:
            self._kept.append((index, values))
        if len(self._kept) > len(self._film) + _CHUNK:
            self._kept = [each for each in self._kept if each[0] % self._film.every == 0]

    def values(self) -> list[Any]:
        """Give what is kept, in order."""
        return [values for index, values in self._kept if index % self._film.every == 0]


def _answer(
    work: Work, request: JobRequest, frames: Iterable[VideoFrame], choices: Sequence[Choice], part: int
) -> Result:
    run = work.run(request.run)
    settings, classes = cast(ActionSettings, run.settings), cast("list[str]", run.description["classes"])
    film, running = Film(), RunningAnswer(settings.loss.average)
    answers, gates = Trace(film), Trace(film)
    count, problem, cut = 0, None, False

    def pictured() -> Iterator[VideoFrame]:
        nonlocal cut, problem
        try:
            for frame in frames:
                if film.count == _LONGEST:
                    cut = True
                    return
                film.add(frame.image)
                yield frame
        except DataError as error:
            if not film.count:
                raise
            problem = public(str(error), ())  # what was decoded before is answered

    with ExitStack() as stack:
        records: Records = {}
        if settings.model.kind == "semicoupled":
            records = stack.enter_context(recording(cast(nn.Module, run.model), ("gate",)))
        for said in answer_frames(run.model, pictured(), settings, _CHUNK):
            _drain(records, gates.add, count)
            running.add(said)
            answers.add(count, (said, {name: running.mean(name) for name in STREAMS}))
            count += 1
            if count % _SAID == 0:
                work.progress(0.1 + 0.8 * count / (count + 300), f"frame {count}")
    work.progress(0.95, "packing")
    both = cast("list[tuple[FrameAnswer, dict[str, np.ndarray]]]", answers.values())
    kept = [said for said, _ in both]
    streams = [name for name in STREAMS if getattr(kept[0], name) is not None]
    shown = _shown(kept, running, streams)
    files: dict[str, bytes] = {}
    for name in streams:
        files[f"{name}.npy"] = npy(np.array([getattr(said, name)[shown] for said in kept], np.float32))
        files[f"{name}_so_far.npy"] = npy(np.array([so_far[name][shown] for _, so_far in both], np.float32))
    times = np.array([each.time for each in kept], np.float64)
    files["times.npy"] = npy(times - times[0])
    opened = gates.values()
    if opened:
        files["gates.npy"] = npy(np.array(opened, np.float32))
    means = {name: cast(np.ndarray, running.mean(name)) for name in streams}
    return Result(
        {
            "classes": [classes[index] for index in shown],
            "class_count": len(classes),
            "streams": streams,
            "means": {name: numbers(mean[shown], 5) for name, mean in means.items()},
            "tops": {
                name: [[classes[i], float(mean[i])] for i in np.argsort(-mean)[:3]] for name, mean in means.items()
            },
            "frames": count,
            "kind": settings.model.kind,
            "streaming": can_stream(settings),
            "problem": problem,
            "cut": cut,
            "parts": told(choices),
            "part": part,
            "film": film.describe(),
        },
        {**files, **film.files()},
    )


def _shown(kept: Sequence[FrameAnswer], running: RunningAnswer, streams: Sequence[str]) -> list[int]:
    """Choose the classes that are drawn: the most probable of the video, of any frame, and of any stream."""
    mean = cast(np.ndarray, running.mean("main"))
    highest = np.max([each.main for each in kept], axis=0)
    others = np.max([cast(np.ndarray, running.mean(name)) for name in streams], axis=0)
    chosen = np.argsort(-(mean + 0.3 * others + 0.1 * highest), kind="stable")[:_TOP]
    return sorted(map(int, chosen), key=lambda index: -float(mean[index]))


def _drain(records: Records, add: Callable[[int, np.ndarray], None], first: int) -> None:
    """Take the mean gate of each layer and frame out of what was recorded, and let the maps go.

    Args:
        records: of one chunk, that begins with frame `first`.
        add: takes a frame's number and its gates, by layer.
        first: number of the frame.
    """
    found = [record for recorded in records.values() for record in recorded if record.stream == "main"]
    if not found:
        return
    by_layer = {record.layer: cast(Any, record.gate)[0].float().flatten(1).mean(1).cpu().numpy() for record in found}
    for recorded in records.values():
        recorded.clear()
    whole = np.stack([by_layer[layer] for layer in sorted(by_layer)], 1)
    for index, values in enumerate(whole):
        add(first + index, values)
