"""Angles for drives in files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semicoupled.errors import DataError
from semicoupled.files import write_text
from semicoupled.task import Description, PredictRequest
from semicoupled.tasks.driving.answering import answer_drive
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.model import DrivingModel
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.training.progress import NoProgress

COLUMNS = ("drive", "frame", "time", "angle", "spatial", "temporal", "truth")
"""Of the CSV: the drive's name, the frame's number in it, seconds, and angles in the unit of the training data,
positive to the right. The side streams' are empty where a model has none; the truth where there is no label."""


@dataclass(frozen=True)
class DrivingPredictor:
    """Reads drives and writes a CSV file of angles.

    Args:
        settings: of the run.
        description: of its data: the unit of the angles.
        model: in eval mode.
    """

    settings: DrivingSettings
    description: Description
    model: DrivingModel

    def predict(self, request: PredictRequest) -> list[Path]:
        """Answer for every frame.

        Args:
            request: the inputs are drives of any known format, or folders of them. What is written is a CSV file.

        Raises:
            DataError: an input is missing, or is no drive.
            SettingsError: several files to write.
        """
        out, shown = request.only_out(), request.progress or NoProgress()
        drives = self.read(request.inputs)
        answers: list[DriveAnswers] = []
        shown.begin("answering", len(drives))
        try:
            for drive in drives:
                answers.append(self.answer(drive))
                shown.update(len(answers))
        finally:
            shown.end()
        write_text(out, to_csv(answers))
        return [out]

    def read(self, inputs: Sequence[Path]) -> list[Drive]:
        """Read the drives of several files or folders.

        Raises:
            DataError: see `read_drives`; or nothing was given.
        """
        if not inputs:
            raise DataError("nothing to predict from; expected drives, such as a tub. Name one or more")
        return [drive for path in inputs for drive in read_drives(path, self.settings.data)]

    def answer(self, drive: Drive) -> DriveAnswers:
        """Answer for a drive, in the unit that was learned; labels of another unit are left away."""
        unit = str(self.description["unit"])
        answers = answer_drive(
            self.model, drive, self.settings.data, unit=unit, way=self.settings.evaluation.way, streams=None
        )
        return answers if drive.unit == unit else answers._replace(truth=np.full(len(drive), np.nan))


def to_csv(answers: Sequence[DriveAnswers]) -> str:
    """Lay answers out as the text of a CSV file; see `COLUMNS`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for drive in answers:
        for row in _rows(drive):
            writer.writerow(row)
    return text.getvalue()


def _rows(drive: DriveAnswers) -> Iterator[tuple[str, ...]]:
    columns = (drive.main, drive.spatial, drive.temporal, drive.truth)
    for frame, time in enumerate(drive.times):
        yield drive.drive, str(frame), f"{time:.3f}", *(_cell(column, frame) for column in columns)


def _cell(column: np.ndarray | None, frame: int) -> str:
    return "" if column is None or np.isnan(column[frame]) else f"{column[frame]:.5f}"
