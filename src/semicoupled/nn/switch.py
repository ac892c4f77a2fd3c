"""The switch of Eq. 17: a gradient cut that leaves the forward pass alone. Mechanism only.

Who is stopped, and when, is decided in `semicoupled.training` (STSGD, ASTSGD). A stopped branch still learns its own
weights; what is cut is the gradient that would flow through it into the layer below.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch

from semicoupled.errors import ShapeError
from semicoupled.nn.shapes import Bool, Float, Tensor
from semicoupled.nn.streams import Branch


class Pattern(NamedTuple):
    """The switches of one branch in one layer.

    Attributes:
        open: True where gradients may pass; one entry a frame (T), or one a frame and sample (T B).
        scale: what a passing gradient is multiplied with: 1, or one over the keep probability (`unbiased`).
    """

    open: Tensor
    scale: float = 1.0


@runtime_checkable
class Switching(Protocol):
    """One draw of all the switches of a network."""

    def pattern(self, branch: Branch, layer: int, frames: int, batch: int) -> Pattern | None:
        """Switches in front of a layer.

        Args:
            branch: `spatial` (in front of Conv_s) or `temporal` (in front of Conv_u).
            layer: index of the layer, from 0. The first layer is never asked for: nothing learns below it.
            frames: number of frames T.
            batch: number of samples B.

        Returns:
            The pattern, or None where everything is open.
        """
        ...


class FixedSwitching:
    """Switches that were decided beforehand, for tests and for looking at single paths."""

    def __init__(self, patterns: dict[tuple[Branch, int], Tensor], scale: float = 1.0) -> None:
        """Take the switches.

        Args:
            patterns: for (branch, layer) the open frames, bool, T or T B. What is not named is open.
            scale: multiplies every gradient that passes a named switch.
        """
        self._patterns = patterns
        self._scale = scale

    def pattern(self, branch: Branch, layer: int, frames: int, batch: int) -> Pattern | None:
        """See `Switching.pattern`."""
        open_frames = self._patterns.get((branch, layer))
        return None if open_frames is None else Pattern(open_frames, self._scale)


class _Gate(torch.autograd.Function):
    """The identity, whose gradient is multiplied by a factor for each row."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(factor)
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (factor,) = ctx.saved_tensors
        gradient = gradients[0]
        # where, not a product: a stopped path stays stopped when its gradient is infinite
        return torch.where(factor != 0, gradient * factor.to(gradient.dtype), 0.0), None


def switch(
    features: Float[Tensor, "B T *rest"],
    open: Bool[Tensor, "T"] | Bool[Tensor, "T B"],
    scale: float = 1.0,
) -> Float[Tensor, "B T *rest"]:
    """Pass features on unchanged, but their gradient only where the switch is open (Eq. 17, 18).

    Works on any network: put it where a branch takes its input.

    Args:
        features: what enters a branch, B T and anything behind.
        open: True where gradients may pass; a frame (T) or a frame and sample (T B).
        scale: what a passing gradient is multiplied with.

    Returns:
        The features, same values.

    Raises:
        ShapeError: the switches do not fit the features.
    """
    batch, frames = features.shape[:2]
    if open.shape not in ((frames,), (frames, batch)):
        raise ShapeError(
            f"switch: expected open of shape ({frames},) or ({frames}, {batch}) for features of shape "
            f"{tuple(features.shape)} (B T ...), got {tuple(open.shape)}."
        )
    by_sample = open.expand(batch, frames) if open.dim() == 1 else open.transpose(0, 1)
    factor = by_sample.to(features.device, torch.float32) * scale
    return _Gate.apply(features, factor.reshape(batch, frames, *[1] * (features.dim() - 2)))  # pyright: ignore[reportReturnType]


def folded_factor(pattern: Pattern, frames: int, batch: int, device: torch.device) -> Float[Tensor, "N"]:
    """Lay a pattern out along the rows of a time-major folded tensor (row t * B + b).

    Returns:
        0 where the gradient is stopped, the pattern's scale where it passes.

    Raises:
        ShapeError: the pattern has another number of frames or samples.
    """
    if pattern.open.shape not in ((frames,), (frames, batch)):
        raise ShapeError(
            f"switch pattern: expected shape ({frames},) or ({frames}, {batch}), got {tuple(pattern.open.shape)}. "
            "Draw the switches for the clip that you pass to forward."
        )
    rows = pattern.open if pattern.open.dim() == 2 else pattern.open[:, None].expand(frames, batch)
    return rows.reshape(frames * batch).to(device, torch.float32) * pattern.scale


def gated(rows: Float[Tensor, "N C *size"], factor: Float[Tensor, "N"]) -> Float[Tensor, "N C *size"]:
    """Pass folded features on unchanged, and multiply their gradient by a factor, one a row."""
    return _Gate.apply(rows, factor.reshape(-1, *[1] * (rows.dim() - 1)))  # pyright: ignore[reportReturnType]
