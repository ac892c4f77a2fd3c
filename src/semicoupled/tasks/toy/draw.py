"""What a toy's report shows: some clips with what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from semicoupled.data.shapes import DIRECTIONS, SEEN, SHAPES, UNSEEN
from semicoupled.report import Picture, Section, Table
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.toy.data import TESTS, ToyData
from semicoupled.tasks.toy.evaluation import ask, beside, collate
from semicoupled.tasks.toy.goals import clip_scores
from semicoupled.tasks.toy.settings import DataSettings, ToySettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLIPS = 6
_TITLES = {
    "seen": "Shapes seen in training",
    "unseen_shapes": "Shapes never seen in training",
    "shuffled_frames": "Frames in random order",
}


def answer_name(settings: DataSettings, answer: int) -> str:
    """Give an answer in words."""
    if settings.question == "star":
        return "none" if answer == settings.classes - 1 else str(answer)
    return (DIRECTIONS if settings.question == "which_way" else SEEN)[answer]


def sections(settings: ToySettings, model: TaskModel) -> list[Section]:
    """Give the sections of a run's report."""
    if settings.data.question == "star":
        return [_star(settings, model)]
    return [_clips(settings, model, test) for test in TESTS[settings.data.question]]


def _clips(settings: ToySettings, model: TaskModel, test: str) -> Section:
    data = ToyData(settings.data, test)
    batch = collate(data, range(CLIPS))
    with torch.no_grad():
        said = clip_scores(model(beside(batch, model)).main.cpu()).argmax(-1)
    names = [
        f"{SHAPES[int(batch.shape[i, 0])]}\nis {answer_name(settings.data, int(batch.answer[i, 0]))}\n"
        f"said {answer_name(settings.data, int(said[i]))}"
        for i in range(CLIPS)
    ]
    wrong = [bool(said[i] != batch.answer[i, 0]) for i in range(CLIPS)]
    figure = draw_clips(batch.frames[:, :, 0].numpy(), names, wrong)
    shapes = ", ".join(UNSEEN if test == "unseen_shapes" else SEEN)
    return Section(
        _TITLES[test], f"Shapes: {shapes}.", [Picture(figure, "Clips with the right answer and the model's.")]
    )


def draw_clips(clips: NDArray[np.float32], names: list[str], wrong: list[bool]) -> Figure:
    """Draw clips, N T H W, one a row, each with its caption; those answered wrong in red."""
    from matplotlib.figure import Figure

    rows, frames = clips.shape[:2]
    figure = Figure(figsize=(1.5 + 0.8 * frames, 0.85 * rows), layout="constrained")
    panels = figure.subplots(rows, frames, squeeze=False)
    for row in range(rows):
        for frame in range(frames):
            panel = panels[row, frame]
            panel.imshow(clips[row, frame], cmap="gray", vmin=-1.2, vmax=1.2)
            panel.set_xticks([])
            panel.set_yticks([])
        color = "tab:red" if wrong[row] else "black"
        panels[row, 0].set_ylabel(names[row], rotation=0, ha="right", va="center", fontsize=8, color=color)
    return figure


def _star(settings: ToySettings, model: TaskModel) -> Section:
    from matplotlib.figure import Figure

    data = ToyData(settings.data, "seen")
    batch = collate(data, range(3))
    with torch.no_grad():
        chance = model(beside(batch, model)).main.cpu().float().softmax(-1)
    figure = Figure(figsize=(9, 6), layout="constrained")
    panels = figure.subplots(len(chance), 1, squeeze=False)[:, 0]
    for panel, probability, answer in zip(panels, chance, batch.answer, strict=True):
        panel.imshow(probability.T, aspect="auto", origin="lower", cmap="magma", vmin=0, vmax=1)
        panel.plot(answer, color="tab:cyan", linewidth=0.8, label="right answer")
        panel.set_ylabel("frames since the star\n(top: none so far)", fontsize=8)
        panel.legend(fontsize=7, loc="upper left")
    panels[-1].set_xlabel("frame")
    answers = ask(model, data)
    table = _distances(settings, answers.scores, answers.batch.answer)
    return Section(
        "How long ago was the star?",
        "The model sees one frame after the other and says how many frames ago the star was.",
        [Picture(figure, "Probability of each answer over time, for three sequences."), table],
    )


def _distances(settings: ToySettings, scores: torch.Tensor, answer: torch.Tensor) -> Table:
    from semicoupled.tasks.toy.evaluation import DISTANCES
    from semicoupled.tasks.toy.metrics import distance_accuracy

    found = [(f"{low} - {high}", distance_accuracy(scores, answer, low, high)) for low, high in DISTANCES]
    lines = [(name, share.value, share.count) for name, share in found if share.count]
    return Table(["frames since the star", "right within a frame", "frames"], lines, f"seed {settings.seed}")
