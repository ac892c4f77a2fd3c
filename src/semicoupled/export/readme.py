"""The README of an exported folder: what is in it, and ten lines that use it without this package."""

from __future__ import annotations

from typing import Any

from semicoupled import __version__
from semicoupled.export.onnx_program import names_of
from semicoupled.steps import Sizes, StepProgram, Steps
from semicoupled.task import Task

USE = """\
import json, numpy as np, onnxruntime

program = json.load(open("signature.json"))["programs"]["step"]
session = onnxruntime.InferenceSession("step.onnx")
frames = np.zeros((8, 1, {channels}, {height}, {width}), "float32")  # yours: time, batch, channels, height, width
sizes = dict(zip(("batch", "height", "width"), np.array(frames.shape)[[1, 3, 4]]))
shape = lambda axes: [n if isinstance(n, int) else -(-sizes[n["axis"]] // n["divided_by"]) for n in axes]
state = {{s["name"]: np.full(shape(s["shape"]), s["initial"], "float32") for s in program["state"]}}
for frame in frames:
    {answer}, *after = session.run(None, {{"frame": frame, **state}})
    state = dict(zip(state, after))
print({answer})
"""

TORCH = """\
import torch

step = torch.export.load("{name}.pt2").module()  # step(*inputs, *state) gives (*outputs, *state), in the order above
"""


def readme(task: Task[Any], steps: Steps, size: tuple[int, int], form: str) -> str:
    """Give the text.

    Args:
        task: of the run.
        steps: its programs.
        size: height and width of the frames that it was made for.
        form: ``torch``, ``onnx`` or ``all``.
    """
    parts = [
        f"# {task.name}, one step at a time",
        f"{task.summary} Exported by semicoupled {__version__}.",
        "`signature.json` says all about the programs: names, shapes, units, the state before the first frame, the\n"
        "settings of the training, how far the programs are from the model, and how long a step takes.",
        "\n".join(["| program | from | to |", "|---|---|---|", *(_row(step) for step in steps.programs)]),
        "\n".join(_meanings(steps)),
    ]
    if form != "torch":
        parts += ["With numpy and onnxruntime alone, in this folder:", f"```python\n{_use(steps, size)}```"]
    if form != "onnx":
        parts += ["With torch alone:", f"```python\n{TORCH.format(name=steps.programs[-1].name)}```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(step: StepProgram) -> str:
    given, back = names_of(step)
    return f"| {step.name} | {', '.join(given)} | {', '.join(back)} |"


def _meanings(steps: Steps) -> list[str]:
    known = {name: text for step in steps.programs for name, text in (*step.inputs.items(), *step.outputs.items())}
    return [f"- `{name}`: {text}" for name, text in known.items()]


def _use(steps: Steps, size: tuple[int, int]) -> str:
    if steps.use is not None:
        return steps.use
    step = steps.programs[0]
    channels = step.example(Sizes(1, *size))[0].shape[1]
    return USE.format(channels=channels, height=size[0], width=size[1], answer=next(iter(step.outputs)))
