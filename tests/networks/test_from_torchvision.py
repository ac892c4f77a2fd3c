"""The door to torchvision: what is said without it, and whose weights fit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from semicoupled.errors import MissingExtraError, RunError
from semicoupled.networks.from_torchvision import find_weights, import_models, take_weights
from semicoupled.networks.image_trunks import ImageTrunk
from semicoupled.networks.torchvision_video import TorchvisionVideo


def network() -> nn.Module:
    whole = nn.Sequential()
    whole.add_module("conv1", nn.Conv2d(3, 2, 3))
    whole.add_module("bn1", nn.BatchNorm2d(2))
    whole.add_module("fc", nn.Linear(2, 5))
    return whole


@pytest.fixture
def models() -> Any:
    try:
        return import_models("this test")
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("make", "module"),
    [
        (lambda: ImageTrunk("resnet18", "imagenet"), "torchvision.models"),
        (lambda: TorchvisionVideo("r3d_18"), "torchvision.models.video"),
    ],
)
def test_without_torchvision_its_networks_say_what_to_install(
    make: Callable[[], nn.Module], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtraError,
        match=r"(resnet18 with the weights imagenet|r3d_18) comes from torchvision, .* pip install torchvision",
    ):
        make()


def test_a_torchvision_that_does_not_fit_torch_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr("importlib.import_module", broken)
    with pytest.raises(MissingExtraError, match=r"s3d comes from .* cannot be imported \(operator torchvision::nms"):
        import_models("s3d")


def test_weights_below_the_head_are_taken_whatever_the_head() -> None:
    source, target = network(), network()
    source.bn1.num_batches_tracked += 7
    state = {name: value for name, value in source.state_dict().items() if not name.startswith("fc")}
    take_weights(target, {**state, "fc.weight": torch.zeros(1, 1)}, "a.pth")
    assert all(torch.equal(target.state_dict()[name], value) for name, value in state.items())
    old = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    take_weights(network(), old, "a.pth")


def test_weights_that_do_not_fit_are_refused_by_name() -> None:
    state = network().state_dict()
    with pytest.raises(RunError, match=r"a\.pth: conv1\.weight: expected .* shape \(2, 3, 3, 3\), got \(1,\)"):
        take_weights(network(), {**state, "conv1.weight": torch.zeros(1)}, "a.pth")
    del state["bn1.running_var"]
    with pytest.raises(RunError, match=r"a\.pth: bn1\.running_var: expected .*, got nothing"):
        take_weights(network(), state, "a.pth")


def test_what_is_no_tensor_is_no_weight(tmp_path: Path) -> None:
    torch.save({"conv1.weight": 3, "epoch": 7, 2: torch.ones(1)}, tmp_path / "a.pth")
    state = find_weights(tmp_path / "a.pth", "vgg16", "imagenet", None, "")
    with pytest.raises(RunError, match=r"a\.pth: conv1\.weight: expected .*, got nothing"):
        take_weights(network(), state, tmp_path / "a.pth")


def test_weights_come_from_a_file_or_from_the_net(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "a.pth")

    def offline(*, progress: bool) -> dict[str, torch.Tensor]:
        del progress
        raise OSError("no route to host")

    def unasked() -> None:
        raise AssertionError("a file needs no torchvision")

    assert find_weights(tmp_path / "a.pth", "vgg16", "imagenet", unasked, "")["a"] == 1
    with pytest.raises(RunError, match=r"none\.pth: cannot be read"):
        find_weights(tmp_path / "none.pth", "vgg16", "imagenet", unasked, "")
    entry = SimpleNamespace(get_state_dict=offline)
    with pytest.raises(RunError, match=r"weights imagenet of vgg16 cannot be downloaded \(no route to host\); give it"):
        find_weights("imagenet", "vgg16", "imagenet", lambda: entry, "give it")


def test_trunks_have_the_names_that_runs_have(models: Any) -> None:
    assert next(iter(ImageTrunk("vgg16").state_dict())) == "body.0.0.weight"
    flat = ImageTrunk("vgg16", flat=True)
    names = [f"body.{name}" for name in models.vgg16_bn(weights=None).features.state_dict()]
    assert list(flat.state_dict()) == names
    trunk = ImageTrunk("resnet18", flat=True)
    assert list(trunk.state_dict()) == list(ImageTrunk("resnet18").state_dict())
    assert [len(list(one.body)) for one in (flat, trunk)] == [44, 8]
    assert (flat.depth, trunk.depth) == (13, 17)


def test_a_file_of_the_whole_network_fits(models: Any, tmp_path: Path) -> None:
    whole = models.resnet18(weights=None)
    torch.save(whole.state_dict(), tmp_path / "resnet.pth")
    trunk = ImageTrunk("resnet18", str(tmp_path / "resnet.pth"))
    assert torch.equal(trunk.state_dict()["body.0.weight"], whole.conv1.weight)
    assert torch.equal(trunk.state_dict()["body.7.1.bn2.weight"], whole.layer4[1].bn2.weight)
