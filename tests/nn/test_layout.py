"""Images stay channels last from the first layer to the last, forward and backward: nothing is laid out anew between.

The two ends are the exception: frames come as B T C H W and are laid out once, and so is the gradient of the features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from semicoupled.networks.cnn_lstm import CNNLSTM
from semicoupled.networks.predrnn import PredRNN
from semicoupled.nn import CBMStack, FixedSwitching, SemiCoupledStack, convgru, convlstm, fold_norms, pack

STREAMS = ("main", "spatial", "temporal")
WIDTHS = [4, 6, 8, 8, 8]
STRIDES = [1, 1, 2, 1, 1]
HEAVY = ("convolution", "batch_norm", "group_norm", "max_pool2d")
COPIES = ("clone", "_to_copy", "copy_")


class Layouts(TorchDispatchMode):
    """Watches all operations: heavy ones must see images channels last, and copies must not change the layout.

    Attributes:
        calls: number of heavy operations.
        offenders: heavy operations with an image in another layout.
        conversions: shapes of the images that were laid out anew.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.offenders: list[str] = []
        self.conversions: list[tuple[int, ...]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        outcome = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if any(heavy in name for heavy in HEAVY):
            self.calls += 1
            for image in (*images(args), *images(outcome)):
                if not channels_last(image):
                    self.offenders.append(f"{name}: shape {tuple(image.shape)}, strides {image.stride()}")
        elif name in COPIES:
            source, target = (args[1], args[0]) if name == "copy_" else (args[0], outcome)
            if isinstance(source, Tensor) and source.dim() == 4 and channels_last(source) != channels_last(target):
                self.conversions.append(tuple(target.shape))
        return outcome


def images(given: Any) -> Iterable[Tensor]:
    given = given if isinstance(given, tuple | list) else (given,)
    return (t for t in given if isinstance(t, Tensor) and t.dim() == 4 and t.is_floating_point() and not t.is_mkldnn)


def channels_last(image: Tensor) -> bool:
    return image.is_contiguous(memory_format=torch.channels_last)


def watch(action: Callable[[], object]) -> Layouts:
    with Layouts() as layouts:
        _ = action()
    assert layouts.calls > 0
    assert layouts.offenders == []
    return layouts


def switching(frames: int) -> FixedSwitching:
    open_frames = torch.arange(frames) % 2 == 0
    return FixedSwitching({(branch, layer): open_frames for branch in ("spatial", "temporal") for layer in range(1, 5)})  # pyright: ignore[reportArgumentType]


def stack(**options: Any) -> SemiCoupledStack:
    return SemiCoupledStack(3, WIDTHS, strides=STRIDES, **options)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"norm": "joint"},
    {"norm": "group"},
    {"norm": "none"},
    {"pool_first": True, "kernel_size": [7, 3, 3, 3, 3], "temporal_kernel_size": 3},
    {"shortcut_every": None, "activation": "tanh"},
    {"cell": "lstm"},
    {"cell": "gru"},
    {"cell": "linear"},
    {"checkpointing": True},
]


@pytest.mark.parametrize(
    ("bf16", "switched"),
    [(False, True), (True, False), *(pytest.param(same, same, marks=pytest.mark.slow) for same in (False, True))],
)
@pytest.mark.parametrize("streams", [("main",), STREAMS])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_forward_and_backward(options: dict[str, Any], streams: tuple[Any, ...], bf16: bool, switched: bool) -> None:
    network, clip = stack(**options).train(), torch.randn(2, 5, 3, 16, 12)
    shared = int("temporal" in streams)  # the first layer runs once

    def train() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            out = network(clip, streams=streams, switch=switching(5) if switched else None)
            features = [getattr(out, stream) for stream in streams]
        torch.stack([u.float().mean((3, 4)).square().sum() for u in features]).sum().backward()

    conversions = watch(train).conversions
    # weights have neither 2 nor 10 rows: the gradient of one may be laid out anew, which costs next to nothing
    clips = [shape for shape in conversions if shape[0] == 10]
    assert clips == [(10, 3, 16, 12)] + [(10, 8, *network.output_size((16, 12)))] * len(streams)
    # autograd fills in zeros for the gradient of an LSTM's last output gate: one frame in each layer
    single = [shape for shape in conversions if shape[0] == 2]
    assert len(single) == (
        0 if options.get("cell") != "lstm" else network.depth * len({*streams} - {"spatial"}) - shared
    )


RIVALS: list[Any] = [
    pytest.param(lambda: CBMStack(3, WIDTHS, strides=STRIDES), id="cbm"),
    pytest.param(lambda: convlstm(3, WIDTHS, strides=STRIDES, norm="batch", shortcut_every=2), id="convlstm"),
    pytest.param(lambda: convgru(3, WIDTHS, strides=STRIDES, norm="batch", shortcut_every=2), id="convgru"),
    pytest.param(lambda: PredRNN(3, [8] * 5, norm="group", shortcut_every=2), id="predrnn"),
    pytest.param(lambda: CNNLSTM(3, WIDTHS, strides=STRIDES), id="cnn_lstm"),
]


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("build", RIVALS)
def test_rivals(build: Any, bf16: bool) -> None:
    network, clip = build().train(), torch.randn(2, 5, 3, 16, 12)

    def train() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            out = network(clip)
        out.main.float().mean((3, 4)).square().sum().backward()

    assert len([shape for shape in watch(train).conversions if shape[0] in (2, 10)]) <= 2  # the others are weights


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "linear"])
@pytest.mark.parametrize("folded", [False, True])
def test_step(folded: bool, cell: Any, bf16: bool) -> None:
    """One conversion a frame, or none where the frame comes channels last."""
    network = stack(cell=cell, pool_first=True).eval()
    network = fold_norms(network) if folded else network
    check_steps(network, bf16)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_packed(dtype: torch.dtype) -> None:
    check_steps(pack(stack(pool_first=True).eval(), (16, 12), dtype=dtype), bf16=False)


def check_steps(stepping: Any, bf16: bool) -> None:
    frame = torch.randn(1, 3, 16, 12)

    def steps(frame: Tensor) -> Callable[[], None]:
        def run() -> None:
            state = None
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                for _ in range(3):
                    features, state = stepping.step(frame, state)
                    assert channels_last(features)
                    assert all(channels_last(tensor) for cell in state.main for tensor in cell)

        return run

    assert watch(steps(frame)).conversions == [(1, 3, 16, 12)] * 3
    assert watch(steps(frame.contiguous(memory_format=torch.channels_last))).conversions == []


def test_the_watch_sees() -> None:
    """An offender and a conversion made on purpose."""
    image = torch.randn(2, 3, 8, 8)
    with Layouts() as layouts:
        _ = torch.conv2d(image, torch.randn(4, 3, 3, 3))
        _ = image.contiguous(memory_format=torch.channels_last)
    assert any("shape (2, 3, 8, 8)" in offender for offender in layouts.offenders)
    assert layouts.conversions == [(2, 3, 8, 8)]
