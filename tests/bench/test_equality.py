"""A speed is printed only for a network that computes what the reference computes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from semicoupled.bench import speed
from semicoupled.bench.equality import check_loop, check_rival, check_stack, perturb_statistics
from semicoupled.bench.loops import UsualRecurrent, frames_channels_last, reference_loop
from semicoupled.bench.presets import Preset
from semicoupled.errors import EqualityError
from semicoupled.nn import RecurrentStack, SemiCoupledStack, convgru, convlstm
from semicoupled.nn import layer as layer_module
from semicoupled.nn.norm import Norm

CPU = torch.device("cpu")
TINY = Preset("tiny", lambda norm: SemiCoupledStack(2, [4, 4, 4], norm=norm), 2, 9, 3)


def frames(channels: int = 2) -> Tensor:
    return torch.randn(1, 3, channels, 9, 7, dtype=torch.float64)


@pytest.mark.parametrize("norm", ["none", "batch", "group", "joint"])
def test_a_right_stack_passes(norm: Norm) -> None:
    stack = SemiCoupledStack(2, [4, 4, 4], norm=norm).double()
    perturb_statistics(stack)
    assert check_stack(stack, frames()) < 1e-12
    assert stack.training


def test_a_wrong_stack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that computes something else, only a little, gets no speed."""
    right = layer_module.convolve

    def wrong(*arguments: Tensor) -> Tensor:
        return right(*arguments) * (1 + 1e-6)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(layer_module, "convolve", wrong)
    with pytest.raises(EqualityError, match=r"the main stream differs .* expected at most 1e-09"):
        _ = check_stack(SemiCoupledStack(2, [4, 4], norm="none").double(), frames())
    with pytest.raises(EqualityError, match="No speed is printed"):
        speed.check(TINY, CPU)


def test_wrong_gradients_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from semicoupled.nn import convolution

    right = convolution.weight_gradient
    monkeypatch.setattr(convolution, "weight_gradient", lambda *arguments: 1.001 * right(*arguments))
    with pytest.raises(EqualityError, match=r"the gradient of layers\.\d\.spatial\.weight differs"):
        speed.check(TINY, CPU)


@pytest.mark.parametrize("build", [convlstm, convgru])
def test_the_usual_loop_of_a_rival_gives_what_ours_gives(build: Callable[..., RecurrentStack]) -> None:
    stack = build(2, [4, 4]).double()
    usual = UsualRecurrent(stack)
    assert check_rival(stack, usual, frames()) < 1e-12
    with torch.no_grad():
        usual.biases[1][0] += 0.1
    with pytest.raises(EqualityError, match="the rival's loop differs"):
        _ = check_rival(stack, usual, frames())


def test_the_reference_loop_keeps_its_fastest_layout() -> None:
    stack = SemiCoupledStack(16, [16, 16], norm="none").double()
    assert check_loop(stack, reference_loop(stack), frames(16)) < 1e-12
    laid_out = frames_channels_last(frames(16))
    assert torch.equal(laid_out, laid_out.contiguous())
    assert laid_out[:, 0].is_contiguous(memory_format=torch.channels_last)
