"""The task: what it takes, what it gives, how it is scored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.utils.data import default_collate

from semicoupled.description import Description
from semicoupled.errors import SettingsError
from semicoupled.files import write_text
from semicoupled.report import Picture, Section
from semicoupled.rows import Row
from semicoupled.steps import Steps, frame_steps
from semicoupled.task import Task
from semicoupled.task_parts import Splits, TaskOutput
from semicoupled.task_requests import EvaluateRequest, PredictRequest
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress

from .data import Clip, Clips, find_files, read_clip
from .model import GaugeModel
from .settings import GaugeSettings


def splits(settings: GaugeSettings) -> Splits:
    """Read the data; what a later prediction must know of them goes into the description."""
    held = find_files(settings.data.root, settings.data.validation)
    train = Clips([file for file in find_files(settings.data.root) if file not in held])
    if not len(train):
        raise SettingsError(f"data.validation: {settings.data.validation!r} holds every file back. Name fewer")
    values = torch.cat([train[index].value for index in range(len(train))])
    height, width = train[0].frames.shape[-2:]
    return Splits(train, Clips(held), {"mean": float(values.mean()), "height": height, "width": width})


def build(settings: GaugeSettings, description: Description) -> Any:
    """Make a fresh model."""
    return GaugeModel(settings.model.widths, settings.model.strides)


def goals(settings: GaugeSettings) -> Callable[[TaskOutput, Clip], Losses]:
    """Give the losses of the three streams."""

    def error(said: Tensor | None, batch: Clip) -> Tensor | None:
        return None if said is None else mse_loss(said.float(), batch.value)

    def losses(output: TaskOutput, batch: Clip) -> Losses:
        main = mse_loss(output.main.float(), batch.value)
        return Losses(main, error(output.spatial, batch), error(output.temporal, batch))

    return losses


def cut(batch: Clip, segment: Segment) -> Clip:
    """Cut a segment out of time."""
    return Clip(batch.frames[:, segment.slice], batch.value[:, segment.slice])


def error(model: Any, clips: Clips) -> tuple[float, int]:
    """Give the mean squared error, and over how many frames it is."""
    device = next(model.parameters()).device
    sums, count = 0.0, 0
    for index in range(len(clips)):
        clip = Clip(*(tensor.to(device) for tensor in default_collate([clips[index]])))
        with torch.no_grad():
            sums += float((model(clip).main.float() - clip.value).square().sum())
        count += clip.value.numel()
    return sums / count, count


def validate(settings: GaugeSettings, model: Any, splits: Splits, progress: Progress) -> Mapping[str, float]:
    """Choose the weights with the smallest error."""
    return {"score": -error(model, splits.validation)[0]}  # pyright: ignore[reportArgumentType]


def evaluate(request: EvaluateRequest[GaugeSettings]) -> list[Row]:
    """Score the model beside the mean of what was learned from."""
    data = request.settings.data
    request.check_split(("validation", "all"))
    whole = request.root is not None or request.split == "all"
    clips = Clips(find_files(request.root or data.root, "*.npz" if whole else data.validation))
    values = torch.cat([clips[index].value for index in range(len(clips))])
    mean = float(request.description["mean"])  # pyright: ignore[reportArgumentType]
    rows = [Row("mean", "mse", {}, float((values - mean).square().mean()), values.numel())]
    if request.model is not None:
        rows.insert(0, Row(request.settings.model.kind, "mse", {}, *error(request.model, clips)))
    return rows


class GaugePredictor:
    """Reads clips and writes JSON: the numbers of each."""

    def __init__(self, model: GaugeModel) -> None:
        """Take the trained model."""
        self.model = model

    def predict(self, request: PredictRequest) -> list[Path]:
        """Tell the numbers of files, or of folders of files."""
        inputs = [file for path in request.inputs for file in (find_files(path) if path.is_dir() else [path])]
        device = next(self.model.parameters()).device
        found: dict[str, list[float]] = {}
        for file in inputs:
            clip = Clip(*(tensor.to(device) for tensor in default_collate([read_clip(file)])))
            with torch.no_grad():
                found[file.name] = self.model(clip).main[0, :, 0].tolist()
        write_text(request.only_out(), json.dumps(found, indent=1) + "\n")
        return [request.only_out()]


def predictor(settings: GaugeSettings, description: Description, model: Any) -> GaugePredictor:
    """Make predictions from files."""
    return GaugePredictor(model)


def steps(settings: GaugeSettings, description: Description, model: Any) -> Steps:
    """Say what `semicoupled export` writes: one step, from a frame to its number."""
    height, width = (int(description[name]) for name in ("height", "width"))  # pyright: ignore[reportArgumentType]
    return frame_steps(
        model.network,
        model.heads["main"],
        channels=1,
        size=(height, width),
        frame="a frame, 0 to 1; B 1 H W",
        answer=("value", "what the frame shows; B 1"),
        about={},
    )


def draw(settings: GaugeSettings, model: Any, splits: Splits, folder: Path) -> list[Section]:
    """Show one held-back clip in the report."""
    clip = default_collate([splits.validation[0]])
    with torch.no_grad():
        said = model(clip).main[0, :, 0]
    figure = Figure(figsize=(6, 2.5), layout="constrained")
    panel = figure.subplots()
    panel.plot(clip.value[0, :, 0].numpy(), label="value")
    panel.plot(said.numpy(), label="answer")
    panel.set_xlabel("frame")
    panel.legend()
    return [
        Section("A clip", "What the model says of the first clip that was held back.", [Picture(figure, "A clip.")])
    ]


TASK = Task(
    name="gauge",
    summary="A number for every frame of a clip.",
    settings=GaugeSettings,
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
