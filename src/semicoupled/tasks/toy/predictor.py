"""Answers for clips in files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from semicoupled.data.damage import DAMAGE
from semicoupled.data.shapes import DIRECTIONS, SEEN
from semicoupled.errors import DataError
from semicoupled.files import write_text
from semicoupled.task_parts import TaskModel
from semicoupled.task_requests import PredictRequest
from semicoupled.tasks.toy.data import ToyBatch
from semicoupled.tasks.toy.goals import clip_scores
from semicoupled.tasks.toy.settings import DataSettings
from semicoupled.training.progress import NoProgress


class ToyPredictor:
    """Reads clips and writes a JSON file of answers."""

    def __init__(self, settings: DataSettings, model: TaskModel) -> None:
        """Take the question and the model that answers it."""
        self._settings, self._model = settings, model

    def predict(self, request: PredictRequest) -> list[Path]:
        """Answer for every clip.

        Args:
            request: the inputs are ``.npy`` files of frames, T H W, or folders of them. The shape is about .5 to 1
                brighter or darker than its background, which is about 0. What is written is a JSON file: for each
                input the clip's answer with its probability, and the answers of its frames.

        Raises:
            DataError: a file is missing, or holds no clip.
            SettingsError: several files to write.
        """
        inputs, out, progress = request.inputs, request.only_out(), request.progress
        files = [file for path in inputs for file in (sorted(path.glob("*.npy")) if path.is_dir() else [path])]
        if not files:
            raise DataError(f"{', '.join(map(str, inputs))}: no .npy files; expected clips of shape T H W")
        shown = progress or NoProgress()
        answers: dict[str, object] = {}
        shown.begin("answering", len(files))
        try:
            for done, file in enumerate(files):
                answers[str(file)] = self._answer(_read(file))
                shown.update(done + 1)
        finally:
            shown.end()
        write_text(out, json.dumps(answers, indent=1) + "\n")
        return [out]

    def _answer(self, frames: Tensor) -> dict[str, object]:
        device = next(_module(self._model).parameters()).device
        nothing = torch.zeros(1, len(frames), dtype=torch.int64, device=device)
        batch = ToyBatch(frames[None, :, None].to(device), nothing, nothing, nothing, nothing)
        with torch.no_grad():
            scores = self._model(batch).main.cpu()
        each = [self._name(int(answer)) for answer in scores[0].argmax(-1)]
        if self._settings.question == "star":
            return {"frames": each}
        best = clip_scores(scores)[0].exp().max(0)
        return {"answer": self._name(int(best.indices)), "probability": round(float(best.values), 4), "frames": each}

    def _name(self, answer: int) -> str | int | None:
        if self._settings.question == "star":
            return None if answer == self._settings.classes - 1 else answer
        return (DIRECTIONS if self._settings.question == "which_way" else SEEN)[answer]


def _read(file: Path) -> Tensor:
    try:
        frames = np.load(file, allow_pickle=False)
    except DAMAGE as error:
        raise DataError(f"{file}: cannot be read ({error}); expected a .npy file of frames, T H W") from error
    if frames.ndim != 3 or not frames.size or frames.dtype.kind not in "fiu":
        raise DataError(
            f"{file}: holds an array of shape {frames.shape} and type {frames.dtype}; expected numbers, T H W"
        )
    if not np.isfinite(frames).all():
        raise DataError(f"{file}: holds values that are no numbers; expected finite ones")
    return torch.from_numpy(frames.astype(np.float32))


def _module(model: TaskModel) -> nn.Module:
    assert isinstance(model, nn.Module)
    return model
