"""Backbones: VGG-16's layout is torchvision's, name by name and shape by shape."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from semicoupled.errors import MissingExtraError, RunError
from semicoupled.networks.backbones import VGG16, VGG16BN, FeaturePyramid, LightBackbone, normalize

# torchvision numbers its layers: a convolution, its norm, ReLU, and a pooling behind each block
CONVOLUTIONS = (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)


@pytest.fixture(scope="module")
def vgg() -> VGG16BN:
    return VGG16BN().eval()


def test_names_and_shapes_are_those_of_torchvision(vgg: VGG16BN) -> None:
    shapes = {name: tuple(value.shape) for name, value in vgg.features.state_dict().items()}
    widths = [width for block in VGG16 for width in block]
    expected: dict[str, tuple[int, ...]] = {}
    before = 3
    for layer, width in zip(CONVOLUTIONS, widths, strict=True):
        expected |= {f"{layer}.weight": (width, before, 3, 3), f"{layer}.bias": (width,)}
        expected |= {f"{layer + 1}.{name}": (width,) for name in ("weight", "bias", "running_mean", "running_var")}
        expected[f"{layer + 1}.num_batches_tracked"] = ()
        before = width
    assert shapes == expected
    assert sum(parameter.numel() for parameter in vgg.parameters()) == 14_723_136  # vgg16_bn without its classifier


def test_maps_have_the_strides_of_the_blocks(vgg: VGG16BN) -> None:
    with torch.no_grad():
        maps = vgg(torch.zeros(1, 3, 32, 32))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
        (512, 2, 2),
    ]


@pytest.mark.parametrize("form", ["pth", "safetensors"])
def test_a_state_dict_of_torchvision_loads(vgg: VGG16BN, tmp_path: Path, form: str) -> None:
    state = {f"features.{name}": value.clone() for name, value in vgg.features.state_dict().items()}
    state["classifier.0.weight"] = torch.zeros(2, 2)
    file = tmp_path / f"vgg.{form}"
    save_file(state, file) if form == "safetensors" else torch.save(state, file)
    other = VGG16BN()
    other.load_torchvision(file)
    assert all(
        torch.equal(value, vgg.features.state_dict()[name]) for name, value in other.features.state_dict().items()
    )


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(64, 3, 5, 5)}, tmp_path / "other.pth")
    with pytest.raises(RunError, match=r"features\.0\.weight: .* \(64, 3, 3, 3\), got \(64, 3, 5, 5\)"):
        VGG16BN().load_torchvision(tmp_path / "other.pth")
    with pytest.raises(RunError, match="cannot be read"):
        VGG16BN().load_torchvision(tmp_path / "none.pth")


def test_imagenet_needs_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torchvision.models", None)
    match = "vgg16_bn with the weights imagenet comes from torchvision, .* pip install torchvision, or give the file"
    with pytest.raises(MissingExtraError, match=match):
        VGG16BN().load_torchvision("imagenet")


def test_the_light_one_and_the_pyramid_give_one_map_of_any_size() -> None:
    backbone = LightBackbone((4, 4, 6, 8, 8)).eval()
    pyramid = FeaturePyramid(backbone.channels[1:], 5).eval()
    with torch.no_grad():
        maps = backbone(normalize(torch.rand(2, 3, 64, 96)))
        assert [tuple(one.shape[-2:]) for one in maps] == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]
        assert pyramid(maps[1:], (8, 12)).shape == (2, 5, 8, 12)
