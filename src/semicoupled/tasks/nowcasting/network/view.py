"""The frame of reference from which the network sees the rain: the ground, or one that moves with the rain.

In the moving frame every image is carried to where its rain is at the last image, and forecasts are carried on from
there (as in Lagrangian persistence, Germann and Zawadzki 2002). Nearly everything stands still before the network's
eyes: what is left to learn is what grows, what fades, and where the motion is wrong.
"""

from __future__ import annotations

import torch

from semicoupled.nn.shapes import Float, Tensor
from semicoupled.tasks.nowcasting.data import NowcastingBatch
from semicoupled.tasks.nowcasting.extrapolation.advection import carry, departures, sample


class View:
    """Frames as the network sees them, and the way back to the ground.

    Attributes:
        images: B T 1 H W, 0 where nothing is known.
        known: B T 1 H W, 1 where something is known, else 0.
    """

    def __init__(self, batch: NowcastingBatch, *, moving: bool, leads: int) -> None:
        """Look at a batch.

        Args:
            batch: frames and the motion that they show.
            moving: move with the rain, or stand on the ground.
            leads: frames that will be forecast.
        """
        frames = batch.frames
        self._last, self._future = frames[:, -1], batch.future
        self._moving = moving
        if moving:
            self._motion = batch.motion
            count = frames.shape[1]
            self._points = departures(self._motion, max(leads, count - 1))
            # the first frame is carried over count - 1 steps, the one before the last over one
            carried = [carry(frames[:, index], self._points[:, count - 2 - index]) for index in range(count - 1)]
            frames = torch.stack([*carried, self._last], dim=1)
        self.known = (~frames.isnan()).float()
        self.images = frames.nan_to_num(nan=0.0)

    def future(self, lead: int) -> Float[Tensor, "B 1 H W"]:
        """Give what came as the network would see it; where that is not known, 0.

        Args:
            lead: from 0.
        """
        image = self._future[:, lead]
        if self._moving:  # what will be observed has come as far ahead as it must be carried back
            image = carry(image, departures(-self._motion, lead + 1)[:, -1])
        return image.nan_to_num(nan=0.0)

    def to_ground(self, image: Float[Tensor, "B 1 H W"], lead: int) -> Float[Tensor, "B 1 H W"]:
        """Turn an image of the network's into a forecast, missing where the last frame is.

        Args:
            image: as the network sees it.
            lead: from 0.
        """
        return to_ground(image, self._last, self._points[:, lead] if self._moving else None)

    def flow_to_ground(self, changes: Float[Tensor, "B 3 H W"], lead: int) -> Float[Tensor, "B 3 H W"]:
        """Turn flow and change into such on the ground; a moving network's flow comes on top of the known motion.

        Args:
            changes: dx, dy in pixels per frame, and the change of the image.
            lead: from 0.
        """
        if not self._moving:
            return changes
        flow, change = sample(changes, self._points[:, lead]).split([2, 1], dim=1)
        return torch.cat([self._motion + flow, change], dim=1)


def to_ground(
    image: Float[Tensor, "B 1 H W"], last: Float[Tensor, "B 1 H W"], points: Tensor | None
) -> Float[Tensor, "B 1 H W"]:
    """See `View.to_ground`.

    Args:
        image: as the network sees it.
        last: the last observed frame, NaN = missing.
        points: the points of departure, B 2 H W, or None on the ground.
    """
    if points is not None:
        # What flows in from outside is not known: there the last frame stays, as in the advection baseline.
        arrived = carry(last, points)
        guess = torch.where(arrived.isnan(), last, arrived).nan_to_num(nan=0.0)
        image = guess + sample(image - last.nan_to_num(nan=0.0), points)
    return torch.where(last.isnan(), torch.nan, image)
