"""How much arithmetic a run does, and how much of it this machine can do in a second at most."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from semicoupled.bench.timing import paired

PEAK_BATCHES = (2, 8, 20, 40, 80, 160)
PEAK_CHANNELS, PEAK_SIZE = 64, 28


def flops(run: Callable[[], object]) -> int:
    """Count the floating-point operations of the convolutions and matrix products in a run (2 a multiply-add)."""
    known = {torch.ops.mkldnn._convolution_pointwise: _of_prepared} if hasattr(torch.ops, "mkldnn") else {}
    counter = FlopCounterMode(display=False, custom_mapping=known)
    with counter:
        _ = run()
    return counter.get_total_flops()


def convolution_peak(dtype: torch.dtype, device: torch.device, repeats: int = 9) -> float:
    """Measure the best speed of a plain 3x3 convolution of 64 channels at 28 px, channels last, over several batches.

    Args:
        dtype: of features and weights.
        device: where.
        repeats: of each batch; the median counts.

    Returns:
        Floating-point operations per second.
    """

    def images(count: int) -> torch.Tensor:
        made = torch.randn(count, PEAK_CHANNELS, PEAK_SIZE, PEAK_SIZE, dtype=dtype, device=device)
        return made.contiguous(memory_format=torch.channels_last)

    weight = torch.randn(PEAK_CHANNELS, PEAK_CHANNELS, 3, 3, dtype=dtype, device=device)
    weight = weight.contiguous(memory_format=torch.channels_last)
    best = 0.0
    with torch.no_grad():
        for batch in PEAK_BATCHES:
            features = images(batch)
            seconds = paired({"peak": lambda features=features: F.conv2d(features, weight, padding=1)}, repeats, device)
            operations = 2 * batch * PEAK_SIZE**2 * 9 * PEAK_CHANNELS**2
            best = max(best, operations / statistics.median(seconds["peak"]))
    return best


def _of_prepared(rows: Sequence[int], weight: Sequence[int], *_: object, out_shape: Sequence[int], **__: object) -> int:
    """Of a convolution with a prepared weight (see `nn.operators.prepared`), which torch's counter does not know."""
    return 2 * math.prod(out_shape) * weight[1] * math.prod(weight[2:])
