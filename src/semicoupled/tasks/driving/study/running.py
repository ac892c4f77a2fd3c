"""The study of driving, run: the variants are trained, and answer along the drives that are held back, and others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from semicoupled.devices import choose_device
from semicoupled.rows import Row
from semicoupled.run_folder import LoadedRun
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.training import train_and_ask
from semicoupled.tasks.driving.answers import DriveAnswers
from semicoupled.tasks.driving.settings import DrivingSettings
from semicoupled.tasks.driving.study.answers import Place, load_answers, make_answers, places_of
from semicoupled.tasks.driving.study.rows import study_rows
from semicoupled.tasks.driving.study.variants import TASK, settings_of


def run_study(request: StudyRequest, others: Sequence[Path] = ()) -> list[Row]:
    """Train and score variants; what is finished is not done again, also after a run was killed halfway.

    Args:
        request: with ``--data.root`` and ``--data.validation`` among its options.
        others: drives of other places that no variant learns from; each is scored by itself.

    Returns:
        Rows as `rows.study_rows` makes them.

    Raises:
        SettingsError: no variant, two folders of one name, or settings that do not go together.
        DataError: the data cannot be used.
        RunError: a run folder was begun with other settings.
    """
    trials = request.trials(settings_of)
    places = places_of(cast(DrivingSettings, trials[0].settings), others)
    device = choose_device(request.device)

    def ask(folder: Path, place: Place, run: LoadedRun) -> list[DriveAnswers]:
        return make_answers(folder, place, run, device, request.progress)

    def is_known(folder: Path, place: Place) -> bool:
        return load_answers(folder, place) is not None

    trained = train_and_ask(request, TASK, "study driving", trials, places, ask, is_known)
    return study_rows(trials, trained, places)
