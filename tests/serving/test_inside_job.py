"""The maps of every task's network, from what is generated and from files."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semicoupled.errors import DataError
from semicoupled.serving.inside_job import maps
from semicoupled.serving.job_options import MapOptions
from semicoupled.serving.work import JobRequest, Result, Source, Work

Ask = Callable[..., Result]


def arrays_of(found: Result) -> dict[str, np.ndarray]:
    return {name.removesuffix(".npy"): np.load(io.BytesIO(content)) for name, content in found.files.items()}


@pytest.fixture(params=["driving", "action"])
def task(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def ask(task: str, work: Work, make_driving_run: Callable[..., Path], make_action_run: Callable[..., Path]) -> Ask:
    """Looks into a small network of a task."""
    run = make_driving_run() if task == "driving" else make_action_run()
    return lambda source, channel=None: maps(work, JobRequest("", run, source, MapOptions(channel=channel)))


def check(found: Result, frames: int) -> None:
    arrays = arrays_of(found)
    stacks: Any = found.document["stacks"]
    layers: Any = stacks[0]["layers"]
    assert len(stacks) == 1
    assert arrays["frames"].shape[0] == frames
    assert 0 <= arrays["frames"].min() <= arrays["frames"].max() <= 1
    for layer in layers:
        spatial, temporal, product = (arrays[f"{layer['key']}_{kind}"] for kind in ("spatial", "temporal", "product"))
        assert layer["frames"] == frames
        assert spatial.shape == temporal.shape == product.shape == (frames, *layer["size"])
        if layer["layer"] == 1:  # later ones have shortcuts
            np.testing.assert_allclose(product, spatial / (1 + np.exp(-temporal)), atol=2e-5)  # u = relu(s) sigmoid(c)
        assert product.std() > 0
        assert len(layer["gate_by_frame"]) == frames
        assert layer["gate"] == pytest.approx(float(np.mean(layer["gate_by_frame"])), abs=1e-3)


def test_what_is_drawn(ask: Ask, task: str) -> None:
    found = ask(Source(sample={"driving": "curves", "action": "jack"}[task]))
    check(found, 24)
    assert found.document["task"] == task


def test_a_short_folder_of_images(ask: Ask, task: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for index in range(9):
        pixels = generator.integers(0, 255, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    found = ask(Source(place=tmp_path, base=tmp_path))
    check(found, {"driving": 5, "action": 9}[task])  # a drive at 20 Hz, for a network that sees 10 a second
    with pytest.raises(DataError, match="has no channel 99; expected 0 to"):
        ask(Source(place=tmp_path, base=tmp_path), 99)


def test_a_link_out_of_the_folder_is_refused(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "base" / "a.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="a link in it leads elsewhere"):
        ask(Source(place=tmp_path / "base", base=tmp_path / "base"))
