from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
import yaml

from semicoupled.errors import DataError
from semicoupled.run_folder import PRETRAINED
from semicoupled.serving import driving_job
from semicoupled.serving.driving_job import parts_of, steer
from semicoupled.serving.settings import Limits
from semicoupled.serving.track_sample import SAMPLES, TrackFrames, find_sample
from semicoupled.serving.video_options import DriveOptions
from semicoupled.serving.work import JobRequest, Result, Source, Work
from semicoupled.tasks.driving.drives import Drive

STEERING = PRETRAINED / "driving" / "small"


def array(found: Result, name: str) -> np.ndarray:
    return np.load(io.BytesIO(found.files[f"{name}.npy"]))


@pytest.fixture
def ask(work: Work, make_driving_run: Callable[..., Path]) -> Callable[..., Result]:
    """Asks a small model about a place; what may be read lies below `base`."""
    run = make_driving_run()

    def about(place: Path, base: Path, part: int | None = None, rate: float = 20.0, *, dropped: bool = False) -> Result:
        source = Source(place=place, base=base.resolve(), dropped=dropped)
        return steer(work, JobRequest("", run, source, DriveOptions(part, rate)))

    return about


def write_tub(folder: Path, count: int = 60) -> Path:
    """Write a tub of two sessions, `a` of 50 frames and `b` of the rest."""
    (folder / "images").mkdir(parents=True)
    records: list[dict[str, Any]] = []
    for index in range(count):
        name = f"{index}_cam.jpg"
        assert cv2.imwrite(str(folder / "images" / name), np.full((30, 40, 3), 4 * index, np.uint8))
        record = {"_index": index, "_session_id": "a" if index < 50 else "b", "_timestamp_ms": 50 * index}
        records.append({**record, "user/angle": float(np.sin(index / 9)), "cam/image_array": name})
    (folder / "catalog_0.catalog").write_text("".join(json.dumps(record) + "\n" for record in records))
    about = {"paths": ["catalog_0.catalog"], "deleted_indexes": []}
    (folder / "manifest.json").write_text("\n".join(["[]", "[]", "{}", "{}", json.dumps(about)]))
    return folder


def test_the_drawn_track_is_answered_and_scored(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving_job, "TrackFrames", lambda name: TrackFrames(name, 120))
    found = steer(work, JobRequest("", STEERING, Source(sample="curves"), DriveOptions()))
    about = found.document
    assert about["streams"] == ["main", "spatial", "temporal"]
    assert about["unit"] == "normalized"
    assert about["other_unit"] is None
    columns = {name: array(found, name) for name in ("times", "angle", "spatial", "temporal", "truth", "smoothed")}
    assert {len(values) for values in columns.values()} == {120}
    np.testing.assert_allclose(columns["truth"], TrackFrames("curves", 120).angles, atol=1e-6)
    film: Any = about["film"]
    assert len(film["sizes"]) == 120
    rows: Any = about["scores"]
    wanted = {"metric": "mae", "road": None, "label": "smoothed", "model": "model", "stream": "main"}
    [mean] = [row["value"] for row in rows if wanted.items() <= row.items()]
    assert mean == pytest.approx(float(np.abs(columns["angle"] - columns["smoothed"]).mean()), rel=1e-4)
    assert {row["model"] for row in rows} == {"model", "mean", "straight"}
    roads: Any = about["roads"]
    road = array(found, "road")
    size = np.abs(columns["smoothed"])
    assert (road == roads.index("straight")).tolist() == (size <= 0.1).tolist()
    np.testing.assert_allclose(array(found, "disagreement"), columns["temporal"] - columns["spatial"], atol=1e-6)


def test_a_tub_has_parts_and_the_first_long_one_is_chosen(ask: Callable[..., Result], tmp_path: Path) -> None:
    tub = write_tub(tmp_path / "tub")
    found = ask(tub, tmp_path)
    parts: Any = found.document["parts"]
    assert [(part["name"], part["frames"]) for part in parts] == [("a", 50), ("b", 10)]
    assert found.document["part"] == 0
    later = ask(tub, tmp_path, 1)
    assert later.document["frames"] == 10
    np.testing.assert_allclose(array(later, "truth"), np.sin(np.arange(50, 60) / 9), atol=1e-6)
    with pytest.raises(DataError, match="there is no part 2 of 2"):
        ask(tub, tmp_path, 2)


def test_a_tub_that_was_dropped_file_by_file(ask: Callable[..., Result], tmp_path: Path) -> None:
    tub = write_tub(tmp_path / "tub")
    for image in (tub / "images").iterdir():
        image.rename(tub / image.name)
    (tub / "images").rmdir()
    before = sorted(path.name for path in tub.iterdir())
    found = ask(tub, tub, dropped=True)
    assert found.document["frames"] == 50
    assert found.document["missing"] == 0
    assert sorted(path.name for path in tub.iterdir()) == before
    with pytest.raises(DataError, match="cannot be read"):
        ask(tub, tub)  # into a user's own folder nothing is written


def write_comma(place: Path, camera: str, log: str, count: int, shade: int = 0) -> None:
    """Write comma.ai's two files of a drive into one folder."""
    with h5py.File(place / camera, "w") as file:
        file["X"] = np.full((count, 3, 24, 32), shade, np.uint8)
    with h5py.File(place / log, "w") as file:
        file["cam1_ptr"] = np.repeat(np.arange(count), 5).astype(float)
        file["times"] = np.arange(5 * count) / 100
        file["steering_angle"] = np.full(5 * count, 10.0 * count)


@pytest.mark.parametrize(
    ("files", "frames"),
    [
        ([("one.h5", "one.again1.h5", 45)], [45]),
        ([("camera.h5", "log.h5", 45)], [45]),  # a pair alone is one, whatever it is called
        ([("a.h5", "a.again2.h5", 45), ("b.again3.h5", "b.h5", 50)], [45, 50]),
    ],
)
def test_camera_and_log_that_were_dropped(
    files: list[tuple[str, str, int]],
    frames: list[int],
    work: Work,
    make_driving_run: Callable[..., Path],
    tmp_path: Path,
) -> None:
    run = make_driving_run(unit="degrees")
    settings = yaml.safe_load((run / "settings.yaml").read_text())
    settings["data"]["angle"].update(unit="degrees", factor=0.1)
    (run / "settings.yaml").write_text(yaml.safe_dump(settings))
    place = tmp_path / "upload"
    place.mkdir()
    for camera, log, count in files:
        write_comma(place, camera, log, count)
    before = sorted(path.name for path in place.iterdir())
    source = Source(place=place, base=place.resolve(), dropped=True)
    found = steer(work, JobRequest("", run, source, DriveOptions()))
    parts: Any = found.document["parts"]
    assert [part["frames"] for part in parts] == frames
    assert found.document["unit"] == "degrees"
    np.testing.assert_allclose(array(found, "truth"), frames[0], atol=1e-4)
    assert sorted(path.name for path in place.iterdir()) == before


def test_a_camera_without_its_log_says_so(ask: Callable[..., Result], tmp_path: Path) -> None:
    write_comma(tmp_path, "one.h5", "log.h5", 45)
    (tmp_path / "log.h5").unlink()
    with pytest.raises(DataError, match="log"):
        ask(tmp_path / "one.h5", tmp_path, dropped=True)


def test_a_folder_of_images_has_no_truth(ask: Callable[..., Result], tmp_path: Path) -> None:
    for index in range(12):
        assert cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((24, 32, 3), 9 * index, np.uint8))
    found = ask(tmp_path, tmp_path, None, 5.0)
    assert array(found, "times") == pytest.approx(np.arange(12) / 5)
    assert found.document["scores"] == []
    assert "truth.npy" not in found.files
    assert "importance.npy" not in found.files
    assert np.isfinite(array(found, "angle")).all()


def test_a_frame_that_cannot_be_read_has_no_answer(ask: Callable[..., Result], tmp_path: Path) -> None:
    tub = write_tub(tmp_path / "tub")
    (tub / "images" / "7_cam.jpg").write_bytes(b"")
    found = ask(tub, tmp_path)
    assert found.document["missing"] == 1
    assert np.flatnonzero(np.isnan(array(found, "angle"))).tolist() == [7]


@pytest.mark.parametrize("name", ["../../../secret.jpg", "{root}/secret.jpg", "link.jpg"])
def test_a_tub_shows_no_image_from_elsewhere(ask: Callable[..., Result], tmp_path: Path, name: str) -> None:
    assert cv2.imwrite(str(tmp_path / "secret.jpg"), np.full((30, 40, 3), 255, np.uint8))
    tub = write_tub(tmp_path / "data" / "tub")
    catalog = tub / "catalog_0.catalog"
    catalog.write_text(catalog.read_text().replace("0_cam.jpg", name.format(root=tmp_path), 1))
    if name == "link.jpg":
        (tub / "images" / name).symlink_to(tmp_path / "secret.jpg")
    expected = "a link in it leads elsewhere" if name == "link.jpg" else "secret.jpg: lies elsewhere"
    with pytest.raises(DataError, match=expected):
        ask(tub, tmp_path / "data")
    assert ask(tub, tmp_path).document["frames"] == 50  # it is the place, not the file


def test_a_tub_names_no_catalog_from_elsewhere(ask: Callable[..., Result], tmp_path: Path) -> None:
    tub = write_tub(tmp_path / "data" / "tub")
    (tub / "catalog_0.catalog").rename(tmp_path / "secret.catalog")
    manifest = tub / "manifest.json"
    manifest.write_text(manifest.read_text().replace("catalog_0.catalog", "../../secret.catalog"))
    with pytest.raises(DataError, match=r"secret.catalog: lies elsewhere"):
        ask(tub, tmp_path / "data")


def test_a_table_shows_no_image_from_elsewhere(ask: Callable[..., Result], tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    assert cv2.imwrite(str(tmp_path / "secret.png"), np.zeros((24, 32, 3), np.uint8))
    lines = [f"{index / 20},0.1,../secret.png" for index in range(50)]
    head = "# angle_unit: normalized\n# angle_positive: right\ntime,angle,frame\n"
    (data / "drive.csv").write_text(head + "\n".join(lines))
    with pytest.raises(DataError, match=r"secret.png: lies elsewhere"):
        ask(data / "drive.csv", data)


def test_huge_images_are_refused_before_they_are_decoded(make_driving_run: Callable[..., Path], tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "0.png"), np.zeros((60, 60, 3), np.uint8))
    work = Work("cpu", Limits(pixels=3000), lambda done, doing: None)
    request = JobRequest("", make_driving_run(), Source(place=tmp_path, base=tmp_path.resolve()), DriveOptions())
    with pytest.raises(DataError, match="is 60 x 60 pixels; expected at most 3000"):
        steer(work, request)


def test_long_drives_come_in_equal_parts() -> None:
    frames = TrackFrames("curves", 25)
    drive = Drive("x", "x", Path("x"), frames, frames.times, frames.angles, "normalized")
    found = parts_of([drive], 10)
    assert [len(part) for _, part in found] == [8, 9, 8]
    assert [choice.name for choice, _ in found] == ["x, from 0 s", "x, from 0 s", "x, from 1 s"]
    np.testing.assert_array_equal(np.concatenate([part.times for _, part in found]), drive.times)
    assert [choice.name for choice, _ in parts_of([drive], 25)] == ["x"]


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_track_is_a_pure_function_of_its_name_and_moves(name: str) -> None:
    one, two = TrackFrames(name), TrackFrames(name)
    np.testing.assert_array_equal(one.read(50), two.read(50))
    assert np.abs(one.read(50).astype(float) - one.read(51)).mean() > 1
    angles = one.angles
    assert np.abs(angles).max() <= 1
    assert angles.min() < -0.2
    assert angles.max() > 0.2


def test_a_right_bend_shows_its_outer_wall_on_the_left() -> None:
    frames = TrackFrames("winding")
    right, left = int(frames.angles.argmax()), int(frames.angles.argmin())

    def lean(index: int) -> float:
        """How much farther down the wall reaches on the left than on the right."""
        bright = frames.read(index)[..., 0].astype(float) > 100
        reach = [np.flatnonzero(column).max(initial=0) for column in bright.T]
        return float(np.mean(reach[:50]) - np.mean(reach[-50:]))

    assert lean(right) > lean(left)


def test_an_unknown_track_is_named() -> None:
    with pytest.raises(DataError, match="there is no sample 'moon'"):
        find_sample("moon")
