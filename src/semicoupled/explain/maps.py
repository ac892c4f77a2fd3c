"""The maps of both branches and of their product, for chosen layers of anyone's trained model (Fig. 2b, 4a).

Recording works on every `SemiCoupledStack` inside a model, wherever the task put it, without the task's help.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semicoupled.errors import RunError
from semicoupled.nn import SemiCoupledStack
from semicoupled.nn.shapes import Float
from semicoupled.nn.streams import MAPS, LayerRecord, MapName, Outputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Records = dict[str, list[LayerRecord]]
"""What was recorded, by the name of the stack in the model; one entry a layer, stream and call."""


class Strongest(NamedTuple):
    """The channel of one layer that varies most.

    Attributes:
        layer: index of the layer, from 0.
        channel: its index.
        spatial: what Eq. 6 takes of h_s: relu(s), T H W.
        temporal: c of h_t, before the sigmoid, T H W.
        product: u of F, T H W.
    """

    layer: int
    channel: int
    spatial: Tensor
    temporal: Tensor
    product: Tensor


def stacks(model: nn.Module) -> dict[str, SemiCoupledStack]:
    """Find the semi-coupled stacks in a model, by name.

    Raises:
        RunError: there is none.
    """
    found = {name or "stack": module for name, module in model.named_modules() if isinstance(module, SemiCoupledStack)}
    if not found:
        raise RunError(
            f"{type(model).__name__} has no semi-coupled stack, so it has no branches to look into. Take a run with "
            "model.kind semicoupled."
        )
    return found


@contextmanager
def recording(
    model: nn.Module, maps: Sequence[MapName] = MAPS, layers: Sequence[int] | None = None
) -> Generator[Records]:
    """Record the maps of every call of a model's stacks within this context.

    Args:
        model: any model with a `SemiCoupledStack` or several inside.
        maps: which maps.
        layers: which layers, negative from the end; None for all.

    Yields:
        A dictionary that fills as the model runs.

    Raises:
        RunError: the model has no such stack.
    """
    records: Records = {name: [] for name in stacks(model)}
    handles: list[Any] = []

    def ask(module: nn.Module, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return arguments, {**options, "record": tuple(maps), "record_layers": layers}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, arguments: tuple[Any, ...], output: Outputs) -> None:
            records[name].extend(output.record)

        return hook

    for name, stack in stacks(model).items():
        handles.append(stack.register_forward_pre_hook(ask, with_kwargs=True))
        handles.append(stack.register_forward_hook(keep(name)))
    try:
        yield records
    finally:
        for handle in handles:
            handle.remove()


def mean_gates(records: Sequence[LayerRecord]) -> Mapping[int, float]:
    """Average sigma(c) of the main stream by layer: how far open the gates stand, 0 to 1 (0.5 says nothing)."""
    sums: dict[int, list[Tensor]] = {}
    for record in records:
        if record.stream == "main" and record.gate is not None:
            sums.setdefault(record.layer, []).append(record.gate.float().flatten())
    return {layer: float(torch.cat(parts).mean()) for layer, parts in sorted(sums.items())}


def strongest_channels(records: Sequence[LayerRecord], sample: int = 0) -> list[Strongest]:
    """Choose, in each recorded layer of the main stream, the channel whose product varies most over one sample.

    Args:
        records: of one stack, with the maps `spatial`, `temporal` and `features`; calls that follow each other (a
            decoder's steps) are put together along time.
        sample: index in the batch.
    """
    layers = sorted({record.layer for record in records if record.stream == "main"})
    found: list[Strongest] = []
    for layer in layers:
        spatial, temporal, product = (_joined(records, layer, name, sample) for name in MAPS if name != "gate")
        channel = int(product.std((0, 2, 3)).argmax())
        found.append(
            Strongest(layer, channel, torch.relu(spatial[:, channel]), temporal[:, channel], product[:, channel])
        )
    return found


def draw_maps(frames: Float[Tensor, "T H W"], found: Sequence[Strongest], title: str = "") -> Figure:
    """Draw a clip, and below it the maps of both branches and their product, layer by layer.

    Args:
        frames: the clip.
        found: one channel a layer, as `strongest_channels` gives it.
        title: what stands above.
    """
    from matplotlib.figure import Figure

    lines: list[tuple[str, NDArray[np.float32], str]] = [("frames", frames.numpy(), "gray")]
    for maps in found:
        name = f"layer {maps.layer + 1}, channel {maps.channel}"
        lines.append((f"{name}\nspatial: relu(s)", maps.spatial.numpy(), "viridis"))
        lines.append(("temporal: c", maps.temporal.numpy(), "coolwarm"))
        lines.append(("product: u", maps.product.numpy(), "viridis"))
    count = len(frames)
    height, width = frames.shape[-2:]
    line = max(0.8 * height / width, 0.35) + 0.05  # inches; a label needs a third of one
    figure = Figure(figsize=(2.0 + 0.8 * count, line * len(lines) + 0.3), layout="constrained")
    panels = figure.subplots(len(lines), count, squeeze=False)
    for row, (name, maps, colors) in enumerate(lines):
        low, high = float(maps.min()), float(maps.max())
        if colors == "coolwarm":  # white is 0, where the gate is half open
            low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
        for frame in range(count):
            panel = panels[row, frame]
            panel.imshow(maps[frame], cmap=colors, vmin=low, vmax=high)
            panel.set_xticks([])
            panel.set_yticks([])
        panels[row, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def _joined(records: Sequence[LayerRecord], layer: int, name: MapName, sample: int) -> Tensor:
    parts = [cast(Tensor, getattr(r, name))[sample] for r in records if r.layer == layer and r.stream == "main"]
    return torch.cat(parts).float().cpu()
