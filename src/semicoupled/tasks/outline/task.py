"""Outlines as a task: annotations in, an outline drawn point by point out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.utils.data import default_collate

from semicoupled.description import Description
from semicoupled.errors import DataError
from semicoupled.report import Section
from semicoupled.rows import Row
from semicoupled.steps import Steps
from semicoupled.task import Task
from semicoupled.task_parts import Splits, TaskModel, TaskOutput
from semicoupled.task_requests import EvaluateRequest
from semicoupled.tasks.outline.checking.check import check
from semicoupled.tasks.outline.checking.describe import describe
from semicoupled.tasks.outline.data import OutlineBatch, OutlineData, sources_of
from semicoupled.tasks.outline.drawing.predictor import OutlinePredictor
from semicoupled.tasks.outline.formats.convert import convert
from semicoupled.tasks.outline.formats.listing import read_annotations, read_parts
from semicoupled.tasks.outline.goals import make_goals
from semicoupled.tasks.outline.made.make import make
from semicoupled.tasks.outline.model import OutlineModel, build_model
from semicoupled.tasks.outline.network.look import start_backbone
from semicoupled.tasks.outline.scores.draw import sections
from semicoupled.tasks.outline.scores.evaluation import judged_model, score_sources, usable
from semicoupled.tasks.outline.settings import OutlineSettings
from semicoupled.tasks.outline.steps import make_steps
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress
from semicoupled.training.sampling import SampleKey

VALIDATED = 96
"""Objects of the validation split that are outlined during training."""

_HEADLINE = ("iou", "iou_class_mean", "iou_pooled", "clicks", "clicks_enough")


def splits(settings: OutlineSettings) -> Splits:
    """See `Task.splits`.

    Raises:
        DataError: there is nothing to learn from, or nothing left to validate on.
    """
    parts = read_parts(settings.data)
    train = OutlineData(parts.train, settings.data, training=True, seed=settings.seed)
    validation = OutlineData(parts.validation, settings.data, training=False)
    for name, found, given in (("train", train, parts.train), ("validation", validation, parts.validation)):
        if not len(found):
            raise DataError(
                f"{settings.data.root}: none of the {len(given)} outlines for {name} can be learned; expected at least "
                f"one that is no crowd, encloses data.least_area ({settings.data.least_area:g} px), and is no thinner "
                "than a cell. Lower data.least_area, or give other data"
            )
    description = {
        "labels": sorted({source.instance.label for source in (*parts.train, *parts.validation)}),
        "grid": settings.data.grid,
        "crop": settings.data.crop,
        "train": {"objects": len(parts.train), "learned_from": len(train)},
        "validation": {"objects": len(parts.validation)},
    }
    return Splits(train, validation, description)


def build(settings: OutlineSettings, description: Description) -> TaskModel:
    """See `Task.build`."""
    del description
    model = build_model(settings.model, settings.data.grid, reinforce=settings.loss.reinforce > 0)
    return cast(TaskModel, model.to(memory_format=torch.channels_last))  # pyright: ignore[reportCallIssue]


def start(settings: OutlineSettings, model: TaskModel) -> None:
    """See `Task.start`."""
    start_backbone(cast(OutlineModel, model).backbone, settings.model.pretrained)


def goals(settings: OutlineSettings) -> Callable[[TaskOutput, OutlineBatch], Losses]:
    """See `Task.goals`."""
    return cast("Callable[[TaskOutput, OutlineBatch], Losses]", make_goals(settings.loss, settings.data.grid))


def cut(batch: OutlineBatch, segment: Segment) -> OutlineBatch:
    """See `Task.cut`: the image stays whole."""
    part = segment.slice
    return batch._replace(frames=batch.frames[:, part], target=batch.target[:, part], weight=batch.weight[:, part])


def validate(settings: OutlineSettings, model: TaskModel, splits: Splits, progress: Progress) -> Mapping[str, float]:
    """Give the mean IoU of some outlines whose start and end are given, which is the score, and the main loss."""
    data, network = cast(OutlineData, splits.validation), cast(OutlineModel, model)
    device = next(network.parameters()).device
    chosen = usable(data.sources, VALIDATED)
    found = judged_model(network, chosen, settings.data, ("start_end",), progress=progress)["start_end"]
    losses = make_goals(settings.loss, settings.data.grid)
    indices = np.unique(np.linspace(0, len(data) - 1, min(VALIDATED, len(data))).astype(int))
    total = 0.0
    for group in np.array_split(indices, -(-len(indices) // 16)):
        batch = default_collate([data[SampleKey(int(index))] for index in group])
        there = OutlineBatch(*(tensor.to(device) for tensor in batch))
        total += float(losses(network(there), there).main) * len(group)
    iou = float(np.nanmean([one.score.overlap.iou for one in found]))
    return {"score": iou, "iou": iou, "loss": total / len(indices)}


def evaluate(request: EvaluateRequest[OutlineSettings]) -> Sequence[Row]:
    """See `Task.evaluate`; splits are ``validation``, ``train`` and ``all``.

    Raises:
        SettingsError: no such split, or none of these data.
    """
    settings = request.settings
    request.check_split(("validation", "train", "all"), elsewhere=("all",))
    if request.root is not None:
        sources = sources_of(read_annotations(request.root), None, settings.data.labels)
    else:
        parts = read_parts(settings.data)
        chosen = {"train": parts.train, "validation": parts.validation, "all": [*parts.train, *parts.validation]}
        sources = chosen[request.split]
    model = None if request.model is None else cast(OutlineModel, request.model)
    return score_sources(
        model,
        settings.model.kind,
        sources,
        settings.data,
        settings.evaluation,
        seed=settings.seed,
        progress=request.progress,
    )


def headline(rows: Sequence[Row]) -> Sequence[Row]:
    """What says most: IoU over all, by class, the means, and the boundary."""
    return [row for row in rows if row.metric in _HEADLINE and "size" not in row.condition]


def predictor(settings: OutlineSettings, description: Description, model: TaskModel) -> OutlinePredictor:
    """See `Task.predictor`."""
    del description
    return OutlinePredictor(settings.data, cast(OutlineModel, model))


def steps(settings: OutlineSettings, description: Description, model: TaskModel) -> Steps:
    """See `Task.steps`: `look` at the image once, then `step` from point to point."""
    return make_steps(settings, description, cast(OutlineModel, model))


def draw(settings: OutlineSettings, model: TaskModel, splits: Splits, folder: Path) -> Sequence[Section]:
    """See `Task.draw`: outlines beside the truth, and scores."""
    return sections(settings, cast(OutlineModel, model), cast(OutlineData, splits.validation), folder)


def parameters(model: nn.Module) -> int:
    """Count all parameters, the backbone's and the heads' too."""
    return sum(parameter.numel() for parameter in model.parameters())


TASK = Task(
    name="outline",
    summary="Draw the outline of an object point by point, from a box, a start, or a start and an end.",
    settings=OutlineSettings,
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
    convert=convert,
    make=make,
    headline=headline,
)
