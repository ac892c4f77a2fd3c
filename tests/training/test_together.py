"""Two processes against one with the same batch, in double precision: parameters and losses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
import torch
from fake_task import Model
from safetensors.torch import load_file
from together import BATCH, CASES, STEPS, MaskedClip, TogetherSettings, TogetherTask
from torch.utils.data import default_collate

from semicoupled.training.log import read_log
from semicoupled.training.loop import fit
from semicoupled.training.passes import MicroStep, Passes
from semicoupled.training.processes import launch
from semicoupled.training.rate import clamp_gradients
from semicoupled.training.sampling import SampleBatches
from semicoupled.training.switches import Counters, Draw, Drawing, StopRates, Switches
from semicoupled.training.switching import make_switches

pytestmark = pytest.mark.slow
EXACT = 1e-10
APART = [name for name, settings in CASES.items() if settings.lengths == "unequal" or settings.norm == "batch"]
"""Cases in which two processes do something else than one with the whole batch."""


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All cases, trained by two processes."""
    folder = tmp_path_factory.mktemp("together")
    here = Path(__file__).parent
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), *sys.path]), "OMP_NUM_THREADS": "1"}
    subprocess.run([*launcher, str(here / "together.py"), str(folder)], check=True, env=environment, timeout=300)
    return folder


def losses(folder: Path) -> list[dict[str, float]]:
    return [
        {name: value for name, value in line.items() if name not in ("kind", "seconds")}
        for line in read_log(folder)
        if line["kind"] == "training"
    ]


def same(parameters: dict[str, torch.Tensor], folder: Path) -> None:
    shared = load_file(folder / "model.safetensors")
    assert parameters.keys() == shared.keys()
    for name, value in parameters.items():
        assert value.dtype == torch.float64
        torch.testing.assert_close(shared[name], value, rtol=EXACT, atol=EXACT, msg=lambda text, n=name: f"{n}: {text}")


@pytest.mark.parametrize("case", [name for name in CASES if name not in APART])
def test_two_processes_are_one_with_the_whole_batch(case: str, together: Path, tmp_path: Path) -> None:
    one = fit(TogetherTask(), CASES[case], tmp_path, device="cpu")
    same(cast("dict[str, torch.Tensor]", one.model.state_dict()), together / case)
    alone, shared = losses(tmp_path), losses(together / case)
    assert len(shared) == STEPS
    for single, other in zip(alone, shared, strict=True):
        assert other == pytest.approx(single, rel=EXACT, abs=EXACT)


@pytest.mark.parametrize("case", APART)
def test_each_process_has_its_own_length_and_statistics_and_counts_the_same(case: str, together: Path) -> None:
    model, numbers = one_after_the_other(CASES[case])
    same(cast("dict[str, torch.Tensor]", model.state_dict()), together / case)
    for single, shared in zip(numbers, losses(together / case), strict=True):
        assert {name: shared[name] for name in single} == pytest.approx(single, rel=EXACT, abs=EXACT)


class Unheard:
    """Draws as other switches do; a learned controller does not hear of it."""

    def __init__(self, switches: Switches, settings: TogetherSettings) -> None:
        self._switches = switches
        self._drawing = Drawing(settings.seed, 3, settings.switches.scope)

    def draw(self, *counters: int) -> Draw:
        rates = StopRates(self._switches.stop_spatial, self._switches.stop_temporal)
        return self._drawing.draw(rates, Counters(*counters))


def one_after_the_other(settings: TogetherSettings) -> tuple[Model, list[dict[str, float]]]:
    """Train in one process, by hand, on both processes' parts in turn: a step's gradient is the mean of theirs.

    Batch norm's running statistics are kept apart, and become their mean where a checkpoint is written.
    """
    fabric, task, training = launch("cpu", "float32").fabric, TogetherTask(), settings.training
    torch.manual_seed(settings.seed)
    model = task.build(settings, {"classes": 3}).train()
    clips = task.splits(settings).train
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=training.learning_rate, betas=training.betas, weight_decay=training.weight_decay
    )
    switches = make_switches(settings.switches, model.network, settings.seed)
    assert switches is not None
    # the switches of a whole batch are the same for both, and count once: in the longer sequences
    second = Unheard(switches, settings) if settings.switches.scope == "batch" else switches
    passes = [
        Passes(
            fabric,
            model,
            task,
            task.goals(settings),
            weights=settings.goals,
            segments=settings.segments,
            switches=cast(Switches, chosen),
            accumulate=2 * training.accumulate,
            seed=settings.seed,
        )
        for chosen in (switches, second)
    ]
    parts = [
        iter(SampleBatches(len(clips), BATCH, seed=settings.seed, rank=rank, ranks=2, stop=STEPS * training.accumulate))
        for rank in range(2)
    ]
    statistics = [[buffer.clone() for buffer in model.buffers()] for _ in parts]
    told: list[dict[str, float]] = []
    for step in range(STEPS):
        switches.set_progress(step / STEPS)
        sums: dict[str, float] = {}
        for number in range(training.accumulate):
            for rank in range(2):
                batch = MaskedClip(*default_collate([clips[key] for key in next(parts[rank])]))
                put(model, statistics[rank])
                for name, value in passes[rank].run(batch, MicroStep(step, number, rank * BATCH // 2)).items():
                    sums[name] = sums.get(name, 0.0) + float(value) / (2 * training.accumulate)
                statistics[rank] = [buffer.clone() for buffer in model.buffers()]
        clamp_gradients(model.recurrent_parameters(), training.gradient_clamp or 5.0)
        optimizer.step()
        optimizer.zero_grad()
        switches.observe(sums["main_loss"], sums["spatial_loss"], sums["temporal_loss"])
        told.append({**sums, **switches.numbers()})
        if (step + 1) % training.checkpoint_every == 0 or step + 1 == STEPS:
            means = [(first + second) / 2 for first, second in zip(*statistics, strict=True)]
            statistics = [means, means]
    put(model, statistics[0])
    return model, told


def put(model: Model, statistics: list[torch.Tensor]) -> None:
    for buffer, value in zip(model.buffers(), statistics, strict=True):
        buffer.copy_(value)
