from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from semicoupled.serving.settings import Limits
from semicoupled.serving.video_options import DriveOptions, VideoOptions

API = "/api/v1"
ASKING = [("/driving/angles", "driving-small"), ("/action/answers", "people")]


@pytest.fixture
def videos(make_client: Callable[..., TestClient], make_action_run: Callable[..., Path], data_root: Path) -> TestClient:
    """A client of an app whose worker is not started, with a run of action and a root."""
    (data_root / "event" / "out").symlink_to(data_root.parent / "elsewhere")
    return make_client(runs=(str(make_action_run()),), roots=(data_root,))


def test_both_pages_are_offered_with_samples(videos: TestClient) -> None:
    tasks = {task["name"]: task for task in videos.get(f"{API}/status").json()["tasks"]}
    assert tasks["driving"]["samples"] == ["curves", "winding"]
    assert tasks["action"]["samples"] == ["jack", "wave", "bend", "square_E", "square_N", "disc", "cross"]
    runs = {run["name"]: run for run in videos.get(f"{API}/status").json()["runs"]}
    assert runs["people"]["facts"] == {"width": 32, "height": 24, "rate": None, "size": "xs", "streams": True}
    assert runs["driving-small"]["facts"]["rate"] == 10


@pytest.mark.parametrize(
    ("where", "size"),
    [("driving/samples/winding", (120, 160)), ("action/samples/wave", (120, 160)), ("action/samples/disc", (128, 128))],
)
def test_a_preview_is_a_small_moving_picture(videos: TestClient, where: str, size: tuple[int, int]) -> None:
    frames = np.load(io.BytesIO(videos.get(f"{API}/{where}").content))
    assert frames.dtype == np.uint8
    assert frames.shape[1:] == (*size, 3)
    assert (np.diff(frames.astype(int), axis=0) != 0).any((1, 2, 3)).all()
    assert videos.get(f"{API}/{where}x").status_code == 400


@pytest.mark.parametrize(("path", "run"), ASKING)
def test_a_request_becomes_a_job(videos: TestClient, path: str, run: str) -> None:
    services = videos.app.state.services  # type: ignore[attr-defined]
    asked = videos.post(API + path, json={"run": run, "source": {"root": "data", "path": "event"}, "part": 2})
    assert asked.status_code == 202
    job = services.jobs.find(asked.json()["id"])
    root = services.roots.paths()["data"]
    assert (job.request.source.place, job.request.source.base) == (root / "event", root)
    assert job.request.source.files == ()
    assert job.request.options in (DriveOptions(2, 20.0), VideoOptions(2, 25.0))


@pytest.mark.parametrize(("path", "run"), ASKING)
def test_what_is_dropped_is_looked_for_in_its_own_folder(videos: TestClient, path: str, run: str) -> None:
    services = videos.app.state.services  # type: ignore[attr-defined]
    upload = videos.post(f"{API}/uploads").json()["id"]
    empty = videos.post(API + path, json={"run": run, "source": {"upload": upload}})
    assert (empty.status_code, "holds no files" in empty.json()["error"]) == (400, True)
    places: list[Path] = []
    for name in ("a.mp4", "../../b.mp4"):
        assert videos.put(f"{API}/uploads/{upload}/files", params={"name": name}, content=b"x").status_code == 201
        job = videos.post(API + path, json={"run": run, "source": {"upload": upload}}).json()["id"]
        source = services.jobs.find(job).request.source
        places.append(source.place)
        assert source.base.parent == services.uploads.folder
        assert source.place.is_relative_to(source.base)
    assert [place.name == "a.mp4" for place in places] == [True, False]
    assert sorted(file.name for file in places[1].iterdir()) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize(("path", "run"), ASKING)
@pytest.mark.parametrize("place", ["..", "../secret.txt", "/etc/passwd", "event/out", "event/out/secret.h5", ".hidden"])
def test_a_root_cannot_be_left(videos: TestClient, path: str, run: str, place: str) -> None:
    refused = videos.post(API + path, json={"run": run, "source": {"root": "data", "path": place}})
    assert refused.status_code == 400
    assert "expected a file or a folder that its listing shows" in refused.json()["error"]


@pytest.mark.parametrize(("path", "run"), ASKING)
@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"source": {"sample": "moon"}}, 400, "there is no sample 'moon'"),
        ({"run": "nowcasting-small"}, 404, "is a run of task 'nowcasting'"),
        ({"run": "nobody"}, 404, "there is no run 'nobody'"),
        ({"part": -1}, 422, "part"),
        ({"rate": 0}, 422, "rate"),
        ({"more": 1}, 422, "more"),
        ({"source": {}}, 422, "expected exactly one of sample, root, upload"),
    ],
)
def test_odd_requests_are_refused(
    videos: TestClient, path: str, run: str, change: dict[str, object], status: int, message: str
) -> None:
    refused = videos.post(API + path, json={"run": run, "source": {"root": "data", "path": "event"}, **change})
    assert refused.status_code == status
    assert message in refused.json()["error"]


def test_a_full_queue_says_when_to_come_again(make_client: Callable[..., TestClient], small_limits: Limits) -> None:
    client = make_client(limits=small_limits)
    body = {"run": "driving-small", "source": {"sample": "curves"}}
    statuses = [client.post(f"{API}/driving/angles", json=body) for _ in range(3)]
    assert [each.status_code for each in statuses] == [202, 202, 503]
    assert int(statuses[-1].headers["retry-after"]) >= 1
