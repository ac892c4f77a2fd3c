"""The toys as a task: generated clips in, an answer in every frame out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import torch

from semicoupled.description import Description
from semicoupled.errors import SettingsError
from semicoupled.report import Section
from semicoupled.rows import Row
from semicoupled.steps import Steps, frame_steps
from semicoupled.task import Task
from semicoupled.task_parts import Splits, TaskModel, TaskOutput
from semicoupled.task_requests import EvaluateRequest
from semicoupled.tasks.toy import draw as pictures
from semicoupled.tasks.toy.data import ToyBatch, ToyData, shape_classes
from semicoupled.tasks.toy.evaluation import ask, rows_of_tests, shape_row, star_rows
from semicoupled.tasks.toy.evaluation import cut as cut_frames
from semicoupled.tasks.toy.goals import clip_loss, frame_loss, make_goals
from semicoupled.tasks.toy.metrics import clip_accuracy, distance_accuracy
from semicoupled.tasks.toy.model import ToyModel, build_network
from semicoupled.tasks.toy.predictor import ToyPredictor
from semicoupled.tasks.toy.settings import ToySettings
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress


def splits(settings: ToySettings) -> Splits:
    """See `Task.splits`."""
    with_flow = bool(settings.goals.temporal) and "flow" in settings.sub_goals.temporal
    description = {
        "question": settings.data.question,
        "size": settings.data.side,
        "frames": settings.data.length,
        "answers": [pictures.answer_name(settings.data, answer) for answer in range(settings.data.classes)],
    }
    return Splits(
        ToyData(settings.data, "train", seed=settings.seed, with_flow=with_flow),
        ToyData(settings.data, "validation", with_flow=with_flow),
        description,
    )


def build(settings: ToySettings, description: Description) -> TaskModel:
    """See `Task.build`."""
    del description  # all of it follows from the settings
    model = ToyModel(
        build_network(settings.model), settings.data.classes, shape_classes(settings.data), settings.sub_goals
    )
    return cast(TaskModel, model.to(memory_format=torch.channels_last))  # pyright: ignore[reportCallIssue]


def goals(settings: ToySettings) -> Callable[[TaskOutput, ToyBatch], Losses]:
    """See `Task.goals`."""
    return cast("Callable[[TaskOutput, ToyBatch], Losses]", make_goals(settings.data.question, settings.sub_goals))


def cut(batch: ToyBatch, segment: Segment) -> ToyBatch:
    """See `Task.cut`."""
    return cut_frames(batch, segment.slice)


def validate(settings: ToySettings, model: TaskModel, splits: Splits, progress: Progress) -> Mapping[str, float]:
    """Give the loss and the accuracy on the validation split; the score is the negative loss, which tells finer."""
    answers = ask(model, cast(ToyData, splits.validation), progress=progress)
    scores, answer = answers.scores, answers.batch.answer
    if settings.data.question == "star":
        loss = float(frame_loss(scores, answer))
        far = distance_accuracy(scores, answer, settings.data.length * 2 // 3, settings.data.length)
        return {"score": -loss, "loss": loss, "accuracy_far": far.value}
    loss = float(clip_loss(scores, answer))
    return {"score": -loss, "loss": loss, "accuracy": clip_accuracy(scores, answer).value}


def evaluate(request: EvaluateRequest[ToySettings]) -> Sequence[Row]:
    """See `Task.evaluate`; splits are ``validation`` (seen shapes), and ``test`` or ``all`` (all tests).

    Raises:
        SettingsError: no such split, or a root was given.
    """
    settings = request.settings
    if request.root is not None:
        raise SettingsError(f"the toys are generated: expected no --data.root, got {request.root}. Leave it out")
    request.check_split(("validation", "test", "all"))
    if request.model is None:
        return []
    if request.split != "validation":
        return rows_of_tests(settings, request.model, request.progress)
    answers = ask(request.model, ToyData(settings.data, "validation"), progress=request.progress)
    if settings.data.question == "star":
        return star_rows(settings, answers, {"test": "seen", "run": "whole"})
    return [shape_row(settings, answers, "seen")]


def predictor(settings: ToySettings, description: Description, model: TaskModel) -> ToyPredictor:
    """See `Task.predictor`."""
    del description
    return ToyPredictor(settings.data, model)


def steps(settings: ToySettings, description: Description, model: TaskModel) -> Steps:
    """See `Task.steps`: one program, from a frame to scores of the answers."""
    toy, side = cast(ToyModel, model), settings.data.side
    return frame_steps(
        toy.network,
        toy.main_head,
        channels=1,
        size=(side, side),
        frame="a frame; the background is about 0, a shape .5 to 1 brighter or darker; B 1 H W",
        answer=("scores", "of the answers, before the softmax; B K"),
        about={"question": settings.data.question, "answers": description["answers"]},
    )


def draw(settings: ToySettings, model: TaskModel, splits: Splits, folder: Path) -> Sequence[Section]:
    """See `Task.draw`."""
    del splits, folder
    return pictures.sections(settings, model)


TASK = Task(
    name="toy",
    summary="Generated clips: which way does it move, which shape is it, how long ago was the star?",
    settings=ToySettings,
    splits=splits,
    build=build,
    goals=goals,
    cut=cut,
    validate=validate,
    evaluate=evaluate,
    predictor=predictor,
    steps=steps,
    draw=draw,
)
