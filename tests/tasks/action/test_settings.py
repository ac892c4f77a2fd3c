"""Presets: what Table 8 says."""

from __future__ import annotations

from typing import Any

import pytest

from semicoupled.find_task import task_folders
from semicoupled.settings_file import read_settings
from semicoupled.tasks.action.architecture import architecture
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.training.ltsc import plan_for


def preset(*names: str) -> Any:
    """Give the settings of presets that are laid over each other."""
    from semicoupled.settings_file import parse_settings

    folder = task_folders()["action"] / "presets"
    return parse_settings(ActionSettings, [], [folder / f"{name}.yaml" for name in names])


@pytest.mark.parametrize("data", ["ucf101", "hmdb51", "kinetics"])
def test_table_8(data: str) -> None:
    alone, backed = preset(data), preset(data, "backbone")
    assert (alone.training.batch, backed.training.batch) == (40, 16)
    assert alone.training.learning_rate == backed.training.learning_rate == 1e-4
    assert alone.switches.method == "stsgd"
    assert len(architecture(alone.model).widths) == 17
    assert architecture(backed.model).widths == (512,) * 15
    for settings, length, count in ((alone, 5, 6), (backed, 10, 7)):
        segments = plan_for(settings.segments, settings.data.frames)
        assert [len(segments), max(len(segment) for segment in segments)] == [count, length]
    assert (alone.data.short_side, alone.data.height, alone.data.width) == (368, 224, 224)
    assert alone.sub_goals.temporal == ("flow",)


@pytest.mark.parametrize("kind", ["cnn", "cnn_lstm", "convlstm", "cbm", "r2plus1d"])
@pytest.mark.parametrize("data", ["ucf101", "lips"])
def test_rivals_are_laid_over(kind: str, data: str) -> None:
    settings = preset(data, kind)
    assert settings.model.kind == kind
    assert settings.goals.spatial == settings.goals.temporal == 0
    assert settings.data == preset(data).data


def test_every_preset_can_be_read() -> None:
    for file in (task_folders()["action"] / "presets").glob("*.yaml"):
        assert isinstance(read_settings(ActionSettings, file), ActionSettings)
