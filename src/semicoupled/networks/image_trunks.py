"""Networks for photographs as trunks (see `framewise.Trunk`): VGG-16, Inception V1, ResNet-18, with or without weights.

They are torchvision's, so that its weights fit; without torchvision the error says what to install.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from semicoupled.errors import MissingExtraError, RunError
from semicoupled.nn.shapes import Float, Tensor

Backbone = Literal["vgg16", "inception_v1", "resnet18"]
_NAMES: dict[Backbone, str] = {"vgg16": "vgg16_bn", "inception_v1": "googlenet", "resnet18": "resnet18"}
_CHANNELS: dict[Backbone, int] = {"vgg16": 512, "inception_v1": 1024, "resnet18": 512}
_HEADS = ("avgpool", "dropout", "fc", "classifier", "aux1", "aux2")
IMAGENET = "imagenet"


class ImageTrunk(nn.Module):
    """The convolutions of a network for photographs: N 3 H W to N C H/32 W/32."""

    def __init__(self, name: Backbone, weights: str | None = None) -> None:
        """Build the network.

        Args:
            name: which.
            weights: a file of the whole network's weights (``.pt``, ``.pth``, ``.safetensors``), or ``imagenet``, which
                torchvision downloads; None begins with random ones.

        Raises:
            MissingExtraError: torchvision is not installed, or does not fit torch.
            RunError: the weights are missing, cannot be fetched, or do not fit.
        """
        super().__init__()
        try:
            from torchvision import models  # pyright: ignore[reportMissingImports]
        except (ImportError, RuntimeError) as error:
            raise MissingExtraError(
                f"model.backbone {name}: comes from torchvision, which cannot be imported ({error}). Install it: "
                "pip install torchvision"
            ) from error
        options = {"aux_logits": False, "init_weights": True} if name == "inception_v1" else {}
        whole: nn.Module = getattr(models, _NAMES[name])(weights=None, **options)
        if weights is not None:
            take_weights(whole, _imagenet(models, name) if weights == IMAGENET else read_state(Path(weights)), weights)
        self.in_channels, self.out_channels = 3, _CHANNELS[name]
        self.body = nn.Sequential(*(part for label, part in whole.named_children() if label not in _HEADS))

    @property
    def depth(self) -> int:
        """Number of convolutions with a kernel above 1."""
        return sum(isinstance(part, nn.Conv2d) and part.kernel_size[0] > 1 for part in self.body.modules())

    def forward(self, rows: Float[Tensor, "N 3 H W"]) -> list[Tensor]:
        """Run frames, each alone."""
        return [self.body(rows)]


def read_state(path: Path) -> Mapping[str, Tensor]:
    """Read a file of weights; never a pickle of anything else.

    Raises:
        RunError: it is missing, or holds something else.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch and safetensors raise many kinds
        raise RunError(f"{path}: cannot be read ({error}); expected the weights of a network, by name") from error


def take_weights(network: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Put weights into a network; parts of a head may be missing or more.

    Raises:
        RunError: a weight below the head is missing, or has another shape.
    """
    wanted = {
        name: value
        for name, value in network.state_dict().items()
        if name.split(".")[0] not in _HEADS and not name.endswith("num_batches_tracked")
    }
    for name, value in wanted.items():
        if name not in state or state[name].shape != value.shape:
            got = "nothing" if name not in state else str(tuple(state[name].shape))
            raise RunError(f"{source}: {name}: expected weights of the shape {tuple(value.shape)}, got {got}")
    _ = network.load_state_dict({name: state[name] for name in wanted}, strict=False)


def _imagenet(models: object, name: Backbone) -> Mapping[str, Tensor]:
    weights = getattr(
        models, {"vgg16": "VGG16_BN", "inception_v1": "GoogLeNet", "resnet18": "ResNet18"}[name] + "_Weights"
    )
    try:
        return weights.IMAGENET1K_V1.get_state_dict(progress=False)
    except OSError as error:
        raise RunError(
            f"the weights {IMAGENET} of {name} cannot be downloaded ({error}); give a file with "
            "model.backbone_weights, or leave it out to begin with random ones"
        ) from error
