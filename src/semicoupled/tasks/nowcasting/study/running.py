"""The study of rain, run: the variants are trained, and forecast the events that are held back, and other places."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from semicoupled.devices import choose_device
from semicoupled.rows import Row
from semicoupled.run_folder import LoadedRun
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.training import train_and_ask
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.tasks.nowcasting.study.counts import Counted, Fields, fields_of, load_counts, make_counts
from semicoupled.tasks.nowcasting.study.rows import study_rows
from semicoupled.tasks.nowcasting.study.variants import TASK, settings_of


def run_study(request: StudyRequest, others: Sequence[Path] = ()) -> list[Row]:
    """Train and score variants; what is finished is not done again, also after a run was killed halfway.

    Args:
        request: with ``--data.root`` and ``--data.validation`` among its options.
        others: folders of other places, or patterns, that no variant learns from; each is scored by itself.

    Returns:
        Rows as `semicoupled evaluate` gives them, with the conditions `data`, `variant` and `seed`, those of the
        baselines once; differences of `variants.PAIRS` and to advection; and what each training took.

    Raises:
        SettingsError: no variant, two folders of one name, or settings that do not go together.
        DataError: the data cannot be used.
        RunError: a run folder was begun with other settings.
    """
    trials = request.trials(settings_of)
    settings = cast(NowcastingSettings, trials[0].settings)
    fields = fields_of(settings, others)
    device, baselines = choose_device(request.device), request.folder / "baselines"

    def ask(folder: Path, field: Fields, run: LoadedRun) -> Counted:
        return make_counts(folder, field, run.settings, run.model, device, request.progress)

    def is_known(folder: Path, field: Fields) -> bool:
        return load_counts(folder, field) is not None

    trained = train_and_ask(request, TASK, "study rain", trials, fields, ask, is_known)
    for field in fields:
        _ = make_counts(baselines, field, settings, None, device, request.progress)
    return study_rows(trials, trained, fields, baselines)
