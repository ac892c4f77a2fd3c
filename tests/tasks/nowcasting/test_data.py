from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from semicoupled.data.flow import optical_flow
from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data import NowcastingBatch, NowcastingData, Sampling, augment, forecast_batch
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence, find_files, read_sequences
from semicoupled.training.sampling import SampleKey


@pytest.fixture
def sequence(make_folder: Callable[..., Path]) -> RadarSequence:
    folder = make_folder(frames=9)
    return read_sequences(find_files(folder), folder).sequences[0]


def dataset(sequence: RadarSequence, **changes: int | float) -> NowcastingData:
    options = {"input_frames": 4, "output_frames": 2, "crop": 32, "candidates": 4, "dim": 10.0, "seed": 0, **changes}
    return NowcastingData([sequence], **options)  # type: ignore[arg-type]


def same(one: NowcastingBatch, other: NowcastingBatch) -> bool:
    return all(torch.equal(a.nan_to_num(nan=-1), b.nan_to_num(nan=-1)) for a, b in zip(one, other, strict=True))


def test_a_sample_is_on_the_scale_and_of_the_shape_that_it_says(sequence: RadarSequence):
    data = dataset(sequence)
    assert len(data) == 4
    sample = data[SampleKey(0, 0)]
    shapes = [(4, 1, 32, 32), (2, 1, 32, 32), (2, 32, 32), (2, 2, 32, 32), (2,)]
    assert [tuple(field.shape) for field in sample] == shapes
    assert [field.dtype for field in sample] == [torch.float32] * 4 + [torch.bool]
    frames = sample.frames[~sample.frames.isnan()]
    assert (frames.min(), frames.max() <= 1) == (0, True)
    assert sample.motion.isfinite().all()


def test_a_sample_is_a_function_of_seed_and_key(sequence: RadarSequence):
    data = dataset(sequence)
    first = data[SampleKey(1, 5)]
    _ = data[SampleKey(2, 6)]
    assert same(data[SampleKey(1, 5)], first)
    assert same(dataset(sequence)[SampleKey(1, 5)], first)
    others = [data[SampleKey(1, 6)], data[SampleKey(2, 5)], dataset(sequence, seed=1)[SampleKey(1, 5)]]
    assert not any(same(other, first) for other in others)


def test_without_a_draw_a_sample_comes_as_it_is(sequence: RadarSequence):
    data = dataset(sequence, crop=48, dim=30.0)
    sample = data[SampleKey(2)]
    assert same(sample, data[SampleKey(2)])
    whole = torch.from_numpy(sequence.dbz[2:6].astype(np.float32)) / 60
    found = [
        row
        for row in range(64 - 48 + 1)
        if torch.equal(whole[:, row : row + 48].nan_to_num(), sample.frames[:, 0].nan_to_num())
    ]
    assert len(found) >= 1


def test_a_field_smaller_than_the_crop_is_filled_up_with_missing_pixels(sequence: RadarSequence):
    sample = dataset(sequence, crop=80)[SampleKey(0)]
    assert sample.frames.shape == (4, 1, 80, 80)
    assert sample.frames[:, :, 64:].isnan().all()
    assert sample.frames[:, :, :, 48:].isnan().all()
    assert not sample.frames[:, :, 3:64, 2:48].isnan().any()


def test_wet_places_are_taken_more_often(sequence: RadarSequence):
    def wetness(candidates: int) -> float:
        data = dataset(sequence, candidates=candidates, crop=16, dim=0.0)
        return float(np.mean([data[SampleKey(0, draw)].frames.nanmean() for draw in range(60)]))

    assert wetness(8) > 1.3 * wetness(1)


def test_flow_and_motion_go_with_their_images_through_every_augmentation(sequence: RadarSequence):
    data = dataset(sequence, crop=48, dim=0.0)
    kinds = set()
    for draw in range(40):
        sample = data[SampleKey(0, draw)]
        before, after = sample.frames[-1, 0].numpy(), sample.future[0, 0].numpy()
        echo = ~np.isnan(sample.flow[0, 0].numpy())
        mean = np.nanmean(np.where(echo, sample.flow[0].numpy(), np.nan), axis=(1, 2))
        again = optical_flow(before, after)[:, echo].mean(axis=1)
        np.testing.assert_allclose(mean, again, atol=0.25)
        moved = sample.motion.mean(dim=(1, 2)).numpy()
        assert np.dot(moved, again) > 0.5
        kinds.add(tuple(np.sign(np.round(mean, 1))))
    assert len(kinds) == 4  # the showers move to the lower right; mirrored and turned they go everywhere


def test_dimming_lowers_the_rain_and_keeps_dry_and_missing(sequence: RadarSequence):
    sample = dataset(sequence)._cut(dataset(sequence)._windows[0], 0, 0)
    seen = set()
    for draw in range(40):
        dimmed = augment(sample, np.random.default_rng(draw), 12.0)
        lost = np.nanmax(sample.frames) - np.nanmax(dimmed.frames)
        seen.add(round(float(lost), 3))
        assert 0 <= lost <= 12
        assert np.nanmin(dimmed.frames) == 0
        assert np.isnan(dimmed.frames).sum() == np.isnan(sample.frames).sum()
    assert 0 in seen
    assert len(seen) > 10


def test_flow_is_a_target_only_where_an_echo_shows_it(sequence: RadarSequence):
    sample = dataset(sequence, crop=48)[SampleKey(0)]
    pair = torch.stack([sample.frames[-1, 0], sample.future[0, 0]]).nan_to_num()
    dry = (pair == 0).all(0)
    assert sample.flow[0][:, dry].isnan().all()
    assert sample.flow[0][:, ~dry].isfinite().all()
    assert dry.any()


def test_the_motion_of_a_sample_is_that_of_a_forecast(sequence: RadarSequence):
    """Training and forecasting must see the same motion."""
    frames = sequence.dbz[:4].astype(np.float32)
    cached = dataset(sequence)._caches[0].motion(0, 4).astype(np.float32)
    np.testing.assert_allclose(cached, estimate_motion(frames, sequence.grid.kilometers), atol=5e-3)


def test_a_batch_to_forecast_from_has_no_future():
    batch = forecast_batch(np.full((5, 6, 7), 30.0), np.zeros((2, 6, 7)))
    assert (batch.frames == 0.5).all()
    assert batch.future.shape == (1, 0, 1, 6, 7)


def test_too_few_frames_are_refused(sequence: RadarSequence):
    with pytest.raises(DataError, match=r"no sequence has the 9 \+ 2 frames of a window without a gap"):
        dataset(sequence, input_frames=9)


def test_dry_windows_are_left_out_unless_all_are(sequence: RadarSequence):
    wet = dataset(sequence)
    dry = dataclasses.replace(sequence, dbz=np.zeros_like(sequence.dbz))
    options = {"input_frames": 4, "output_frames": 2, "crop": 32, "candidates": 1, "dim": 0.0, "seed": 0}
    assert len(NowcastingData([sequence, dry], **options, least_wet=0.01)) == len(wet)
    assert len(NowcastingData([dry], **options, least_wet=0.01)) == len(wet)


def test_the_truth_teaches_less_and_less_and_never_where_a_sample_must_come_as_it_is(sequence: RadarSequence):
    options = {"input_frames": 4, "output_frames": 2, "crop": 32, "candidates": 1, "dim": 0.0, "seed": 0}
    data = NowcastingData([sequence], **options, sampling=Sampling(1.0, 100))
    assert data[SampleKey(0, 0)].taught.all()
    assert not data[SampleKey(0, 100)].taught.any()
    assert not data[SampleKey(0)].taught.any()
    share = np.mean([data[SampleKey(0, draw)].taught.float().mean().item() for draw in range(100)])
    assert share == pytest.approx(0.5, abs=0.12)
