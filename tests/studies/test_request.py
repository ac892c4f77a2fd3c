"""What a study is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from semicoupled.errors import SettingsError
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.trials import Variant

VARIANTS = (Variant("ours", "ours"), Variant("rival", "rival"))


def told(variant: Variant, seed: int, options: Sequence[str], presets: Sequence[str] | None) -> object:
    return variant.name, seed, options, presets


def test_trials_have_the_settings_that_are_asked_for(tmp_path: Path) -> None:
    request = StudyRequest(VARIANTS, (0, 1), tmp_path, ("--data.root=here",), ("small",), once=("rival",))
    trials = request.trials(told)  # type: ignore[arg-type]
    assert [(trial.path.name, trial.settings) for trial in trials] == [
        ("ours-0", ("ours", 0, ("--data.root=here",), ("small",))),
        ("rival-0", ("rival", 0, ("--data.root=here",), ("small",))),
        ("ours-1", ("ours", 1, ("--data.root=here",), ("small",))),
    ]
    assert StudyRequest(VARIANTS, (3,), tmp_path).trials(told)[0].settings == ("ours", 3, (), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("variants", "seeds"), [((), (0,)), (VARIANTS, ())])
def test_a_study_of_nothing_is_refused(variants: Sequence[Variant], seeds: Sequence[int], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="at least one variant and one seed, got none"):
        _ = StudyRequest(variants, seeds, tmp_path).trials(told)  # type: ignore[arg-type]
