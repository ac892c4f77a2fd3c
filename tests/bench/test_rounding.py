"""In the precision that is timed the fast path may round otherwise, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from semicoupled.bench import presets, speed, streaming
from semicoupled.bench.candidates import DTYPES, PRECISIONS, Precision
from semicoupled.bench.equality import perturb_statistics
from semicoupled.bench.presets import Preset
from semicoupled.bench.rounding import DRAWS, check_precisions, check_stream, compare_rounding
from semicoupled.cli.main import main
from semicoupled.errors import EqualityError
from semicoupled.nn import SemiCoupledStack, convolution, onednn, recurrence
from semicoupled.nn.norm import Norm
from semicoupled.nn.streams import STREAMS
from semicoupled.training.stsgd import STSGD

CPU = torch.device("cpu")
TINY = Preset("tiny", lambda norm: SemiCoupledStack(3, [8, 8, 8], norm=norm), 3, 9, 3)


def frames() -> Tensor:
    return torch.randn(2, 3, 3, 9, 7)


def spoil_prepared(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, factor: float) -> None:
    """Make the prepared weight of the recurrence wrong in one precision alone."""
    right = recurrence.prepared

    def prepared(weight: Tensor, size: Any) -> Callable[[Tensor], Tensor]:
        conv = right(weight, size)
        return (lambda rows: conv(rows) * factor) if weight.dtype == dtype else conv

    monkeypatch.setattr(recurrence, "prepared", prepared)


@pytest.mark.parametrize("norm", ["none", "batch", "group"])
def test_a_right_stack_passes(norm: Norm) -> None:
    stack = SemiCoupledStack(3, [8, 8, 8], norm=norm)
    perturb_statistics(stack)
    assert 0 < check_precisions(stack, frames, streams=STREAMS) < 1
    switch = None if norm == "batch" else STSGD(stack, start=0.5, schedule="constant").draw(0)
    assert 0 < check_precisions(stack, frames, streams=("main",), switch=switch) < 1
    assert stack.training


def test_a_right_linear_cell_passes() -> None:
    stack = SemiCoupledStack(3, [8, 8], norm="none", cell="linear")
    assert 0 < check_precisions(stack, frames, streams=("main",)) < 1


@pytest.mark.parametrize(("precision", "factor"), [("float32", 1.0001), ("bf16", 1.3)])
def test_a_wrong_prepared_weight_is_refused(
    precision: Precision, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the comparison in float64 cannot see."""
    spoil_prepared(monkeypatch, DTYPES[precision], factor)
    drawn: list[Tensor] = []

    def draw() -> Tensor:
        drawn.append(frames())
        return drawn[-1]

    with pytest.raises(EqualityError, match=rf"in {precision} training .* expected at most .* No speed is printed"):
        _ = check_precisions(SemiCoupledStack(3, [8, 8, 8], norm="none"), draw, streams=("main",))
    assert len(drawn) == DRAWS
    with pytest.raises(EqualityError, match=f"in {precision} training"):
        speed.check(TINY, CPU)


def test_the_command_prints_no_speed_of_a_wrong_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(presets, "PRESETS", {"tiny": TINY})
    spoil_prepared(monkeypatch, torch.float32, 1.01)
    assert main(["bench", "speed", "--quick"]) != 0
    printed = capsys.readouterr()
    assert "No speed is printed" in printed.err
    assert "speedup" not in printed.out


def test_growth_is_compared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = speed.Machine(CPU, {"bf16": 1e12, "float32": 5e11})
    spoil_prepared(monkeypatch, torch.float32, 1.01)
    with pytest.raises(EqualityError, match="in float32 training"):
        _ = speed.time_growth(machine, "float32", 2, 9)


def test_a_wrong_gradient_is_refused_and_inference_alone_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    right = recurrence.turned

    def turned(weight: Tensor) -> Tensor:
        return right(weight) * (1 if weight.dtype == torch.float64 else 1.001)

    monkeypatch.setattr(recurrence, "turned", turned)
    stack = SemiCoupledStack(3, [8, 8, 8], norm="none")
    with pytest.raises(EqualityError, match=r"in float32 training the gradient of layers\.\d\.\S+ of the timed path"):
        _ = check_precisions(stack, frames, streams=("main",), precisions=("float32",))
    _ = check_precisions(stack, frames, streams=("main",), precisions=("float32",), modes=("inference",))


def test_a_switch_that_does_not_close_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    right = convolution.convolve

    def open_always(operator: nn.Module, rows: Tensor, factor: Tensor | None = None) -> Tensor:
        del factor
        return right(operator, rows)

    from semicoupled.nn import layer

    stack = SemiCoupledStack(3, [8, 8, 8], norm="none")
    switch = STSGD(stack, start=0.5, schedule="constant").draw(0)
    monkeypatch.setattr(layer, "convolve", open_always)
    with pytest.raises(EqualityError, match=r"in bf16 training the gradient of layers\.0"):
        _ = check_precisions(stack, frames, streams=("main",), switch=switch)


def test_what_is_allowed_follows_the_reference() -> None:
    exact = {"a": torch.ones(100, dtype=torch.float64), "b": torch.ones(100, dtype=torch.float64)}

    def off(by: float) -> dict[str, Tensor]:
        return {name: value + by for name, value in exact.items()}

    assert compare_rounding("bf16 training", off(0.02), off(0.01), exact) == pytest.approx(0.5)
    with pytest.raises(EqualityError, match=r"a of the timed path is 5\.0e-02 of its size off .* at most 4\.0e-02"):
        _ = compare_rounding("bf16 training", off(0.05), off(0.01), exact)
    with pytest.raises(EqualityError, match="a of the timed path is nan"):
        _ = compare_rounding("bf16 training", off(float("nan")), off(0.01), exact)
    # a tensor that is right by luck is allowed what is typical
    lucky = {"a": exact["a"], "b": exact["b"] + 0.02}
    assert compare_rounding("bf16 training", off(0.02), lucky, exact) == pytest.approx(0.5)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_stream_must_give_what_the_clip_gives(precision: Precision) -> None:
    stack = SemiCoupledStack(3, [8, 8]).eval()
    perturb_statistics(stack)
    clip = lambda net, frames: net(frames).main  # noqa: E731
    packed = streaming.pack(stack, (9, 7), dtype=DTYPES[precision])
    with torch.no_grad():
        assert 0 < check_stream(stack, clip, packed.step, frames(), precision) < 1
        with pytest.raises(EqualityError, match=f"in {precision} streaming the stream of frames"):
            _ = check_stream(stack, clip, lambda frame, state: packed.step(frame, None), frames(), precision)


def test_each_precision_of_a_stream_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """bf16 has a layout of its own."""
    if not onednn.has_onednn(torch.bfloat16):
        pytest.skip("this processor has no bf16 convolutions of oneDNN")
    right = onednn.OneDNNConvolution.__call__

    def wrong(self: onednn.OneDNNConvolution, rows: Tensor) -> Tensor:
        return right(self, rows) * (1.5 if rows.dtype == torch.bfloat16 else 1)

    monkeypatch.setattr(onednn.OneDNNConvolution, "__call__", wrong)
    smallest: Iterator[streaming.Streamed] = streaming.streamed_presets()
    with pytest.raises(EqualityError, match="in bf16 streaming"):
        _ = streaming.time_streaming(next(smallest), "bf16")
