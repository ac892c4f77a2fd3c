"""The smallest task: a clip brightens or darkens, and the answer is the brightness of the last frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from semicoupled.tasks.brightness.settings import BrightnessSettings
from torch import Tensor, nn
from torch.utils.data import Dataset

from semicoupled.description import Description
from semicoupled.errors import DataError
from semicoupled.nn.convlstm import convlstm
from semicoupled.nn.stack import SemiCoupledStack
from semicoupled.nn.streams import Stream
from semicoupled.nn.switch import Switching
from semicoupled.report import Picture, Section
from semicoupled.rows import Row
from semicoupled.steps import Steps, frame_steps
from semicoupled.task import Task
from semicoupled.task_parts import Splits, TaskOutput
from semicoupled.task_requests import EvaluateRequest, PredictRequest
from semicoupled.training.ltsc import Segment
from semicoupled.training.objective import Losses
from semicoupled.training.progress import Progress
from semicoupled.training.sampling import SampleKey


class Clips(NamedTuple):
    """A batch."""

    frames: Tensor
    brightness: Tensor


class Generated(Dataset[Clips]):
    """Clips of one brightness a frame."""

    def __init__(self, seed: int, frames: int, size: int) -> None:
        self.seed, self.frames, self.size = seed, frames, size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: SampleKey | int) -> Clips:
        index = key.index if isinstance(key, SampleKey) else key
        generator = torch.Generator().manual_seed(1000 * self.seed + index)
        brightness = torch.rand(self.frames, 1, 1, 1, generator=generator)
        return Clips(brightness.expand(-1, 1, 5, 4).clone(), brightness[-1, 0, 0, 0])


class Brightness(nn.Module):
    """A linear map of the mean features, B T C H W to B T."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear(features.mean((-2, -1)))[..., 0]


class BrightnessModel(nn.Module):
    """A stack and a linear head on the last frame."""

    def __init__(self, kind: str, widths: Sequence[int]) -> None:
        super().__init__()
        self.network = SemiCoupledStack(1, widths) if kind == "semicoupled" else convlstm(1, widths)
        self.head = Brightness(widths[-1])

    def forward(
        self,
        batch: Clips,
        state: object = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> TaskOutput:
        out = self.network(batch.frames, state, streams=streams, switch=switch, state_at=state_at)
        read = [
            None if features is None else self.head(features)[:, -1]
            for features in (out.main, out.spatial, out.temporal)
        ]
        return TaskOutput(read[0], read[1], read[2], out.state, out.state_at)

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        yield from self.network.recurrent_parameters()


def splits(settings: BrightnessSettings) -> Splits:
    if settings.data.root is not None and not settings.data.root.is_dir():
        raise DataError(f"{settings.data.root}: no such folder; expected a folder of clips. Check --data.root")
    frames = settings.data.frames
    return Splits(Generated(settings.seed, frames, 16), Generated(settings.seed + 1, frames, 4), {"frames": frames})


def build(settings: BrightnessSettings, description: Description) -> BrightnessModel:
    assert description["frames"] == settings.data.frames
    return BrightnessModel(settings.model.kind, settings.model.widths)


def goals(settings: BrightnessSettings) -> Callable[[TaskOutput, Clips], Losses]:
    def losses(output: TaskOutput, batch: Clips) -> Losses:
        return Losses(nn.functional.mse_loss(output.main, batch.brightness))

    return losses


def cut(batch: Clips, segment: Segment) -> Clips:
    return batch._replace(frames=batch.frames[:, segment.slice])


def error(model: nn.Module, data: Dataset[Clips], size: int) -> float:
    batch = torch.utils.data.default_collate([data[index] for index in range(size)])
    with torch.no_grad():
        return nn.functional.mse_loss(model(batch).main, batch.brightness).item()


def validate(
    settings: BrightnessSettings, model: BrightnessModel, splits: Splits, progress: Progress
) -> Mapping[str, float]:
    return {"score": -error(model, splits.validation, 4)}


def evaluate(request: EvaluateRequest[BrightnessSettings]) -> list[Row]:
    validation = splits(request.settings).validation
    condition = {"split": request.split, "root": str(request.root)}
    rows = [Row("persistence", "mse", condition, 0.1, 4)]
    if isinstance(request.model, nn.Module):
        kind = request.settings.model.kind
        rows.insert(0, Row(kind, "mse", condition, error(request.model, validation, 4), 4, "1", (0.0, 1.0)))
    return rows


class BrightnessPredictor:
    """Reads .npy files of clips, T H W, and writes one number a file."""

    def __init__(self, model: BrightnessModel) -> None:
        self.model = model

    def predict(self, request: PredictRequest) -> list[Path]:
        inputs, out = request.inputs, request.only_out()
        lines: list[str] = []
        for file in inputs:
            if not file.is_file():
                raise DataError(f"{file}: no such file; expected a .npy file of a clip, T H W")
            frames = torch.from_numpy(np.load(file)).float()[None, :, None]
            with torch.no_grad():
                lines.append(f"{self.model(Clips(frames, frames[:, -1, 0, 0, 0])).main.item():.6f}\n")
        out.write_text("".join(lines))
        return [out]


def predictor(settings: BrightnessSettings, description: Description, model: BrightnessModel) -> BrightnessPredictor:
    return BrightnessPredictor(model)


def steps(settings: BrightnessSettings, description: Description, model: BrightnessModel) -> Steps:
    return frame_steps(
        model.network,
        model.head,
        channels=1,
        size=(5, 4),
        frame="a frame of one brightness from 0 to 1; B 1 H W",
        answer=("brightness", "of the frame; B"),
        about={},
    )


def draw(settings: BrightnessSettings, model: BrightnessModel, splits: Splits, folder: Path) -> list[Section]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.subplots().imshow(splits.validation[0].frames[0, 0].numpy())
    return [Section("Brightness", "The first frame.", [Picture(figure, "a frame")])]


TASK = Task(
    name="brightness",
    summary="How bright is the last frame?",
    settings=BrightnessSettings,
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
