"""What a report shows: the confusion, each class, and some videos with what the model says frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from semicoupled.report import Cell, Picture, Section, Table
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.action.answering import VideoAnswer, answer_all, answered_streams
from semicoupled.tasks.action.data import ActionData
from semicoupled.tasks.action.settings import ActionSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIDEOS = 6
SHOWN_FRAMES = 8
MOST = 400
"""Videos of the validation split that a report answers."""


def sections(settings: ActionSettings, model: TaskModel, data: ActionData) -> list[Section]:
    """Give the sections of a run's report, from its validation videos."""
    if len(data) > MOST:
        data = ActionData([data.clips[i * len(data) // MOST] for i in range(MOST)], data.classes, data.settings)
    answers = answer_all(model, data, settings, streams=answered_streams(model))
    labels = [data.label(index) for index in range(len(data))]
    right = sum(int(answer.main.argmax()) == label for answer, label in zip(answers, labels, strict=True))
    return [
        Section(
            "Answers",
            f"{right} of {len(data)} validation videos are answered right ({right / len(data):.1%}).",
            [
                _class_table(answers, labels, data.classes),
                Picture(_confusion(answers, labels, data.classes), _CONFUSION),
            ],
        ),
        Section(
            "Videos",
            "The probability of the right class (green) and of the strongest other one (red), frame by frame.",
            [
                Picture(
                    _videos(data, answers, labels),
                    "Some validation videos, half of them answered wrong if there are such.",
                )
            ],
        ),
    ]


_CONFUSION = "What each class is called: rows are the right classes, columns the answers; every row adds up to 1."


def _class_table(answers: Sequence[VideoAnswer], labels: Sequence[int], classes: Sequence[str]) -> Table:
    lines: list[list[Cell]] = []
    for number, name in enumerate(classes):
        some = [answer for answer, label in zip(answers, labels, strict=True) if label == number]
        if not some:
            continue
        line: list[Cell] = [name, len(some), float(np.mean([answer.main.argmax() == number for answer in some]))]
        for stream in ("spatial", "temporal"):
            told = [getattr(answer, stream) for answer in some]
            line.append(None if told[0] is None else float(np.mean([said[number] for said in told])))
        both = some[0].spatial is not None and some[0].temporal is not None
        line.append(float(line[4]) - float(line[3]) if both else None)  # pyright: ignore[reportArgumentType]
        lines.append(line)
    return Table(
        ("class", "videos", "right", "p of space", "p of time", "importance of time"),
        lines,
        "By class; p is the mean probability that a stream gives the right class, importance their difference.",
    )


def _confusion(answers: Sequence[VideoAnswer], labels: Sequence[int], classes: Sequence[str]) -> Figure:
    from matplotlib.figure import Figure

    counts = np.zeros((len(classes), len(classes)))
    for answer, label in zip(answers, labels, strict=True):
        counts[label, int(answer.main.argmax())] += 1
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    side = min(12.0, 3.0 + 0.28 * len(classes))
    figure = Figure(figsize=(side, side), layout="constrained")
    panel = figure.subplots()
    image = panel.imshow(shares, vmin=0, vmax=1, cmap="viridis")
    figure.colorbar(image, ax=panel, shrink=0.7, label="share")
    if len(classes) <= 60:
        panel.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
        panel.set_yticks(range(len(classes)), classes, fontsize=7)
    panel.set_xlabel("answer")
    panel.set_ylabel("right class")
    return figure


def _spread(indices: Sequence[int], count: int) -> list[int]:
    """Give some of them, evenly spread, so that they are of several classes."""
    count = min(count, len(indices))
    return [indices[number * len(indices) // count] for number in range(count)]


def _videos(data: ActionData, answers: Sequence[VideoAnswer], labels: Sequence[int]) -> Figure:
    from matplotlib.figure import Figure

    wrong = [i for i, (answer, label) in enumerate(zip(answers, labels, strict=True)) if answer.main.argmax() != label]
    right = [i for i in range(len(data)) if i not in set(wrong)]
    missed = min(len(wrong), VIDEOS // 2)
    chosen = [*_spread(right, VIDEOS - missed), *_spread(wrong, missed)]
    figure = Figure(figsize=(1.15 * SHOWN_FRAMES + 3.2, 1.25 * len(chosen)), layout="constrained")
    panels = figure.subplots(len(chosen), SHOWN_FRAMES + 1, squeeze=False, width_ratios=[1.0] * SHOWN_FRAMES + [2.6])
    for row, index in zip(panels, chosen, strict=True):
        frames, answer, label = data.store.frames(index), answers[index], labels[index]
        for panel, place in zip(
            row[:-1], np.linspace(0, len(frames) - 1, SHOWN_FRAMES).round().astype(int), strict=True
        ):
            panel.imshow(frames[place].squeeze(), cmap="gray", vmin=0, vmax=255)
            panel.set_axis_off()
        said = int(answer.main.argmax())
        color = "black" if said == label else "#b03030"
        row[0].set_title(f"{data.classes[label]}, called {data.classes[said]}", fontsize=7, loc="left", color=color)
        others = np.delete(answer.frames, label, axis=1)
        row[-1].plot(answer.frames[:, label], color="#2a8a3a")
        row[-1].plot(others.max(1), color="#b03030", linestyle="--")
        row[-1].set_ylim(-0.03, 1.03)
        row[-1].tick_params(labelsize=6)
    return figure
