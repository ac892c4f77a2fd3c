"""What sees the image: a backbone, with random weights or with those that others learned."""

from __future__ import annotations

from semicoupled.networks.backbones import VGG16BN, LightBackbone
from semicoupled.networks.efficientnet import EfficientNetLite0
from semicoupled.networks.resnet import ResNet50
from semicoupled.tasks.outline.settings import ModelSettings

Backbone = VGG16BN | ResNet50 | LightBackbone | EfficientNetLite0
TAPS = {"pyramid": (1, 2, 3, 4), "branches": (0, 1, 2, 3, 4)}
"""Maps of a backbone that become features; the first is too large for the grid itself."""
NARROW = (12, 24, 32, 48, 48)
"""Channels of the backbone ``narrow``."""


def build_backbone(settings: ModelSettings) -> Backbone:
    """Build the network that sees the image, with random weights."""
    if settings.backbone == "vgg16_bn":
        return VGG16BN()
    if settings.backbone == "resnet50":
        return ResNet50()
    if settings.backbone == "efficientnet_lite0":
        return EfficientNetLite0()
    return LightBackbone(NARROW) if settings.backbone == "narrow" else LightBackbone()


def start_backbone(backbone: Backbone, pretrained: str | None) -> None:
    """Give a backbone the weights that the settings name; see `ModelSettings.pretrained`.

    Raises:
        MissingExtraError: they come in a package that is not installed.
        RunError: they are missing, or do not fit.
    """
    if pretrained is None:
        return
    if isinstance(backbone, (VGG16BN, ResNet50)):
        backbone.load_torchvision(pretrained)
    elif isinstance(backbone, EfficientNetLite0):
        backbone.load_published(pretrained)
