"""Where each branch is busy, laid over the frames (Fig. 2c): outlines in one of them, what changes in the other.

Both branches are measured alike: how far their maps are from their own mean, over all channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from semicoupled.nn.shapes import Float
from semicoupled.nn.streams import LayerRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FRAMES = 6
LAYERS = 3
SMALLEST = 4
"""Pixels on a side; smaller maps say nothing about where."""
_COLORS = "inferno"


class Highlights(NamedTuple):
    """How busy both branches of a layer are, T H W each, at least 0.

    Attributes:
        layer: its index, from 0.
        spatial: of relu(s), as Eq. 6 takes it.
        temporal: of c, before the sigmoid.
    """

    layer: int
    spatial: Tensor
    temporal: Tensor


def find_highlights(records: Sequence[LayerRecord], sample: int = 0, layers: int = LAYERS) -> list[Highlights]:
    """Measure both branches of some layers of the main stream.

    Args:
        records: of one stack, with the maps `spatial` and `temporal`.
        sample: index in the batch.
        layers: so many, spread from the first to the last whose maps are at least `SMALLEST` pixels on a side; the
            first one alone where none is.
    """
    own = [record for record in records if record.stream == "main"]
    there = sorted({record.layer for record in own})
    sizes = {record.layer: min(_given(record.spatial).shape[-2:]) for record in own}
    large = [layer for layer in there if sizes[layer] >= SMALLEST] or there[:1]
    chosen = dict.fromkeys(large[index] for index in np.linspace(0, len(large) - 1, layers).round().astype(int))
    found: list[Highlights] = []
    for layer in chosen:
        spatial, temporal = (
            torch.cat([_given(getattr(record, name))[sample] for record in own if record.layer == layer]).float().cpu()
            for name in ("spatial", "temporal")
        )
        found.append(Highlights(layer, busy(torch.relu(spatial)), busy(temporal)))
    return found


def busy(maps: Float[Tensor, "T C H W"]) -> Float[Tensor, "T H W"]:
    """Give the root of the mean squared distance from each channel's mean over the clip."""
    return (maps - maps.mean((0, 2, 3), keepdim=True)).square().mean(1).sqrt()


def draw_highlights(frames: Float[Tensor, "T C H W"], found: Sequence[Highlights], title: str = "") -> Figure:
    """Draw frames of a clip, and below them where both branches are busy.

    Args:
        frames: the clip, any range, 1 or 3 channels; others are averaged.
        found: of some layers, with as many frames at least as the clip, or fewer.
        title: what stands above.
    """
    from matplotlib.figure import Figure

    length = min(len(frames), *(len(each.spatial) for each in found))
    shown = np.unique(np.linspace(0, length - 1, min(FRAMES, length)).round().astype(int))
    height, width = frames.shape[-2:]
    images = _images(frames)
    rows: list[tuple[str, Tensor | None]] = [("frames", None)]
    for each in found:
        rows.append((f"layer {each.layer + 1}\nspatial branch", each.spatial))
        rows.append((f"layer {each.layer + 1}\ntemporal branch", each.temporal))
    across = 1.5
    figure = Figure(
        figsize=(1.3 + across * len(shown), (across * height / width + 0.06) * len(rows) + 0.5), layout="constrained"
    )
    panels = figure.subplots(len(rows), len(shown), squeeze=False)
    for line, (name, maps) in enumerate(rows):
        high = 1.0 if maps is None else float(maps.max()) or 1.0
        for column, frame in enumerate(shown):
            panel = panels[line, column]
            panel.imshow(images[frame] if maps is None else images[frame].mean(-1), cmap="gray", vmin=0, vmax=1)
            if maps is not None:
                over = F.interpolate(maps[None, frame : frame + 1], (height, width), mode="bilinear")[0, 0] / high
                heat = over.clamp(0, 1).numpy()
                panel.imshow(heat, cmap=_COLORS, vmin=0, vmax=1, alpha=0.25 + 0.65 * heat)
            panel.set_xticks([])
            panel.set_yticks([])
            if line == 0:
                panel.set_title(f"frame {frame + 1}", fontsize=8)
        panels[line, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def _images(frames: Tensor) -> NDArray[np.float32]:
    """Give T H W 3, 0 to 1."""
    values = frames.float().nan_to_num()
    if values.shape[1] != 3:
        values = values.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    low, high = values.min(), values.max()
    return ((values - low) / (high - low).clamp(min=1e-9)).permute(0, 2, 3, 1).cpu().numpy()


def _given(maps: Tensor | None) -> Tensor:
    assert maps is not None
    return maps
