"""Scores by hand, the plain shapes, the simulated annotator, and the real street scenes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from outline_samples import small_settings

from semicoupled.tasks.outline.data import OutlineData, Source
from semicoupled.tasks.outline.data_settings import DataSettings
from semicoupled.tasks.outline.drawing.session import OutlineSession
from semicoupled.tasks.outline.formats.listing import read_parts
from semicoupled.tasks.outline.formats.records import Instance, Part, Picture
from semicoupled.tasks.outline.model import build_model
from semicoupled.tasks.outline.scores import annotator
from semicoupled.tasks.outline.scores.annotator import annotate, next_correction
from semicoupled.tasks.outline.scores.draw import sections
from semicoupled.tasks.outline.scores.evaluation import BOX, CEILING, ELLIPSE, judge, judged_shapes, rows_of
from semicoupled.tasks.outline.scores.metrics import boundary_f, score
from semicoupled.tasks.outline.settings import EvaluationSettings

SQUARE = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])


def _source(polygon: np.ndarray, label: str = "car") -> Source:
    instance = Instance(label, (Part(polygon),))
    return Source(Path("none.png"), Picture("none.png", 60, 50, (instance,)), instance)


def test_iou_and_boundary_by_hand() -> None:
    found = score(SQUARE + np.array([10, 0]), [Part(SQUARE)], (60, 50))
    assert found.overlap == (200, 600)
    assert found.overlap.iou == pytest.approx(1 / 3)
    assert found.area == 400
    same = score(SQUARE, [Part(SQUARE)], (60, 50))
    assert same.overlap.iou == 1
    assert same.boundary == (1, 1)
    beside = score(SQUARE + np.array([1, 1]), [Part(SQUARE)], (60, 50)).boundary
    assert beside[1] == 1
    assert 0.9 < beside[0] < 1  # two corners are farther than a pixel
    half = score(SQUARE, [Part(SQUARE)], (20, 50))  # what lies outside of the image does not count
    assert half.area == 200


def test_boundaries_of_nothing() -> None:
    empty, full = np.zeros((5, 5), bool), np.ones((5, 5), bool)
    assert math.isnan(boundary_f(empty, empty, (1,))[0])
    assert boundary_f(empty, full, (1,)) == (0.0,)


def test_rows_by_class_size_and_pooled() -> None:
    judged = [judge(_source(SQUARE), SQUARE), judge(_source(SQUARE, "dog"), SQUARE + np.array([10, 0]), closed=False)]
    rows = {(row.metric, *sorted(row.condition.items())): row for row in rows_of("me", judged, {"prompt": "box"})}
    prompt = ("prompt", "box")
    assert rows["iou", prompt].value == pytest.approx(2 / 3)
    assert rows["iou", ("class", "dog"), prompt].value == pytest.approx(1 / 3)
    assert rows["iou_class_mean", prompt].value == pytest.approx(2 / 3)
    assert rows["iou_pooled", prompt].value == pytest.approx(600 / 1000)
    assert rows["iou", prompt, ("size", "small")].count == 2
    assert math.isnan(rows["iou", prompt, ("size", "large")].value)
    assert rows["not_closed", prompt].value == 0.5


def test_shapes_that_need_no_network() -> None:
    data = DataSettings(tolerance=0)
    shapes = judged_shapes([_source(SQUARE)], data)
    assert shapes[BOX][0].score.overlap.iou == 1
    assert shapes[ELLIPSE][0].score.overlap.iou == pytest.approx(math.pi / 4, abs=0.03)
    assert 0.85 < shapes[CEILING][0].score.overlap.iou <= 1


def test_a_report_says_how_many_objects_were_scored(outline_root: Path) -> None:
    settings = small_settings(outline_root, head="cells")
    settings = replace(settings, evaluation=EvaluationSettings(prompts=("start",), limit=1))
    data = OutlineData(read_parts(settings.data).validation, settings.data, training=False)
    _, scores = sections(settings, build_model(settings.model, settings.data.grid).eval(), data, outline_root)
    assert len(data) > 1
    assert scores.text.startswith("Of 1 objects;")


def test_a_correction_is_the_first_side_that_leads_away() -> None:
    tolerances = [2.0, 1.0]
    assert next_correction(SQUARE, SQUARE, tolerances) is None
    wrong = SQUARE.copy()
    wrong[2] = (20, 18)
    found = next_correction(wrong, SQUARE, tolerances)
    assert found is not None
    assert found[0] == 2
    assert found.target is not None
    assert found.target.tolist() == [30, 30]
    missing = next_correction(SQUARE[:3], SQUARE, tolerances)
    assert missing is not None
    assert missing[0] == 3
    assert missing.target is not None
    assert missing.target.tolist() == [10, 30]
    too_many = next_correction(np.concatenate([SQUARE, [[40.0, 3.0]]]), SQUARE, tolerances)
    assert too_many == (3, None)


def test_an_annotator_reaches_the_truth_whatever_the_network_draws(
    outline_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small_settings(outline_root, head="cells", positions="fields")
    model = build_model(settings.model, settings.data.grid).eval()
    source = read_parts(settings.data).validation[0]
    patient = annotate(model, source, settings.data, most=25, jitter=0.0)
    assert patient.iou[-1] > patient.iou[0]
    assert patient.clicks[0] is not None
    assert patient.iou[patient.clicks[0]] >= 0.8
    assert len(patient.iou) <= 26
    assert annotate(model, source, settings.data, most=0, jitter=0.0).iou == patient.iou[:1]
    moves: list[tuple[float, float]] = []
    move = OutlineSession.move

    def noted(self: OutlineSession, index: int, point: tuple[float, float]) -> Iterator[object]:
        moves.append(point)
        return move(self, index, point)

    monkeypatch.setattr(annotator.OutlineSession, "move", noted)
    annotate(model, source, settings.data, most=1, jitter=0.0)
    annotate(model, source, settings.data, most=1, jitter=2.0)
    assert 0 < math.dist(*moves) < 12


def test_real_street_scenes_have_a_ceiling_far_above_the_plain_shapes(camvid: Path) -> None:
    data = DataSettings(root=str(camvid))
    sources = read_parts(data).validation[::20]
    shapes = {
        name: np.nanmean([one.score.overlap.iou for one in own]) for name, own in judged_shapes(sources, data).items()
    }
    assert shapes[CEILING] > 0.9 > 0.8 > max(shapes[BOX], shapes[ELLIPSE])
