"""The study of action, run: the variants are trained, and say what happens in the videos that decide."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from semicoupled.rows import Row
from semicoupled.run_folder import LoadedRun
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.training import train_and_ask
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.study.answers import Answers, Part, load_answers, make_answers, parts_of
from semicoupled.tasks.action.study.baselines import make_baselines
from semicoupled.tasks.action.study.rows import study_rows
from semicoupled.tasks.action.study.variants import TASK, settings_of


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
    settings = cast(ActionSettings, trials[0].settings)
    parts = parts_of(settings)

    def ask(folder: Path, part: Part, run: LoadedRun) -> Answers:
        return make_answers(folder, part, run, request.progress)

    def is_known(folder: Path, part: Part) -> bool:
        return load_answers(folder, part) is not None

    trained = train_and_ask(request, TASK, "study action", trials, parts, ask, is_known)
    baselines = make_baselines(request.folder / "baselines", settings, parts, request.progress)
    return study_rows(trials, trained, parts, baselines)
