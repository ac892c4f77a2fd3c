"""The maps of both branches and of their product, of one sample, for sliders over layers and time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from semicoupled.errors import DataError, RunError
from semicoupled.explain.maps import Records, mean_gates, recording
from semicoupled.nn.streams import LayerRecord, MapName
from semicoupled.serving.job_options import MapOptions
from semicoupled.serving.nowcast_job import choose_time, read_source
from semicoupled.serving.toy_job import clip
from semicoupled.serving.work import JobRequest, Result, Work, npy, numbers
from semicoupled.task import Json
from semicoupled.tasks.nowcasting.data import NowcastingBatch, forecast_batch
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.tasks.toy.settings import ToySettings

_MOST_SIDE = 384


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
    batch, frames, call = _INPUTS[run.task.name](work, request, options)
    device = next(cast(nn.Module, run.model).parameters()).device
    with recording(cast(nn.Module, run.model)) as records, torch.no_grad():
        run.model(type(batch)(*(part.to(device) for part in batch)), **call)
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


def _radar(work: Work, request: JobRequest, options: MapOptions) -> tuple[Any, np.ndarray, dict[str, Any]]:
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
    return batch, dbz, {"leads": options.leads}


def _toy(work: Work, request: JobRequest, options: MapOptions) -> tuple[Any, np.ndarray, dict[str, Any]]:
    settings = cast(ToySettings, work.run(request.run).settings)
    batch = clip(settings, options.clip)
    return batch, batch.frames[0, :, 0].numpy(), {}


_INPUTS = {"nowcasting": _radar, "toy": _toy}
