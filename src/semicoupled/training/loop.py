"""The training loop: fit(task, settings, run folder) -> the trained model, with an exact resume.

Everything random is a function of counters (`draws`, `sampling`) or lies in the checkpoint, so that a run that was
killed and taken up again ends, on a CPU, in the same weights bit for bit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader

from semicoupled.alone import alone
from semicoupled.errors import RunError
from semicoupled.training import checkpoint, weights
from semicoupled.training.averaging import WeightAverage
from semicoupled.training.clock import Clock
from semicoupled.training.contract import RunSplits, TrainableTask
from semicoupled.training.description import remember_description
from semicoupled.training.draws import hash_key
from semicoupled.training.log import RunLog
from semicoupled.training.passes import LOSSES, MicroStep, Passes
from semicoupled.training.position import Position, Resumable
from semicoupled.training.processes import (
    average_gradients,
    average_numbers,
    average_statistics,
    is_first,
    launch,
    votes_of_all,
)
from semicoupled.training.progress import NoProgress, Progress
from semicoupled.training.rate import clamp_gradients, rate_factor
from semicoupled.training.run_settings import RunSettings
from semicoupled.training.sampling import SampleBatches
from semicoupled.training.settings import Precision, check_together
from semicoupled.training.switching import make_switches

LOCK = "training.lock"
"""The file of a run folder that is locked while a process trains there."""


@dataclass(frozen=True)
class FitResult:
    """A finished training.

    Args:
        model: with the weights that were kept, in eval mode, on the training's device.
        weights: the file that holds them.
        steps: optimizer steps made.
        seconds: that the training took, over all resumes, on the clock of its time budget.
        kept_step: the step whose weights were kept.
        scores: their validation scores.
    """

    model: nn.Module
    weights: Path
    steps: int
    seconds: float
    kept_step: int
    scores: Mapping[str, float]


def fit(
    task: TrainableTask,
    settings: RunSettings,
    run_folder: Path,
    *,
    device: str | torch.device = "auto",
    precision: Precision | None = None,
    workers: int = 0,
    progress: Progress | None = None,
    init: Path | None = None,
) -> FitResult:
    """Train a task's model, or take the training in a run folder up where it was left.

    Args:
        task: the task; its data sets are asked with a `SampleKey` and collated by torch's default.
        settings: the task's settings; the same as before when a training is taken up.
        run_folder: takes ``log.jsonl``, ``checkpoints/``, ``description.json``, ``model.safetensors``, and an empty
            ``training.lock``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N``, or a torch device.
        precision: in place of `settings.training.precision`.
        workers: processes that load data; the result does not depend on their number.
        progress: who is told how far it is.
        init: weights to begin with: a file, or a run folder. Not looked at when a training is taken up. They may do
            without what a model names as ``may_lack``, beginnings of names: parts that are learned later than the rest.

    Returns:
        The trained model and how it came about.

    Raises:
        SettingsError: settings do not go together.
        RunError: a checkpoint, the weights or the data do not fit, the loss is no number, or another process trains
            in this folder.
        DataError: there is no data.
    """
    check_together(settings.switches, settings.goals)
    in_use = (
        f"{run_folder}: another process trains here; expected one alone, or the processes of one torchrun. Wait until "
        "it has ended, end it, or choose another run folder"
    )
    # before anything is read, since whoever trains here removes and replaces files
    with alone(run_folder / LOCK, in_use) if is_first() else nullcontext():
        kept = run_folder / checkpoint.FOLDER
        found = checkpoint.load_newest(kept)
        begun = None if found is None else cast("Precision | None", found.content.get("precision"))
        fabric, computed = launch(device, precision or settings.training.precision, begun)
        torch.manual_seed(settings.seed)  # pyright: ignore[reportUnknownMemberType]
        splits = task.splits(settings)
        if fabric.is_global_zero:
            checkpoint.remove_leftovers(kept, None if found is None else found.step)
            remember_description(run_folder, splits.description)
        model = cast(nn.Module, task.build(settings, splits.description))
        if found is None:  # a checkpoint has all weights, and what a fresh model begins with may be gone by then
            _begin(task, settings, model, init)
        model = fabric.to_device(model)
        trainer = _Trainer(task, settings, splits, fabric, computed, model, run_folder, progress or NoProgress())
        return trainer.train(workers, found)


def _begin(task: TrainableTask, settings: RunSettings, model: nn.Module, init: Path | None) -> None:
    """Give a fresh model the weights that it begins with, where any are named."""
    if init is not None:
        weights.load_weights(init, model, cast("tuple[str, ...]", getattr(model, "may_lack", ())))
    elif task.start is not None:
        task.start(settings, model)


class _Trainer:
    """One run of the loop."""

    def __init__(
        self,
        task: TrainableTask,
        settings: RunSettings,
        splits: RunSplits,
        fabric: Fabric,
        precision: Precision,
        model: nn.Module,
        folder: Path,
        progress: Progress,
    ) -> None:
        self._task, self._settings, self._training, self._splits = task, settings, settings.training, splits
        self._fabric, self._model, self._folder, self._progress = fabric, model, folder, progress
        training = settings.training
        self._optimizer = torch.optim.AdamW(  # at weight decay 0 this is Adam
            model.parameters(), lr=training.learning_rate, betas=training.betas, weight_decay=training.weight_decay
        )
        network = getattr(model, "network", None)
        self._switches = make_switches(
            settings.switches, network, settings.seed, partial(votes_of_all, fabric, scope=settings.switches.scope)
        )
        self._average = None if training.weight_average is None else WeightAverage(model, training.weight_average)
        self._passes = Passes(
            fabric,
            model,
            task,
            task.goals(settings),
            weights=settings.goals,
            segments=settings.segments,
            switches=self._switches,
            accumulate=training.accumulate,
            seed=settings.seed,
        )
        self._resumable = Resumable(
            settings, model, self._optimizer, self._switches, self._average, fabric.device, precision
        )
        self._at = Position()
        self._saved = -1  # the step of the newest checkpoint
        self._shown: dict[str, float] = {}

    def train(self, workers: int, found: checkpoint.Checkpoint | None) -> FitResult:
        training = self._training
        if found is not None:
            self._at = self._resumable.take_up(self._folder, found)
            self._saved = found.step
            self._fabric.barrier()
        at = self._at
        clock = Clock(training.steps, training.budget, step=at.step, elapsed=at.elapsed)
        log = RunLog(self._folder, at.step, tensorboard=training.tensorboard) if self._fabric.is_global_zero else None
        self._progress.begin(f"training {self._task.name}", clock.total)
        try:
            batches = self._batches(workers)
            while clock.share(at.step, at.elapsed) < 1.0:
                losses = self._step(batches, clock.share(at.step, at.elapsed))
                at.step += 1
                at.elapsed = self._fabric.broadcast(clock.elapsed)
                self._note(losses, log)
                if clock.share(at.step, at.elapsed) < 1.0:
                    self._between_steps(log)
                    at.elapsed = self._fabric.broadcast(clock.elapsed)
                left = clock.left(at.step, at.elapsed)
                self._progress.update(clock.done(at.step, at.elapsed), seconds_left=left, numbers=self._shown)
            unseen = at.validated != at.step
            if unseen:
                self._validate(log)
            if unseen or self._saved != at.step:  # a budget may end while a step in between is validated
                self._checkpoint()
        finally:
            self._progress.end()
            if log is not None:
                log.close()
        file = self._folder / weights.FILE
        weights.load_weights(file, self._model)
        _ = self._model.eval()
        return FitResult(self._model, file, at.step, at.elapsed, at.kept_step, dict(at.scores))

    def _batches(self, workers: int) -> Iterator[Any]:
        training, fabric = self._training, self._fabric
        keys = SampleBatches(
            len(cast(Any, self._splits.train)),
            training.batch,
            seed=self._settings.seed,
            first=self._at.step * training.accumulate,
            stop=None if training.budget is not None else training.steps * training.accumulate,
            rank=fabric.global_rank,
            ranks=fabric.world_size,
        )
        loader: DataLoader[Any] = DataLoader(
            self._splits.train,
            batch_sampler=cast(Any, keys),
            num_workers=workers,
            pin_memory=fabric.device.type == "cuda",
            generator=torch.Generator(),  # else it takes a number from the global one, at a resume once more
        )
        return iter(loader)

    def _step(self, batches: Iterator[Any], share: float) -> dict[str, Tensor]:
        """Make one optimizer step, and give its mean losses."""
        training = self._training
        for group in self._optimizer.param_groups:
            group["lr"] = training.learning_rate * rate_factor(share, training.schedule, training.warm_up)
        if self._switches is not None:
            self._switches.set_progress(share)
        _ = self._model.train()
        rank = self._fabric.global_rank
        if rank:  # else what a network draws itself (dropout) would be the same for the samples of all processes
            torch.manual_seed(hash_key(self._settings.seed, "process", self._at.step, rank))  # pyright: ignore[reportUnknownMemberType]
        first_sample = rank * (training.batch // self._fabric.world_size)
        sums: dict[str, Tensor] = {}
        for number in range(training.accumulate):
            batch = cast(Any, self._fabric.to_device(next(batches)))
            losses = self._passes.run(batch, MicroStep(self._at.step, number, first_sample))
            for name, value in losses.items():
                part = value / training.accumulate
                sums[name] = sums[name] + part if name in sums else part
        average_gradients(self._fabric, self._model)
        if training.gradient_clamp is not None:
            clamp_gradients(cast(Any, self._model).recurrent_parameters(), training.gradient_clamp)
        self._optimizer.step()  # pyright: ignore[reportUnknownMemberType]
        self._optimizer.zero_grad()
        if self._average is not None:
            self._average.update(self._model)
        return average_numbers(self._fabric, sums, LOSSES)

    def _note(self, losses: dict[str, Tensor], log: RunLog | None) -> None:
        """Tell the switches and the log about a step's losses."""
        at = self._at
        numbers = cast("list[float]", cast(Any, torch.stack(list(losses.values()))).tolist())  # one wait for the device
        values = dict(zip(losses, numbers, strict=True))
        for name, value in values.items():
            if not math.isfinite(value):
                raise RunError(
                    f"{self._folder}: {name} is {value} at step {at.step}. The last checkpoint is as it was; begin a "
                    "new run with a lower training.learning_rate, or look at the data and that goal."
                )
            at.window[name] = at.window.get(name, 0.0) + value
        at.window_steps += 1
        if self._switches is not None:
            self._switches.observe(values["main_loss"], values.get("spatial_loss"), values.get("temporal_loss"))
        if at.step % self._training.log_every == 0:
            means = {name: total / at.window_steps for name, total in at.window.items()}
            self._shown["main_loss"] = means["main_loss"]
            means["learning_rate"] = float(self._optimizer.param_groups[0]["lr"])
            if self._switches is not None:
                means.update(self._switches.numbers())
            if log is not None:
                log.write("training", at.step, at.elapsed, means)
            at.window, at.window_steps = {}, 0

    def _between_steps(self, log: RunLog | None) -> None:
        """Validate and write a checkpoint where it is time to."""
        training = self._training
        if training.validate_every is not None and self._at.step % training.validate_every == 0:
            self._validate(log)
        if self._at.step % training.checkpoint_every == 0:
            self._checkpoint()

    def _validate(self, log: RunLog | None) -> None:
        """Score the weights on the validation split, and keep them if they are to be kept."""
        at = self._at
        average_statistics(self._fabric, self._model)
        _ = self._model.eval()
        with self._averaged():
            scores = self._fabric.broadcast(self._scores() if self._fabric.is_global_zero else {})
            if math.isnan(scores.get("score", math.nan)):
                raise RunError(
                    f"task {self._task.name}: expected a number as 'score' from its validation (the higher the "
                    f"better), got {scores}."
                )
            if log is not None:
                log.write("validation", at.step, at.elapsed, scores)
            at.validated = at.step
            self._shown["score"] = scores["score"]
            best = not at.scores or scores["score"] > at.scores["score"]
            if best or self._training.keep == "last":
                at.scores, at.kept_step = scores, at.step
                if self._fabric.is_global_zero:
                    about = {"task": self._task.name, "step": str(at.step), "scores": json.dumps(scores)}
                    weights.save_weights(self._folder / weights.FILE, self._model, about)

    def _scores(self) -> dict[str, float]:
        with torch.no_grad(), self._fabric.autocast():  # pyright: ignore[reportUnknownMemberType]
            found = self._task.validate(self._settings, self._model, self._splits, self._progress)
        return {name: float(value) for name, value in found.items()}

    def _averaged(self) -> AbstractContextManager[None]:
        return nullcontext() if self._average is None else self._average.applied(self._model)

    def _checkpoint(self) -> None:
        average_statistics(self._fabric, self._model)
        if self._fabric.is_global_zero:
            content = self._resumable.content(self._at)
            _ = checkpoint.save_checkpoint(self._folder / checkpoint.FOLDER, self._at.step, content)
        self._saved = self._at.step
        self._fabric.barrier()
