"""The study of driving: what its variants are, what is trained and scored, and what is not done again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from tests.tasks.driving.tubs import course, write_tub

from semicoupled.errors import RunError, SettingsError
from semicoupled.page import markdown_table
from semicoupled.rows import Row
from semicoupled.studies.request import StudyRequest
from semicoupled.studies.scores import select
from semicoupled.studies.training import TRAINED
from semicoupled.studies.trials import Variant, choose
from semicoupled.tasks.driving.model import DrivingModel, build_network
from semicoupled.tasks.driving.study.answers import load_answers, places_of
from semicoupled.tasks.driving.study.goals import goals
from semicoupled.tasks.driving.study.page import goal_table, part_of, pictures, section, table_5, table_6, tables
from semicoupled.tasks.driving.study.running import run_study
from semicoupled.tasks.driving.study.variants import PAIRS, QUICK, VARIANTS, settings_of

BY_NAME = {variant.name: variant for variant in VARIANTS}
NAMES = ("semicoupled", "cnn", "semicoupled_length7")
SEEDS = (0, 1)


def parameters(variant: Variant) -> int:
    settings = settings_of(variant, 0)
    model = DrivingModel(build_network(settings.model), settings.model, settings.sub_goals)
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("name", ["convlstm", "cnn", "cnn_lstm", "semicoupled_length3", "cnn_lstm_length7"])
def test_rivals_have_as_many_parameters_within_5_percent(name: str) -> None:
    assert parameters(BY_NAME[name]) / parameters(BY_NAME["semicoupled"]) == pytest.approx(1, abs=0.05)


def test_every_pair_is_there() -> None:
    assert {name for pair in PAIRS for name in pair} <= set(BY_NAME)


def test_the_page_on_the_command_line_names_every_variant() -> None:
    page = (Path(__file__).parents[4] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in BY_NAME if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", BY_NAME)
def test_all_variants_learn_with_equal_care(name: str) -> None:
    ours, first = (settings_of(BY_NAME[one], 0) for one in (name, "semicoupled"))
    tuned = {
        "batch": first.training.batch,
        "learning_rate": first.training.learning_rate,
    }  # the rate of each kind by itself
    assert dataclasses.replace(ours.training, **tuned) == first.training
    assert ours.data.angle == first.data.angle
    assert ours.data.augment == first.data.augment
    assert (ours.data.width, ours.data.height, ours.data.rate) == (first.data.width, first.data.height, first.data.rate)
    if "length" in name:
        frames = int(name[-1])
        assert (ours.data.frames, ours.evaluation.way, ours.sub_goals.warm_up) == (frames, "clips", None)
    elif name == "semicoupled_long":
        assert ours.data.frames * ours.training.batch >= first.data.frames * first.training.batch
        assert ours.segments.length is not None
    else:
        assert ours.training.batch == first.training.batch
        assert (ours.data.frames, ours.evaluation.way) == (first.data.frames, "stream")


def test_table_5_has_its_three_p_at_each_length() -> None:
    for end in ("", "_length7", "_length3"):
        for p, name in ((0.5, f"semicoupled{end}"), (0.3, f"semicoupled_p3{end}"), (0.0, f"semicoupled_p0{end}")):
            switches = settings_of(BY_NAME[name], 0).switches
            assert (switches.method, switches.start) == ("stsgd", p)


@pytest.fixture(scope="module")
def tubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs, and another place."""
    folder = tmp_path_factory.mktemp("tubs")
    _ = write_tub(folder / "root", {name: course(60, seed) for seed, name in enumerate("abcd")})
    _ = write_tub(folder / "elsewhere", {name: course(60, 9 + seed) for seed, name in enumerate("xy")})
    return folder


def options(tubs: Path) -> list[str]:
    return [*QUICK, f"--data.root={tubs / 'root'}", "--data.validation=last:2"]


def study(tubs: Path, out: Path, names: tuple[str, ...] = NAMES, seeds: tuple[int, ...] = SEEDS) -> list[Row]:
    chosen = choose("driving", VARIANTS, names)
    return run_study(StudyRequest(chosen, seeds, out, options=options(tubs), device="cpu"), others=[tubs / "elsewhere"])


def said(rows: list[Row]) -> list[str]:
    return [repr(row) for row in rows if row.metric != "training_seconds"]


@pytest.fixture(scope="module")
def done(tubs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    out = tmp_path_factory.mktemp("study")
    return out, study(tubs, out)


def test_every_variant_and_seed_has_scores_on_every_place(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    for data in ("validation", "elsewhere"):
        for name in NAMES:
            found = select(rows, "mse", data=data, variant=name, label="raw")
            assert [row.condition.get("seed") for row in found] == [0, 1, None]
            assert found[2].value == pytest.approx((found[0].value + found[1].value) / 2, rel=1e-12)
        assert len(select(rows, "r2", data=data, model="mean", label="smoothed")) == 1
        assert len(select(rows, "whiteness", data=data, model="driver", label="raw")) == 1
    for name in NAMES:
        assert [row.value for row in select(rows, "steps", variant=name)] == [2, 2]


def test_all_are_scored_on_the_same_frames(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    # of 60 frames a clip of 7 at every other frame leaves 48 with an answer
    assert {row.count for row in rows if row.metric == "rmse" and "road" not in row.condition} == {96, 48}
    assert {row.count for row in rows if row.metric == "rmse" and not {"road", "run"} & set(row.condition)} == {96}


def test_differences_and_importance(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    about = {"data": "validation", "label": "raw"}
    ours, rival = (
        [row.value for row in select(rows, "mse", variant=name, **about) if "seed" in row.condition]
        for name in ("semicoupled", "cnn")
    )
    found = select(rows, "mse_difference", variant="semicoupled", against="cnn", **about)
    assert found[0].value == pytest.approx(np.mean(np.subtract(ours, rival)), rel=1e-9)
    (low,) = select(rows, "mse_difference_lowest", variant="semicoupled", against="cnn", **about)
    assert low.value == pytest.approx(min(np.subtract(ours, rival)), rel=1e-9)
    seeds = [
        row.condition.get("seed") for row in select(rows, "importance", variant="semicoupled", score="mse", **about)
    ]
    assert seeds == [0, 1, None]
    assert not select(rows, "importance", variant="cnn", score="mse", **about)


def test_what_is_finished_is_not_done_again(done: tuple[Path, list[Row]], tubs: Path) -> None:
    out, rows = done
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert said(study(tubs, out)) == said(rows)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before


def test_lost_answers_are_given_again_without_training(done: tuple[Path, list[Row]], tubs: Path) -> None:
    out, rows = done
    (out / "cnn-0" / "answers-elsewhere.npz").unlink()
    (out / "cnn-1" / "answers-validation.npz").write_bytes(b"broken")
    trained = (out / "cnn-0" / TRAINED).stat().st_mtime_ns
    assert said(study(tubs, out)) == said(rows)
    assert (out / "cnn-0" / TRAINED).stat().st_mtime_ns == trained
    assert json.loads((out / "cnn-0" / TRAINED).read_text())["steps"] == 2


def test_answers_along_other_files_are_not_taken(done: tuple[Path, list[Row]], tubs: Path) -> None:
    out, _ = done
    settings = settings_of(BY_NAME["cnn"], 0, options(tubs))
    assert all(load_answers(out / "cnn-0", place) for place in places_of(settings, [tubs / "elsewhere"]))
    other = settings_of(BY_NAME["cnn"], 0, [*options(tubs), "--data.angle.offset=0.1"])
    assert [load_answers(out / "cnn-0", place) for place in places_of(other, [])] == [None]


def test_wrong_settings_are_found_before_anything_is_trained(
    done: tuple[Path, list[Row]], tubs: Path, tmp_path: Path
) -> None:
    out, _ = done
    with pytest.raises(SettingsError, match="at least one variant and one seed"):
        _ = run_study(StudyRequest((), SEEDS, tmp_path))
    settings = settings_of(BY_NAME["cnn"], 0, options(tubs))
    with pytest.raises(SettingsError, match="a folder called 'root' is there already"):
        _ = places_of(settings, [tubs / "root", tmp_path / "root"])
    with pytest.raises(RunError, match="was begun with other settings"):
        _ = run_study(
            StudyRequest(
                choose("driving", VARIANTS, ["cnn"]),
                (0,),
                out,
                options=[*options(tubs), "--training.batch=3"],
                device="cpu",
            )
        )


def test_tables_and_pages(done: tuple[Path, list[Row]]) -> None:
    _, rows = done
    text = section(rows, "semicoupled study driving", [("study-driving.png", "Scores")])
    for name in NAMES:
        assert BY_NAME[name].label in text
    for table in tables(rows):
        assert markdown_table(table) in text
    ours = table_5(rows).rows[0]
    value = np.mean([row.value for row in select(rows, "mse", variant="semicoupled", data="validation", label="raw")])
    assert cast(str, ours[-1]).startswith(f"{value:.4g}")
    told = table_6(rows, "validation", BY_NAME["semicoupled"])
    assert told.rows[0][-1] == 96
    assert told.rows[-1][0] == "crossroads, paper (LiVi)"
    assert set(pictures(rows)) == {"driving", "driving-importance"}


def test_goals_are_computed_and_not_said() -> None:
    def row(variant: str, metric: str, value: float, **about: object) -> Row:
        condition = {"data": "validation", "variant": variant, "label": "raw", **about}
        return Row("m", metric, cast("dict[str, str | float]", condition), value, 10)

    rows = [
        row("semicoupled", "r2", 0.71, label="smoothed"),
        row("semicoupled", "r2", 0.2, label="smoothed", seed=0),
        row("semicoupled", "mse", 0.02),
        row("cnn", "mse", 0.03),
        row("cnn_lstm", "mse", 0.01),
        row("semicoupled", "acc_soft", 0.5, angle_threshold=0.2),
        row("cnn", "acc_soft", 0.6, angle_threshold=0.2),
    ]
    found = list(goals(rows, [0.2]))
    smoothed, raw = [None] * 4, [True, False, False, None]
    assert [goal.is_met for goal in found] == [True, *smoothed, *raw]
    assert [goal.text for goal in found[5:7]] == [
        "MSE below that of cnn, raw label",
        "soft accuracy at 0.2 above that of cnn, raw label",
    ]
    assert goal_table(rows).rows[0][:3] == ["share of the variance of the smoothed angle", 0.71, 0.7]


def test_a_clip_of_table_5_is_compared_with_those_that_see_as_many_frames() -> None:
    def row(variant: str, value: float, metric: str = "mse", label: str = "raw") -> Row:
        return Row("m", metric, {"data": "validation", "variant": variant, "label": label}, value, 10)

    rows = [row("semicoupled_length7", 0.02), row("cnn", 0.03), row("cnn_lstm_length7", 0.01), row("cnn_lstm", 0.5)]
    rows += [row("semicoupled_length7", 0.8, "r2", "smoothed")]
    found = {goal.text: goal.is_met for goal in goals(rows, [])}
    assert found == {
        "length 7: share of the variance of the smoothed angle": True,
        "length 7: MSE below that of cnn, smoothed label": None,
        "length 7: MSE below that of cnn_lstm_length7, smoothed label": None,
        "length 7: MSE below that of cnn, raw label": True,
        "length 7: MSE below that of cnn_lstm_length7, raw label": False,
    }


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (["semicoupled", "cnn"], ""),
        (["semicoupled_p0_length3", "cnn_lstm_length7", "cnn"], "table 5"),
        (["semicoupled_length7", "cnn_lstm"], ""),
    ],
)
def test_table_5_run_alone_has_a_section_of_its_own(names: list[str], part: str) -> None:
    assert part_of([Row("semicoupled", "mse", {"variant": name}, 0.5, 1) for name in names]) == part
