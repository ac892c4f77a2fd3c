"""The programs of a nowcasting model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from semicoupled.export.programs import make, save
from semicoupled.tasks.nowcasting.model import build_model
from semicoupled.tasks.nowcasting.settings import ModelSettings
from semicoupled.tasks.nowcasting.steps import make_steps

SLACK = 700_000
"""Bytes of a program beside its weights: its operations."""


def weight(*modules: nn.Module) -> int:
    """Bytes of the parameters."""
    return sum(4 * parameter.numel() for module in modules for parameter in module.parameters())


@pytest.mark.slow  # four programs are made of a network that is large enough to be seen in their sizes
def test_each_program_holds_its_own_weights_alone(tmp_path: Path) -> None:
    model = build_model(ModelSettings(layers=2, width=112, patch=2, norm="none"), leads=2).eval()
    encoder, decoder = model.network.encoder, model.network.decoder
    last = encoder.layers[-1].spatial  # its state alone goes on to the decoder
    begins = 4 * (model.head.guess.sharpen.numel() + model.head.guess.remember.numel())
    own = {
        "follow": 0,
        "begin": begins,
        "encode": weight(encoder) - weight(last),
        "decode": weight(decoder, model.head) - begins,
    }
    assert weight(encoder) > 2 * SLACK  # so that those of the other would be seen
    with torch.no_grad():
        for step in make_steps(model, (16, 16), {}).programs:
            program = make(step, step, (16, 16)).program
            save(program, tmp_path / "step.pt2")
            assert sum(4 * tensor.numel() for tensor in program.state_dict.values()) == own[step.name]
            assert own[step.name] <= (tmp_path / "step.pt2").stat().st_size <= own[step.name] + SLACK
