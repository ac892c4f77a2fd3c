"""What a task is: a frozen dataclass of plain functions (see `find_task` for where it is named)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol

from semicoupled.description import Description, Json
from semicoupled.task_parts import SettingsT, Splits, TaskModel, TaskOutput
from semicoupled.task_requests import ConvertRequest, DataRequest, EvaluateRequest, MakeRequest, PredictRequest

if TYPE_CHECKING:
    from semicoupled.data_report import DataReport
    from semicoupled.report import Section
    from semicoupled.rows import Row
    from semicoupled.steps import Steps
    from semicoupled.training.ltsc import Segment
    from semicoupled.training.objective import Losses
    from semicoupled.training.progress import Progress


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
