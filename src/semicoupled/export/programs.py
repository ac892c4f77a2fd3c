"""From a module to a torch.export program, with axes as free as the network lets them be."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from semicoupled.errors import RunError
from semicoupled.export.axes import Axis, AxisName, Shape, find_shapes
from semicoupled.export.parity import Runner, check
from semicoupled.steps import Sizes, StepProgram, Tensors

FREEDOMS: tuple[tuple[AxisName, ...], ...] = (("batch", "height", "width"), ("batch",), ())
"""Axes that are tried to be left free, from the most."""


class Made(NamedTuple):
    """A program, and how it may be called.

    Attributes:
        program: the program.
        given: shapes of inputs and state.
        back: shapes of outputs and new state.
        dynamic: the axes that are free.
        fixed_because: why the others are not, or None.
        tried: sizes at which it agrees with the model.
        difference: the largest relative difference there.
    """

    program: ExportedProgram
    given: list[Shape]
    back: list[Shape]
    dynamic: tuple[AxisName, ...]
    fixed_because: str | None
    tried: list[Sizes]
    difference: float


class _Positional(nn.Module):
    """One argument a tensor, whatever the module calls them."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *tensors: Tensor) -> Tensors:
        return self.module(*tensors)


def make(
    step: StepProgram, reference: StepProgram, size: tuple[int, int], also: Callable[[Made], object] | None = None
) -> Made:
    """Export one step, with as many axes free as agree with the model when they vary.

    Args:
        step: what is exported.
        reference: what it must agree with: the same step of the model as it was trained.
        size: height and width of the frames, px.
        also: what else must succeed, such as its ONNX form; if it raises, fewer axes are left free.

    Raises:
        RunError: it cannot be exported even for one size, or differs from the model.
    """
    reasons: list[str] = []
    for dynamic in FREEDOMS:
        try:
            made = _make(step, reference, size, dynamic)
            if also is not None:
                also(made)
        except Exception as error:  # torch raises all kinds; every one of them is reported
            reasons.append(f"with free {', '.join(dynamic) or 'nothing'}: {_first_line(error)}")
            if not dynamic:
                raise RunError(f"program {step.name!r} cannot be exported. {'. '.join(reasons)}") from error
        else:
            return made._replace(fixed_because=". ".join(reasons) or None)
    raise AssertionError  # the last round returns or raises


def save(program: ExportedProgram, file: Path) -> None:
    """Write a program as ``.pt2``."""
    with quiet():
        torch.export.save(program, file)


def load_runner(source: Path | io.BytesIO) -> Runner:
    """Give the program of a ``.pt2`` file, ready to run."""
    with quiet():
        module = torch.export.load(source).module()
    return lambda tensors: module(*tensors)


@contextmanager
def quiet() -> Generator[None]:
    """Keep torch's remarks to its own developers from the terminal; what goes wrong is raised all the same."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _make(step: StepProgram, reference: StepProgram, size: tuple[int, int], dynamic: tuple[AxisName, ...]) -> Made:
    own = Sizes(1, *size)
    free_size = "height" in dynamic
    # an axis of length 1 would be taken for fixed, two of the same length for the same
    large = Sizes(2, max(size[0], 130) + 2, max(size[1], 170) + 5)
    traced = large if free_size else own._replace(batch=2 if dynamic else 1)
    # cloned, because a tensor that is given twice, as two states that begin alike, would become one input
    arguments = tuple(tensor.clone() for tensor in (*step.example(traced), *step.start(traced)))
    with torch.no_grad(), quiet():
        given = find_shapes(lambda sizes: (*step.example(sizes), *step.start(sizes)), own, dynamic)
        back = find_shapes(lambda sizes: step.module(*step.example(sizes), *step.start(sizes)), own, dynamic)
        free = tuple({at: Dim.AUTO for at, axis in enumerate(shape) if isinstance(axis, Axis)} for shape in given)
        program = torch.export.export(_Positional(step.module), arguments, dynamic_shapes=(free,), strict=False)
        program.example_inputs = None  # they would be stored, too
        _drop_unused(program)
        for node in program.graph.nodes:
            node.meta.pop("stack_trace", None)  # names the folders of this machine
    tried = [own, *([own._replace(batch=3)] if dynamic else [])]
    if free_size:
        tried.append(Sizes(2, size[0] + 5, size[1] + 14))
    with io.BytesIO() as file:
        with quiet():
            torch.export.save(program, file)
        file.seek(0)
        difference = check(reference, "the torch.export program", load_runner(file), tried)
    return Made(program, given, back, dynamic, None, tried, difference)


def _drop_unused(program: ExportedProgram) -> None:
    """Take out what has no influence on the outputs: operations, and the weights of the model's other parts."""
    program.graph.eliminate_dead_code()
    specs = program.graph_signature.input_specs
    inputs = [node for node in program.graph.nodes if node.op == "placeholder"]
    for node, spec in list(zip(inputs, specs, strict=True)):
        if spec.target is not None and not node.users:  # it stands for a weight, a buffer or a constant
            program.graph.erase_node(node)
            specs.remove(spec)
            program.state_dict.pop(spec.target, None)
            program.constants.pop(spec.target, None)
    program.graph_module.recompile()


def _first_line(error: Exception) -> str:
    lines: Sequence[str] = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
