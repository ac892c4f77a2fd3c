from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from semicoupled.errors import RunError
from semicoupled.training.weights import load_weights, read_about, save_weights


def test_weights_come_back_bit_for_bit_with_what_was_said_about_them(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    model[0].bias = nn.Parameter(model[1].weight.detach().clone())
    path = tmp_path / "model.safetensors"
    save_weights(path, model, {"step": "12"})
    other = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    load_weights(tmp_path, other)  # a run folder
    for one, two in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(one, two)
    assert read_about(path) == {"step": "12"}


def test_shared_weights_are_saved(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    saved = model[0].weight.detach().clone()
    save_weights(tmp_path / "w", model, {})
    with torch.no_grad():
        _ = model[0].weight.zero_()
    load_weights(tmp_path / "w", model)
    assert torch.equal(model[0].weight, saved)
    assert model[1].weight is model[0].weight


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w"
    save_weights(path, nn.Linear(3, 2), {})
    with pytest.raises(RunError, match=r"weight has shape \(2, 3\), the model's \(2, 4\)"):
        load_weights(path, nn.Linear(4, 2))
    with pytest.raises(RunError, match="bias is not in the model"):
        load_weights(path, nn.Linear(3, 2, bias=False))
    with pytest.raises(RunError, match="scale is missing"):
        load_weights(path, Scaled())
    with pytest.raises(RunError, match="no such file"):
        load_weights(tmp_path / "none", nn.Linear(3, 2))
    path.write_bytes(b"rubbish")
    with pytest.raises(RunError, match="is broken"):
        load_weights(path, nn.Linear(3, 2))
    with pytest.raises(RunError, match="is broken"):
        read_about(path)


def test_parts_that_come_later_may_be_lacking(tmp_path: Path) -> None:
    path, begun = tmp_path / "w", nn.Linear(3, 2)
    save_weights(path, begun, {})
    model = Scaled()
    load_weights(path, model, ("scale",))
    assert torch.equal(model.weight, begun.weight)
    assert model.scale.tolist() == [1]
    with pytest.raises(RunError, match="scale is missing"):
        load_weights(path, Scaled(), ("other",))


class Scaled(nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 2)
        self.scale = nn.Parameter(torch.ones(1))


def test_whoever_may_read_other_files_may_read_weights(tmp_path: Path) -> None:
    plain, weights = tmp_path / "plain", tmp_path / "model.safetensors"
    plain.touch()
    save_weights(weights, nn.Linear(1, 1), {})
    assert weights.stat().st_mode == plain.stat().st_mode
