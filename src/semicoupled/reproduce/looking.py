"""What both branches of a trained run show of one sample: the maps of its top layer, and where it is busy."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from semicoupled.explain.highlights import draw_highlights, find_highlights
from semicoupled.explain.maps import draw_maps, recording, strongest_channels
from semicoupled.explain.samples import batches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from semicoupled.run_folder import LoadedRun


def top_maps(run: LoadedRun, title: str, sample: int = 0) -> Figure:
    """Draw the maps of h_s, h_t and F of the last layer, in the channel that varies most.

    Args:
        run: trained, with a semi-coupled stack.
        title: what stands above.
        sample: of its validation split.

    Raises:
        RunError: it has no such stack.
    """
    network = cast(nn.Module, run.model)
    batch = next(batches(network, run.task.splits(run.settings).validation, [sample]))
    with recording(network, layers=[-1]) as records, torch.no_grad():
        run.model(batch)
    found = strongest_channels(next(iter(records.values())))
    frames = batch.frames[0].float().cpu().mean(1).nan_to_num()
    shown = min(len(frames), *(len(layer.product) for layer in found))
    return draw_maps(frames[:shown], found, title)


def busy_places(run: LoadedRun, title: str, sample: int = 0) -> Figure:
    """Draw where both branches of some layers are busy, over the frames.

    Args:
        run: trained, with a semi-coupled stack.
        title: what stands above.
        sample: of its validation split.
    """
    network = cast(nn.Module, run.model)
    batch = next(batches(network, run.task.splits(run.settings).validation, [sample]))
    with recording(network) as records, torch.no_grad():
        run.model(batch)
    clip = batch.frames[0].float().cpu()
    return draw_highlights(clip, find_highlights(next(iter(records.values()))), title)
