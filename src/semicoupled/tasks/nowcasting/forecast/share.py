"""How much of a forecast came from time, pixel by pixel.

A forecast M has beside it the answers of its own two streams (Eq. 9-12), seen from where the rain is:

    S   what the spatial stream alone expects: its head learned the same images from h_s alone
    T   what the temporal stream alone expects: the image before it, as it was fed to the decoder, and the change since
        then that its head learned from h_t alone

    share = |M - S| / (|M - S| + |M - T|)

It is 1 where the forecast is what the temporal stream says, 0 where it is what the spatial stream says, and 1/2 where
it is equally far from both. It is the importance of time (Table 6, `semicoupled explain importance`) with the forecast
in the place of what will be observed: the difference of two errors is above 0 exactly where this share is above 1/2. In
the form `advection` M, S and T are all seen from where the rain is: where it is carried to is no part of the share.

It is NaN where nothing is known, where nobody expects rain (M, S and T below `DRY_DBZ`), and where both streams say the
same as the forecast within `SAME_DBZ`. It tells how the network came to its answer, not whether the answer is good, and
it is about the network alone: what `predict.trust` and `predict.match` do afterwards is not in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from semicoupled.nn.shapes import Float
from semicoupled.task_parts import TaskOutput
from semicoupled.tasks.nowcasting.extrapolation.advection import carry, follow, sample
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ
from semicoupled.training.settings import GoalWeights

DRY_DBZ = 5.0
SAME_DBZ = 0.1


class Answers(NamedTuple):
    """How far the streams are from the forecast, dBZ.

    Attributes:
        spatial: S - M, K H W.
        temporal: T - M, K H W.
    """

    spatial: Tensor
    temporal: Tensor


def why_no_share(model: ModelSettings, goals: GoalWeights) -> str | None:
    """Say why a run knows no share, or None if it does.

    Args:
        model: of the run.
        goals: of the run: a stream's head that had no weight in the loss has learned nothing.
    """
    if model.kind != "semicoupled":
        return f"a {model.kind} has one stream alone"
    missing = [name for name, weight in (("spatial", goals.spatial), ("temporal", goals.temporal)) if not weight]
    if missing:
        return f"the head of the {' and of the '.join(missing)} stream was not trained (goals.{missing[0]} is 0)"
    return None


def stream_answers(
    output: TaskOutput,
    last: Float[Tensor, "1 1 H W"],
    motion: Float[Tensor, "1 2 H W"],
    form: Form,
) -> Answers:
    """Compare the streams' answers with the forecast.

    Args:
        output: of all three streams, for one field: B = 1.
        last: the newest frame on the scale dBZ / 60, NaN = missing.
        motion: pixels per time step.
        form: of the network.
    """
    assert output.spatial is not None
    assert output.temporal is not None
    main, spatial, changes = (
        stream[0].nan_to_num(nan=0.0) for stream in (output.main, output.spatial, output.temporal)
    )
    seen = last.nan_to_num(nan=0.0)
    expected: list[Tensor] = []
    points = iter(follow(motion, len(main)))
    step = next(follow(motion, 1))
    before = seen  # what the decoder was fed with
    correction = torch.zeros_like(seen)
    for image, change in zip(main[:, None], changes[:, None], strict=True):
        if form == "advection":
            # Images are compared as corrections to the first guess, which the way through the grid would blur.
            arrived = carry(last, next(points))
            guess = torch.where(arrived.isnan(), last, arrived).nan_to_num(nan=0.0)
            before = guess + sample(correction, step)
            correction = image - guess
        expected.append((before + change[:, -1:])[0])
        before = image
    temporal = torch.stack(expected)
    return Answers(HIGHEST_DBZ * (spatial - main)[:, 0], HIGHEST_DBZ * (temporal - main)[:, 0])


def temporal_share(dbz: np.ndarray, spatial: np.ndarray, temporal: np.ndarray) -> np.ndarray:
    """Give the share of time.

    Args:
        dbz: K H W, the network's forecast; NaN = missing.
        spatial: K H W, what the spatial stream says more than that, dBZ.
        temporal: K H W, likewise.

    Returns:
        K H W, float32, 0 to 1, NaN where nothing is said.
    """
    share = np.empty(dbz.shape, np.float32)
    for lead, (forecast, one, other) in enumerate(zip(dbz, spatial, temporal, strict=True)):
        far, near = np.abs(one), np.abs(other)
        whole = far + near
        wettest = np.maximum(forecast, np.maximum(forecast + one, forecast + other))
        said = (wettest >= DRY_DBZ) & (whole >= SAME_DBZ)  # False where the forecast is NaN
        share[lead] = np.where(said, far / np.where(said, whole, 1), np.nan)
    return share
