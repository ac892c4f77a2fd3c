"""The Python client's drives and videos, against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semicoupled.errors import DataError
from semicoupled.serving.client import Client, ServerError
from semicoupled.serving.person_sample import person_frames


@pytest.fixture(scope="module")
def client(
    make_action_run: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
    run_server: Callable[..., AbstractContextManager[Any]],
) -> Iterator[Client]:
    root = tmp_path_factory.mktemp("videos") / "films"
    write_frames(root / "jack", "jack")
    write_frames(root / "wave", "wave")
    with run_server(str(make_action_run()), "--root", str(root)) as server, Client(server.address) as found:
        yield found


def write_frames(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    for number, frame in enumerate(person_frames(name, 10)):
        Image.fromarray(frame.image).save(folder / f"{number:03d}.png")


def test_a_drive_is_steered(client: Client) -> None:
    found = client.steer("driving-small", sample="curves")
    angle, truth = found.arrays["angle"], found.arrays["truth"]
    assert angle.shape == truth.shape == found.arrays["times"].shape
    assert np.isfinite(angle).all()
    assert found.document["scores"]
    with pytest.raises(DataError, match="'angle' is no field of a forecast"):
        found.field("angle")


def test_a_video_is_answered(client: Client) -> None:
    found = client.act("people", root="films", part=1, rate=10)
    assert [part["name"] for part in found.document["parts"]] == ["jack", "wave"]
    assert found.arrays["main"].shape == (10, 3)
    np.testing.assert_allclose(found.arrays["main"].sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(np.diff(found.arrays["times"]), 0.1)
    best = found.document["classes"][int(found.arrays["main_so_far"][-1].argmax())]
    assert found.document["tops"]["main"][0][0] == best
    alone = client.act("people", root="films", path="wave", rate=10)
    np.testing.assert_array_equal(alone.arrays["main"], found.arrays["main"])


def test_what_is_refused_is_said(client: Client) -> None:
    with pytest.raises(DataError, match="expected one of sample, files and root"):
        client.act("people")
    with pytest.raises(ServerError, match="is a run of task 'action'; expected 'driving'"):
        client.steer("people", sample="curves")
    with pytest.raises(ServerError, match="there is no video 9 of 2"):
        client.act("people", root="films", part=9)
