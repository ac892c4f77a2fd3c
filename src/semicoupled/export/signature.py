"""signature.json: everything that a user of an exported program must know, for programs and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from semicoupled import __version__
from semicoupled.description import Json
from semicoupled.errors import ShapeError
from semicoupled.export.axes import Axis, Shape
from semicoupled.export.programs import Made
from semicoupled.run_folder import LoadedRun
from semicoupled.settings_file import to_plain
from semicoupled.steps import StepProgram, Steps

FORMAT = 1
KIND = "semicoupled export"


class Measured(NamedTuple):
    """What one way to run a program costs, at the size of the frames that it was trained on, one sample.

    Attributes:
        runtime: ``torch`` (the model itself), ``torch.export`` or ``onnxruntime``.
        weights: how the weights are stored.
        difference: the largest relative difference from the model.
        milliseconds: median of a step.
        bytes: of the file; None for the model itself.
    """

    runtime: str
    weights: str
    difference: float
    milliseconds: float
    bytes: int | None


def signature(
    run: LoadedRun,
    steps: Steps,
    size: tuple[int, int],
    made: Mapping[str, Made],
    measured: Mapping[str, Sequence[Measured]],
    files: Sequence[str],
) -> dict[str, Json]:
    """Give the content of ``signature.json``.

    Args:
        run: whose model it is.
        steps: its programs.
        size: height and width at which was measured, px.
        made: how each program may be called.
        measured: what each costs.
        files: names of the files.

    Raises:
        ShapeError: a state begins with several values, and nothing says where they come from.
    """
    return {
        "format": FORMAT,
        "kind": KIND,
        "semicoupled": __version__,
        "torch": torch.__version__,
        "task": run.task.name,
        "about": steps.about,
        "programs": {step.name: _program(step, made[step.name], measured[step.name]) for step in steps.programs},
        "measured_at": {"batch": 1, "height": size[0], "width": size[1], "threads": torch.get_num_threads()},
        "files": list(files),
        "settings": to_plain(run.settings),
        "description": run.description,
    }


def _program(step: StepProgram, made: Made, measured: Sequence[Measured]) -> dict[str, Json]:
    count = len(step.inputs)
    starts = step.start(made.tried[0])
    return {
        "inputs": [
            {"name": name, "dtype": "float32", "shape": _shape(shape), "meaning": meaning}
            for (name, meaning), shape in zip(step.inputs.items(), made.given, strict=False)
        ],
        "state": [
            {
                "name": name,
                "next": f"next_{name}",
                "dtype": "float32",
                "shape": _shape(shape),
                "initial": step.initial[name] if name in step.initial else _constant(name, start),
            }
            for name, shape, start in zip(step.state, made.given[count:], starts, strict=True)
        ],
        "outputs": [
            {"name": name, "dtype": "float32", "shape": _shape(shape), "meaning": meaning}
            for (name, meaning), shape in zip(step.outputs.items(), made.back, strict=False)
        ],
        "dynamic": list(made.dynamic),
        "fixed_because": made.fixed_because,
        "compared_at": [sizes._asdict() for sizes in made.tried],
        "measured": [row._asdict() for row in measured],
    }


def _shape(shape: Shape) -> list[Json]:
    return [{"axis": axis.name, "divided_by": axis.divided_by} if isinstance(axis, Axis) else axis for axis in shape]


def _constant(name: str, start: torch.Tensor) -> float:
    """The one value of a state before the first frame."""
    value = start.flatten()[0].item()
    if not bool((start == value).all()):
        raise ShapeError(
            f"state {name!r}: expected one value everywhere before the first frame, or a sentence in `initial` of its "
            "program that says where it comes from"
        )
    return value
