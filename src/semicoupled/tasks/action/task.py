"""Action recognition as a task: from labeled videos to a network that says what happens, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from semicoupled.description import Description
from semicoupled.errors import DataError, RunError, SettingsError
from semicoupled.report import Section
from semicoupled.rows import Row
from semicoupled.run_folder import load
from semicoupled.steps import Steps, frame_steps
from semicoupled.task import Task
from semicoupled.task_parts import Splits, TaskModel, TaskOutput
from semicoupled.task_requests import EvaluateRequest
from semicoupled.tasks.action.answering import VideoAnswer, answer_all, answered_streams
from semicoupled.tasks.action.architecture import build_network
from semicoupled.tasks.action.checking.check import check
from semicoupled.tasks.action.checking.describe import describe
from semicoupled.tasks.action.data import ActionBatch, ActionData, pieces
from semicoupled.tasks.action.goals import make_goals
from semicoupled.tasks.action.listing.clip import Clip
from semicoupled.tasks.action.listing.recognize import list_usable
from semicoupled.tasks.action.making import make
from semicoupled.tasks.action.model import ActionModel, build_model
from semicoupled.tasks.action.operating.predictor import ActionPredictor
from semicoupled.tasks.action.scores.draw import sections
from semicoupled.tasks.action.scores.metrics import headline, prior_rows, score_rows
from semicoupled.tasks.action.settings import AT_ONCE, ActionSettings
from semicoupled.tasks.action.splitting import ClipSplits, class_names, split_clips
from semicoupled.tasks.action.store import ClipStore, usable
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress


def read_splits(settings: ActionSettings) -> tuple[ClipSplits, list[str]]:
    """List a run's clips, parted, and its classes.

    Raises:
        SettingsError: no root.
        DataError: no list, or one that cannot be used.
    """
    data = settings.data
    if not data.root:
        raise SettingsError("data.root: expected the folder of the videos, got nothing. Give --data.root DIR")
    listing = list_usable(Path(data.root), data.split, data.on_error)
    parts = split_clips(listing, validation=data.validation, test=data.test, only=data.classes)
    return parts, class_names(listing, data.classes)


def clips_data(
    settings: ActionSettings, clips: Sequence[Clip], classes: Sequence[str], name: str, *, with_flow: bool = False
) -> ActionData:
    """Make the data set of some clips; those that cannot be read are left out where the settings say so."""
    data = settings.data
    if data.on_error == "skip":
        store = ClipStore(clips, data)
        good = usable(clips, store, name)
        if len(good) == len(clips):
            return ActionData(clips, classes, data, seed=settings.seed, with_flow=with_flow, store=store)
        clips = [clips[index] for index in good]
    return ActionData(clips, classes, data, seed=settings.seed, with_flow=with_flow)


def splits(settings: ActionSettings) -> Splits:
    """See `Task.splits`."""
    parts, classes = read_splits(settings)
    with_flow = bool(settings.goals.temporal) and "flow" in settings.sub_goals.temporal
    counts = {name: len(getattr(parts, name)) for name in ("train", "validation", "test")}
    description = {
        "classes": classes,
        "clips": counts,
        "groups": {
            name: sorted({clip.group for clip in getattr(parts, name) if clip.group is not None})[:100]
            for name in ("train", "validation", "test")
        },
        "size": [settings.data.height, settings.data.width],
        "rate": settings.data.rate,
    }
    return Splits(
        clips_data(settings, parts.train, classes, "train", with_flow=with_flow),
        clips_data(settings, parts.validation, classes, "validation", with_flow=with_flow),
        description,
    )


def classes_of(description: Description) -> list[str]:
    """Give the classes that a run answers with.

    Raises:
        RunError: the description names none.
    """
    found = description.get("classes")
    if not isinstance(found, Sequence) or isinstance(found, str) or not found:
        raise RunError(f"description.json: 'classes' is {found!r:.80}; expected the names of classes. Train again")
    return [str(name) for name in found]


def build(settings: ActionSettings, description: Description) -> TaskModel:
    """See `Task.build`."""
    blank = replace(settings, model=replace(settings.model, backbone_weights=None))
    model = build_model(blank, len(classes_of(description)))
    if not _is_3d(settings):
        model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return cast(TaskModel, model)


def start(settings: ActionSettings, model: TaskModel) -> None:
    """See `Task.start`."""
    if settings.model.backbone_weights is not None:
        learned = build_network(settings.model, settings.data.channels)
        cast(ActionModel, model).network.load_state_dict(learned.state_dict())


def _is_3d(settings: ActionSettings) -> bool:
    return settings.model.kind in AT_ONCE


def goals(settings: ActionSettings) -> Callable[[TaskOutput, ActionBatch], Losses]:
    """See `Task.goals`."""
    return cast("Callable[[TaskOutput, ActionBatch], Losses]", make_goals(settings.loss, settings.sub_goals))


def cut(batch: ActionBatch, segment: Segment) -> ActionBatch:
    """See `Task.cut`."""
    return pieces(batch, slice(segment.start, segment.stop, segment.step))


def validate(settings: ActionSettings, model: TaskModel, splits: Splits, progress: Progress) -> Mapping[str, float]:
    """Give the accuracy and the loss on the validation videos; the score is the accuracy, the loss parts equals."""
    data = cast(ActionData, splits.validation)
    answers = answer_all(model, data, settings, progress=progress)
    labels = [data.label(index) for index in range(len(data))]
    top1 = float(np.mean([answer.main.argmax() == label for answer, label in zip(answers, labels, strict=True)]))
    loss = float(
        np.mean([-np.log(max(answer.main[label], 1e-12)) for answer, label in zip(answers, labels, strict=True)])
    )
    return {"score": top1 - 1e-4 * loss, "top1": top1, "loss": loss}


def evaluate(request: EvaluateRequest[ActionSettings]) -> Sequence[Row]:
    """See `Task.evaluate`; splits are ``train``, ``validation``, ``test`` and ``all``.

    Raises:
        SettingsError: no such split.
        DataError: the split is empty, or the model knows none of its classes.
    """
    settings = request.settings
    request.check_split(("train", "validation", "test", "all"))
    classes = classes_of(request.description)
    if request.root is not None:
        listing = list_usable(request.root, settings.data.split, settings.data.on_error)
        known = [clip for clip in listing.clips if clip.label in classes]
        if not known:
            raise DataError(
                f"{request.root}: holds no clip whose class the model knows; expected some of {', '.join(classes)}; "
                f"there are {', '.join(sorted({clip.label for clip in listing.clips}))}"
            )
        clips = [clip for clip in known if request.split in ("all", clip.split)]
        if not clips:
            parts = sorted({str(clip.split) for clip in known if clip.split is not None})
            raise DataError(
                f"{request.root}: has no clips of the split {request.split}; its list names "
                f"{', '.join(parts) or 'no splits'}. Give --split {' or --split '.join(['all', *parts])}"
            )
        trained: Sequence[Clip] = clips
    else:
        parts, _ = read_splits(settings)
        trained = parts.train
        clips = (
            [*parts.train, *parts.validation, *parts.test] if request.split == "all" else getattr(parts, request.split)
        )
        if not clips:
            raise DataError(
                f"{settings.data.root}: has no clips of the split {request.split}. Name groups with --data.test in "
                "training, or give other data with --data.root"
            )
    data = clips_data(settings, clips, classes, request.split)
    labels = [data.label(index) for index in range(len(data))]
    rows = prior_rows([classes.index(clip.label) for clip in trained], labels, {})
    if request.model is not None:
        streams = answered_streams(request.model)
        answers = answer_all(request.model, data, settings, streams=streams, progress=request.progress)
        rows = [*score_rows(settings.model.kind, answers, labels, classes), *rows]
        if settings.evaluation.fuse is not None:
            other = fused(settings.evaluation.fuse, data, answers, classes, request)
            rows = [*rows, *score_rows(f"{settings.model.kind} + {settings.evaluation.fuse}", other, labels, classes)]
    return rows


def fused(
    run: str, data: ActionData, answers: Sequence[VideoAnswer], classes: Sequence[str], request: EvaluateRequest[Any]
) -> list[VideoAnswer]:
    """Average answers with those of another run, which sees the same videos in its own way.

    Raises:
        RunError: it is no run of this task.
        SettingsError: it knows other classes.
    """
    other = load(run, str(request.device), "action")
    names = classes_of(other.description)
    if names != list(classes):
        raise SettingsError(
            f"evaluation.fuse {run}: expected a run of the classes {', '.join(classes)}, got {', '.join(names)}"
        )
    settings = cast(ActionSettings, other.settings)
    seen = ActionData(data.clips, classes, settings.data)
    theirs = answer_all(other.model, seen, settings, progress=request.progress)
    return [
        VideoAnswer(
            (one.main + two.main) / 2,
            None,
            None,
            # at other rates their frames are others
            (one.frames + two.frames) / 2 if one.frames.shape == two.frames.shape else one.frames[:0],
        )
        for one, two in zip(answers, theirs, strict=True)
    ]


def predictor(settings: ActionSettings, description: Description, model: TaskModel) -> ActionPredictor:
    """See `Task.predictor`."""
    return ActionPredictor(settings, classes_of(description), model)


def steps(settings: ActionSettings, description: Description, model: TaskModel) -> Steps:
    """See `Task.steps`: one program, from a frame to scores of the classes.

    Raises:
        SettingsError: the network sees a clip at once.
    """
    if _is_3d(settings):
        kind = settings.model.kind
        raise SettingsError(f"model.kind {kind} sees a clip at once and has no step to export. Choose another kind")
    action, data = cast(ActionModel, model), settings.data
    scale = "less 0.45, over 0.225"
    if data.normalize == "frame":
        scale = "less the mean of all its pixels, over their standard deviation (at least 0.02)"
    if data.normalize == "first":
        scale = "less the mean of the first frame's pixels, over their standard deviation (at least 0.02)"
    if data.normalize == "pixel":
        scale = "each less its mean over all frames so far, over their standard deviation plus 4/255"
    frame = f"a frame, {data.color}, pixels from 0 to 1, {scale}; B C H W"
    if data.color == "flow":
        frame = "the flow since the frame before (dx, dy), in units of 2 pixels, at most 5; B 2 H W"
    if data.color == "rgb_flow":
        frame = (
            f"{frame.replace('B C H W', 'B 5 H W')}: rgb, then the flow since the frame before, in units of 2 pixels"
        )
    return frame_steps(
        cast(Any, action.network),
        action.main_head,
        channels=data.channels,
        size=(data.height, data.width),
        frame=frame,
        answer=("scores", "of the classes, before the softmax; B K"),
        about={"classes": classes_of(description), "rate": data.rate, "color": data.color, "normalize": data.normalize},
    )


def draw(settings: ActionSettings, model: TaskModel, splits: Splits, folder: Path) -> Sequence[Section]:
    """See `Task.draw`."""
    del folder
    return sections(settings, model, cast(ActionData, splits.validation))


TASK = Task(
    name="action",
    summary="Say what happens in a video: one of some classes, frame by frame and for the whole.",
    settings=ActionSettings,
    splits=splits,
    build=build,
    start=start,
    goals=goals,
    cut=cut,
    validate=validate,
    evaluate=evaluate,
    predictor=predictor,
    steps=steps,
    draw=draw,
    check=check,
    describe=describe,
    make=make,
    headline=headline,
)
