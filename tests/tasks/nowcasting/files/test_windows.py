from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence
from semicoupled.tasks.nowcasting.files.windows import Window, keep_apart, list_windows, split_by_time, wettest
from semicoupled.tasks.nowcasting.grid import Grid

GRID = Grid(0.0, 1000.0, 2, 0.0, -1000.0, 2, 'GEOGCRS["x"]')
STEP = timedelta(minutes=5)


def sequence(first: int, frames: int) -> RadarSequence:
    start = datetime(2021, 1, 1, tzinfo=UTC)
    times = tuple(start + (first + frame) * STEP for frame in range(frames))
    return RadarSequence("event", times, STEP, np.zeros((frames, 2, 2), np.float16), GRID, (Path("f"),) * frames, "p")


def test_windows_stay_inside_their_sequence():
    assert list_windows([sequence(0, 5), sequence(10, 4), sequence(20, 3)], 4) == [
        Window(0, 0), Window(0, 1), Window(1, 0),
    ]  # fmt: skip
    assert list_windows([sequence(0, 9)], 4, stride=3) == [Window(0, 0), Window(0, 3)]


@pytest.mark.parametrize("lengths", [(100,), (30, 70), (60, 20, 20), (10, 10, 10, 70)])
@pytest.mark.parametrize("frames", [2, 7])
def test_no_window_on_one_side_comes_near_one_on_the_other(lengths: tuple[int, ...], frames: int):
    firsts = np.cumsum([0, *[length + 3 for length in lengths]])
    earlier, later = split_by_time(
        [sequence(int(first), length) for first, length in zip(firsts, lengths, strict=False)], frames
    )
    last_learned = max(piece.times[-1] for piece in earlier)
    first_held = min(piece.times[0] for piece in later)
    assert first_held - last_learned > frames * STEP
    assert sum(len(piece) for piece in later) == pytest.approx(0.2 * sum(lengths), abs=frames)
    assert all(len(piece) >= frames for piece in [*earlier, *later])


def test_inside_a_sequence_a_whole_window_lies_between():
    earlier, later = split_by_time([sequence(0, 100)], 10)
    assert len(earlier[0]) == 70
    assert later[0].times[0] == sequence(80, 1).times[0]
    assert len(later[0]) == 20


@pytest.mark.parametrize("frames", [30, 31, 36, 47])
def test_three_windows_in_a_row_are_enough(frames: int):
    earlier, later = split_by_time([sequence(0, frames)], 10)
    assert len(earlier[0]) >= 10
    assert len(later[0]) == max(10, frames - round(0.8 * frames))


def test_too_few_frames_are_refused():
    with pytest.raises(DataError, match=r"12 frames are too few.*at least 30 in a row.*--data\.validation"):
        split_by_time([sequence(0, 12)], 10)


def test_what_is_learned_from_stays_a_window_apart_from_what_is_held_back():
    learned = keep_apart([sequence(0, 100)], [sequence(50, 10)], 7)
    assert [(len(piece), piece.times[0]) for piece in learned] == [
        (43, sequence(0, 1).times[0]),  # up to 42: frame 43 is seven steps from frame 50, and not more
        (33, sequence(67, 1).times[0]),
    ]
    other = replace(sequence(50, 10), event="another")
    assert [len(piece) for piece in keep_apart([sequence(0, 100)], [other], 7)] == [100]
    assert keep_apart([sequence(0, 12)], [sequence(12, 3)], 7) == []


def test_a_season_is_kept_apart_at_once():
    season, held = sequence(0, 40_000), [sequence(first, 100) for first in range(500, 40_000, 1000)]
    begun = time.process_time()
    learned = keep_apart([season], held, 12)
    assert time.process_time() - begun < 4  # each frame against each takes 20 s
    assert [len(piece) for piece in learned] == [500 - 12, *[1000 - 100 - 2 * 12] * 39, 500 - 100 - 12]


def test_the_wettest_window_is_none_without_data():
    missing, dry, wet = (replace(sequence(first, 4), dbz=np.full((4, 2, 2), value, np.float16))
                         for first, value in ((0, np.nan), (10, 0), (20, 30)))  # fmt: skip
    wet.dbz[:, 0] = np.nan
    sequences = [missing, dry, wet]
    assert wettest(sequences, list_windows(sequences, 3), 2) == Window(2, 0)
    wet.dbz[2] = 0
    assert wettest(sequences, list_windows(sequences, 3), 2) == Window(2, 1)
