"""Export a run: programs, their comparison with the model, what they cost, and how to use them, in one folder."""

from __future__ import annotations

import copy
import json
import math
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import nn

from semicoupled.errors import DataError
from semicoupled.export.onnx_program import onnx_runner, require_packages, save_onnx
from semicoupled.export.parity import Runner, check, largest_difference
from semicoupled.export.programs import Made, load_runner, make, save
from semicoupled.export.readme import readme
from semicoupled.export.reduced import Weights, reduce_weights
from semicoupled.export.signature import KIND, Measured, signature
from semicoupled.files import replacing_folder, write_text
from semicoupled.nn import fold_norms
from semicoupled.nn.norm import StreamNorm
from semicoupled.run_folder import LoadedRun
from semicoupled.steps import Sizes, StepProgram
from semicoupled.task_parts import TaskModel
from semicoupled.training.progress import NoProgress, Progress

Format = Literal["all", "torch", "onnx"]
FORMATS: tuple[Format, ...] = ("all", "torch", "onnx")

REPEATS = 15


class Exported(NamedTuple):
    """What was written.

    Attributes:
        files: in the folder.
        made: how each program may be called, by name.
        measured: what each costs, by name.
    """

    files: list[Path]
    made: dict[str, Made]
    measured: dict[str, list[Measured]]


def export_run(
    run: LoadedRun,
    out: Path,
    *,
    form: Format = "all",
    weights: Weights = "float32",
    size: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Export the model of a run, on the CPU.

    Args:
        run: the run, its model on the CPU.
        out: the folder to make; an export that is there is replaced as a whole.
        form: ``torch`` (``.pt2``), ``onnx``, or ``all``.
        weights: how the ONNX files store them.
        size: height and width to measure at, px, and the size where a network takes one alone; None for the task's.
        progress: who is told how far it is.

    Raises:
        DataError: `out` is there and holds something else.
        RunError: the model cannot be exported, or a program differs from it.
        MissingExtraError: ONNX is wanted and not installed.
    """
    _check_folder(out)
    if form != "torch":
        require_packages()
    shown = progress or NoProgress()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(torch.no_grad())
        torch.manual_seed(0)
        trained, steps = (
            run.task.steps(run.settings, run.description, model) for model in (run.model, ready(run.model))
        )
        size = size or steps.size
        made: dict[str, Made] = {}
        measured: dict[str, list[Measured]] = {}
        shown.begin("exporting", len(steps.programs))
        stack.callback(shown.end)
        folder = stack.enter_context(replacing_folder(out))
        for done, (step, reference) in enumerate(zip(steps.programs, trained.programs, strict=True)):
            onnx = None if form == "torch" else OnnxFile(folder / f"{step.name}.onnx", step, reference)
            made[step.name] = make(step, reference, size, None if onnx is None else onnx.write)
            measured[step.name] = _finish(folder, step, reference, made[step.name], form, onnx, weights)
            shown.update(done + 1)
        files = [*sorted(file.name for file in folder.iterdir()), "signature.json", "README.md"]
        content = signature(run, steps, size, made, measured, files)
        write_text(folder / "signature.json", json.dumps(content, indent=1) + "\n")
        write_text(folder / "README.md", readme(run.task, steps, size, form))
    return Exported([out / name for name in files], made, measured)


def ready(model: TaskModel) -> TaskModel:
    """A copy of a model, made ready to be exported: in eval mode, float32, batch norms folded into the convolutions.

    Programs are made of this copy, and compared with the model as it was trained. Group norms stay where they are:
    their statistics are each frame's own.
    """
    own = copy.deepcopy(cast(nn.Module, model)).eval().float()
    grouped = any(isinstance(module, StreamNorm) and module.kind == "group" for module in own.modules())
    return cast(TaskModel, own if grouped else fold_norms(own))


class OnnxFile:
    """The ONNX form of a program, written and compared as soon as the program is there."""

    def __init__(self, file: Path, step: StepProgram, reference: StepProgram) -> None:
        """Say where it goes and what it must agree with."""
        self.file, self.step, self.reference = file, step, reference
        self.difference = math.inf

    def write(self, made: Made) -> None:
        """Write it in float32.

        Raises:
            RunError: it differs from the model.
        """
        save_onnx(made, self.step, self.file)
        self.difference = check(self.reference, "onnxruntime", onnx_runner(self.file, self.step), made.tried)

    def measure(self, weights: Weights, difference: float, sizes: Sizes) -> Measured:
        """Say what it costs."""
        speed = _milliseconds(onnx_runner(self.file, self.step), self.reference, sizes)
        return Measured("onnxruntime", weights, difference, speed, self.file.stat().st_size)


def _finish(
    folder: Path,
    step: StepProgram,
    reference: StepProgram,
    made: Made,
    form: Format,
    onnx: OnnxFile | None,
    weights: Weights,
) -> list[Measured]:
    """Write what is left to write of one program, and measure it."""
    own = made.tried[0]
    module = reference.module
    rows = [Measured("torch", "float32", 0.0, _milliseconds(lambda tensors: module(*tensors), reference, own), None)]
    if form != "onnx":
        file = folder / f"{step.name}.pt2"
        save(made.program, file)
        speed = _milliseconds(load_runner(file), reference, own)
        rows.append(Measured("torch.export", "float32", made.difference, speed, file.stat().st_size))
    if onnx is not None:
        rows.append(onnx.measure("float32", onnx.difference, own))
        if weights != "float32":
            reduce_weights(onnx.file, onnx.file, weights)
            runner = onnx_runner(onnx.file, step)
            difference = max(largest_difference(reference, runner, sizes) for sizes in made.tried)
            rows.append(onnx.measure(weights, difference, own))
    return rows


def _milliseconds(runner: Runner, step: StepProgram, sizes: Sizes) -> float:
    """The median of a step; the first few also choose kernels."""
    tensors = (*step.example(sizes), *step.start(sizes))
    times: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        runner(tensors)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[3:])


def _check_folder(out: Path) -> None:
    """Refuse to replace what is no export of ours."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        about: Any = json.loads((out / "signature.json").read_text(encoding="utf-8"))
        ours = about["kind"] == KIND
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        ours = False
    if not ours:
        raise DataError(
            f"{out}: is there and is no export of semicoupled; expected a new folder, an empty one, or an older "
            "export, which is then replaced as a whole. Choose another --out"
        )
