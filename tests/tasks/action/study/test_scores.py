"""Scores, importance by class and linear models, on answers of which they are known."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from semicoupled.bootstrap import draws_within
from semicoupled.rows import Row
from semicoupled.studies.scores import select
from semicoupled.tasks.action.listing.clip import Clip
from semicoupled.tasks.action.study.answers import Answers, Part, parts_of
from semicoupled.tasks.action.study.baselines import linear_answers, make_baselines
from semicoupled.tasks.action.study.goals import goals
from semicoupled.tasks.action.study.page import time_table
from semicoupled.tasks.action.study.rows import scopes, values_of
from semicoupled.tasks.action.study.variants import QUICK, VARIANTS, settings_of

WHOLE = next(variant for variant in VARIANTS if variant.name == "whole")


def part(labels: list[str], groups: list[str]) -> Part:
    clips = [
        Clip(Path(f"{n}.mp4"), label, str(n), None, group)
        for n, (label, group) in enumerate(zip(labels, groups, strict=True))
    ]
    return Part("test", clips, ["a", "b"], "")


def test_values_of_single_videos() -> None:
    main = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]])
    spatial = np.array([[0.5, 0.5], [0.5, 0.5], [0.2, 0.8]])
    temporal = np.array([[0.8, 0.2], [0.1, 0.9], [0.2, 0.8]])
    found = values_of(Answers(main, spatial, temporal), np.array([0, 1, 1]))
    assert found["main", "top1"].tolist() == [1, 0, 0]  # of two equal ones the earlier counts
    assert found["importance", "importance"] == pytest.approx([0.3, 0.4, 0.0])
    assert found["importance", "importance_top1"].tolist() == [0, 1, 0]
    assert ("main", "top5") not in found
    assert ("importance", "importance") not in values_of(Answers(main, None, None), np.array([0, 1, 1]))


def test_draws_stay_within_their_groups() -> None:
    groups = np.array(["x", "x", "x", "y", "y", "z"])
    chosen = np.array([True, True, True, True, True, False])
    weights = draws_within(groups, chosen, 50)
    assert weights.shape == (51, 6)
    assert weights[0].tolist() == [1, 1, 1, 1, 1, 0]
    assert (weights[:, :3].sum(1) == 3).all()
    assert (weights[:, 3:5].sum(1) == 2).all()
    assert len(np.unique(weights[1:, :3], axis=0)) > 3


def test_scopes_are_all_then_groups_then_classes() -> None:
    found = scopes(part(["a", "a", "b"], ["p", "q", "q"]))
    assert [scope.condition for scope in found] == [{}, {"group": "p"}, {"group": "q"}, {"class": "a"}, {"class": "b"}]
    assert found[2].mean(np.array([5.0, 1.0, 2.0]))[0] == 1.5


def test_a_class_that_needs_time_is_told_from_one_that_does_not() -> None:
    rows: list[Row] = []
    for name, low, high in (("a", 0.2, 0.4), ("b", -0.1, 0.1)):
        about = {"data": "test", "variant": "whole", "class": name}
        rows.append(Row("semicoupled", "importance", about, (low + high) / 2, 30, "1", (low, high)))
        rows += [Row("semicoupled", "probability", about, 0.9, 30)]
        for stream in ("spatial", "temporal"):
            streamed = {"data": "test", "variant": "whole", "stream": stream, "class": name}
            rows += [Row("semicoupled", metric, streamed, 0.5, 30) for metric in ("probability", "top1")]
    rows.insert(0, Row("semicoupled", "importance", {"data": "test", "variant": "whole"}, 0.15, 60, "1", (0.1, 0.2)))
    table = time_table(rows, WHOLE, "test")
    needs = {str(line[0]): line[6] for line in table.rows}
    assert needs == {"all": "yes", "a": "yes", "b": "undecided"}


def test_goals_are_computed_and_not_said() -> None:
    def row(variant: str, value: float, **more: str) -> Row:
        return Row("m", "top1", {"data": "test", "variant": variant, **more}, value, 10)

    rows = [
        row("semicoupled", 0.71),
        row("s", 0.68),
        row("large", 0.72),
        row("cnn", 0.4),
        row("convlstm", 0.8),
        row("whole", 0.7),
        row("whole", 0.3, stream="spatial"),
        Row("linear, one frame", "top1", {"data": "test"}, 0.3, 10),
        Row("m", "importance", {"data": "test", "variant": "whole"}, 0.2, 10, "1", (0.1, 0.3)),
    ]
    found = {goal.text: goal.is_met for goal in goals(rows, "test", 10)}
    assert found["top-1 of ten single words"] is True
    assert found["size s at most 3 points behind the large network"] is False
    assert found["top-1 not below that of cnn, of equal size"] is True
    assert found["top-1 not below that of convlstm, of equal size"] is False
    assert found["top-1 not below that of cbm, of equal size"] is None
    assert found["time matters: the interval of its importance lies above 0"] is True
    assert "top-1 of ten single words" not in {goal.text for goal in goals(rows, "test", 20)}


def test_linear_models_learn_what_is_linear() -> None:
    random = np.random.default_rng(0)
    truth, held = random.integers(0, 3, 120), random.integers(0, 3, 60)
    views = {
        "train": np.eye(3)[truth] + 0.1 * random.standard_normal((120, 3)),
        "validation": np.eye(3)[held] + 0.1 * random.standard_normal((60, 3)),
    }
    said = linear_answers(views, truth, 3, ("validation", held))
    assert said["validation"].sum(1) == pytest.approx(np.ones(60))
    assert (said["validation"].argmax(1) == held).all()
    wide = {name: np.c_[view, 0.02 * random.standard_normal((len(view), 200))] for name, view in views.items()}
    assert (linear_answers(wide, truth, 3, ("validation", held))["validation"].argmax(1) == held).mean() > 0.8


def test_rows_are_selected_by_exactly_their_conditions() -> None:
    rows = [
        Row("m", "top1", {"data": "test", "variant": "s"}, 1, 1),
        Row("m", "top1", {"data": "test", "variant": "s", "class": "a"}, 0, 1),
    ]
    assert [row.value for row in select(rows, "top1", variant="s", data="test")] == [1]


def test_videos_that_may_be_skipped_are_left_out_of_what_is_scored(
    samples: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = samples.make_tree(tmp_path / "root", groups=4)
    for name in ("left/p1", "right/p2", "left/p0"):  # of what chooses, what decides, and what is learned from
        (root / "videos" / f"{name}.mp4").write_bytes(b"no video")
    monkeypatch.setattr("semicoupled.skipping.MOST_SKIPPED", 0.5)
    options = [*QUICK, f"--data.root={root}", "--data.validation=p1", "--data.test=p2", "--data.on_error=skip"]
    settings = settings_of(VARIANTS[0], 0, options)
    parts = parts_of(settings)
    assert [[clip.name for clip in one.clips] for one in parts] == [["videos/right/p1.mp4"], ["videos/left/p2.mp4"]]
    found = make_baselines(tmp_path / "kept", settings, parts)
    assert {len(said.main) for split in found.values() for said in split.values()} == {1}
