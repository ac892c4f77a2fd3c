"""One pass over segments against the same thing written as one graph."""

from __future__ import annotations

import weakref
from itertools import pairwise
from typing import Any

import pytest
import torch
from fake_task import CLASSES, Clip, FakeSettings, FakeTask, Model
from torch import Tensor

from semicoupled.errors import ShapeError
from semicoupled.training.ltsc import Segment, overlap_loss, plan
from semicoupled.training.passes import MicroStep, Passes
from semicoupled.training.processes import launch
from semicoupled.training.settings import Carry, GoalWeights, SegmentSettings
from semicoupled.training.stsgd import STSGD

LENGTH = 11
WEIGHTS = GoalWeights(1.0, 0.5, 0.25, overlap=3.0)


@pytest.fixture
def task() -> FakeTask:
    return FakeTask()


def model_and_batch(length: int = LENGTH) -> tuple[Model, Clip]:
    torch.manual_seed(1)
    model = Model(FakeSettings(norm="none")).double()
    frames = torch.randn(2, length, 1, 4, 4, dtype=torch.float64)
    return model, Clip(frames, torch.arange(2 * length).view(2, length) % CLASSES)


def passes(model: Model, task: FakeTask, **changes: Any) -> Passes:
    options: dict[str, Any] = {
        "weights": WEIGHTS,
        "segments": SegmentSettings(4),
        "switches": None,
        "accumulate": 1,
        "seed": 0,
        **changes,
    }
    return Passes(launch("cpu", "float32").fabric, model, task, task.goals(FakeSettings()), **options)


def gradients(model: Model) -> list[Tensor]:
    found = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    return found


def one_graph(model: Model, batch: Clip, carry: Carry, detach: bool) -> Tensor:
    """The objective over all segments at once, states carried by hand and detached."""
    task = FakeTask()
    losses_of = task.goals(FakeSettings())
    segments = plan(LENGTH, 4)
    frames = sum(segment.stop - segment.start for segment in segments)
    value = torch.zeros((), dtype=torch.float64)
    state, sides = None, []
    for index, segment in enumerate(segments):
        part = Clip(batch.frames[:, segment.start : segment.stop], batch.label[:, segment.start : segment.stop])
        at = segments[index + 1].start - segment.start if index + 1 < len(segments) else 0
        out = model(part, state, streams=("main", "spatial", "temporal"), state_at=at)
        losses = losses_of(out, part)
        both = losses.main + 0.5 * losses.spatial + 0.25 * losses.temporal
        value = value + both * (segment.stop - segment.start) / frames
        sides.append((segment, out.main.softmax(-1)))
        carried = {"none": None, "end": out.state, "start": out.state_at}[carry]
        state = None if carried is None else _cut(carried)
    for (before, previous), (after, current) in pairwise(sides):
        overlap = overlap_loss(previous, current, before, after, detach=detach)
        value = value + 3.0 * overlap / (len(segments) - 1)
    return value


def _cut(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.detach()
    parts = [_cut(part) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


@pytest.mark.parametrize("carry", ["none", "end", "start"])
@pytest.mark.parametrize("detach", [True, False])
def test_a_backward_pass_a_segment_is_the_gradient_of_the_whole_objective(
    task: FakeTask, carry: Carry, detach: bool
) -> None:
    model, batch = model_and_batch()
    one_graph(model, batch, carry, detach).backward()
    expected = gradients(model)
    settings = SegmentSettings(4, carry=carry, overlap_detach=detach)
    passes(model, task, segments=settings).run(batch, MicroStep(0, 0, 0))
    for found, gradient in zip(gradients(model), expected, strict=True):
        torch.testing.assert_close(found, gradient, rtol=1e-10, atol=1e-12)
    assert any(float(gradient.abs().max()) > 1e-3 for gradient in expected)


def test_attached_and_detached_overlaps_differ(task: FakeTask) -> None:
    model, batch = model_and_batch()
    found: list[list[Tensor]] = []
    for detach in (True, False):
        settings = SegmentSettings(4, carry="none", overlap_detach=detach)
        passes(model, task, segments=settings).run(batch, MicroStep(0, 0, 0))
        found.append(gradients(model))
    assert max(float((one - two).abs().max()) for one, two in zip(*found, strict=True)) > 1e-6


def test_losses_are_means_over_the_frames_of_all_segments(task: FakeTask) -> None:
    model, batch = model_and_batch()
    sums = passes(model, task, segments=SegmentSettings(4, carry="start")).run(batch, MicroStep(0, 0, 0))
    assert set(sums) == {"main_loss", "spatial_loss", "temporal_loss", "overlap_loss"}
    assert not sums["main_loss"].requires_grad
    assert float(sums["overlap_loss"]) == pytest.approx(0.0, abs=1e-20)  # `start` and unchanged weights agree
    losses = task.goals(FakeSettings())
    whole = model(batch).main
    expected = 0.0
    for segment in plan(LENGTH, 4):
        part = Clip(batch.frames[:, segment.slice], batch.label[:, segment.slice])
        cut = model(batch)._replace(main=whole[:, segment.slice])
        expected += float(losses(cut, part).main.detach()) * len(segment) / (4 + 4 + 4 + 2)
    assert [len(segment) for segment in plan(LENGTH, 4)] == [4, 4, 4, 2]
    assert float(sums["main_loss"]) == pytest.approx(expected)


def test_without_segments_the_batch_is_not_cut(task: FakeTask) -> None:
    model, batch = model_and_batch()
    sums = passes(model, task, segments=SegmentSettings()).run(batch, MicroStep(0, 0, 0))
    assert task.cuts == []
    assert "overlap_loss" not in sums
    found = gradients(model)
    losses = task.goals(FakeSettings())(model(batch, streams=("main", "spatial", "temporal")), batch)
    (losses.main + 0.5 * losses.spatial + 0.25 * losses.temporal).backward()
    for one, two in zip(found, gradients(model), strict=True):
        torch.testing.assert_close(one, two)


def test_gradients_are_means_over_the_passes_of_a_step(task: FakeTask) -> None:
    model, batch = model_and_batch()
    passes(model, task, accumulate=1).run(batch, MicroStep(0, 0, 0))
    once = gradients(model)
    for detach in (True, False):
        thrice = passes(model, task, accumulate=3, segments=SegmentSettings(4, overlap_detach=detach))
        for number in range(3):
            thrice.run(batch, MicroStep(0, number, 0))
        if detach:
            for one, three in zip(once, gradients(model), strict=True):
                torch.testing.assert_close(one, three)
        model.zero_grad()


def test_streams_of_weight_zero_are_not_computed(task: FakeTask) -> None:
    model, batch = model_and_batch()
    asked: list[Any] = []
    model.register_forward_pre_hook(lambda _, __, options: asked.append(options["streams"]), with_kwargs=True)
    passes(model, task, weights=GoalWeights(spatial=0.0)).run(batch, MicroStep(0, 0, 0))
    passes(model, task, weights=GoalWeights(temporal=0.0)).run(batch, MicroStep(0, 0, 0))
    assert set(asked) == {("main", "temporal"), ("main", "spatial")}


@pytest.mark.parametrize(
    ("method", "places"),
    [
        ("truncated_bptt", [Segment(0, 4), Segment(4, 8), Segment(8, 11)]),
        ("strided", [Segment(1, 11, 3)]),
    ],
)
def test_the_baselines_have_no_overlap_loss(task: FakeTask, method: Any, places: list[Segment]) -> None:
    model, batch = model_and_batch()
    run = passes(model, task, segments=SegmentSettings(4, method, carry="end"))
    offsets: set[int] = set()
    for step in range(12):
        task.cuts.clear()
        sums = run.run(batch, MicroStep(step, 0, 0))
        assert "overlap_loss" not in sums
        offsets.add(task.cuts[0].start)
        if task.cuts[0].start == places[0].start:
            assert task.cuts == places
    assert offsets == ({0, 1, 2} if method == "strided" else {0})  # strided sampling sees every frame in time


def test_switches_are_drawn_for_each_segment_where_it_lies(task: FakeTask) -> None:
    model, batch = model_and_batch()
    drawn: list[tuple[int, ...]] = []

    class Recording(STSGD):
        def draw(self, *counters: int):
            drawn.append(counters)
            return super().draw(*counters)

    passes(model, task, switches=Recording(3)).run(batch, MicroStep(5, 1, 8))
    assert drawn == [(5, 1, 0, 0, 8), (5, 1, 1, 3, 8), (5, 1, 2, 6, 8), (5, 1, 3, 9, 8)]
    stopped = gradients(model)
    passes(model, task).run(batch, MicroStep(5, 1, 8))
    assert max(float((one - two).abs().max()) for one, two in zip(stopped, gradients(model), strict=True)) > 1e-6


class _Saved:
    """A tensor that autograd keeps."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


@pytest.mark.parametrize("detach", [True, False])
def test_memory_does_not_grow_with_the_sequence(task: FakeTask, detach: bool) -> None:
    def peak(length: int) -> int:
        model, batch = model_and_batch(length)
        now = most = 0

        def released(size: int) -> None:
            nonlocal now
            now -= size

        def pack(tensor: Tensor) -> _Saved:
            nonlocal now, most
            now += tensor.numel()
            most = max(most, now)
            saved = _Saved(tensor)
            weakref.finalize(saved, released, tensor.numel())
            return saved

        run = passes(model, task, segments=SegmentSettings(4, overlap_detach=detach))
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved.tensor):
            run.run(batch, MicroStep(0, 0, 0))
        return most

    short, long = peak(10), peak(40)
    assert 0 < long <= 1.05 * short


def test_a_batch_that_is_no_video_is_refused(task: FakeTask) -> None:
    model, batch = model_and_batch()
    with pytest.raises(ShapeError, match="expected frames as B T C H W first"):
        passes(model, task).run(batch._replace(frames=batch.frames[:, 0, 0, 0]), MicroStep(0, 0, 0))


def test_a_goal_without_a_time_axis_needs_no_overlap_loss(task: FakeTask) -> None:
    model, batch = model_and_batch()

    class LastFrame(FakeTask):
        def goals(self, settings: FakeSettings) -> Any:
            every = super().goals(settings)
            return lambda out, part: every(out, part)._replace(comparable=out.main[:, -1])

    with pytest.raises(ShapeError, match=r"Set goals\.overlap to 0"):
        passes(model, LastFrame()).run(batch, MicroStep(0, 0, 0))
    passes(model, LastFrame(), weights=GoalWeights(overlap=0.0)).run(batch, MicroStep(0, 0, 0))
