from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_task import FakeSettings, FakeTask, Model
from tests.inside import another_process

from semicoupled.errors import RunError, SettingsError
from semicoupled.training import loop, processes
from semicoupled.training.clock import Clock
from semicoupled.training.log import read_log
from semicoupled.training.loop import LOCK, FitResult, fit
from semicoupled.training.progress import NO_NUMBERS
from semicoupled.training.settings import GoalWeights, SegmentSettings, SwitchSettings, TrainingSettings
from semicoupled.training.weights import read_about

QUICK = TrainingSettings(steps=6, batch=2, checkpoint_every=4, log_every=2, tensorboard=False, learning_rate=0.01)


def train(folder: Path, settings: FakeSettings, task: FakeTask | None = None, **options: Any) -> FitResult:
    return fit(task or FakeTask(), settings, folder, device="cpu", **options)


def same(one: FitResult, two: FitResult) -> bool:
    pairs = zip(one.model.state_dict().items(), two.model.state_dict().items(), strict=True)
    return all(name == other and torch.equal(a, b) for (name, a), (other, b) in pairs)


def test_it_learns_and_says_how_it_came_about(tmp_path: Path) -> None:
    settings = FakeSettings(samples=12, training=replace(QUICK, steps=60, batch=6, validate_every=20))
    result = train(tmp_path, settings)
    validations = [line for line in read_log(tmp_path) if line["kind"] == "validation"]
    assert [line["step"] for line in validations] == [20, 40, 60]
    assert result.scores["score"] == max(line["score"] for line in validations) > validations[0]["score"]
    assert result.kept_step == next(line["step"] for line in validations if line["score"] == result.scores["score"])
    assert result.steps == 60
    assert result.seconds > 0
    assert not result.model.training
    about = read_about(result.weights)
    assert about["step"] == str(result.kept_step)
    assert json.loads(about["scores"]) == result.scores
    assert json.loads((tmp_path / "description.json").read_text()) == {"classes": 3, "size": [4, 4]}
    assert sorted(path.name.split("-")[1] for path in (tmp_path / "checkpoints").iterdir()) == ["00000056", "00000060"]


def test_the_log_holds_what_a_plot_of_the_focus_needs(tmp_path: Path) -> None:
    switches = SwitchSettings("astsgd", classes=3, controller="learned")
    train(tmp_path, FakeSettings(switches=switches, segments=SegmentSettings(3), training=QUICK))
    lines = [line for line in read_log(tmp_path) if line["kind"] == "training"]
    assert [line["step"] for line in lines] == [2, 4, 6]
    assert set(lines[0]) == {
        "kind", "step", "seconds", "main_loss", "spatial_loss", "temporal_loss", "overlap_loss", "learning_rate",
        "spatial_focus", "formula_focus", "stop_spatial", "stop_temporal",
    }  # fmt: skip


def test_a_log_line_is_a_mean_over_the_steps_since_the_last(tmp_path: Path) -> None:
    train(tmp_path / "each", FakeSettings(training=replace(QUICK, log_every=1)))
    train(tmp_path / "pairs", FakeSettings(training=QUICK))
    each = [line["main_loss"] for line in read_log(tmp_path / "each") if line["kind"] == "training"]
    pairs = [line["main_loss"] for line in read_log(tmp_path / "pairs") if line["kind"] == "training"]
    assert pairs == pytest.approx([(each[i] + each[i + 1]) / 2 for i in (0, 2, 4)])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_is_a_function_of_its_seed(tmp_path: Path, workers: int) -> None:
    settings = FakeSettings(dropout=0.3, switches=SwitchSettings("stsgd", scope="sample"), training=QUICK)
    first = train(tmp_path / "a", settings)
    torch.manual_seed(123)
    assert same(first, train(tmp_path / "b", settings, workers=workers))
    assert not same(first, train(tmp_path / "c", replace(settings, seed=1)))


def test_samples_are_asked_for_by_counters(tmp_path: Path) -> None:
    task = FakeTask()
    asked: list[Any] = []

    class Watching(FakeTask):
        def splits(self, settings: FakeSettings) -> Any:
            found = task.splits(settings)
            asked.append(found)
            return found

    train(tmp_path, FakeSettings(samples=5, training=replace(QUICK, accumulate=2)), Watching())
    keys = asked[0].train.asked
    assert [key.draw for key in keys] == list(range(6 * 2 * 2))
    assert sorted(key.index for key in keys[:5]) == list(range(5))
    assert all(key.draw == -1 for key in asked[0].validation.asked)


def test_accumulating_is_a_larger_batch(tmp_path: Path) -> None:
    settings = FakeSettings(norm="none", training=replace(QUICK, batch=4))
    one = train(tmp_path / "a", settings)
    two = train(tmp_path / "b", replace(settings, training=replace(QUICK, batch=2, accumulate=2)))
    for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_recurrent_gradients_alone_are_clamped_just_before_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recurrent: list[float] = []
    others: list[float] = []
    step = torch.optim.AdamW.step

    def watched(self: torch.optim.AdamW) -> None:
        sizes = [
            float(p.grad.abs().max()) for group in self.param_groups for p in group["params"] if p.grad is not None
        ]
        marks = {id(p) for p in models[0].recurrent_parameters()}
        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        for parameter, size in zip(params, sizes, strict=True):
            (recurrent if id(parameter) in marks else others).append(size)
        step(self)

    models: list[Model] = []

    class Kept(FakeTask):
        def build(self, settings: FakeSettings, description: Any) -> Model:
            models.append(super().build(settings, description))
            return models[-1]

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    train(tmp_path, FakeSettings(training=replace(QUICK, steps=2, gradient_clamp=1e-6)), Kept())
    assert max(recurrent) == pytest.approx(1e-6)
    assert max(others) > 1e-3


def test_precision_auto_is_what_the_device_multiplies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    auto, single, mixed = (
        FakeSettings(training=replace(QUICK, precision=precision)) for precision in ("auto", "float32", "bf16")
    )
    for multiplies, same_as in ((False, single), (True, mixed)):
        monkeypatch.setattr(processes, "multiplies_bf16", lambda device, multiplies=multiplies: multiplies)
        assert same(train(tmp_path / f"auto-{multiplies}", auto), train(tmp_path / f"named-{multiplies}", same_as))


def test_a_training_goes_on_in_the_precision_that_it_began_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = FakeSettings(training=replace(QUICK, precision="auto", checkpoint_every=1))
    monkeypatch.setattr(processes, "multiplies_bf16", lambda device: True)
    whole = train(tmp_path / "whole", settings)

    class Killed(FakeTask):
        def validate(self, *arguments: Any) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "moved", settings, Killed())
    monkeypatch.setattr(processes, "multiplies_bf16", lambda device: False)  # another machine
    assert same(train(tmp_path / "moved", settings), whole)


def test_precision_bf16_keeps_single_precision_weights_and_losses(tmp_path: Path) -> None:
    kinds: set[torch.dtype] = set()

    class Watching(FakeTask):
        def goals(self, settings: FakeSettings) -> Any:
            losses = super().goals(settings)

            def watched(out: Any, batch: Any) -> Any:
                kinds.update({out.main.dtype, batch.frames.dtype})
                return losses(out, batch)

            return watched

    result = train(tmp_path, FakeSettings(training=replace(QUICK, precision="bf16")), Watching())
    assert kinds == {torch.float32}
    assert {parameter.dtype for parameter in result.model.parameters()} == {torch.float32}
    single = train(tmp_path / "single", FakeSettings(training=QUICK))
    assert not same(result, single)  # the convolutions did run in bf16


def test_the_last_weights_are_kept_if_asked_for(tmp_path: Path) -> None:
    class Worse(FakeTask):
        scores = iter((3.0, 2.0, 1.0))

        def validate(self, *_: Any) -> dict[str, float]:
            return {"score": next(self.scores)}

    worse = Worse()
    best = train(tmp_path / "best", FakeSettings(training=replace(QUICK, validate_every=2)), worse)
    assert (best.kept_step, best.scores) == (2, {"score": 3.0})
    worse.scores = iter((3.0, 2.0, 1.0))
    last = train(tmp_path / "last", FakeSettings(training=replace(QUICK, validate_every=2, keep="last")), worse)
    assert (last.kept_step, last.scores) == (6, {"score": 1.0})
    assert not same(best, last)


def test_averaged_weights_are_what_is_kept(tmp_path: Path) -> None:
    plain = train(tmp_path / "a", FakeSettings(training=QUICK))
    averaged = train(tmp_path / "b", FakeSettings(training=replace(QUICK, weight_average=0.9)))
    assert not same(plain, averaged)
    held = torch.load(next((tmp_path / "b/checkpoints").glob("*00006-*")), weights_only=True)["content"]
    for name, parameter in averaged.model.named_parameters():
        torch.testing.assert_close(parameter, held["average"]["mean"][name], rtol=0, atol=0)
        torch.testing.assert_close(plain.model.get_parameter(name), held["model"][name], rtol=0, atol=0)


class Heard:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.left: list[float | None] = []
        self.numbers: list[dict[str, float]] = []

    def begin(self, title: str, total: float | None = None) -> None:
        self.calls.append((title, total))

    def update(
        self, done: float, *, seconds_left: float | None = None, numbers: Mapping[str, float] = NO_NUMBERS
    ) -> None:
        self.calls.append(("update", done))
        self.left.append(seconds_left)
        self.numbers.append(dict(numbers))

    def end(self) -> None:
        self.calls.append(("end", None))


def test_progress_hears_steps_and_the_time_left(tmp_path: Path) -> None:
    heard = Heard()
    train(tmp_path, FakeSettings(training=QUICK), progress=heard)
    assert heard.calls == [("training fake", 6), *(("update", done) for done in range(1, 7)), ("end", None)]
    assert all(left is not None and left >= 0 for left in heard.left)
    assert heard.left[-1] == 0
    assert "main_loss" in heard.numbers[-1]


def test_progress_is_ended_also_when_the_training_fails(tmp_path: Path) -> None:
    class Failing(FakeTask):
        def cut(self, batch: Any, segment: Any) -> Any:
            raise KeyError

    heard = Heard()
    with pytest.raises(KeyError):
        train(tmp_path, FakeSettings(training=QUICK, segments=SegmentSettings(3)), Failing(), progress=heard)
    assert heard.calls[-1] == ("end", None)


def test_a_time_budget_ends_the_training_and_leads_the_schedules(tmp_path: Path) -> None:
    budget = 2.0  # seconds, long enough for a machine that does other work
    training = replace(QUICK, time_budget=f"{budget}s", schedule="cosine", log_every=1)
    settings = FakeSettings(pause=0.01, training=training, switches=SwitchSettings("stsgd"))
    heard = Heard()
    result = train(tmp_path, settings, progress=heard)
    assert budget <= result.seconds < 5
    assert result.steps > 6  # `steps` does not count
    lines = [line for line in read_log(tmp_path) if line["kind"] == "training"]
    before = [0.0] + [line["seconds"] for line in lines[:-1]]
    for line, seconds in zip(lines, before, strict=True):  # p was set between the line before and this one
        least, most = (0.5 * (1 - spent / budget) for spent in (line["seconds"], seconds))
        assert least - 0.002 <= line["stop_spatial"] <= most + 0.002
    assert lines[0]["learning_rate"] == pytest.approx(0.01)
    assert lines[-1]["learning_rate"] < 0.001
    assert heard.calls[0] == ("training fake", budget)


def test_a_spent_budget_stays_spent_over_a_resume(tmp_path: Path) -> None:
    settings = FakeSettings(pause=0.01, training=replace(QUICK, time_budget="0.3s"))
    first = train(tmp_path, settings)
    again = train(tmp_path, settings)
    assert (again.steps, again.seconds) == (first.steps, first.seconds)


def test_a_budget_that_ends_in_a_validation_leaves_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    class Slow(FakeTask):
        def validate(self, *arguments: Any) -> dict[str, float]:
            now[0] += 10
            return super().validate(*arguments)

    monkeypatch.setattr(loop, "Clock", partial(Clock, now=lambda: now[0]))
    settings = FakeSettings(training=replace(QUICK, time_budget="25s", validate_every=2))
    first = train(tmp_path, settings, Slow())
    assert (first.steps, first.seconds) == (6, 30)
    assert {path.name.split("-")[1] for path in (tmp_path / "checkpoints").iterdir()} == {"00000004", "00000006"}
    again = train(tmp_path, settings, Slow())
    assert (again.steps, again.seconds, now) == (6, 30, [30.0])


def test_a_finished_training_is_not_begun_again(tmp_path: Path) -> None:
    settings = FakeSettings(training=QUICK)
    first = train(tmp_path, settings)
    lines = (tmp_path / "log.jsonl").read_text()
    written = first.weights.stat().st_mtime_ns
    again = train(tmp_path, settings)
    assert same(first, again)
    assert (again.steps, again.scores, again.kept_step) == (first.steps, first.scores, first.kept_step)
    assert (tmp_path / "log.jsonl").read_text() == lines
    assert first.weights.stat().st_mtime_ns == written


def test_init_begins_with_the_weights_of_a_run(tmp_path: Path) -> None:
    first = train(tmp_path / "a", FakeSettings(training=QUICK))
    begun: list[dict[str, Any]] = []

    class Watching(FakeTask):
        def goals(self, settings: FakeSettings) -> Any:
            begun.append({name: value.clone() for name, value in models[0].state_dict().items()})
            return super().goals(settings)

        def build(self, settings: FakeSettings, description: Any) -> Model:
            models.append(super().build(settings, description))
            return models[-1]

    models: list[Model] = []
    train(tmp_path / "b", FakeSettings(seed=5, training=QUICK), Watching(), init=tmp_path / "a")
    for name, value in first.model.state_dict().items():
        assert torch.equal(begun[0][name], value)


def test_what_a_fresh_model_begins_with_is_not_asked_for_when_a_training_is_taken_up(tmp_path: Path) -> None:
    class Starting(FakeTask):
        started = 0

        def start(self, settings: FakeSettings, model: Model) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
            self.started += 1

    task, settings = Starting(), FakeSettings(training=QUICK)
    first = train(tmp_path / "a", settings, task)
    begun = train(tmp_path / "b", replace(settings, seed=5), init=tmp_path / "a")
    first.weights.unlink()
    assert same(begun, train(tmp_path / "b", replace(settings, seed=5), init=tmp_path / "a"))
    assert same(begun, train(tmp_path / "b", replace(settings, seed=5), task))
    assert task.started == 1


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    settings = FakeSettings(switches=SwitchSettings("astsgd"), goals=GoalWeights(spatial=0.0), training=QUICK)
    with pytest.raises(SettingsError, match="astsgd follows the spatial loss"):
        train(tmp_path, settings)

    class NoBranches(FakeTask):
        def build(self, settings: FakeSettings, description: Any) -> Model:
            model = super().build(settings, description)
            model.network = torch.nn.Identity()  # pyright: ignore[reportAttributeAccessIssue]
            return model

    with pytest.raises(SettingsError, match="has no depth"):
        train(tmp_path / "b", FakeSettings(switches=SwitchSettings("stsgd"), training=QUICK), NoBranches())


def test_other_settings_other_data_or_another_model_are_refused(tmp_path: Path) -> None:
    train(tmp_path, FakeSettings(training=QUICK))
    with pytest.raises(RunError, match=r"begun with other settings \(training\.learning_rate: 0\.01 there, 0\.1 now\)"):
        train(tmp_path, FakeSettings(training=replace(QUICK, learning_rate=0.1)))
    with pytest.raises(RunError, match="is of another model"):
        train(tmp_path, FakeSettings(norm="none", training=QUICK))

    class OtherData(FakeTask):
        def splits(self, settings: FakeSettings) -> Any:
            return super().splits(settings)._replace(description={"classes": 3, "size": [8, 8]})

    with pytest.raises(RunError, match=r"begun on other data \(size: \[4, 4\] there, \[8, 8\] now\)"):
        train(tmp_path, FakeSettings(training=QUICK), OtherData())


@pytest.mark.parametrize("scores", [{}, {"accuracy": 1.0}, {"score": float("nan")}])
def test_a_validation_without_a_score_is_refused(tmp_path: Path, scores: dict[str, float]) -> None:
    class Scoreless(FakeTask):
        def validate(self, *_: Any) -> dict[str, float]:
            return scores

    with pytest.raises(RunError, match="task fake: expected a number as 'score'"):
        train(tmp_path, FakeSettings(training=QUICK), Scoreless())


def test_a_loss_that_is_no_number_ends_the_training_and_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    class Astray(FakeTask):
        def goals(self, settings: FakeSettings) -> Any:
            losses = super().goals(settings)
            calls: list[int] = []

            def spoiled(out: Any, batch: Any) -> Any:
                calls.append(1)
                found = losses(out, batch)
                return found._replace(main=found.main * float("nan")) if len(calls) > 5 else found

            return spoiled

    with pytest.raises(RunError, match="main_loss is nan at step 6"):
        train(tmp_path, FakeSettings(training=QUICK), Astray())
    assert [path.name.split("-")[1] for path in (tmp_path / "checkpoints").iterdir()] == ["00000004"]


def test_a_goal_of_weight_zero_is_not_asked_of_the_model(tmp_path: Path) -> None:
    result = train(tmp_path, FakeSettings(goals=GoalWeights(spatial=0.0, temporal=0.0), training=QUICK))
    assert "spatial_loss" not in read_log(tmp_path)[0]
    assert result.steps == 6


def test_two_processes_do_not_train_in_one_folder(tmp_path: Path) -> None:
    train(tmp_path, FakeSettings(training=QUICK))
    (tmp_path / "checkpoints/.checkpoint-00000008-0a1b2c3d.part").write_bytes(b"the other process writes this")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with another_process(tmp_path / LOCK), pytest.raises(RunError, match="another process trains here; expected one"):
        train(tmp_path, FakeSettings(training=QUICK))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
