"""Networks for photographs as trunks (see `framewise.Trunk`): VGG-16, Inception V1, ResNet-18, with or without weights.

Their parts are called as torchvision calls them, so that files of its weights fit. Torchvision itself is needed for
``imagenet`` alone, the weights that it downloads.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from semicoupled.networks.backbones import VGG16BN
from semicoupled.networks.from_torchvision import begin_with
from semicoupled.networks.image_networks import InceptionV1, ResNet18
from semicoupled.nn.shapes import Float, Tensor

Backbone = Literal["vgg16", "inception_v1", "resnet18"]
_NETWORKS: dict[Backbone, type[nn.Module]] = {"vgg16": VGG16BN, "inception_v1": InceptionV1, "resnet18": ResNet18}
_WEIGHTS: dict[Backbone, str] = {
    "vgg16": "VGG16_BN_Weights",
    "inception_v1": "GoogLeNet_Weights",
    "resnet18": "ResNet18_Weights",
}
_CHANNELS: dict[Backbone, int] = {"vgg16": 512, "inception_v1": 1024, "resnet18": 512}


class ImageTrunk(nn.Module):
    """The convolutions of a network for photographs: N 3 H W to N C H/32 W/32."""

    def __init__(self, name: Backbone, weights: str | None = None, *, flat: bool = False) -> None:
        """Build the network.

        Args:
            name: which.
            weights: a file of the whole network's weights (``.pt``, ``.pth``, ``.safetensors``), or ``imagenet``, which
                torchvision downloads; None begins with random ones.
            flat: a network whose convolutions are one part (VGG-16) gives its layers instead of this part. It tells
                what the parameters are called, and nothing else.

        Raises:
            MissingExtraError: ``imagenet`` without torchvision.
            RunError: the weights are missing, cannot be fetched, or do not fit.
        """
        super().__init__()
        whole = _NETWORKS[name]()
        if weights is not None:
            instead = "give a file with model.backbone_weights, or leave it out to begin with random ones"
            begin_with(whole, weights, name, _WEIGHTS[name], instead)
        self.in_channels, self.out_channels = 3, _CHANNELS[name]
        parts = list(whole.children())
        self.body = nn.Sequential(*(parts[0].children() if flat and len(parts) == 1 else parts))

    @property
    def depth(self) -> int:
        """Number of convolutions with a kernel above 1."""
        return sum(isinstance(part, nn.Conv2d) and part.kernel_size[0] > 1 for part in self.body.modules())

    def forward(self, rows: Float[Tensor, "N 3 H W"]) -> list[Tensor]:
        """Run frames, each alone."""
        return [self.body(rows)]
