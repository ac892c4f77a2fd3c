"""Samples for training: crops of windows of frames, with the motion and the flow that go with them.

Read from `NowcastingData.__getitem__` down. Everything random is a function of the seed and of the sample's key, so
that a resumed training sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from semicoupled.data.flow import flip_flow, optical_flow, rotate_flow
from semicoupled.errors import DataError
from semicoupled.nn.shapes import Bool, Float
from semicoupled.tasks.nowcasting.extrapolation.motion import FLOWS, smooth_motion
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.files.windows import Window, list_windows
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ
from semicoupled.training.sampling import NO_AUGMENTATION, SampleKey

_WET_DBZ = 7.0
_RAIN_DBZ = 15.0
_EVEN_DRY = 0.02
"""Weight of a crop without rain, against the share of rain in the others."""
_COARSE = 4


class NowcastingBatch(NamedTuple):
    """Windows of frames on the scale dBZ / 60, 0 to 1; NaN = missing.

    Attributes:
        frames: what goes in.
        future: what follows; empty (K = 0) where a forecast is made.
        motion: the smooth motion that `frames` show, dx and dy in pixels per frame.
        flow: optical flow from each frame to the next, ending at each frame of `future`, pixels per frame; NaN where
            nothing can be seen to move.
        taught: which images of `future` the decoder is fed with, instead of its own; none where a forecast is made.
    """

    frames: Float[Tensor, "B T 1 H W"]
    future: Float[Tensor, "B K 1 H W"]
    motion: Float[Tensor, "B 2 H W"]
    flow: Float[Tensor, "B K 2 H W"]
    taught: Bool[Tensor, "B K"]


class Sampling(NamedTuple):
    """Scheduled sampling: how likely the decoder is fed with the truth, falling to 0 over some samples.

    Attributes:
        first: the probability at the first sample, 0 to 1.
        samples: after so many it is 0.
    """

    first: float
    samples: int

    def chance(self, draw: int) -> float:
        """Give the chance for a sample that comes after `draw` others; 0 where a sample must come as it is."""
        return 0.0 if draw == NO_AUGMENTATION else self.first * max(0.0, 1 - draw / self.samples)


class _Arrays(NamedTuple):
    """The same as arrays of one sample, in dBZ: T H W, 2 H W, K 2 H W."""

    frames: np.ndarray
    motion: np.ndarray
    flow: np.ndarray


class FlowCache:
    """Flows of a sequence, computed when first asked for and kept as float16."""

    def __init__(self, sequence: RadarSequence) -> None:
        self._sequence = sequence
        self._flows: dict[int, np.ndarray] = {}
        self._motions: dict[tuple[int, int], np.ndarray] = {}

    def flow(self, index: int) -> np.ndarray:
        """Give the flow from the frame before `index` to it, 2 H W, pixels per frame."""
        if index not in self._flows:
            one, two = (self._sequence.dbz[i].astype(np.float32) / HIGHEST_DBZ for i in (index - 1, index))
            self._flows[index] = optical_flow(one, two).astype(np.float16)
        return self._flows[index]

    def motion(self, first: int, stop: int) -> np.ndarray:
        """Give the smooth motion that the newest of the frames from `first` up to `stop` show, 2 H W."""
        key = max(first, stop - FLOWS - 1), stop
        if key not in self._motions:
            frames = np.nan_to_num(self._sequence.dbz[slice(*key)].astype(np.float32), nan=0.0)
            flows = np.stack([self.flow(index).astype(np.float32) for index in range(key[0] + 1, stop)])
            self._motions[key] = smooth_motion(flows, frames, self._sequence.grid.kilometers).astype(np.float16)
        return self._motions[key]


class NowcastingData(Dataset[NowcastingBatch]):
    """Crops of all windows of some sequences."""

    def __init__(
        self,
        sequences: Sequence[RadarSequence],
        *,
        input_frames: int,
        output_frames: int,
        crop: int,
        candidates: int,
        dim: float,
        seed: int,
        least_wet: float = 0.0,
        sampling: Sampling | None = None,
    ) -> None:
        """Say what to draw from.

        Args:
            sequences: sequences without gaps.
            input_frames: frames that go in.
            output_frames: frames that follow.
            crop: side of a sample, pixels; smaller fields are filled up with missing pixels.
            candidates: places drawn for a crop, of which a wet one is likely taken.
            dim: dBZ by which augmented samples are dimmed at most.
            seed: everything random follows from it.
            least_wet: share of wet pixels that a window must have at least, if any has.
            sampling: when the decoder is fed with the truth; never if None.

        Raises:
            DataError: no window fits into any sequence.
        """
        self.sequences = list(sequences)
        self._input, self._output = input_frames, output_frames
        self._crop, self._candidates, self._dim, self._seed = crop, candidates, dim, seed
        self._windows = list_windows(self.sequences, input_frames + output_frames)
        self._sampling = sampling or Sampling(0.0, 1)
        if least_wet:
            self._windows = [each for each in self._windows if self._wetness(each) >= least_wet] or self._windows
        self._caches = [FlowCache(sequence) for sequence in self.sequences]
        if not self._windows:
            raise DataError(
                f"no sequence has the {input_frames} + {output_frames} frames of a window without a gap. "
                "Add files, or ask for fewer input or output frames"
            )

    def __len__(self) -> int:
        """Number of windows."""
        return len(self._windows)

    def __getitem__(self, key: SampleKey) -> NowcastingBatch:
        """Give a sample: augmented, or, for draw -1, the same crop every time as it is."""
        rng = np.random.default_rng((self._seed, key.index, key.draw - NO_AUGMENTATION))
        window = self._windows[key.index]
        sample = self._cut(window, *self._place(window, rng))
        if key.draw != NO_AUGMENTATION:
            sample = augment(sample, rng, self._dim)
        taught = rng.random(self._output) < self._sampling.chance(key.draw)
        return _tensors(sample, self._input, taught)

    def _wetness(self, window: Window) -> float:
        """Give the share of rain at the last frame that goes in and at the last one to be forecast."""
        dbz = self.sequences[window.sequence].dbz
        newest, end = window.start + self._input - 1, window.start + self._input + self._output - 1
        seen = np.stack([dbz[newest, ::_COARSE, ::_COARSE], dbz[end, ::_COARSE, ::_COARSE]])
        return float((seen >= _RAIN_DBZ).sum() / max(1, (~np.isnan(seen)).sum()))

    def _place(self, window: Window, rng: np.random.Generator) -> tuple[int, int]:
        """Draw a place for the crop: of some candidates, a wet one more likely than a dry one."""
        sequence = self.sequences[window.sequence]
        height, width = sequence.grid.shape
        rows = rng.integers(max(height - self._crop, 0) + 1, size=self._candidates)
        columns = rng.integers(max(width - self._crop, 0) + 1, size=self._candidates)
        last, end = window.start + self._input - 1, window.start + self._input + self._output - 1
        weights = []
        for row, column in zip(rows, columns, strict=True):
            area = slice(row, row + self._crop, _COARSE), slice(column, column + self._crop, _COARSE)
            seen = np.stack([sequence.dbz[last][area], sequence.dbz[end][area]])
            weights.append((seen > _WET_DBZ).mean() + _EVEN_DRY * (~np.isnan(seen)).mean() + 1e-6)
        chosen = rng.choice(self._candidates, p=np.array(weights) / np.sum(weights))
        return int(rows[chosen]), int(columns[chosen])

    def _cut(self, window: Window, row: int, column: int) -> _Arrays:
        sequence, cache = self.sequences[window.sequence], self._caches[window.sequence]
        start, now, stop = window.start, window.start + self._input, window.start + self._input + self._output
        area = slice(row, row + self._crop), slice(column, column + self._crop)
        frames = sequence.dbz[start:stop, *area].astype(np.float32)
        motion = cache.motion(start, now)[:, *area].astype(np.float32)
        flow = np.stack([cache.flow(index)[:, *area].astype(np.float32) for index in range(now, stop)])
        padding = [(0, self._crop - size) for size in frames.shape[-2:]]
        if any(after for _, after in padding):
            frames = np.pad(frames, [(0, 0), *padding], constant_values=np.nan)
            motion = np.pad(motion, [(0, 0), *padding], mode="edge")
            flow = np.pad(flow, [(0, 0), (0, 0), *padding])
        return _Arrays(frames, motion, flow)


def augment(sample: _Arrays, rng: np.random.Generator, dim: float) -> _Arrays:
    """Mirror, turn by quarters and dim a sample at random; flow and motion go with it."""
    horizontal, vertical = rng.random(2) < 0.5
    turns = int(rng.integers(4))
    shift = np.float32(
        rng.uniform(0, dim) if rng.random() < 0.5 else 0.0
    )  # half of the samples stay as bright as they are
    frames = np.maximum(sample.frames - shift, 0)  # NaN stays NaN
    frames = frames[..., ::-1] if horizontal else frames
    frames = frames[..., ::-1, :] if vertical else frames
    frames = np.rot90(frames, turns, axes=(-2, -1))
    motion, flow = (
        rotate_flow(flip_flow(field, horizontal=bool(horizontal), vertical=bool(vertical)), turns)
        for field in (sample.motion, sample.flow)
    )
    return _Arrays(frames, motion, flow)


def _tensors(sample: _Arrays, inputs: int, taught: np.ndarray) -> NowcastingBatch:
    echo = np.nan_to_num(sample.frames[inputs - 1 :], nan=0.0) > 0
    visible = (echo[:-1] | echo[1:])[:, None]
    scaled = torch.from_numpy(np.ascontiguousarray(sample.frames / HIGHEST_DBZ))[:, None]
    return NowcastingBatch(
        frames=scaled[:inputs],
        future=scaled[inputs:],
        motion=torch.from_numpy(np.ascontiguousarray(sample.motion)),
        flow=torch.from_numpy(np.where(visible, sample.flow, np.float32(np.nan))),
        taught=torch.from_numpy(taught),
    )


def forecast_batch(dbz: np.ndarray, motion: np.ndarray) -> NowcastingBatch:
    """Make a batch of one whole field to forecast from.

    Args:
        dbz: T H W, NaN = missing.
        motion: 2 H W, pixels per frame.
    """
    frames = torch.from_numpy(np.array(dbz, np.float32) / HIGHEST_DBZ)[None, :, None]
    height, width = frames.shape[-2:]
    return NowcastingBatch(
        frames=frames,
        future=frames.new_empty((1, 0, 1, height, width)),
        motion=torch.from_numpy(np.array(motion, np.float32))[None],
        flow=frames.new_empty((1, 0, 2, height, width)),
        taught=torch.zeros((1, 0), dtype=torch.bool),
    )
