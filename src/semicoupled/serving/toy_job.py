"""What a toy's model says about a generated clip, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from semicoupled.data.shapes import DIRECTIONS, SEEN, SHAPES
from semicoupled.errors import DataError
from semicoupled.nn.streams import Stream
from semicoupled.serving.job_options import ClipOptions
from semicoupled.serving.work import JobRequest, Result, Work, npy, numbers
from semicoupled.tasks.toy.data import ToyBatch, ToyData
from semicoupled.tasks.toy.goals import clip_scores
from semicoupled.tasks.toy.model import ToyOutput
from semicoupled.tasks.toy.settings import DataSettings, ToySettings


def answer(work: Work, request: JobRequest) -> Result:
    """Ask a toy's model."""
    options = cast(ClipOptions, request.options)
    work.progress(0.1, "loading the model")
    run = work.run(request.run)
    settings = cast(ToySettings, run.settings)
    work.progress(0.5, "looking")
    batch = clip(settings, options)
    device = next(cast(torch.nn.Module, run.model).parameters()).device
    streams: list[Stream] = ["main", *(["spatial", "temporal"] if settings.model.kind == "semicoupled" else [])]
    with torch.no_grad():
        output = cast(ToyOutput, run.model(ToyBatch(*(part.to(device) for part in batch)), streams=streams))
    said = {"main": output.main, "spatial": output.spatial, "temporal": output.temporal}
    weights = {"main": 1.0, "spatial": settings.goals.spatial, "temporal": settings.goals.temporal}
    answers = {
        name: _chances(scores)
        for name, scores in said.items()
        if scores is not None and weights[name]  # a head that had no weight in the loss has learned nothing
    }
    question = settings.data.question
    document = {
        "question": question,
        "classes": list(class_names(settings.data)),
        "answer": [int(each) for each in batch.answer[0]],
        "shows": "star" if question == "star" else SHAPES[int(batch.shape[0, 0])],
        "moves": None if question == "star" else DIRECTIONS[int(batch.direction[0, 0])],
        "frames": int(batch.frames.shape[1]),
        "streams": {name: numbers(chance.numpy(), 4) for name, chance in answers.items()},
        "clip": None if question == "star" else numbers(clip_scores(output.main.cpu())[0].exp().numpy(), 4),
        "split": options.split,
        "index": options.index,
    }
    return Result(document, {"frames.npy": npy(batch.frames[0, :, 0].numpy().astype(np.float32))})


def clip(settings: ToySettings, options: ClipOptions) -> ToyBatch:
    """Generate a clip, as a batch of one.

    Raises:
        DataError: there is no such clip.
    """
    data = ToyData(settings.data, options.split)
    if not 0 <= options.index < len(data):
        raise DataError(f"there is no clip {options.index} of {options.split}; expected 0 to {len(data) - 1}")
    return cast(ToyBatch, default_collate([data[options.index]]))


def class_names(settings: DataSettings) -> Sequence[str]:
    """Give the answers in words."""
    if settings.question == "star":
        return [*(str(since) for since in range(settings.classes - 1)), "no star yet"]
    return DIRECTIONS if settings.question == "which_way" else SEEN


def _chances(scores: Tensor) -> Tensor:
    return scores[0].float().softmax(-1).cpu()
