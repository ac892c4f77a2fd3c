"""The study of outlines, run: the variants are trained, and draw the objects that are held back."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from semicoupled.rows import Row
from semicoupled.run_folder import LoadedRun
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.training import train_and_ask
from semicoupled.tasks.outline.settings import OutlineSettings
from semicoupled.tasks.outline.study.answers import (
    Answers,
    Objects,
    load_answers,
    make_answers,
    make_shapes,
    objects_of,
)
from semicoupled.tasks.outline.study.rows import study_rows
from semicoupled.tasks.outline.study.variants import TASK, settings_of


def run_study(request: StudyRequest) -> list[Row]:
    """Train and score variants; what is finished is not done again, also after a run was killed halfway.

    Args:
        request: with ``--data.root`` among its options.

    Returns:
        Rows as `rows.study_rows` makes them.

    Raises:
        SettingsError: no variant, or settings that do not go together.
        DataError: the data cannot be used.
        RunError: a run folder was begun with other settings.
    """
    trials = request.trials(settings_of)
    objects = objects_of(cast(OutlineSettings, trials[0].settings))

    def ask(folder: Path, part: Objects, run: LoadedRun) -> Answers:
        return make_answers(folder, part, run, request.progress)

    def is_known(folder: Path, part: Objects) -> bool:
        return load_answers(folder, part) is not None

    trained = train_and_ask(request, TASK, "study outline", trials, [objects], ask, is_known)
    return study_rows(trials, trained, objects, make_shapes(request.folder / "baselines", objects))
