"""What a task is: a frozen dataclass of plain functions, found by its folder under ``tasks/``.

A task's ``settings.py`` names its settings class as ``SETTINGS``, and what can be chosen in a prediction as
``PREDICT_OPTIONS``, and imports no torch, so that ``--help`` is quick; its ``task.py`` names the `Task` itself as
``TASK``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, cast

from semicoupled.errors import DataError, SettingsError, nearest

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.utils.data import Dataset

    from semicoupled.data_report import DataReport
    from semicoupled.nn.streams import Stream
    from semicoupled.nn.switch import Switching
    from semicoupled.report import Section
    from semicoupled.rows import Row
    from semicoupled.steps import Steps
    from semicoupled.training.ltsc import Segment
    from semicoupled.training.objective import Losses
    from semicoupled.training.progress import Progress
    from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Description = Mapping[str, Json]
"""What the data looked like (sizes, classes, units, normalization): saved in the run folder, given to ``build``."""


class TaskOutput(NamedTuple):
    """A task's predictions, one a stream, with the network's state.

    The shape of a prediction is the task's own; the time axis, if it has one, is the second. A state is what the task's
    network calls so: a nested NamedTuple of tensors, opaque to everyone else.

    Attributes:
        main: the prediction that counts.
        spatial: the spatial stream's; None where it was not asked for.
        temporal: the temporal stream's; None likewise.
        state: after the last frame.
        state_at: after as many frames as were asked for, or None.
    """

    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None
    state: Any
    state_at: Any


class TaskModel(Protocol):
    """The network of a task with its heads; always an ``nn.Module``.

    A batch is a NamedTuple of tensors whose first field is the frames, B T C H W.
    """

    network: nn.Module
    """The deep part below the heads: its depth is what the switches count."""

    def __call__(
        self,
        batch: Any,
        state: Any = None,
        *,
        streams: Sequence[Stream] = ("main",),
        switch: Switching | None = None,
        state_at: int | None = None,
    ) -> TaskOutput:
        """Predict from a batch; see `SemiCoupledStack.forward` for the arguments."""
        ...

    def recurrent_parameters(self) -> Iterator[nn.Parameter]:
        """Give the parameters whose gradients are clamped before a step (Sec. 5.9)."""
        ...


@dataclass(frozen=True)
class Splits:
    """The data of a run.

    Args:
        train: samples to learn from; a key is a pure function of counters, so that a resume is exact.
        validation: samples that choose the best weights.
        description: what `build` and a later prediction must know of the data.
    """

    train: Dataset[Any]
    validation: Dataset[Any]
    description: Description = field(default_factory=dict[str, Json])


@dataclass(frozen=True)
class NoOptions:
    """What a task says of how to predict that has nothing to choose."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class PredictRequest:
    """What to predict from, and where to.

    Args:
        inputs: files or folders that the task reads; a task may do without.
        out: files or folders to write to, at least one.
        options: of the class that the task's settings module names as ``PREDICT_OPTIONS``.
        progress: who is told how far it is.
        stopped: asked now and then by a prediction that goes on until it is stopped.
    """

    inputs: Sequence[Path]
    out: Sequence[Path]
    options: Any = NoOptions()
    progress: Progress | None = None
    stopped: Callable[[], bool] = _never

    def only_out(self) -> Path:
        """Give the one place to write to.

        Raises:
            SettingsError: there are several.
        """
        if len(self.out) != 1:
            raise SettingsError(f"--out: expected one file, got {', '.join(map(str, self.out))}. Give it once")
        return self.out[0]


class Predictor(Protocol):
    """Turns files into predictions."""

    def predict(self, request: PredictRequest) -> Iterable[Path]:
        """Predict.

        Args:
            request: what from, and where to.

        Returns:
            The files that were written, each as soon as it is whole. Nothing happens before the first is asked for.
        """
        ...


class TaskSettings(Protocol):
    """What every settings class has in common; `Any` because each task adds its own."""

    @property
    def seed(self) -> int:
        """Everything random follows from it."""
        ...

    @property
    def data(self) -> Any:
        """Where the samples come from; ``root`` and ``validation`` where files are read."""
        ...

    @property
    def model(self) -> Any:
        """The network; ``kind`` chooses between ours and the rivals."""
        ...

    @property
    def training(self) -> TrainingSettings:
        """How long, how fast."""
        ...

    @property
    def switches(self) -> SwitchSettings:
        """Which gradients are stopped."""
        ...

    @property
    def segments(self) -> SegmentSettings:
        """How long sequences are cut."""
        ...

    @property
    def goals(self) -> GoalWeights:
        """Weights of the losses."""
        ...


SettingsT = TypeVar("SettingsT", bound=TaskSettings)


@dataclass(frozen=True)
class EvaluateRequest(Generic[SettingsT]):
    """What to score.

    Args:
        settings: of the run.
        model: the trained model; None scores the baselines alone.
        description: of the data that the model was trained on.
        root: other data than the run's; None scores the run's own.
        split: ``"validation"``, ``"all"``, or another that the task knows.
        device: where to compute.
        workers: processes that load data.
        progress: who is told how far it is.
    """

    settings: SettingsT
    model: TaskModel | None
    description: Description
    root: Path | None
    split: str
    device: torch.device
    workers: int = 0
    progress: Progress | None = None


@dataclass(frozen=True)
class DataRequest(Generic[SettingsT]):
    """Which data to look at.

    Args:
        settings: of the task; its data section says how files are read.
        root: the folder, or a pattern of files.
        progress: who is told how far it is.
    """

    settings: SettingsT
    root: Path
    progress: Progress | None = None


@dataclass(frozen=True)
class ConvertRequest:
    """What to write in another format.

    Args:
        source: the file or folder to read, its format told by its content.
        out: the file or folder to write.
        format: the name of its format; None tells it by `out`, where that is possible.
    """

    source: Path
    out: Path
    format: str | None = None


@dataclass(frozen=True)
class MakeRequest:
    """Which data to make.

    Args:
        out: the folder to write; new or empty.
        count: samples to learn from, at least 1; the parts to validate and to test on are smaller. None for as many as
            the task thinks enough.
        seed: everything random follows from it.
        progress: who is told how far it is.
    """

    out: Path
    count: int | None = None
    seed: int = 0
    progress: Progress | None = None

    def check(self) -> None:
        """Refuse what cannot be made.

        Raises:
            SettingsError: a number is too small.
            DataError: the folder holds something.
        """
        if self.count is not None and self.count < 1:
            raise SettingsError(f"--count: expected at least 1, got {self.count}.")
        if self.seed < 0:
            raise SettingsError(f"--seed: expected 0 or more, got {self.seed}.")
        if self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir())):
            raise DataError(
                f"{self.out}: is there already; expected a new or an empty folder. Name another, or delete it"
            )


@dataclass(frozen=True)
class Task(Generic[SettingsT]):
    """A task: what it takes, what it gives, how it is scored.

    Args:
        name: its folder's name under ``tasks/``.
        summary: one sentence.
        settings: its frozen settings dataclass.
        splits: reads the data.
        build: makes a fresh model for data of this description; all random, so that a run loads with nothing at hand
            but its own folder.
        goals: gives the function from a model's output and its batch to the three losses.
        cut: gives the part of a batch that lies in a segment of time.
        validate: a few scores during training; the highest ``"score"`` chooses the best weights.
        evaluate: scores for a table, baselines beside ours.
        predictor: makes predictions from files.
        steps: gives what the trained model does with one frame, as programs that `semicoupled export` writes.
        draw: what the report shows, beside the training curves, given the folder of the run.
        check: looks at every file of a folder and says what is wrong; never stops at the first. None where the task
            reads no files.
        describe: says in one table what a folder holds, from a few of its files. None likewise.
        convert: writes data in another format, and says what it wrote. None where there is one format alone.
        make: writes generated data, and says what it wrote. None where there are none.
        start: gives a fresh model the weights that others learned, where the settings name some. None where they never
            do.
        extras: what is found out once a training has ended, by name, such as a calibration on the validation split.
            Each becomes a file ``NAME.json`` of the run folder; where a run is loaded, it stands in its description.
        headline: picks the rows that a terminal shows, where a table of scores is long; all if None.
    """

    name: str
    summary: str
    settings: type[SettingsT]
    splits: Callable[[SettingsT], Splits]
    build: Callable[[SettingsT, Description], TaskModel]
    goals: Callable[[SettingsT], Callable[[TaskOutput, Any], Losses]]
    cut: Callable[[Any, Segment], Any]
    validate: Callable[[SettingsT, TaskModel, Splits, Progress], Mapping[str, float]]
    evaluate: Callable[[EvaluateRequest[SettingsT]], Sequence[Row]]
    predictor: Callable[[SettingsT, Description, TaskModel], Predictor]
    steps: Callable[[SettingsT, Description, TaskModel], Steps]
    draw: Callable[[SettingsT, TaskModel, Splits, Path], Sequence[Section]]
    check: Callable[[DataRequest[SettingsT]], DataReport] | None = None
    describe: Callable[[DataRequest[SettingsT]], DataReport] | None = None
    convert: Callable[[ConvertRequest], DataReport] | None = None
    make: Callable[[MakeRequest], DataReport] | None = None
    start: Callable[[SettingsT, TaskModel], None] | None = None
    extras: Mapping[str, Callable[[SettingsT, TaskModel, Splits, Progress], Json]] = field(
        default_factory=dict[str, "Callable[[SettingsT, TaskModel, Splits, Progress], Json]"]
    )
    headline: Callable[[Sequence[Row]], Sequence[Row]] | None = None


def task_folders() -> dict[str, Path]:
    """Give the tasks there are, by name: the folders under ``tasks/`` that have a ``settings.py``."""
    places = importlib.import_module("semicoupled.tasks").__path__
    found = (Path(place) / module.name for place in places for module in pkgutil.iter_modules([place]))
    return {
        folder.name: folder
        for folder in sorted(found, key=lambda folder: folder.name)
        if (folder / "settings.py").is_file()
    }


def settings_class(name: str) -> type[TaskSettings]:
    """Give the settings class of a task without importing torch.

    Raises:
        SettingsError: no such task.
    """
    _check(name)
    return cast("type[TaskSettings]", importlib.import_module(f"semicoupled.tasks.{name}.settings").SETTINGS)


def predict_options(name: str) -> type[Any]:
    """Give the class of a task's own options of ``predict``, a frozen dataclass, without importing torch.

    It is what the task's settings module names as ``PREDICT_OPTIONS``; `NoOptions` where it names nothing.

    Raises:
        SettingsError: no such task.
    """
    _check(name)
    module = importlib.import_module(f"semicoupled.tasks.{name}.settings")
    return cast("type[Any]", getattr(module, "PREDICT_OPTIONS", NoOptions))


def find_task(name: str) -> Task[Any]:
    """Import a task.

    Raises:
        SettingsError: no such task.
    """
    _check(name)
    return cast("Task[Any]", importlib.import_module(f"semicoupled.tasks.{name}.task").TASK)


def _check(name: str) -> None:
    known = task_folders()
    if name not in known:
        raise SettingsError(f"there is no task {name!r}. {nearest(name, known)}")
