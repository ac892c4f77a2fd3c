"""Smaller weights in an ONNX file: stored in bfloat16 or int8, computed with in float32.

onnxruntime turns them into float32 once, when it loads the file, so that a step takes as long as before. Arithmetic in
int8 (its dynamic quantization) was measured to be several times slower on CPUs (docs/export.md) and is not offered.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

Weights = Literal["float32", "bf16", "int8"]
WEIGHTS: tuple[Weights, ...] = ("float32", "bf16", "int8")

SMALL = 64
"""Tensors of fewer numbers, or of one axis, stay as they are: biases, norms, constants."""


class Stored(NamedTuple):
    """What stands in for a weight: initializers, and nodes that make the weight of them.

    Attributes:
        tensors: ONNX's initializers.
        nodes: ONNX's nodes, in their order.
    """

    tensors: list[Any]
    nodes: list[Any]


def reduce_weights(source: Path, target: Path, weights: Weights) -> None:
    """Write an ONNX file with smaller weights.

    Args:
        source: the file in float32.
        target: the file to write.
        weights: ``bf16`` or ``int8``.
    """
    import onnx
    from onnx import TensorProto, numpy_helper

    store = {"bf16": _bf16, "int8": _int8}[weights]
    model = onnx.load(source)
    tensors: list[Any] = []
    nodes: list[Any] = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.ndim < 2 or values.size < SMALL:
            tensors.append(tensor)
            continue
        stored = store(tensor.name, values)
        tensors += stored.tensors
        nodes += stored.nodes
    nodes += model.graph.node
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(tensors)
    model.graph.node.extend(nodes)
    onnx.save(model, target)


def _bf16(name: str, values: np.ndarray) -> Stored:
    """The upper half of each float32, rounded to the nearest, ties to even; weights are finite."""
    from onnx import TensorProto, helper

    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    halves = (rounded >> np.uint32(16)).astype("<u2")
    kept = TensorProto(
        name=f"{name}_bf16", data_type=TensorProto.BFLOAT16, dims=values.shape, raw_data=halves.tobytes()
    )
    return Stored([kept], [helper.make_node("Cast", [kept.name], [name], to=TensorProto.FLOAT)])


def _int8(name: str, values: np.ndarray) -> Stored:
    """Whole numbers from -127 to 127, with one scale for each output channel."""
    from onnx import TensorProto, helper, numpy_helper

    scale = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True).astype(np.float32) / 127
    scale[scale == 0] = 1
    kept = numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}_int8")
    scales = numpy_helper.from_array(scale, f"{name}_scale")
    cast = helper.make_node("Cast", [kept.name], [f"{name}_whole"], to=TensorProto.FLOAT)
    return Stored([kept, scales], [cast, helper.make_node("Mul", [f"{name}_whole", scales.name], [name])])
