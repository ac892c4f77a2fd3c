"""Networks for photographs: their sizes are the published ones, and torchvision's weights have the same names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from semicoupled.errors import RunError
from semicoupled.networks.image_networks import InceptionV1, ResNet18
from semicoupled.networks.image_trunks import Backbone, ImageTrunk


@pytest.mark.parametrize(
    ("name", "parameters", "depth"),
    [("vgg16", 14_723_136, 13), ("resnet18", 11_176_512, 17), ("inception_v1", 5_599_904, 20)],
)
def test_they_have_the_published_number_of_parameters(name: Backbone, parameters: int, depth: int) -> None:
    with torch.device("meta"):
        trunk = ImageTrunk(name)
    assert sum(parameter.numel() for parameter in trunk.parameters()) == parameters
    assert trunk.depth == depth


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "inception_v1"])
def test_the_last_map_is_a_32nd_of_the_frame(name: Backbone) -> None:
    trunk = ImageTrunk(name).eval()
    with torch.no_grad():
        (found,) = trunk(torch.randn(2, 3, 64, 96))
    assert found.shape == (2, trunk.out_channels, 2, 3)
    assert torch.isfinite(found).all()


def test_names_are_those_of_torchvision() -> None:
    with torch.device("meta"):
        inception, resnet = InceptionV1().state_dict(), ResNet18().state_dict()
    assert inception["inception4e.branch3.1.conv.weight"].shape == (128, 32, 3, 3)
    assert inception["inception5b.branch4.1.bn.running_mean"].shape == (128,)
    assert resnet["layer3.0.downsample.1.weight"].shape == (256,)
    assert resnet["layer4.1.conv2.weight"].shape == (512, 512, 3, 3)


def test_a_file_with_the_head_fits_and_another_network_is_refused(tmp_path: Path) -> None:
    whole = ResNet18()
    torch.save({**whole.state_dict(), "fc.weight": torch.zeros(1000, 512)}, tmp_path / "resnet.pth")
    trunk = ImageTrunk("resnet18", str(tmp_path / "resnet.pth"))
    assert torch.equal(trunk.state_dict()["body.0.weight"], whole.conv1.weight)
    with pytest.raises(RunError, match=r"resnet\.pth: .*: expected weights of the shape"):
        _ = ImageTrunk("inception_v1", str(tmp_path / "resnet.pth"))
