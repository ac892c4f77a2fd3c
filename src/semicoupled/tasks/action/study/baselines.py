"""What needs no network: the commonest class, and linear models on one frame, on the mean, on frames in order.

They say what of an answer lies in a single picture, and what in the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from semicoupled.data.augment import Size, resize, to_gray
from semicoupled.studies.answers import VALIDATION
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.study.answers import Answers, Part, load_answers, write_answers
from semicoupled.tasks.action.task import clips_data, read_splits
from semicoupled.training.progress import NoProgress, Progress

COMMONEST = "commonest class"
LINEAR = {
    "linear, one frame": "the middle frame",
    "linear, mean frame": "the mean of 8 frames",
    "linear, 8 frames": "8 frames in order",
}
"""Names of the linear models, and what they see."""

FRAMES, PIXELS = 8, 200
"""Frames that are seen, and about how many pixels of each, gray, less their mean, over their spread."""
_PENALTIES = tuple(10.0**power for power in range(0, 6))

Baselines = Mapping[str, Mapping[str, Answers]]
"""Answers by name and split."""


def make_baselines(
    folder: Path, settings: ActionSettings, parts: Sequence[Part], progress: Progress | None = None
) -> Baselines:
    """Give what the baselines answer; they learn from what the variants learn from.

    Args:
        folder: keeps the answers.
        settings: of any variant; its data section says how videos are read.
        parts: what is answered.
        progress: who is told how far it is.
    """
    names = [COMMONEST, *LINEAR]
    known = {name: {part.name: load_answers(folder / name.replace(" ", "-"), part) for part in parts} for name in names}
    if any(answers is None for split in known.values() for answers in split.values()):
        made = _make(settings, parts, progress)
        for name, split in made.items():
            for part in parts:
                write_answers(folder / name.replace(" ", "-"), part, split[part.name])
        return made
    return {
        name: {part: answers for part, answers in split.items() if answers is not None} for name, split in known.items()
    }


def _make(settings: ActionSettings, parts: Sequence[Part], progress: Progress | None) -> dict[str, dict[str, Answers]]:
    splits, classes = read_splits(settings)
    height, width = settings.data.height, settings.data.width
    scale = (PIXELS / (height * width)) ** 0.5
    size = Size(max(1, round(height * scale)), max(1, round(width * scale)))
    shown = progress or NoProgress()
    count = len(splits.train) + sum(len(part.clips) for part in parts)
    shown.begin("looking at videos for the baselines", count)
    seen: dict[str, np.ndarray] = {}
    labels: dict[str, np.ndarray] = {}
    try:
        done = 0
        for name, clips in (("train", splits.train), *((part.name, part.clips) for part in parts)):
            data = clips_data(settings, clips, classes, name)
            found: list[np.ndarray] = []
            for index in range(len(data)):
                found.append(_look(data.store.frames(index), size))
                done += 1
                shown.update(done)
            seen[name] = np.stack(found)
            labels[name] = np.array([data.label(index) for index in range(len(data))])
    finally:
        shown.end()
    truth = labels["train"]
    held = next((part for part in parts if part.name == VALIDATION), parts[0])
    made: dict[str, dict[str, Answers]] = {COMMONEST: {}, **{name: {} for name in LINEAR}}
    shares = np.bincount(truth, minlength=len(classes)) / len(truth)
    for part in parts:
        made[COMMONEST][part.name] = Answers(np.tile(shares.astype(np.float32), (len(part.clips), 1)), None, None)
    for name in LINEAR:
        views = {split: _view(frames, name) for split, frames in seen.items()}
        said = linear_answers(views, truth, len(classes), (held.name, held.truth))
        for part in parts:
            made[name][part.name] = Answers(said[part.name], None, None)
    return made


def linear_answers(
    views: Mapping[str, np.ndarray], truth: np.ndarray, classes: int, held: tuple[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Answer by ridge regression on what is seen, one value a class; the held back split chooses the penalty.

    Args:
        views: N D of each split, ``train`` among them.
        truth: classes of the training split.
        classes: how many there are.
        held: name and classes of the split that chooses.

    Returns:
        Scores of the classes of every split, as probabilities.
    """
    mean = views["train"].mean(0)
    spread = views["train"].std(0) + 1e-6
    inputs = {split: np.c_[(seen - mean) / spread, np.ones(len(seen))] for split, seen in views.items()}
    train, wanted = inputs["train"], np.eye(classes)[truth]
    wide = train.shape[1] > len(train)
    square = train @ train.T if wide else train.T @ train
    best: tuple[float, dict[str, np.ndarray]] | None = None
    for penalty in _PENALTIES:
        ridge = square + penalty * np.eye(len(square))
        weights = train.T @ np.linalg.solve(ridge, wanted) if wide else np.linalg.solve(ridge, train.T @ wanted)
        said = {split: seen @ weights for split, seen in inputs.items()}
        right = float((said[held[0]].argmax(1) == held[1]).mean())
        if best is None or right > best[0]:
            best = right, said
    assert best is not None
    return {split: _probabilities(scores) for split, scores in best[1].items()}


def _look(frames: np.ndarray, size: Size) -> np.ndarray:
    """Give some frames of a video, small and gray, each less its mean and over its spread: FRAMES x pixels."""
    chosen = np.rint(np.linspace(0, len(frames) - 1, FRAMES)).astype(int)
    images = np.stack([resize(frames[index], size).reshape(*size, -1) for index in chosen]).astype(np.float32) / 255
    gray = to_gray(images).reshape(FRAMES, -1).astype(np.float64)
    gray -= gray.mean(1, keepdims=True)
    return gray / np.maximum(gray.std(1, keepdims=True), 0.02)


def _view(frames: np.ndarray, name: str) -> np.ndarray:
    """Give what a linear model sees of N x FRAMES x pixels."""
    if name == "linear, one frame":
        return frames[:, FRAMES // 2]
    return frames.mean(1) if name == "linear, mean frame" else frames.reshape(len(frames), -1)


def _probabilities(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(4 * (scores - scores.max(1, keepdims=True)))  # order is all that counts
    return (powers / powers.sum(1, keepdims=True)).astype(np.float32)
