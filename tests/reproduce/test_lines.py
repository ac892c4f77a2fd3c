"""Every line of the paper's tables: its printed figures, and a configuration at each size that builds and trains."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch

from semicoupled.cli.main import main
from semicoupled.find_task import find_task
from semicoupled.paper_table import SIZES, Line, Size
from semicoupled.reproduce.request import Request
from semicoupled.reproduce.table import PaperTable, variants_of
from semicoupled.reproduce.tables import TABLES
from semicoupled.rows import read_rows
from semicoupled.studies.trials import Trial, begins_with
from semicoupled.training.loop import fit

BY_NAME = {table.name: table for table in TABLES}
PRINTED = {"table2": 8, "table3": 5, "table4": 17, "table5": 9, "table6": 4, "table7": 4}
"""Lines that the paper prints."""
SUMS = {
    "table2": {"Kinetics": 238.1, "UCF-101": 681.5, "HMDB-51": 411.9},
    "table3": {"Kinetics": 304.0, "HMDB-51": 319.0},
    "table4": {"Cityscapes": 1092.5},
    "table5": {
        "LiVi, 6 deg": 274.7,
        "LiVi, 3 deg": 146.7,
        "LiVi, MSE": 0.444,
        "Comma, 6 deg": 410.8,
        "Comma, 3 deg": 216.0,
        "Comma, MSE": 0.445,
    },
    "table6": {"T1, 6 deg": 113.7, "T2, 6 deg": 140.6, "T2 - T1, 6 deg": 26.9, "T2 - T1, 3 deg": 13.9},
    "table7": {"MSE": 0.04241, "CSI": 2.2244, "FAR": 0.6837, "POD": 2.5097, "COR": 2.8057},
}
"""Of the columns, added up from the paper by hand: a figure that is typed wrong shows."""
ALL = [
    pytest.param(table.name, line.name, size, marks=[pytest.mark.slow] if size == "small" else [])  # they are trained
    for table in TABLES
    for line in table.lines()
    for size in SIZES
]
STEPPED = [(table.name, line.name) for table in TABLES for line in table.lines()]


def line_of(table: str, name: str) -> Line:
    return next(line for line in BY_NAME[table].lines() if line.name == name)


@pytest.mark.parametrize("name", PRINTED)
def test_every_line_that_is_printed_is_there_with_its_figures(name: str) -> None:
    lines = [line for line in BY_NAME[name].lines() if any(value is not None for value in line.figures.values())]
    assert len(lines) == PRINTED[name]
    assert len({line.name for line in lines}) == len(lines)
    assert len({tuple(line.figures) for line in BY_NAME[name].lines()}) == 1
    for column, total in SUMS[name].items():
        printed = [line.figures[column] for line in lines]
        assert math.fsum(value for value in printed if value is not None) == pytest.approx(total, abs=1e-9)


def test_a_dash_stays_a_dash() -> None:
    assert line_of("table2", "convlstm_15").figures["Kinetics"] is None


@pytest.mark.parametrize(("table", "name", "size"), ALL)
def test_every_line_has_a_configuration_that_builds(table: str, name: str, size: Size) -> None:
    assert parameters(table, name, size) > 10_000


@lru_cache
def parameters(table: str, name: str, size: Size) -> int:
    trial = trial_of(BY_NAME[table], name, size)
    with torch.device("meta"):
        model: Any = find_task(BY_NAME[table].door.task).build(trial.settings, DESCRIPTIONS[BY_NAME[table].door.task])
    return sum(parameter.numel() for parameter in model.parameters())


DESCRIPTIONS: dict[str, Any] = {
    "action": {"classes": [str(number) for number in range(51)]},
    "outline": {"labels": ["car"]},
    "driving": {"unit": "degrees", "mean_angle": 0.0, "frame_seconds": 0.1},
    "nowcasting": {"minutes": 5.0},
}


def trial_of(table: PaperTable, name: str, size: Size) -> Trial:
    variants = variants_of([line_of(table.name, name)], size)
    return table.door.trials(Request(size=size, seeds=(0,)), variants)[-1]


def test_what_begins_with_weights_comes_behind_them() -> None:
    found = [variant.name for variant in variants_of([line_of("table4", "polyrnn_pp")], "small")]
    assert found == ["polyrnn_attention", "polyrnn_reinforce", "polyrnn_evaluator", "polyrnn_pp"]
    alone = variants_of([line_of("table4", name) for name in ("polyrnn_pp", "polyrnn_reinforce")], "small")
    assert [variant.name for variant in alone] == found


def test_the_paper_s_size_is_the_paper_s() -> None:
    def settings(table: str, name: str) -> Any:
        return trial_of(BY_NAME[table], name, "paper").settings

    vgg = settings("table2", "semicoupled_vgg")
    assert (vgg.model.size, vgg.model.backbone, vgg.training.batch, vgg.segments.length) == (
        "backbone",
        "vgg16",
        16,
        10,
    )
    fused = settings("table2", "two_stream_3d")
    assert (fused.model.kind, fused.model.size, fused.data.color) == ("two_stream_3d", "backbone", "rgb_flow")
    deep = settings("table2", "convlstm_15").model
    assert (len(deep.widths), math.prod(deep.strides), deep.widths[0], deep.widths[-1]) == (15, 32, 64, 512)
    assert settings("table5", "cnn").model.kind == "resnet18"
    assert (settings("table5", "cnn").data.frames, settings("table5", "cnn_lstm_length3").data.frames) == (1, 3)
    assert settings("table5", "cnn_lstm_length7").model.kind == "vgg_lstm"
    for name, p in (("semicoupled_length7", 0.5), ("semicoupled_p3_length7", 0.3), ("semicoupled_p0_length3", 0.0)):
        assert (settings("table5", name).switches.method, settings("table5", name).switches.start) == ("stsgd", p)
    rain, rival = settings("table7", "semicoupled_plain_p3"), settings("table7", "convlstm_plain")
    assert (rain.model.layers, rain.model.width, rain.model.patch, rain.switches.start) == (15, 128, 1, 0.3)
    assert (rival.model.kind, rival.model.width, rival.training.batch) == ("convlstm", 64, 8)
    outline = settings("table4", "semicoupled_15")
    assert (outline.model.backbone, outline.data.grid, outline.switches.method) == ("vgg16_bn", 28, "astsgd")
    assert settings("table4", "convlstm_15").training.learning_rate == 1e-4
    short = settings("table3", "without_ltsc")
    assert (short.data.frames, short.segments.length, short.evaluation.clips) == (5, None, 1)
    assert [settings("table3", name).switches.method for name in ("whole", "without_astsgd")] == ["astsgd", "none"]


@pytest.mark.slow
@pytest.mark.parametrize(("table", "name"), STEPPED)
def test_every_line_trains_and_is_scored_on_made_data(table: str, name: str, tmp_path: Path) -> None:
    out, file = tmp_path / "runs" / "study", tmp_path / "rows.json"
    asked = ["reproduce", table, "--quick", "--device=cpu", "--lines", name, "--out", str(out), "--json", str(file)]
    assert main(asked) == 0
    variant = line_of(table, name).small
    assert variant is not None
    rows = read_rows(file).rows
    assert {row.value for row in rows if row.metric == "steps"} == {2}
    trained = [one.name for one in variants_of([line_of(table, name)], "small")]
    assert [row.condition["variant"] for row in rows if row.metric == "steps"] == trained
    assert (out / f"{variant.name}-0" / "model.safetensors").exists()


SMALLER = {
    "action": ("--data.height=64", "--data.width=64", "--evaluation.clips=1"),
    "outline": ("--data.size=112", "--data.grid=14", "--data.points=12"),
    "driving": ("--data.width=96", "--data.height=64"),
    "nowcasting": ("--data.crop=16", "--data.kilometers=1", "--data.input_frames=2", "--data.output_frames=2"),
}
"""Frames that a CPU can bear; the networks, the switches and the segments are the paper's."""


@pytest.mark.slow
@pytest.mark.parametrize(("table", "name"), STEPPED)
def test_every_line_takes_a_step_with_the_paper_s_network(table: str, name: str, tmp_path: Path) -> None:
    door = BY_NAME[table].door
    _ = door.made.write(tmp_path / "made")
    few = ("--training.steps=1", "--training.batch=1", "--training.accumulate=1", "--training.precision=float32")
    settings = (*door.made.settings(tmp_path / "made"), *SMALLER[door.task], *few)
    request = Request(size="paper", seeds=(0,), out=tmp_path / "runs", settings=settings)
    trials = door.trials(request, variants_of([line_of(table, name)], "paper"))
    for trial in trials:
        result = fit(find_task(door.task), trial.settings, trial.path, device="cpu", init=begins_with(trial))
        assert result.steps == 1
    parameters_kept = sum(parameter.numel() for parameter in result.model.parameters())
    assert parameters_kept > 0.9 * parameters(table, name, "paper")
