"""What all studies share: which variants, in which order, and what is not done again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from semicoupled.errors import SettingsError
from semicoupled.studies.trials import Spread, Trial, Variant, choose, in_order, make_trials, options_list, run_trials
from semicoupled.training.progress import NO_NUMBERS

VARIANTS = (
    Variant("whole", "the whole", ("--training.steps=3",)),
    Variant("part", "a part", ("--model.width=8",), ("plain",)),
    Variant("preset", "the preset"),
)


def test_variants_come_in_the_order_of_the_study() -> None:
    assert choose("any", VARIANTS) == VARIANTS
    assert [variant.name for variant in choose("any", VARIANTS, ["preset", "whole"])] == ["whole", "preset"]
    assert [variant.name for variant in in_order(VARIANTS, ["part", "unknown", "whole"])] == ["whole", "part"]
    with pytest.raises(SettingsError, match=r"study any has no variant 'hole'.*whole"):
        choose("any", VARIANTS, ["hole"])


def test_a_seed_of_all_variants_comes_before_the_next_seed(tmp_path: Path) -> None:
    trials = make_trials(VARIANTS[:2], [4, 7], tmp_path, lambda variant, seed: (variant.name, seed))  # type: ignore[arg-type, return-value]
    assert [trial.path.name for trial in trials] == ["whole-4", "part-4", "whole-7", "part-7"]
    assert [trial.settings for trial in trials] == [("whole", 4), ("part", 4), ("whole", 7), ("part", 7)]


class Listener:
    """Keeps what a progress is told."""

    def __init__(self) -> None:
        self.told: list[tuple[float, bool]] = []
        self.open = 0

    def begin(self, title: str, total: float | None = None) -> None:
        assert (title, total) == ("a study", 4)
        self.open += 1

    def update(
        self, done: float, *, seconds_left: float | None = None, numbers: Mapping[str, float] = NO_NUMBERS
    ) -> None:
        del numbers
        self.told.append((done, seconds_left is not None))

    def end(self) -> None:
        self.open -= 1


def test_what_is_done_is_not_run_and_says_nothing_of_the_time_left(tmp_path: Path) -> None:
    trials = make_trials(VARIANTS[:2], [0, 1], tmp_path, lambda variant, seed: variant)  # type: ignore[arg-type, return-value]
    ran: list[str] = []
    listener = Listener()

    def run(trial: Trial) -> None:
        ran.append(trial.path.name)

    run_trials("a study", trials, run, lambda trial: trial.seed == 0, listener)
    assert ran == ["whole-1", "part-1"]
    assert listener.told == [(2, False), (3, True), (4, True)]
    assert listener.open == 0


def test_a_failure_ends_the_job_of_the_progress(tmp_path: Path) -> None:
    trials = make_trials(VARIANTS[:2], [0, 1], tmp_path, lambda variant, seed: variant)  # type: ignore[arg-type, return-value]
    listener = Listener()

    def run(trial: Trial) -> None:
        raise OSError(trial.path.name)

    with pytest.raises(OSError, match="whole-0"):
        run_trials("a study", trials, run, lambda trial: False, listener)
    assert listener.open == 0


def test_a_spread_is_mean_lowest_and_highest() -> None:
    assert Spread.of([3.0, 1.0, 5.0]) == (3.0, 1.0, 5.0)


def test_what_variants_differ_in_is_listed() -> None:
    assert options_list(VARIANTS).splitlines() == [
        "* the whole: `--training.steps=3`",
        "* a part: `--preset plain` `--model.width=8`",
        "* the preset: as the preset",
    ]
