"""Importance: score of the temporal stream minus that of the spatial stream."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from semicoupled.errors import RunError
from semicoupled.explain.importance import (
    by_condition,
    integer_fields,
    score_frames,
    score_samples,
    spread,
    summarize,
)
from semicoupled.training.objective import Losses
from semicoupled.training.sampling import SampleKey


class Batch(NamedTuple):
    frames: Tensor
    answer: Tensor
    road: Tensor


class Output(NamedTuple):
    main: Tensor
    spatial: Tensor | None
    temporal: Tensor | None


class Data(Dataset[Batch]):
    """Sample i has the answer i in both frames; roads alternate."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, key: SampleKey) -> Batch:
        assert key.draw == -1
        value = float(key.index)
        return Batch(torch.full((2, 1, 1, 1), value), torch.full((2, 1), value), torch.tensor(key.index % 2))


class Knows(nn.Module):
    """Its temporal stream is right, its spatial stream 2 off on road 1 and 1 off on road 0; in frame 1 one more."""

    def __init__(self, temporal: bool = True) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))
        self.has_temporal = temporal

    def forward(self, batch: Batch, *, streams: tuple[str, ...]) -> Output:
        assert streams == ("main", "spatial", "temporal")
        answer = batch.answer * self.one
        off = (1 + batch.road)[:, None, None].float() + torch.tensor([0.0, 1.0])[None, :, None]
        return Output(answer + 0.5, answer + off, answer if self.has_temporal else None)


def losses(output: Output, batch: Batch) -> Losses:
    return Losses(F.mse_loss(output.main, batch.answer))


def test_scores_by_hand() -> None:
    samples = score_samples(Knows(), losses, Data(), 10, conditions=("road",))
    assert [sample.index for sample in samples] == list(range(10))
    assert samples[0].main == pytest.approx(-0.25)
    assert samples[0].temporal == pytest.approx(0)
    assert samples[0].spatial == pytest.approx(-(1 + 4) / 2)
    assert samples[1].importance == pytest.approx((4 + 9) / 2)
    whole = summarize("all", samples)
    assert whole.count == 10
    assert whole.importance == pytest.approx((2.5 + 6.5) / 2)
    values = torch.tensor([2.5, 6.5] * 5)
    assert whole.error == pytest.approx(float(values.std() / math.sqrt(10)), rel=1e-5)
    zero, one = by_condition(samples, "road")
    assert (zero.name, zero.count, zero.importance) == ("road 0", 5, pytest.approx(2.5))
    assert (one.name, one.count, one.importance) == ("road 1", 5, pytest.approx(6.5))
    assert one.error == pytest.approx(0, abs=1e-6)
    assert math.isnan(summarize("one", samples[:1]).error)


def test_frame_by_frame() -> None:
    batch = Batch(*(torch.stack(parts) for parts in zip(*(Data()[SampleKey(i)] for i in range(4)), strict=True)))

    def cut(whole: Batch, frame: int) -> Batch:
        here = slice(frame, frame + 1)
        return whole._replace(frames=whole.frames[:, here], answer=whole.answer[:, here])

    first, second = score_frames(Knows(), losses, cut, batch)
    assert (first.name, first.count) == ("0", 4)
    assert first.importance == pytest.approx((1 + 4) / 2)
    assert second.importance == pytest.approx((4 + 9) / 2)


def test_both_streams_must_answer() -> None:
    with pytest.raises(RunError, match="the temporal stream of this run learned another one, or none"):
        score_samples(Knows(temporal=False), losses, Data(), 2)


def test_samples_are_spread() -> None:
    assert spread(10, 5) == [0, 2, 4, 6, 8]
    assert spread(3, 5) == [0, 1, 2]


def test_classes_are_what_is_whole() -> None:
    assert integer_fields(Data()[SampleKey(0)]) == ("road",)


class Seen(NamedTuple):
    image: Tensor
    target: Tensor
    taught: Tensor


def test_pixels_and_what_is_true_or_false_are_no_classes() -> None:
    image, target = torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(2, 5, dtype=torch.int64)
    assert integer_fields(Seen(image, target, target > 0)) == ("target",)
    assert integer_fields(Seen(image[0], target[0], target[0] > 0)) == ("target",)
