"""Answers of whole videos: streamed as batched, in files that can be taken up, with scores that are right."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from semicoupled.cli.main import main
from semicoupled.errors import DataError, SettingsError
from semicoupled.rows import read_rows
from semicoupled.run_folder import open_run
from semicoupled.task_requests import EvaluateRequest, PredictRequest
from semicoupled.tasks.action.answering import VideoAnswer, answer_all, answered_streams, crop_draws
from semicoupled.tasks.action.data import ActionData
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.frames import iterate_frames
from semicoupled.tasks.action.listing.clip import Clip
from semicoupled.tasks.action.model import build_model
from semicoupled.tasks.action.operating.annotated import draw_answer
from semicoupled.tasks.action.operating.inputs import find_inputs
from semicoupled.tasks.action.operating.predictor import ActionPredictor
from semicoupled.tasks.action.operating.slots import answer_side_by_side
from semicoupled.tasks.action.operating.video_answer import answer_frames
from semicoupled.tasks.action.scores.metrics import headline, in_top, score_rows
from semicoupled.tasks.action.settings import ActionSettings, EvaluationSettings, ModelSettings, PredictSettings
from semicoupled.tasks.action.task import TASK
from semicoupled.training.settings import GoalWeights
from semicoupled.training.weights import save_weights

CLASSES = ["left", "right", "up", "down", "in", "out"]
SETTINGS = ActionSettings(
    data=DataSettings(height=24, width=32, frames=6), model=ModelSettings(widths=(6, 8), strides=(2, 2))
)


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    network = build_model(SETTINGS, len(CLASSES))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "head" in name and name.endswith("weight"):
                parameter.normal_(std=1.0)
    return network.eval()


@pytest.fixture
def videos(samples: ModuleType, tmp_path: Path) -> list[Path]:
    lengths = (5, 9, 1, 14)
    return [samples.write_video(tmp_path / "in" / f"v{i}.mp4", frames=n, seed=i) for i, n in enumerate(lengths)]


def predict(model: Any, inputs: list[Path], out: Path, stopped: Any = None, **options: Any) -> list[Path]:
    request = PredictRequest(inputs, [out], PredictSettings(**options))
    if stopped is not None:
        request = PredictRequest(inputs, [out], PredictSettings(**options), stopped=stopped)
    return list(ActionPredictor(SETTINGS, CLASSES, model).predict(request))


def records(path: Path) -> list[dict[str, Any]]:
    whole = path.read_text(encoding="utf-8").splitlines(keepends=True)[1:]
    return [json.loads(line) for line in whole if line.endswith("\n")]


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_a_video_streams_as_it_is_answered_in_a_batch(model: Any, videos: list[Path], chunk: int) -> None:
    data = ActionData([Clip(path, "left", path.name) for path in videos], CLASSES, SETTINGS.data)
    batched = answer_all(model, data, SETTINGS, streams=answered_streams(model))
    for path, answer in zip(videos, batched, strict=True):
        frames = list(answer_frames(model, iterate_frames(path), SETTINGS, chunk))
        assert np.allclose(np.stack([frame.main for frame in frames]), answer.frames, atol=1e-5)
        assert np.allclose(np.mean([frame.temporal for frame in frames], 0), answer.temporal, atol=1e-5)
        assert np.allclose(answer.frames.mean(0), answer.main, atol=1e-6)
    assert float(np.ptp([answer.main for answer in batched])) > 0.01


@pytest.mark.parametrize("chunk", [1, 4])
@pytest.mark.parametrize("normalize", ["first", "frame", "pixel"])
def test_normalized_frames_stream_as_in_a_batch(videos: list[Path], chunk: int, normalize: Any, model: Any) -> None:
    settings = replace(SETTINGS, data=replace(SETTINGS.data, normalize=normalize))
    data = ActionData([Clip(path, "left", path.name) for path in videos], CLASSES, settings.data)
    short = replace(settings, evaluation=EvaluationSettings(chunk=3))
    side: Any = list(answer_side_by_side(model, [lambda p=p: iterate_frames(p) for p in videos], settings, 2))
    for number, (path, answer) in enumerate(zip(videos, answer_all(model, data, short), strict=True)):
        frames = list(answer_frames(model, iterate_frames(path), settings, chunk))
        assert np.allclose(np.stack([frame.main for frame in frames]), answer.frames, atol=1e-5)
        said = np.stack([one.answer.main for one in side if one.video == number and one.answer is not None])
        assert np.allclose(said, answer.frames, atol=1e-5)


@pytest.mark.parametrize("chunk", [1, 4])
def test_flow_streams_as_in_a_batch(videos: list[Path], chunk: int) -> None:
    settings = replace(SETTINGS, data=replace(SETTINGS.data, color="flow"))
    torch.manual_seed(0)
    network: Any = build_model(settings, len(CLASSES)).eval()
    with torch.no_grad():
        for parameter in network.main_head.parameters():
            parameter.normal_()
    data = ActionData([Clip(path, "left", path.name) for path in videos], CLASSES, settings.data)
    assert data[0].frames.shape == (6, 2, 24, 32)
    assert not data[0].frames[0].any()  # nothing is known to have moved yet
    assert data[0].frames[1:5].any()
    short = replace(settings, evaluation=EvaluationSettings(chunk=3))
    for path, answer in zip(videos, answer_all(network, data, short), strict=True):
        frames = list(answer_frames(network, iterate_frames(path), settings, chunk))
        assert np.allclose(np.stack([frame.main for frame in frames]), answer.frames, atol=1e-5)
    side: Any = list(answer_side_by_side(network, [lambda p=p: iterate_frames(p) for p in videos], settings, 2))
    for number, answer in enumerate(answer_all(network, data, settings)):
        said = np.stack([one.answer.main for one in side if one.video == number and one.answer is not None])
        assert np.allclose(said, answer.frames, atol=1e-5)


def test_two_streams_are_fused(samples: ModuleType, tmp_path: Path) -> None:
    root = samples.make_tree(tmp_path / "root")
    data = DataSettings(root=str(root), validation="p1", height=24, width=32, frames=6)
    for name, color in (("rgb", "rgb"), ("flow", "flow"), ("odd", "rgb")):
        settings = replace(SETTINGS, data=replace(data, color=color))
        run = open_run(tmp_path / name, "action", settings)
        classes = ["left", "right"] if name != "odd" else ["right", "left"]
        run.write_description({"classes": classes})
        torch.manual_seed(len(name))
        save_weights(run.weights_file, build_model(settings, 2), {})
    command = ["evaluate", "action", str(tmp_path / "rgb"), "--device=cpu", "--json", str(tmp_path / "s.json")]
    assert main([*command, "--evaluation.fuse", str(tmp_path / "flow")]) == 0
    scores = {
        row.model: row for row in read_rows(tmp_path / "s.json").rows if row.metric == "top1" and not row.condition
    }
    assert f"semicoupled + {tmp_path / 'flow'}" in scores
    assert main([*command, "--evaluation.fuse", str(tmp_path / "odd")]) == 2


def test_a_split_that_other_data_do_not_have_is_told(model: Any, samples: ModuleType, tmp_path: Path) -> None:
    root = samples.make_tree(tmp_path / "root")

    def evaluate(split: str, *classes: str) -> Any:
        asked = EvaluateRequest(SETTINGS, None, {"classes": classes}, root, split, torch.device("cpu"))
        return TASK.evaluate(asked)

    assert evaluate("all", "left", "right")[0].count == 6
    with pytest.raises(DataError, match=r"no clips of the split test; its list names no splits\. Give --split all$"):
        evaluate("test", "left", "right")
    with pytest.raises(DataError, match=r"expected some of up, down; there are left, right"):
        evaluate("all", "up", "down")


def test_records_say_it_all(model: Any, videos: list[Path], tmp_path: Path) -> None:
    (written,) = predict(model, videos, tmp_path / "out.jsonl", top=3)
    found = records(written)
    assert [record["video"] for record in found] == [str(path) for path in videos]
    assert [record["count"] for record in found] == [5, 9, 1, 14]
    first = found[0]
    assert first["error"] is None
    assert len(first["frames"]) == 5
    assert [round(frame[0], 2) for frame in first["frames"]] == [0, 0.1, 0.2, 0.3, 0.4]
    mean = np.mean([frame[1:] for frame in first["frames"]], axis=0)
    assert first["answer"] == CLASSES[int(mean.argmax())]
    assert first["probability"] == pytest.approx(float(mean.max()), abs=1e-5)
    assert [name for name, _ in first["top"]] == [CLASSES[i] for i in np.argsort(-mean)[:3]]
    spatial, temporal = dict(first["spatial"]), dict(first["temporal"])
    both = [name for name in first["importance"] if name in spatial and name in temporal]
    assert all(first["importance"][name] == pytest.approx(temporal[name] - spatial[name], abs=1e-5) for name in both)
    about = json.loads(written.read_text().splitlines()[0])
    assert (about["format"], about["task"], about["classes"]) == (1, "action", CLASSES)


def test_a_list_that_was_stopped_is_taken_up_bit_for_bit(model: Any, videos: list[Path], tmp_path: Path) -> None:
    (whole,) = predict(model, videos, tmp_path / "whole.jsonl")
    asked = iter([False, True])
    assert predict(model, videos, tmp_path / "parts.jsonl", stopped=lambda: next(asked)) == []
    part = tmp_path / "parts.jsonl.part"
    assert len(records(part)) == 2
    assert not (tmp_path / "parts.jsonl").exists()
    with part.open("ab") as file:
        file.write(b'{"video": "half of a rec')  # the power went off
    (again,) = predict(model, videos, tmp_path / "parts.jsonl")
    assert again.read_bytes() == whole.read_bytes()
    assert not part.exists()


def test_a_finished_file_is_gone_on_with(model: Any, videos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    predict(model, videos[:2], out)
    before = out.read_bytes()
    predict(model, videos[:2], out)
    assert out.read_bytes() == before
    predict(model, videos, out)
    assert out.read_bytes().startswith(before)
    assert len(records(out)) == 4


def test_another_model_does_not_go_on_with_the_file(model: Any, videos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    predict(model, videos[:1], out)
    before = out.read_bytes()
    with torch.no_grad():
        next(model.parameters()).add_(1)
    with pytest.raises(DataError, match="was made by another model or with other options"):
        predict(model, videos, out)
    assert out.read_bytes() == before
    (tmp_path / "notes.txt").write_text("mine\n")
    with pytest.raises(DataError, match="is no file of answers"):
        predict(model, videos, tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine\n"


def test_bad_videos_are_recorded_and_the_others_answered(
    model: Any, videos: list[Path], samples: ModuleType, tmp_path: Path
) -> None:
    whole = samples.write_video(tmp_path / "long.mp4", frames=60, size=(64, 96)).read_bytes()
    bad = [tmp_path / "in" / "empty.mp4", tmp_path / "in" / "cut.mp4"]
    bad[0].write_bytes(b"")
    bad[1].write_bytes(whole[: len(whole) // 2])
    (written,) = predict(model, [videos[0], *bad, videos[1]], tmp_path / "out.jsonl")
    found = records(written)
    assert [record["error"] is None for record in found] == [True, False, False, True]
    assert "empty.mp4: is empty (0 bytes)" in found[1]["error"]
    assert found[1]["answer"] is None
    assert found[1]["count"] == 0
    with pytest.raises(DataError, match=r"empty\.mp4: is empty"):
        predict(model, [videos[0], *bad], tmp_path / "strict.jsonl", on_error="fail")
    assert len(records(tmp_path / "strict.jsonl.part")) == 1  # what was answered is kept


@pytest.mark.parametrize("how", [{"chunk": 1}, {"chunk": 4}, {"chunk": 100}, {"batch": 2}])
def test_all_frames_before_the_damage_are_answered(
    model: Any, samples: ModuleType, tmp_path: Path, how: dict[str, int]
) -> None:
    folder = samples.write_frames(tmp_path / "clip", samples.square(10))
    (folder / "frame_8.png").write_bytes(b"no picture")
    (written,) = predict(model, [folder], tmp_path / "out.jsonl", **how)
    (found,) = records(written)
    assert "frame_8.png: cannot be decoded" in found["error"]
    assert (found["count"], len(found["frames"])) == (7, 7)


def test_frames_may_be_left_out(model: Any, videos: list[Path], tmp_path: Path) -> None:
    (short,) = predict(model, videos, tmp_path / "short.jsonl", per_frame=False)
    (long,) = predict(model, videos, tmp_path / "long.jsonl")
    for one, other in zip(records(short), records(long), strict=True):
        assert one["frames"] == []
        assert {**one, "frames": None} == {**other, "frames": None}


def test_videos_with_the_answer_drawn(model: Any, videos: list[Path], tmp_path: Path) -> None:
    (tmp_path / "in" / "bad.mp4").write_bytes(b"x")
    written = predict(
        model, [*videos, tmp_path / "in" / "bad.mp4"], tmp_path / "o.jsonl", annotate=str(tmp_path / "drawn")
    )
    assert written[-1] == tmp_path / "o.jsonl"
    assert sorted(written[:-1]) == sorted((tmp_path / "drawn").iterdir())
    assert len(written) == 5  # the bad one has none
    frames = list(iterate_frames(written[1]))
    assert len(frames) == 9
    assert [round(frame.time, 2) for frame in frames] == [round(frame.time, 2) for frame in iterate_frames(videos[1])]
    assert frames[0].image.shape == (7 * 32 + 72, 7 * 48, 3)
    sure = draw_answer(np.zeros((32, 48, 3), np.uint8), np.eye(6)[2], np.eye(6)[2], CLASSES)
    unsure = draw_answer(np.zeros((32, 48, 3), np.uint8), np.full(6, 1 / 6), np.full(6, 1 / 6), CLASSES)
    assert (sure[224:] > 100).sum() > (unsure[224:] > 100).sum()


def test_a_frame_that_is_seen_several_times_is_drawn_once(model: Any, samples: ModuleType, tmp_path: Path) -> None:
    spread = replace(SETTINGS, data=replace(SETTINGS.data, sampling="spread"), evaluation=EvaluationSettings(clips=1))
    options = PredictSettings(annotate=str(tmp_path / "drawn"))
    request = PredictRequest([samples.write_video(tmp_path / "v.mp4", frames=4)], [tmp_path / "o.jsonl"], options)
    drawn, written = ActionPredictor(spread, CLASSES, model).predict(request)
    (found,) = records(written)
    assert (found["error"], found["count"]) == (None, SETTINGS.data.frames)
    assert [round(frame.time, 2) for frame in iterate_frames(drawn)] == [0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize("kind", ["semicoupled", "cnn_lstm", "convlstm"])
def test_side_by_side_is_one_by_one(kind: Any, videos: list[Path], tmp_path: Path) -> None:
    goals = GoalWeights() if kind == "semicoupled" else GoalWeights(spatial=0, temporal=0)
    settings = ActionSettings(
        SETTINGS.seed, SETTINGS.data, ModelSettings(kind, widths=(6, 8), strides=(2, 2)), goals=goals
    )
    torch.manual_seed(1)
    network: Any = build_model(settings, len(CLASSES)).eval()
    (tmp_path / "in" / "v1a.mp4").write_bytes(b"bad")
    inputs = [videos[0], tmp_path / "in" / "v1a.mp4", *videos[1:]]
    found: dict[int, list[dict[str, Any]]] = {}
    for size in (1, 2, 3):
        request = PredictRequest(inputs, [tmp_path / f"{size}.jsonl"], PredictSettings(batch=size))
        (written,) = ActionPredictor(settings, CLASSES, network).predict(request)
        found[size] = sorted(records(written), key=lambda record: record["video"])
    assert [record["count"] for record in found[1]] == [5, 9, 0, 1, 14]
    for size in (2, 3):
        for one, other in zip(found[1], found[size], strict=True):
            assert (one["video"], one["count"], one["answer"], one["error"]) == tuple(
                other[name] for name in ("video", "count", "answer", "error")
            )
            if one["count"]:
                assert np.allclose(one["frames"], other["frames"], atol=1e-5)


def test_side_by_side_is_taken_up(model: Any, videos: list[Path], tmp_path: Path) -> None:
    asked = iter([False, True])
    assert predict(model, videos, tmp_path / "o.jsonl", stopped=lambda: next(asked), batch=2) == []
    assert len(records(tmp_path / "o.jsonl.part")) == 2
    (written,) = predict(model, videos, tmp_path / "o.jsonl", batch=2)
    assert sorted(record["video"] for record in records(written)) == [str(path) for path in videos]
    with pytest.raises(SettingsError, match="several videos at a time are answered without annotate"):
        predict(model, videos, tmp_path / "p.jsonl", batch=2, annotate="x")


def test_inputs(samples: ModuleType, videos: list[Path], tmp_path: Path) -> None:
    frames = samples.write_frames(tmp_path / "in" / "stills", samples.square(3))
    (tmp_path / "in" / "._v1.mp4").write_bytes(b"of a Mac")
    samples.write_frames(tmp_path / "in" / ".thumbnails", samples.square(1))
    assert find_inputs([tmp_path / "in"]) == [*videos, frames]
    assert find_inputs([videos[1], tmp_path / "in", frames]) == [videos[1], videos[0], *videos[2:], frames]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="holds no videos, no folders of frames and no shards with any"):
        find_inputs([tmp_path / "none"])
    with pytest.raises(DataError, match="no such file or folder"):
        find_inputs([tmp_path / "nowhere"])


def test_memory_does_not_grow_with_the_length(model: Any) -> None:
    """What is held while frames go by: the chunk, never the video."""
    alive, most = 0, 0

    class Counted(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def frames() -> Any:
        nonlocal alive, most
        from semicoupled.data.video import VideoFrame

        for number in range(200):
            image = np.random.default_rng(number).integers(0, 255, (24, 32, 3), np.uint8).view(Counted)
            alive += 1
            most = max(most, alive)
            yield VideoFrame(number / 10, image)

    assert sum(1 for _ in answer_frames(model, frames(), SETTINGS, 8)) == 200
    assert most <= 20


def answer(
    probabilities: list[float], spatial: list[float] | None = None, temporal: list[float] | None = None
) -> VideoAnswer:
    main = np.array(probabilities)
    sides = [None if side is None else np.array(side) for side in (spatial, temporal)]
    return VideoAnswer(main, sides[0], sides[1], main[None])


def test_scores_by_hand() -> None:
    answers = [
        answer([0.6, 0.3, 0.1], [0.2, 0.4, 0.4], [0.7, 0.2, 0.1]),
        answer([0.2, 0.3, 0.5], [0.4, 0.5, 0.1], [0.1, 0.6, 0.3]),
        answer([0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.2, 0.7, 0.1]),
    ]
    rows = score_rows("semicoupled", answers, [0, 1, 1], ["a", "b", "c"])
    values = {(row.model, row.metric, *row.condition.values()): row.value for row in rows}
    assert values["semicoupled", "top1"] == pytest.approx(2 / 3)
    assert values["semicoupled", "top1", "a"] == 1
    assert values["semicoupled", "top1", "b"] == 0.5
    assert values["semicoupled", "confusion", "b", "c"] == 0.5
    assert ("semicoupled", "confusion", "a", "b") not in values
    assert values["semicoupled/spatial", "top1"] == pytest.approx(2 / 3)
    assert values["semicoupled/temporal", "top1"] == 1
    assert values["semicoupled", "importance"] == pytest.approx((0.5 + 0.1 + 0.3) / 3)
    shown = headline(rows)
    assert all("class" not in row.condition or row.metric == "confusion" for row in shown)
    assert not any(math.isnan(row.value) for row in rows)


def test_ties_do_not_count_for_both() -> None:
    flat = np.full(6, 1 / 6)
    assert [in_top(flat, label, 1) for label in range(6)] == [True, False, False, False, False, False]
    assert sum(in_top(flat, label, 5) for label in range(6)) == 5


def test_clips_and_crops(model: Any, videos: list[Path]) -> None:
    data = ActionData([Clip(path, "left", path.name) for path in videos], CLASSES, SETTINGS.data)
    how = replace(SETTINGS, evaluation=EvaluationSettings(clips=3, crops=3))
    answers = answer_all(model, data, how)
    assert all(found.main.sum() == pytest.approx(1, abs=1e-5) for found in answers)
    places = [draw.place for draw in crop_draws(EvaluationSettings(crops=3), (32, 48), SETTINGS)]
    assert places == [(0.0, 0.5), (0.5, 0.5), (1.0, 0.5)]


def test_crops_of_a_video_do_not_depend_on_its_neighbors(model: Any, samples: ModuleType, tmp_path: Path) -> None:
    wide = samples.write_video(tmp_path / "wide.mp4", frames=6, size=(32, 96))
    tall = samples.write_video(tmp_path / "tall.mp4", frames=6, size=(96, 32), seed=3)
    how = replace(SETTINGS, evaluation=EvaluationSettings(crops=3))

    def answer_for(*paths: Path) -> np.ndarray:
        data = ActionData([Clip(path, "left", path.name) for path in paths], CLASSES, SETTINGS.data)
        return answer_all(model, data, how)[-1].main

    assert np.allclose(answer_for(wide, tall), answer_for(tall), atol=1e-5)
    one = answer_all(model, ActionData([Clip(tall, "left", "tall")], CLASSES, SETTINGS.data), SETTINGS)
    assert not np.allclose(answer_for(tall), one[0].main, atol=1e-4)  # there is more to see than in the middle


def test_a_rival_that_sees_clips_predicts_and_does_not_export(samples: ModuleType, tmp_path: Path) -> None:
    settings = ActionSettings(
        data=DataSettings(height=24, width=32, frames=4),
        model=ModelSettings(kind="r2plus1d", widths=(4, 4, 8, 8), strides=(1, 1, 1, 1)),
        goals=GoalWeights(spatial=0, temporal=0),
    )
    run = open_run(tmp_path / "run", "action", settings)
    run.write_description({"classes": ["left", "right"]})
    save_weights(run.weights_file, build_model(settings, 2), {})
    video = samples.write_video(tmp_path / "v.mp4", frames=10)
    assert (
        main(["predict", "action", str(run.path), str(video), "--out", str(tmp_path / "o.jsonl"), "--device=cpu"]) == 0
    )
    assert records(tmp_path / "o.jsonl")[0]["count"] == 10
    assert main(["export", "action", str(run.path), "--out", str(tmp_path / "e")]) == 2


def test_a_prediction_says_what_the_scores_say_where_frames_are_spread(
    model: Any, videos: list[Path], tmp_path: Path
) -> None:
    spread = replace(SETTINGS, data=replace(SETTINGS.data, sampling="spread"), evaluation=EvaluationSettings(clips=1))
    data = ActionData([Clip(path, "left", path.name) for path in videos], CLASSES, spread.data)
    wanted = answer_all(model, data, spread)
    for batch in (1, 2):
        request = PredictRequest(videos, [tmp_path / f"{batch}.jsonl"], PredictSettings(batch=batch, top=6))
        (written,) = ActionPredictor(spread, CLASSES, model).predict(request)
        found = {Path(record["video"]).name: record for record in records(written)}
        for path, answer in zip(videos, wanted, strict=True):
            said = dict(found[path.name]["top"])
            assert found[path.name]["count"] == SETTINGS.data.frames
            assert np.allclose([said[name] for name in CLASSES], answer.main, atol=1e-4)
    streamed = answer_all(model, data, SETTINGS)
    at_once = replace(
        spread,
        model=ModelSettings(kind="r2plus1d", widths=(4, 4, 8, 8), strides=(1, 1, 1, 1)),
        goals=GoalWeights(spatial=0, temporal=0),
        evaluation=EvaluationSettings(),
    )
    clips: Any = build_model(at_once, len(CLASSES)).eval()
    torch.nn.init.normal_(clips.main_head.linear.weight)
    (written,) = ActionPredictor(at_once, CLASSES, clips).predict(
        PredictRequest(videos[-1:], [tmp_path / "at_once.jsonl"], PredictSettings(top=6))
    )
    (record,) = records(written)
    said = dict(record["top"])
    assert record["count"] == SETTINGS.data.frames
    assert np.allclose([said[name] for name in CLASSES], answer_all(clips, data, at_once)[-1].main, atol=1e-4)
    assert max(np.abs(one.main - other.main).max() for one, other in zip(wanted, streamed, strict=True)) > 1e-3
