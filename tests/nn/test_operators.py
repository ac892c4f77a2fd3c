"""The maps behind the fast paths, against torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semicoupled.nn import operators
from semicoupled.nn.convolution import convolve
from semicoupled.nn.operators import apply_weight, is_plain, prepared, turned, weight_gradient


def channels_last(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape).to(dtype).contiguous(memory_format=torch.channels_last)


TYPES = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 2e-2}


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_prepared_weight_gives_the_same_map(dtype: torch.dtype, kernel: int) -> None:
    weight = channels_last(6, 4, kernel, kernel, dtype=dtype)
    conv = prepared(weight, (9, 7))
    for shape in ((2, 4, 9, 7), (3, 4, 5, 8)):  # the size it was prepared for, and another
        rows = channels_last(*shape, dtype=dtype)
        exact = F.conv2d(rows.double(), weight.double(), padding=kernel // 2)
        torch.testing.assert_close(conv(rows).double(), exact, rtol=TYPES[dtype], atol=10 * TYPES[dtype])


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_turned_weight_takes_gradients_down(dtype: torch.dtype, kernel: int) -> None:
    weight = channels_last(6, 4, kernel, kernel, dtype=dtype)
    rows = channels_last(2, 4, 9, 7, dtype=dtype).double().requires_grad_()
    gradient = channels_last(2, 6, 9, 7, dtype=dtype)
    (exact,) = torch.autograd.grad(F.conv2d(rows, weight.double(), padding=kernel // 2), [rows], gradient.double())
    down = prepared(turned(weight), (9, 7))(gradient)
    torch.testing.assert_close(down.double(), exact, rtol=TYPES[dtype], atol=10 * TYPES[dtype])


def test_a_linear_map_is_turned_too() -> None:
    weight, gradient = torch.randn(3, 5), torch.randn(2, 3)
    torch.testing.assert_close(prepared(turned(weight), ())(gradient), gradient @ weight)


def test_the_portable_form_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    weight, rows = channels_last(6, 4, 3, 3), channels_last(2, 4, 9, 7)
    fast = prepared(weight, (9, 7))(rows)
    monkeypatch.setattr(operators, "has_onednn", lambda dtype: False)
    torch.testing.assert_close(prepared(weight, (9, 7))(rows), fast)
    torch.testing.assert_close(apply_weight(rows, weight), fast)


PLAIN = [nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(2, 3, 5, 2, 2), nn.Linear(2, 3)]
OTHER = [
    nn.Conv2d(2, 3, 3),
    nn.Conv2d(2, 2, 3, padding=1, groups=2),
    nn.Conv2d(2, 3, 3, padding=2, dilation=2),
    nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"),
    nn.Conv2d(2, 3, (3, 1), padding=(1, 0)),
    nn.Identity(),
]


@pytest.mark.parametrize("operator", PLAIN, ids=str)
def test_what_the_fast_path_knows(operator: nn.Module) -> None:
    assert is_plain(operator)


@pytest.mark.parametrize("operator", OTHER, ids=str)
def test_others_take_the_plain_way(operator: nn.Module) -> None:
    """A caller's own operator is called, not imitated; a closed switch stops its gradient all the same."""
    assert not is_plain(operator)
    rows = torch.randn(4, 2, 6, 6, requires_grad=True)
    mapped = convolve(operator, rows, torch.tensor([1.0, 0.0, 2.0, 1.0]))
    assert torch.equal(mapped, operator(rows))
    (gradient,) = torch.autograd.grad(mapped.sum(), [rows])
    (whole,) = torch.autograd.grad(operator(rows).sum(), [rows])
    torch.testing.assert_close(gradient, whole * torch.tensor([1.0, 0.0, 2.0, 1.0]).reshape(4, 1, 1, 1))


@pytest.mark.parametrize("factors", [[1, 1, 0, 0, 3, 3], [0, 1, 0, 2, 1, 0], [0] * 6, [1] * 6, [0.5] * 6], ids=str)
@pytest.mark.parametrize("stride", [1, 2])
def test_closed_rows_get_no_gradient(factors: list[float], stride: int) -> None:
    """In stretches of rows, and row by row."""
    operator = nn.Conv2d(2, 3, 3, stride, 1).double()
    rows = torch.randn(6, 2, 8, 6, dtype=torch.float64, requires_grad=True)
    factor = torch.tensor(factors)
    inputs = [rows, operator.weight, operator.bias]
    fast = torch.autograd.grad(convolve(operator, rows, factor).square().sum(), inputs)  # pyright: ignore[reportArgumentType]
    slow = torch.autograd.grad(operator(rows).square().sum(), inputs)  # pyright: ignore[reportArgumentType]
    torch.testing.assert_close(fast[0], slow[0] * factor.reshape(-1, 1, 1, 1))
    torch.testing.assert_close(fast[1:], slow[1:])


@pytest.mark.parametrize("channels", [3, 4, 6, 8])
@pytest.mark.parametrize("stride", [2, 3])
def test_the_gradient_of_a_strided_pointwise_weight_is_autograds(channels: int, stride: int) -> None:
    torch.manual_seed(0)
    rows, weight = torch.randn(5, channels, 8, 7).double(), torch.randn(9, channels, 1, 1).double().requires_grad_()
    out = F.conv2d(rows, weight, stride=stride)
    gradient = torch.randn_like(out)
    (wanted,) = torch.autograd.grad(out, weight, gradient)
    torch.testing.assert_close(weight_gradient(gradient, rows, weight.detach(), stride), wanted)
