"""PredRNN against its equations written as loops: outputs, state and every gradient, in float64."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from semicoupled.errors import ShapeError
from semicoupled.networks.predrnn import PredRNN, STLSTMLayer
from semicoupled.nn import FixedSwitching, StackState, convlstm, detach, fold_norms
from semicoupled.nn.state_layout import StateLayout

TOLERANCE = {"rtol": 1e-9, "atol": 1e-11}
GATES = ("i", "f", "g", "o", "i_memory", "f_memory", "g_memory")


class Slow(NamedTuple):
    """What the loops give: the top layer's features at every step, and H, C of every layer and M at the end."""

    features: list[Tensor]
    hidden: list[Tensor]
    cells: list[Tensor]
    memory: Tensor


def conv(weight: Tensor, rows: Tensor, stride: int = 1, bias: Tensor | None = None) -> Tensor:
    return F.conv2d(rows, weight, bias, stride, weight.shape[-1] // 2)


def gate_weights(layer: Any) -> dict[str, Any]:
    """The weights of single gates, by the names that the paper's equations give them."""
    width = layer.out_channels
    taken: dict[str, Any] = {}
    for index, gate in enumerate(GATES):
        rows = slice(index * width, (index + 1) * width)
        taken["x", gate], taken["b", gate] = layer.input.weight[rows], layer.input.bias[rows]
        if index < 4:
            taken["h", gate] = layer.recurrent.weight[rows]
        else:
            taken["m", gate] = layer.memory.weight[(index - 4) * width : (index - 3) * width]
    taken["co"], taken["mo"] = layer.output.weight[:, :width], layer.output.weight[:, width:]
    taken["1x1"] = layer.mixture.weight
    return taken


def slow(network: Any, frames: Tensor, *, shortcuts: bool = False) -> Slow:
    """Wang et al. 2017, Sec. 3.2, one gate a line; shortcuts span two layers."""
    batch, _, _, height, width = frames.shape
    first = network.layers[0].input.stride[0]
    shape = (batch, network.out_channels, -(-height // first), -(-width // first))
    hidden = [frames.new_zeros(shape) for _ in network.layers]
    cells = [frames.new_zeros(shape) for _ in network.layers]
    memory = frames.new_zeros(shape)
    features: list[Tensor] = []
    for t in range(frames.shape[1]):
        x = frames[:, t]
        before = x
        for index, layer in enumerate(network.layers):
            w = gate_weights(layer)
            before = x if index % 2 else before
            h, c, m = hidden[index], cells[index], memory
            given = {gate: conv(w["x", gate], x, layer.input.stride[0], w["b", gate]) for gate in GATES}
            i = torch.sigmoid(given["i"] + conv(w["h", "i"], h))
            f = torch.sigmoid(given["f"] + conv(w["h", "f"], h))
            g = torch.tanh(given["g"] + conv(w["h", "g"], h))
            c = f * c + i * g
            i_memory = torch.sigmoid(given["i_memory"] + conv(w["m", "i_memory"], m))
            f_memory = torch.sigmoid(given["f_memory"] + conv(w["m", "f_memory"], m))
            g_memory = torch.tanh(given["g_memory"] + conv(w["m", "g_memory"], m))
            m = f_memory * m + i_memory * g_memory
            o = torch.sigmoid(given["o"] + conv(w["h", "o"], h) + conv(w["co"], c) + conv(w["mo"], m))
            h = o * torch.tanh(conv(w["1x1"], torch.cat([c, m], 1)))
            hidden[index], cells[index], memory = h, c, m
            x = h + before if shortcuts and index in (2, 4) else h
        features.append(x)
    return Slow(features, hidden, cells, memory)


def make(frames: int, size: tuple[int, int] = (7, 5), depth: int = 3, **options: Any) -> tuple[PredRNN, Tensor]:
    """A small network whose biases are not zero, and a clip that goes with it."""
    torch.manual_seed(0)
    network = PredRNN(3, [4] * depth, **options).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network, torch.randn(2, frames, 3, *size, dtype=torch.float64)


def loss(features: Tensor, *state: Tensor) -> Tensor:
    """A loss in which every entry counts differently."""
    generator = torch.Generator().manual_seed(1)
    return torch.stack(
        [(torch.randn(t.shape, generator=generator, dtype=t.dtype) * t).sum() for t in (features, *state)]
    ).sum()


@pytest.mark.parametrize("frames", [1, 2, 7])
@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((7, 5), {}),
        ((1, 1), {}),
        ((9, 4), {"strides": [2, 1, 1], "kernel_size": 5}),
        ((7, 5), {"shortcut_every": 2, "depth": 5}),
        ((7, 5), {"depth": 1}),
    ],
    ids=["plain", "one_pixel", "stride", "shortcuts", "one_layer"],
)
def test_equals_the_equations_written_as_loops(frames: int, size: tuple[int, int], options: dict[str, Any]) -> None:
    network, clip = make(frames, size, **options)
    other = copy.deepcopy(network)
    clip.requires_grad_()
    out = network(clip)
    expected = slow(other, clip, shortcuts="shortcut_every" in options)
    torch.testing.assert_close(out.main, torch.stack(expected.features, 1), **TOLERANCE)
    cells = out.state.main
    for index, cell in enumerate(cells):
        torch.testing.assert_close(cell.hidden, expected.hidden[index], **TOLERANCE)
        torch.testing.assert_close(cell.cell, expected.cells[index], **TOLERANCE)
    torch.testing.assert_close(cells[-1].memory, expected.memory, **TOLERANCE)
    state = [tensor for cell in cells for tensor in cell]
    slow_state = [t for pair in zip(expected.hidden, expected.cells, strict=True) for t in pair] + [expected.memory]
    found = torch.autograd.grad(loss(out.main, *state), [clip, *network.parameters()], allow_unused=True)
    wanted = torch.autograd.grad(
        loss(torch.stack(expected.features, 1), *slow_state), [clip, *other.parameters()], allow_unused=True
    )
    names = ["frames", *(name for name, _ in network.named_parameters())]
    for name, one, two in zip(names, found, wanted, strict=True):
        assert one is not None, name
        assert two is not None, name
        torch.testing.assert_close(one, two, msg=lambda text, name=name: f"{name}: {text}", **TOLERANCE)
        if frames > 1:
            assert one.any(), name


@pytest.mark.parametrize("options", [{}, {"norm": "group", "shortcut_every": 2, "strides": [2, 1, 1]}], ids=str)
def test_two_halves_and_single_frames_equal_the_whole(options: dict[str, Any]) -> None:
    network, clip = make(7, (9, 5), **options)
    whole = network(clip, state_at=3)
    first = network(clip[:, :3])
    second = network(clip[:, 3:], first.state)
    torch.testing.assert_close(torch.cat([first.main, second.main], 1), whole.main, **TOLERANCE)
    torch.testing.assert_close(second.state, whole.state, **TOLERANCE)
    torch.testing.assert_close(whole.state_at, first.state, **TOLERANCE)
    state = network.initial_state(2, (9, 5))
    torch.testing.assert_close(network(clip, state_at=0).state_at, state, **TOLERANCE)
    for t in range(7):
        features, state = network.step(clip[:, t], state)
        torch.testing.assert_close(features, whole.main[:, t], **TOLERANCE)
    torch.testing.assert_close(state, whole.state, **TOLERANCE)
    assert network.output_size((9, 5)) == tuple(whole.main.shape[3:])


def test_the_memory_goes_up_through_the_layers_and_then_to_the_bottom_one() -> None:
    """Even where no layer tells itself or the next one anything, the top of one step reaches the bottom of the next."""
    network, clip = make(2)
    with torch.no_grad():
        for layer in network.layers:
            layer.recurrent.weight.zero_()  # pyright: ignore[reportAttributeAccessIssue]
    state = network(clip[:, :1]).state
    top = state.main[-1]
    changed = StackState((*state.main[:-1], top._replace(memory=top.memory + 1)), None)
    features = [network(clip[:, 1:], given, record=("features",)).record for given in (state, changed)]
    assert [entry.layer for entry in features[0]] == [0, 1, 2]
    for before, after in zip(*features, strict=True):
        assert not torch.allclose(before.features, after.features)


def test_no_frame_changes_the_past() -> None:
    network, clip = make(5, norm="group")
    other = clip.clone()
    other[:, 3] += 1
    before, after = network(clip).main, network(other).main
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.equal(before[:, 3], after[:, 3])


def test_records_the_layers_asked_for() -> None:
    network, clip = make(4)
    out = network(clip, record=("features",), record_layers=(0, -1))
    assert [entry.layer for entry in out.record] == [0, 2]
    assert torch.equal(out.record[1].features, out.main)
    assert network(clip, record=("gate",)).record == ()
    with pytest.raises(ShapeError, match="expected numbers from -3 to 2"):
        network(clip, record=("features",), record_layers=(3,))


def test_a_state_of_another_batch_is_refused() -> None:
    network, clip = make(1)
    with pytest.raises(ShapeError, match=r"in this layer, got \(1, .*A state belongs to one batch"):
        network(clip, network(clip[:1]).state)  # it would be broadcast


def test_a_detached_state_cuts_the_graph() -> None:
    network, clip = make(4)
    clip.requires_grad_()
    out = network(clip[:, 2:], detach(network(clip[:, :2]).state))
    (gradient,) = torch.autograd.grad(out.main.sum(), [clip])
    assert not gradient[:, :2].any()
    assert gradient[:, 2:].any()


@pytest.mark.parametrize(("width", "depth", "kernel"), [(4, 1, 3), (6, 3, 3), (5, 2, 5)])
def test_parameter_count(width: int, depth: int, kernel: int) -> None:
    """Seven gates read X, four H, three M, one both; and W_1x1."""
    expected = 0
    for inputs in [3] + [width] * (depth - 1):
        expected += kernel**2 * width * (7 * inputs + 4 * width + 3 * width + 2 * width) + 7 * width + 2 * width**2
    network = PredRNN(3, [width] * depth, kernel_size=kernel)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    recurrent = sum(parameter.numel() for parameter in network.recurrent_parameters())
    assert recurrent == depth * 7 * kernel**2 * width**2


def test_a_state_has_a_name_for_every_tensor() -> None:
    network = PredRNN(3, [4, 4])
    layout = StateLayout.of(network.initial_state(1, (6, 6)))
    assert layout.names == ("layer1_hidden", "layer1_cell", "layer2_hidden", "layer2_cell", "layer2_memory")
    state = network(torch.randn(1, 2, 3, 6, 6)).state
    torch.testing.assert_close(layout.unflatten(layout.flatten(state)), state)


def test_bf16_autocast_stays_near_float32() -> None:
    torch.manual_seed(0)
    network, clip = PredRNN(3, [16] * 3), torch.randn(2, 4, 3, 12, 12)
    exact = network(clip).main
    with torch.autocast("cpu", torch.bfloat16):
        rough = network(clip).main.float()
    rough.square().sum().backward()
    assert (rough - exact).abs().mean() < 0.03 * exact.abs().mean()
    assert all(parameter.grad.dtype == torch.float32 for parameter in network.parameters())


CLIP = torch.zeros(2, 4, 3, 8, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n: n(CLIP, switch=FixedSwitching({})), "no branches to decouple"),
        (lambda n: n(CLIP, streams=("main", "spatial")), "expected one or more of main"),
        (lambda n: n(CLIP, state_at=5), "state_at: expected 0 to 4"),
        (lambda n: n(CLIP[:, :, :2]), r"expected B T C H W with C = 3, got \(2, 4, 2, 8, 8\)"),
        (lambda n: n(CLIP, StackState(None, None)), "expected LSTMState, STLSTMState, got none"),
        (lambda n: n(CLIP, convlstm(3, [4, 4])(CLIP).state), "STLSTMState, got LSTMState, LSTMState. Pass what"),
        (lambda n: n(CLIP, PredRNN(3, [4])(CLIP).state), "expected LSTMState, STLSTMState, got STLSTMState"),
        (lambda n: PredRNN(3, [4, 4], norm="batch"), "norm: expected 'group' or 'none', got 'batch'"),
        (lambda n: PredRNN(3, [4, 4], norm="joint"), "norm: expected 'group' or 'none', got 'joint'"),
        (lambda n: PredRNN(3, [4, 4], norm="grup"), "norm: 'grup' is unknown"),
        (lambda n: PredRNN(3, []), "widths: expected the same number of channels"),
        (lambda n: PredRNN(3, [4, 8]), r"as one memory goes through all of them, got \[4, 8\]"),
        (lambda n: PredRNN(3, [4, 4], strides=2), "strides: expected one for each of 2 layers, and 1 above the first"),
        (lambda n: PredRNN(3, [4, 4], strides=[1]), "strides: expected one for each of 2 layers"),
        (lambda n: PredRNN(3, [4, 4], kernel_size=4), "odd number, got 4"),
        (lambda n: fold_norms(PredRNN(3, [4, 4], norm="group").eval()), "statistics from each frame"),
    ],
)
def test_refuses(call: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        call(PredRNN(3, [4, 4]))


def test_one_layer_by_itself() -> None:
    """A forget gate that is open and an input gate that is shut keep both memories as they are."""
    layer = STLSTMLayer(3, 2)
    drive = torch.zeros(1, 14, 4, 4)
    for gate, value in ((0, -50.0), (1, 50.0), (4, -50.0), (5, 50.0)):  # i, f, i', f'
        drive[:, 2 * gate : 2 * gate + 2] = value
    cell, memory = torch.randn(2, 1, 2, 4, 4)
    step = layer.advance(drive, torch.randn(1, 2, 4, 4) / 100, cell, memory)
    torch.testing.assert_close(step.cell, cell)
    torch.testing.assert_close(step.memory, memory)
