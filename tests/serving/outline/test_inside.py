"""What a network of outlines sees while it draws, layer by layer."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semicoupled.errors import DataError
from semicoupled.serving.inside_job import maps
from semicoupled.serving.job_options import MapOptions
from semicoupled.serving.work import JobRequest, Result, Source, Work


def look(work: Work, run: Path, source: Source) -> Result:
    return maps(work, JobRequest("", run, source, MapOptions()))


def array(found: Result, name: str) -> np.ndarray:
    return np.load(io.BytesIO(found.files[f"{name}.npy"]))


def test_maps_of_an_outline_as_it_is_drawn(work: Work, small_run: Path) -> None:
    found = look(work, small_run, Source(sample="shapes"))
    frames, stacks = array(found, "frames"), found.document["stacks"]
    assert found.document["task"] == "outline"
    assert 3 <= len(frames) <= 12
    assert 0 <= frames.min() < frames.max() <= 1
    assert (np.abs(np.diff(frames, axis=0)).reshape(len(frames) - 1, -1).sum(1) > 0).all()  # a point more in each
    layers: Any = stacks[0]["layers"]  # pyright: ignore[reportArgumentType, reportCallIssue, reportIndexIssue, reportOptionalSubscript]
    assert [layer["frames"] for layer in layers] == [len(frames)] * 2
    first = layers[0]["key"]
    spatial, temporal, product = (array(found, f"{first}_{kind}") for kind in ("spatial", "temporal", "product"))
    np.testing.assert_allclose(product, spatial / (1 + np.exp(-temporal)), atol=2e-5)  # u = relu(s) sigmoid(c)


def test_images_of_a_folder(work: Work, small_run: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no image in it; expected files that end in"):
        look(work, small_run, Source(place=tmp_path, base=tmp_path))
    Image.new("RGB", (50, 40), (10, 200, 30)).save(tmp_path / "a.png")
    assert len(array(look(work, small_run, Source(place=tmp_path, base=tmp_path)), "frames")) >= 3
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"a\.png"):
        look(work, small_run, Source(place=tmp_path, base=tmp_path))
