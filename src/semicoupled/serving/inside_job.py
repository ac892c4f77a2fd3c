"""The maps of both branches and of their product, of one sample, for sliders over layers and time."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from semicoupled.data.video import VideoFrame
from semicoupled.description import Json
from semicoupled.errors import DataError, RunError
from semicoupled.explain.maps import Records, mean_gates, recording
from semicoupled.nn.streams import LayerRecord, MapName
from semicoupled.serving.action_job import videos_of
from semicoupled.serving.driving_job import drawn_drive
from semicoupled.serving.inside_outline import drawing, of_place, of_sample
from semicoupled.serving.job_options import MapOptions
from semicoupled.serving.nowcast_job import choose_time, read_source
from semicoupled.serving.person_sample import person_frames
from semicoupled.serving.places import arranged, looking_into
from semicoupled.serving.toy_job import clip
from semicoupled.serving.video_options import DriveOptions
from semicoupled.serving.work import JobRequest, Result, Work, npy, numbers
from semicoupled.task_parts import TaskModel
from semicoupled.tasks.action.frames import iterate_frames
from semicoupled.tasks.action.operating.video_answer import answer_frames
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.parts import take
from semicoupled.tasks.driving.images import step_of
from semicoupled.tasks.driving.model import DrivingModel
from semicoupled.tasks.driving.operating.inputs import read_inputs
from semicoupled.tasks.driving.operating.predictor import DrivingPredictor
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.tasks.nowcasting.data import NowcastingBatch, forecast_batch
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.tasks.toy.settings import ToySettings

_MOST_SIDE = 384
_MOST_FRAMES = 24
"""Of a drive, from its middle, or of a video, from its beginning."""
_SHOWN = 192
"""Longest side of the frames that are shown beside the maps, px."""
_Ready = tuple[np.ndarray, Callable[[], object]]
"""What goes in, T H W, and what runs the model on it."""


def maps(work: Work, request: JobRequest) -> Result:
    """Run a model and record what its layers do.

    Raises:
        RunError: its task is unknown here, or it has no semi-coupled stack.
        DataError: there is no such channel.
    """
    options = cast(MapOptions, request.options)
    work.progress(0.1, "loading the model")
    run = work.run(request.run)
    if run.task.name not in _INPUTS:
        raise RunError(f"maps of task {run.task.name!r} cannot be shown here; use `semicoupled explain maps`")
    work.progress(0.3, "reading")
    frames, go = _INPUTS[run.task.name](work, request, options)
    with recording(cast(nn.Module, run.model)) as records, torch.no_grad():
        go()
    work.progress(0.8, "packing")
    files: dict[str, bytes] = {"frames.npy": npy(frames.astype(np.float32))}
    stacks = [_stack(name, found, options.channel, files) for name, found in _named(records)]
    return Result({"stacks": stacks, "frames": len(frames), "task": run.task.name}, files)


def _stack(name: str, records: Sequence[LayerRecord], channel: int | None, files: dict[str, bytes]) -> dict[str, Json]:
    gates = mean_gates(records)
    layers: list[dict[str, Json]] = []
    for layer in sorted({record.layer for record in records if record.stream == "main"}):
        spatial, temporal, gate, product = (
            _joined(records, layer, kind) for kind in ("spatial", "temporal", "gate", "features")
        )
        channels = product.shape[1]
        if channel is not None and not 0 <= channel < channels:
            raise DataError(f"layer {layer + 1} of {name} has no channel {channel}; expected 0 to {channels - 1}")
        chosen = int(product.std((0, 2, 3)).argmax()) if channel is None else channel
        shown = {
            "spatial": torch.relu(spatial[:, chosen]),
            "temporal": temporal[:, chosen],
            "product": product[:, chosen],
        }
        key = f"{name}_{layer}"
        for kind, values in shown.items():
            files[f"{key}_{kind}.npy"] = npy(values.numpy().astype(np.float32))
        layers.append(
            {
                "key": key,
                "layer": layer + 1,
                "channel": chosen,
                "channels": channels,
                "frames": len(product),
                "size": list(product.shape[-2:]),
                "gate": gates[layer],
                "gate_by_frame": numbers(gate.mean((1, 2, 3)).numpy(), 4),
                "low": {kind: float(values.min()) for kind, values in shown.items()},
                "high": {kind: float(values.max()) for kind, values in shown.items()},
            }
        )
    return {"name": name, "layers": layers}


def _joined(records: Sequence[LayerRecord], layer: int, name: MapName) -> Tensor:
    """Put the calls of a layer together along time: T C H W."""
    parts = [cast(Tensor, getattr(r, name))[0] for r in records if r.layer == layer and r.stream == "main"]
    return torch.cat(parts).float().cpu()


def _named(records: Records) -> list[tuple[str, Sequence[LayerRecord]]]:
    """Give the stacks that ran by a name fit for a file."""
    return [(name.rpartition(".")[2] or name, found) for name, found in records.items() if found]


def _radar(work: Work, request: JobRequest, options: MapOptions) -> _Ready:
    run = work.run(request.run)
    settings = cast(NowcastingSettings, run.settings)
    sequences = read_source(work, request, run.description)
    inputs = settings.data.input_frames
    sequence, now = choose_time(sequences, inputs, options.leads, "checkable")
    dbz = sequence.dbz[now + 1 - inputs : now + 1].astype(np.float32)
    rows, columns = (max(0, (side - _MOST_SIDE) // 2) for side in dbz.shape[1:])
    dbz = dbz[:, rows : rows + _MOST_SIDE, columns : columns + _MOST_SIDE]
    motion = estimate_motion(dbz, sequence.grid.kilometers)
    batch: NowcastingBatch = forecast_batch(dbz, motion)
    model = cast(NowcastingModel, run.model)
    return dbz, lambda: model(_there(run.model, batch), leads=options.leads)


def _toy(work: Work, request: JobRequest, options: MapOptions) -> _Ready:
    run = work.run(request.run)
    batch = clip(cast(ToySettings, run.settings), options.clip)
    return batch.frames[0, :, 0].numpy(), lambda: run.model(_there(run.model, batch))


def _drive(work: Work, request: JobRequest, options: MapOptions) -> _Ready:
    del options
    run = work.run(request.run)
    predictor = DrivingPredictor(cast(DrivingSettings, run.settings), run.description, cast(DrivingModel, run.model))
    if request.source.sample is not None:
        return _of_drive(drawn_drive(request.source.sample), predictor)
    with looking_into(work, request.source), arranged(request.source) as place:
        drives = read_inputs([place], predictor.settings.data, predictor.unit, DriveOptions().rate)
        return _of_drive(max(drives, key=len), predictor)


def _of_drive(drive: Drive, predictor: DrivingPredictor) -> _Ready:
    step = step_of(drive.times, predictor.settings.data.rate)  # the frames between are answered side by side
    start = max(0, (len(drive) - step * _MOST_FRAMES) // 2)
    part = take(drive, range(start, min(len(drive), start + step * _MOST_FRAMES), step))
    images = [part.frames.read(index) for index in range(len(part))]
    kept = dataclasses.replace(part, frames=_Kept(images))  # the files may be gone once the maps are recorded
    return _gray(images), lambda: predictor.answer(kept)


def _video(work: Work, request: JobRequest, options: MapOptions) -> _Ready:
    del options
    run = work.run(request.run)
    settings = cast(ActionSettings, run.settings)
    if request.source.sample is not None:
        return _of_video(person_frames(request.source.sample), run.model, settings)
    with looking_into(work, request.source) as place:
        return _of_video(iterate_frames(videos_of(place)[0], rate=settings.data.rate), run.model, settings)


def _of_video(frames: Iterable[VideoFrame], model: TaskModel, settings: ActionSettings) -> _Ready:
    kept = list(itertools.islice(frames, _MOST_FRAMES))
    return _gray([frame.image for frame in kept]), lambda: list(answer_frames(model, kept, settings, _MOST_FRAMES))


def _outline(work: Work, request: JobRequest, options: MapOptions) -> _Ready:
    del options
    run = work.run(request.run)
    if request.source.sample is not None:
        return drawing(run, of_sample(request.source.sample))
    with looking_into(work, request.source) as place:
        return drawing(run, of_place(place))


class _Kept:
    """Images in memory; see `semicoupled.tasks.driving.drives.Frames`."""

    def __init__(self, images: Sequence[np.ndarray]) -> None:
        """Take the images, H W 3, uint8."""
        self._images = images

    def __len__(self) -> int:
        """The number of images."""
        return len(self._images)

    def name(self, index: int) -> str:
        """Say which image it is."""
        return f"frame {index}"

    def read(self, index: int) -> np.ndarray:
        """Give an image."""
        return self._images[index]


def _gray(images: Sequence[np.ndarray]) -> np.ndarray:
    """Give images as a page shows them beside maps: T H W, 0 to 1, small, all of the first one's size."""
    height, width = images[0].shape[:2]
    factor = min(1.0, _SHOWN / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = [Image.fromarray(image).convert("L").resize(size, Image.Resampling.BILINEAR) for image in images]
    return np.stack([np.asarray(image, np.float32) for image in small]) / 255


def _there(model: TaskModel, batch: Any) -> Any:
    """Bring a batch to where the model is."""
    device = next(cast(nn.Module, model).parameters()).device
    return type(batch)(*(part.to(device) for part in batch))


_INPUTS: Mapping[str, Callable[[Work, JobRequest, MapOptions], _Ready]] = {
    "nowcasting": _radar,
    "toy": _toy,
    "driving": _drive,
    "action": _video,
    "outline": _outline,
}
