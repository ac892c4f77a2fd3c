"""What a run's report shows of driving: angle and answer against time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semicoupled.report import Picture, Section
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.tasks.driving.smoothing import smooth

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_DRIVES = 5
_UNITS = {"degrees": "degrees", "radians": "radians", "normalized": "1 = full lock"}


def sections(settings: DrivingSettings, answers: Sequence[DriveAnswers]) -> list[Section]:
    """Give the sections of a run's report.

    Args:
        settings: of the run.
        answers: along the validation drives.
    """
    shown = sorted(answers, key=lambda drive: len(drive.times), reverse=True)[:MOST_DRIVES]
    seconds = settings.evaluation.smoothing_seconds
    pictures = [
        Picture(along(drive, seconds), f"Drive {drive.drive}: label (mean over {seconds:g} s) and answer.")
        for drive in shown
    ]
    return [Section("Steering along drives", "Positive is to the right.", pictures)]


def along(drive: DriveAnswers, smoothing_seconds: float) -> Figure:
    """Draw label and answer against time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.4), layout="constrained")
    axes = figure.subplots()
    times = drive.times - drive.times[0]
    axes.plot(times, smooth(drive.truth, drive.times, smoothing_seconds), color="black", linewidth=1.0, label="driver")
    axes.plot(times, drive.main, color="tab:orange", linewidth=1.0, label="answer")
    axes.set_xlabel("time (s)")
    axes.set_ylabel(f"angle ({_UNITS[drive.unit]})")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left", ncols=2)
    return figure
