"""From a torch.export program to ONNX, and its run by onnxruntime."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from semicoupled.errors import MissingExtraError
from semicoupled.export.axes import Axis, Shape
from semicoupled.export.parity import Runner
from semicoupled.export.programs import Made, quiet
from semicoupled.steps import StepProgram

PACKAGES = ("onnx", "onnxruntime", "onnxscript")


def require_packages() -> None:
    """See that what ONNX needs is installed.

    Raises:
        MissingExtraError: it is not.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f'ONNX needs {", ".join(missing)}: pip install "semicoupled[export]". '
            "Or export for torch alone with --format torch"
        )


def names_of(step: StepProgram) -> tuple[list[str], list[str]]:
    """Names of what goes into a program and of what comes out."""
    return [*step.inputs, *step.state], [*step.outputs, *(f"next_{name}" for name in step.state)]


def save_onnx(made: Made, step: StepProgram, file: Path) -> None:
    """Write a program as ``.onnx``, float32.

    Args:
        made: the program.
        step: what it was made of, for the names.
        file: the file.
    """
    import onnx

    given, back = names_of(step)
    with torch.no_grad(), quiet():
        found = torch.onnx.export(made.program, (), dynamo=True, input_names=given, output_names=back, verbose=False)
    assert found is not None  # it is so for the old exporter alone
    model = found.model_proto
    model.graph.ClearField("metadata_props")
    for node in model.graph.node:  # traces of where the model's source code lay
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    _name_axes(model, [*made.given, *made.back])
    onnx.save(model, file)


def onnx_runner(file: Path, step: StepProgram) -> Runner:
    """Give the program of a file, ready to run on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names, _ = names_of(step)

    def run(tensors: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        feed = {name: tensor.numpy() for name, tensor in zip(names, tensors, strict=True)}
        return tuple(torch.from_numpy(array) for array in session.run(None, feed))

    return run


def _name_axes(model: Any, shapes: Sequence[Shape]) -> None:
    """Call free axes what they are, everywhere, instead of s28."""
    known: dict[str, str] = {}
    ports = [*model.graph.input, *model.graph.output]
    for port, shape in zip(ports, shapes, strict=True):
        for axis, place in zip(shape, port.type.tensor_type.shape.dim, strict=True):
            if isinstance(axis, Axis) and place.dim_param:
                known.setdefault(place.dim_param, str(axis))
    for port in (*ports, *model.graph.value_info):
        for place in port.type.tensor_type.shape.dim:
            if place.dim_param in known:
                place.dim_param = known[place.dim_param]
