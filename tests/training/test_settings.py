from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from semicoupled.errors import SettingsError
from semicoupled.training.settings import (
    GoalWeights,
    SegmentSettings,
    SwitchSettings,
    TimeBudget,
    TrainingSettings,
    check_kind,
    check_together,
    overlap_frames,
    parse_duration,
    parse_time_budget,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1.5h", 5400), ("1h30m", 5400), (" 2 M ", 120), ("1h1m1s", 3661), ("0.5s", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10x", "ten minutes", "-5m", "1h 30", "5mm"])
def test_a_duration_that_cannot_be_read_says_how_to_write_one(text: str) -> None:
    with pytest.raises(SettingsError, match=r"time_budget: expected a duration.*90s, 10m, 1\.5h or 1h30m, got"):
        parse_duration(text)


def test_a_time_budget_is_of_the_wall_or_of_the_cpu() -> None:
    assert parse_time_budget("10m") == TimeBudget(600)
    assert parse_time_budget(" 1h30m @ CPU ") == TimeBudget(5400, of_cpu=True)
    assert TrainingSettings(time_budget="2m@cpu").budget == TimeBudget(120, of_cpu=True)
    assert TrainingSettings().budget is None


@pytest.mark.parametrize("text", ["10m@gpu", "10m@", "10m@cpu@cpu"])
def test_a_time_budget_of_another_clock_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"time_budget: expected a duration such as 10m, or 10m@cpu .* got"):
        parse_time_budget(text)


def test_no_time_at_all_is_no_budget() -> None:
    with pytest.raises(SettingsError, match="more than 0 seconds"):
        parse_duration("0m")


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (TrainingSettings, {"steps": 0}, r"training\.steps: expected at least 1, got 0"),
        (TrainingSettings, {"learning_rate": 0.0}, r"training\.learning_rate: expected a number above 0, got 0\.0"),
        (TrainingSettings, {"learning_rate": float("nan")}, "learning_rate"),
        (TrainingSettings, {"betas": (0.9, 1.0)}, r"training\.betas\[1\]: expected a number in \[0, 1\), got 1\.0"),
        (TrainingSettings, {"warm_up": 1.0}, r"training\.warm_up"),
        (TrainingSettings, {"schedule": "step"}, r"training\.schedule: expected one of constant, cosine, got 'step'"),
        (TrainingSettings, {"gradient_clamp": 0.0}, r"training\.gradient_clamp"),
        (TrainingSettings, {"weight_average": 1.0}, r"training\.weight_average: expected a number in \(0, 1\)"),
        (TrainingSettings, {"validate_every": 0}, r"training\.validate_every"),
        (TrainingSettings, {"time_budget": "10"}, "time_budget"),
        (SwitchSettings, {"method": "dropout"}, r"switches\.method: expected one of none, stsgd, astsgd"),
        (SwitchSettings, {"start": 1.2}, r"switches\.start: expected a number in \[0, 1\], got 1\.2"),
        (SwitchSettings, {"focus_floor": 1.0}, r"switches\.focus_floor"),
        (SwitchSettings, {"classes": 1}, r"switches\.classes"),
        (SwitchSettings, {"classes": 4, "initial_main_loss": 1.0}, "both say what the initial main loss is"),
        (SwitchSettings, {"method": "astsgd", "initial_main_loss": 0.5}, r"must be above spatial_loss_floor \(0\.5\)"),
        (SwitchSettings, {"method": "stsgd", "start": 1.0, "unbiased": True}, "divides by the probability of passing"),
        (SegmentSettings, {"length": 0}, r"segments\.length"),
        (SegmentSettings, {"overlap": 0.0}, "Set segments.method to truncated_bptt"),
        (SegmentSettings, {"overlap": 1.0}, r"segments\.overlap: expected a number in \(0, 1\)"),
        (SegmentSettings, {"length": 2, "overlap": 0.6}, "is the whole segment"),
        (SegmentSettings, {"method": "truncated_bptt", "carry": "none"}, "carries the state by its definition"),
        (GoalWeights, {"spatial": -1.0}, r"goals\.spatial: expected at least 0, got -1\.0"),
        (GoalWeights, {"main": 0.0, "spatial": 0.0, "temporal": 0.0}, "nothing is learned"),
    ],
)
def test_ranges_are_checked(kind: type, values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        kind(**values)


@pytest.mark.parametrize("kind", [TrainingSettings, SwitchSettings, SegmentSettings, GoalWeights])
def test_defaults_are_in_range_and_frozen(kind: type) -> None:
    settings = kind()
    with pytest.raises(AttributeError):
        settings.steps = 3


def test_astsgd_needs_a_spatial_loss_to_follow() -> None:
    check_together(SwitchSettings("stsgd"), GoalWeights(spatial=0.0))
    with pytest.raises(SettingsError, match=r"goals\.spatial is 0"):
        check_together(SwitchSettings("astsgd"), GoalWeights(spatial=0.0))


@pytest.mark.parametrize(("length", "overlap", "frames"), [(10, 0.25, 3), (8, 0.25, 2), (30, 0.1, 3), (10, 0.01, 1)])
def test_an_overlap_is_rounded_up(length: int, overlap: float, frames: int) -> None:
    assert overlap_frames(length, overlap) == frames


def test_settings_and_progress_import_no_torch() -> None:
    code = "import sys, semicoupled.training.settings, semicoupled.training.progress; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_switches_need_branches_and_sub_goals_their_streams() -> None:
    alone = GoalWeights(spatial=0.0, temporal=0.0)
    check_kind("semicoupled", SwitchSettings("astsgd"), GoalWeights(), branched=("semicoupled",))
    check_kind("cbm", SwitchSettings("stsgd"), alone, branched=("semicoupled", "cbm"))
    with pytest.raises(SettingsError, match=r"switches\.method stsgd: model\.kind cbm has no branches to decouple"):
        check_kind("cbm", SwitchSettings("stsgd"), alone, branched=("semicoupled",))
    with pytest.raises(SettingsError, match=r"goals: model\.kind cbm has the main stream alone"):
        check_kind("cbm", SwitchSettings(), GoalWeights(spatial=0.0), branched=("semicoupled", "cbm"))
    with pytest.raises(SettingsError, match=r"goals\.spatial is 0"):
        check_kind("semicoupled", SwitchSettings("astsgd"), alone, branched=("semicoupled",))
