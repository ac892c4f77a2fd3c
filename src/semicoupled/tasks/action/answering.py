"""What a model says of videos: probabilities of each frame, of the whole video, of the streams apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from semicoupled.data.augment import NO_CHANGE, ClipDraw, Size, covering
from semicoupled.nn.streams import STREAMS, Stream
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.action.averaging import average_frames
from semicoupled.tasks.action.data import ActionBatch, ActionData, choose_frames
from semicoupled.tasks.action.settings import AT_ONCE, ActionSettings, EvaluationSettings
from semicoupled.tasks.action.sight import Sight
from semicoupled.training.progress import NoProgress, Progress

BATCH = 16
"""Videos of about the same length that are answered together."""


class VideoAnswer(NamedTuple):
    """What a model says of one video.

    Attributes:
        main: K probabilities of the classes, averaged over the frames.
        spatial: those of the spatial stream; None where the model has none, or it was not asked for.
        temporal: those of the temporal stream, likewise.
        frames: T K, of each frame.
    """

    main: np.ndarray
    spatial: np.ndarray | None
    temporal: np.ndarray | None
    frames: np.ndarray


def answered_streams(model: TaskModel) -> tuple[Stream, ...]:
    """Give the streams of a model that answer with a class."""
    heads = cast(Any, model)
    return ("main", *(s for s in STREAMS if s != "main" and getattr(heads, f"{s}_head", None) is not None))


def can_stream(settings: ActionSettings) -> bool:
    """Whether a model goes frame by frame with a state; else it sees a clip at once."""
    return settings.model.kind not in AT_ONCE


def answer_all(
    model: TaskModel,
    data: ActionData,
    settings: ActionSettings,
    *,
    streams: Sequence[Stream] = ("main",),
    progress: Progress | None = None,
) -> list[VideoAnswer]:
    """Answer for every video of a split.

    Args:
        model: in eval mode.
        data: the split.
        settings: of the run; `evaluation` says how a video is gone through.
        streams: that are asked.
        progress: who is told how far it is.

    Returns:
        An answer for each video, in order.
    """
    shown, how = progress or NoProgress(), settings.evaluation
    lengths = [len(data.store.frames(index)) for index in range(len(data))]
    found: dict[int, VideoAnswer] = {}
    shown.begin("answering", len(data))
    try:
        for group in _groups(lengths, exact=how.clips is not None or not can_stream(settings)):
            for index, answer in zip(group, _answer_group(model, data, group, settings, streams), strict=True):
                found[index] = answer
            shown.update(len(found))
    finally:
        shown.end()
    return [found[index] for index in range(len(data))]


def run_frames(
    model: TaskModel, frames: Tensor, state: Any, streams: Sequence[Stream]
) -> tuple[dict[Stream, Tensor], Any]:
    """Run some frames from a state on.

    Args:
        model: in eval mode.
        frames: B T C H W, on any device.
        state: what the last call gave; None before the first frame.
        streams: that are asked.

    Returns:
        Probabilities of each stream, B T K, float32 on the CPU; and the state.
    """
    there = frames.to(next(cast(nn.Module, model).parameters()).device)
    nothing = torch.empty(*there.shape[:2], 0, device=there.device)
    batch = ActionBatch(there, nothing, nothing, nothing)
    with torch.no_grad():
        output = model(batch, state, streams=streams)
    said: dict[Stream, Tensor] = {stream: getattr(output, stream).float().softmax(-1).cpu() for stream in streams}
    return said, output.state


def _groups(lengths: Sequence[int], *, exact: bool) -> Iterator[list[int]]:
    """Group videos of about the same length, or of exactly the same."""
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
        if group and (len(group) == BATCH or (exact and lengths[group[0]] != lengths[index])):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _answer_group(
    model: TaskModel, data: ActionData, group: Sequence[int], settings: ActionSettings, streams: Sequence[Stream]
) -> list[VideoAnswer]:
    views: list[list[dict[Stream, np.ndarray]]] = []
    videos = [data.store.frames(index) for index in group]
    places = [crop_draws(settings.evaluation, video.shape[1:3], settings) for video in videos]
    for draws in zip(*places, strict=True):
        for clips in _passes(videos, settings):
            views.append(_answer_clips(model, clips, draws, settings, streams))
    answers: list[VideoAnswer] = []
    average = settings.loss.average
    for number in range(len(group)):
        mean = {s: np.mean([average_frames(v[number][s], average) for v in views], axis=0) for s in streams}
        frames = views[0][number]["main"] if len(views) == 1 else np.mean([v[number]["main"] for v in views], axis=0)
        answers.append(VideoAnswer(mean["main"], mean.get("spatial"), mean.get("temporal"), frames))
    return answers


def crop_draws(how: EvaluationSettings, image: Sequence[int], settings: ActionSettings) -> list[ClipDraw]:
    """Give where the crops of a video lie: in the middle, or at three places along the longer free side.

    Args:
        how: one crop, or three.
        image: height and width of the video's frames, px.
        settings: of the run: the size of a crop, and of what it is taken from.
    """
    if how.crops == 1:
        return [NO_CHANGE]
    data = settings.data
    size = covering(Size(image[0], image[1]), Size(data.height, data.width), data.short_side)
    across = size.width - data.width >= size.height - data.height
    return [NO_CHANGE._replace(place=(share, 0.5) if across else (0.5, share)) for share in (0.0, 0.5, 1.0)]


def _passes(videos: Sequence[np.ndarray], settings: ActionSettings) -> Iterator[list[np.ndarray]]:
    count = settings.evaluation.clips
    if count is None and can_stream(settings):
        yield list(videos)
        return
    number = count or 1
    for part in range(number):
        share = 0.5 if number == 1 else part / (number - 1)
        yield [
            video[choose_frames(len(video), settings.data.frames, settings.data.sampling, share)] for video in videos
        ]


def _answer_clips(
    model: TaskModel,
    clips: Sequence[np.ndarray],
    draws: Sequence[ClipDraw],
    settings: ActionSettings,
    streams: Sequence[Stream],
) -> list[dict[Stream, np.ndarray]]:
    """Run clips side by side, chunk by chunk; those that have ended stand still and are not looked at."""
    longest, state = max(len(clip) for clip in clips), None
    chunk = settings.evaluation.chunk if can_stream(settings) else longest
    said: dict[Stream, list[np.ndarray]] = {stream: [] for stream in streams}
    sights = [Sight(settings.data, draw) for draw in draws]
    for start in range(0, longest, chunk):
        stop = min(start + chunk, longest)
        parts = [clip[np.minimum(np.arange(start, stop), len(clip) - 1)] for clip in clips]
        frames = torch.stack([sight.see(part) for sight, part in zip(sights, parts, strict=True)])
        found, state = run_frames(model, frames, state, streams)
        for stream in streams:
            said[stream].append(found[stream].numpy())
    whole = {stream: np.concatenate(parts, 1) for stream, parts in said.items()}
    return [{stream: whole[stream][number, : len(clip)] for stream in streams} for number, clip in enumerate(clips)]
