"""torchvision's networks for clips by name; without torchvision the error says what to install."""

from __future__ import annotations

from typing import Any, Literal

from torch import nn

from semicoupled.errors import ShapeError
from semicoupled.networks.from_torchvision import find_weights, import_models, take_weights
from semicoupled.nn.shapes import Float, Tensor

VideoName = Literal["r3d_18", "mc3_18", "r2plus1d_18", "s3d"]
_WIDTHS: dict[VideoName, int] = {"r3d_18": 512, "mc3_18": 512, "r2plus1d_18": 512, "s3d": 1024}
_KINETICS: dict[VideoName, str] = {
    "r3d_18": "R3D_18_Weights",
    "mc3_18": "MC3_18_Weights",
    "r2plus1d_18": "R2Plus1D_18_Weights",
    "s3d": "S3D_Weights",
}
KINETICS = "kinetics"


class TorchvisionVideo(nn.Module):
    """The part of a network below its head: B T 3 H W to maps B C t h w."""

    def __init__(self, name: VideoName, weights: str | None = None) -> None:
        """Build the network.

        Args:
            name: as torchvision calls it.
            weights: a file of the whole network's weights, or ``kinetics``, which torchvision downloads; None begins
                with random ones.

        Raises:
            MissingExtraError: torchvision is not installed, or does not fit torch.
            RunError: the weights are missing, cannot be fetched, or do not fit.
        """
        super().__init__()
        video = import_models(name, "torchvision.models.video")
        whole: Any = getattr(video, name)(weights=None)
        if weights is not None:
            instead = "give a file with model.backbone_weights, or leave it out to begin with random ones"
            state = find_weights(
                weights, name, KINETICS, lambda: getattr(video, _KINETICS[name]).KINETICS400_V1, instead
            )
            take_weights(whole, state, weights)
        self.in_channels, self.out_channels = 3, _WIDTHS[name]
        self.blocks = whole.features if name == "s3d" else nn.Sequential(*list(whole.children())[:-2])
        self.head = nn.Identity()

    def features(self, frames: Float[Tensor, "B T C H W"]) -> Float[Tensor, "B D t h w"]:
        """Give the maps.

        Raises:
            ShapeError: the frames are not of three channels.
        """
        if frames.shape[2] != 3:
            raise ShapeError(f"frames: expected 3 channels, got {frames.shape[2]}. Set data.color to rgb.")
        return self.blocks(frames.transpose(1, 2))
