from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from semicoupled.tasks.action.normalizing import LEAST_SPREAD, PIXEL_SPREAD, Normalizer

VALUES = np.random.default_rng(0).uniform(0, 1, (7, 4, 5, 2)).astype(np.float32)


def test_each_frame_by_itself() -> None:
    values = VALUES.copy()
    values[1] = 0.3  # flat
    seen = Normalizer("frame").see(values)
    assert float(seen[0].mean()) == pytest.approx(0, abs=1e-5)
    assert float(seen[0].std()) == pytest.approx(1, abs=1e-4)
    assert np.allclose(seen[1], 0, atol=1e-4)


def test_all_frames_by_the_first() -> None:
    seen = Normalizer("first").see(VALUES)
    assert np.allclose(seen, (VALUES - VALUES[0].mean()) / VALUES[0].std(), atol=1e-5)
    flat = Normalizer("first").see(np.concatenate([np.full_like(VALUES[:1], 0.5), VALUES]))
    assert np.allclose(flat[1:], (VALUES - 0.5) / LEAST_SPREAD, atol=1e-3)


def test_each_pixel_by_its_own_past_alone() -> None:
    seen = Normalizer("pixel").see(VALUES)
    for index in range(len(VALUES)):
        past = VALUES[: index + 1].astype(np.float64)
        wanted = (past[-1] - past.mean(0)) / (past.std(0) + PIXEL_SPREAD)
        assert np.allclose(seen[index], wanted, atol=1e-5)
    assert not seen[0].any()
    brighter = Normalizer("pixel").see(VALUES * 0.8 + 0.1)  # another skin, another lamp
    assert np.allclose(brighter[3:], seen[3:], atol=0.1)
    assert not Normalizer("pixel").see(np.full_like(VALUES, 0.7)).any()


@pytest.mark.parametrize("how", ["fixed", "frame", "first", "pixel"])
@pytest.mark.parametrize("parts", [(1, 1, 5), (3, 4), (6, 1)])
def test_parts_give_what_the_whole_gives(how: Any, parts: tuple[int, ...]) -> None:
    pieces, normalizer = np.split(VALUES, np.cumsum(parts)[:-1]), Normalizer(how)
    together = np.concatenate([normalizer.see(piece) for piece in pieces])
    assert together.dtype == np.float32
    assert np.allclose(together, Normalizer(how).see(VALUES), atol=1e-6)
