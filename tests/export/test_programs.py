"""Programs, their axes and their comparison, on modules made to fail."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from semicoupled.errors import RunError, ShapeError
from semicoupled.export.axes import Axis, find_shapes
from semicoupled.export.parity import check, largest_difference, relative
from semicoupled.export.programs import load_runner, make, save
from semicoupled.steps import Sizes, StepProgram


class Sum(nn.Module):
    """Adds the frame to the state."""

    def forward(self, frame: Tensor, total: Tensor) -> tuple[Tensor, ...]:
        total = total + frame
        return total.mean((1, 2, 3)), total


class OneSize(nn.Module):
    """A fully connected map, which knows one size of frames."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(6 * 8, 3)

    def forward(self, frame: Tensor, total: Tensor) -> tuple[Tensor, ...]:
        total = total + frame
        return self.map(total.flatten(1)), total


class Undecided(nn.Module):
    """Does what depends on the values of the frame, which no program can say."""

    def forward(self, frame: Tensor, total: Tensor) -> tuple[Tensor, ...]:
        total = total + frame if frame.sum() > 0 else total
        return total.mean((1, 2, 3)), total


def step_of(module: nn.Module) -> StepProgram:
    def frames(value: Callable[..., Tensor]) -> Callable[[Sizes], tuple[Tensor, ...]]:
        return lambda sizes: (value(sizes.batch, 1, sizes.height, sizes.width),)

    return StepProgram("step", module, {"frame": ""}, {"mean": ""}, ("total",), frames(torch.rand), frames(torch.zeros))


def test_axes_are_left_free() -> None:
    made = make(step_of(Sum()), step_of(Sum()), (6, 8))
    assert made.dynamic == ("batch", "height", "width")
    assert made.fixed_because is None
    assert made.given[0] == (Axis("batch"), 1, Axis("height"), Axis("width"))
    assert made.back[0] == (Axis("batch"),)
    assert Sizes(1, 6, 8) in made.tried
    assert len({sizes.height for sizes in made.tried}) > 1


class Part(nn.Module):
    """Uses one of the two maps that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.other = nn.Conv2d(1, 1, 1), nn.Linear(300, 300)
        self.register_buffer("unused", torch.zeros(7))

    def forward(self, frame: Tensor, total: Tensor) -> tuple[Tensor, ...]:
        total = total + self.used(frame)
        return total.mean((1, 2, 3)), total


def test_a_program_holds_the_weights_that_it_uses(tmp_path: Path) -> None:
    module = Part()
    made = make(step_of(module), step_of(module), (6, 8))
    assert {name.removeprefix("module.") for name in made.program.state_dict} == {"used.weight", "used.bias"}
    save(made.program, tmp_path / "step.pt2")
    assert (tmp_path / "step.pt2").stat().st_size < 4 * 300 * 300
    tensors = (torch.rand(3, 1, 9, 11), torch.zeros(3, 1, 9, 11))
    for given, wanted in zip(load_runner(tmp_path / "step.pt2")(tensors), module(*tensors), strict=True):
        torch.testing.assert_close(given, wanted)
    assert module.other.weight.numel() == 300 * 300  # the model keeps its own


def test_a_network_that_takes_one_size_keeps_it_and_says_why() -> None:
    module = OneSize()
    made = make(step_of(module), step_of(module), (6, 8))
    assert made.dynamic == ("batch",)
    assert made.given[0] == (Axis("batch"), 1, 6, 8)
    assert made.fixed_because is not None
    assert re.search(r"with free batch, height, width: RuntimeError: .*mat1 and mat2", made.fixed_because)
    assert {sizes.batch for sizes in made.tried} == {1, 3}


def test_what_cannot_be_exported_fails_with_a_sentence() -> None:
    with pytest.raises(
        RunError, match=r"program 'step' cannot be exported\. with free batch, height, width: .*\. with"
    ):
        make(step_of(Undecided()), step_of(Undecided()), (6, 8))


def test_a_program_of_another_model_is_found_out() -> None:
    torch.manual_seed(1)
    with pytest.raises(RunError, match="differs from the model by"):
        make(step_of(OneSize()), step_of(OneSize()), (6, 8))


def test_the_state_is_fed_back_when_programs_are_compared() -> None:
    step = step_of(Sum())

    def forgets(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        answer, total = step.module(*tensors)
        return answer, 0.999 * total

    difference = largest_difference(step, forgets, Sizes(1, 6, 8))
    assert difference > 0.002  # one frame alone gives .001
    with pytest.raises(RunError, match=r"onnxruntime differs from the model by .* 6 x 8 px in a batch of 1; expected"):
        check(step, "onnxruntime", forgets, [Sizes(1, 6, 8)])
    assert check(step, "itself", lambda tensors: step.module(*tensors), [Sizes(2, 6, 8)]) == 0.0


def test_differences_are_relative_and_missing_values_must_be_the_same() -> None:
    wanted = torch.tensor([100.0, math.nan, 0.0])
    assert relative(wanted, torch.tensor([101.0, math.nan, 0.0])) == pytest.approx(0.01)
    assert relative(wanted, torch.tensor([100.0, 0.0, 0.0])) == math.inf
    assert relative(wanted, torch.tensor([100.0])) == math.inf
    assert relative(torch.zeros(2), torch.tensor([0.0, 0.5])) == 0.5


def test_axes_are_found_by_trying() -> None:
    base = Sizes(2, 9, 11)
    shapes = find_shapes(
        lambda s: (torch.zeros(s.batch, 7, -(-s.height // 4), s.width),), base, ("batch", "height", "width")
    )
    assert shapes == [(Axis("batch"), 7, Axis("height", 4), Axis("width"))]
    assert [str(axis) for axis in shapes[0]] == ["batch", "7", "height/4", "width"]
    assert Axis("height", 4).length(base) == 3
    with pytest.raises(ShapeError, match=r"an axis is 18, 20, .* long for frames of 9 x 11, 10 x 11"):
        find_shapes(lambda s: (torch.zeros(2 * s.height),), base, ("height",))
