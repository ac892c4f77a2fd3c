"""MLCast: our network with the signature that its Lightning module expects of one.

    from mlcast.nowcasting_module import NowcastLightningModule
    from semicoupled.plugins.mlcast import SemiCoupledNetwork

    module = NowcastLightningModule(network=SemiCoupledNetwork(), loss_class="mse")

A network of MLCast 0.1 is called as ``network(x, steps=K, ensemble_size=N)`` with x of shape batch, time, channels,
height, width on the scale -1 (0 dBZ, dry) to 1 (60 dBZ). It gives batch, K, N * channels, height, width. MLCast fills
missing pixels up as dry before a network sees them; one that still has NaN gets NaN back there. Nothing of mlcast is
needed to import this.

In MLCast 0.1 a masked loss together with `temporal_lambda` above 0 is always 0 (it takes every batch for missing):
leave one of them out.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from semicoupled.errors import ShapeError
from semicoupled.nn.shapes import Float
from semicoupled.run_folder import load
from semicoupled.tasks.nowcasting.data import NowcastingBatch
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion
from semicoupled.tasks.nowcasting.model import NowcastingModel, build_model
from semicoupled.tasks.nowcasting.network.image_heads import PlainHead
from semicoupled.tasks.nowcasting.settings import Form, ModelSettings
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ

_ABOVE_DRY = 0.05


class SemiCoupledNetwork(nn.Module):
    """A semi-coupled encoder and decoder as a network of MLCast."""

    def __init__(
        self,
        input_channels: int = 1,
        layers: int = 4,
        width: int = 32,
        patch: int = 8,
        form: Form = "advection",
        kilometers: float = 1.0,
        model: NowcastingModel | None = None,
    ) -> None:
        """Build a network, or take one that is there.

        Args:
            input_channels: of the images: 1.
            layers: depth of the encoder, and of the decoder.
            width: channels of every layer.
            patch: pixels on a side that become one cell.
            form: see `ModelSettings`. `advection` estimates the motion of every sample on the CPU; no gradient runs
                through it.
            kilometers: size of a pixel, for that motion.
            model: a network to take instead of a new one.

        Raises:
            ShapeError: several channels.
        """
        super().__init__()
        if input_channels != 1:
            raise ShapeError(f"input_channels: expected 1, radar reflectivity, got {input_channels}")
        settings = ModelSettings(layers=layers, width=width, patch=patch, form=form)
        self.model = build_model(settings, 1) if model is None else model
        self.kilometers = kilometers
        if model is None and form == "plain":
            # MLCast clamps to -1 from below, where gradients may end; a new head gives just that
            nn.init.constant_(cast(Tensor, cast(PlainHead, self.model.head).output.bias), _ABOVE_DRY)
        for head in (self.model.spatial_head, self.model.temporal_head):
            if head is not None:
                head.requires_grad_(False)  # goals that MLCast does not know of

    @classmethod
    def from_run(cls, run: Path | str, device: str = "auto") -> SemiCoupledNetwork:
        """Take the network of a trained run.

        Args:
            run: a run folder, or ``"pretrained[:NAME]"``.
            device: as ``--device``.

        Raises:
            RunError: no such run, or one of another task.
        """
        loaded = load(run, device, "nowcasting")
        size = loaded.description.get("kilometers")
        kilometers = float(size) if isinstance(size, (int, float)) else 1.0
        return cls(model=cast(NowcastingModel, loaded.model), kilometers=kilometers)

    def forward(self, x: Float[Tensor, "B T 1 H W"], steps: int, ensemble_size: int = 1) -> Float[Tensor, "B K N H W"]:
        """Forecast.

        Args:
            x: -1 (0 dBZ) to 1 (60 dBZ), at least two frames.
            steps: time steps K.
            ensemble_size: N members. The network is deterministic: they are all the same.

        Raises:
            ShapeError: other channels, or a single frame.
        """
        if x.dim() != 5 or x.shape[2] != 1 or x.shape[1] < 2:
            raise ShapeError(f"x: expected B T 1 H W with at least two frames, got {tuple(x.shape)}")
        frames = (x + 1) / 2
        size = x.shape[-2:]
        batch = NowcastingBatch(
            frames=frames,
            future=frames.new_empty((len(x), 0, 1, *size)),
            motion=self._motion(frames),
            flow=frames.new_empty((len(x), 0, 2, *size)),
            taught=torch.zeros((len(x), 0), dtype=torch.bool, device=x.device),
        )
        made: Tensor = 2 * self.model(batch, leads=steps).main - 1
        return made.expand(-1, -1, ensemble_size, -1, -1)

    def _motion(self, frames: Tensor) -> Tensor:
        if self.model.form != "advection":
            return frames.new_zeros((len(frames), 2, *frames.shape[-2:]))
        dbz = HIGHEST_DBZ * frames.detach()[:, :, 0].float().cpu().numpy()
        motions = np.stack([estimate_motion(sample, self.kilometers) for sample in dbz])
        return torch.from_numpy(motions).to(frames)
