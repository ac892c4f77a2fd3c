from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from semicoupled.tasks.driving.data_settings import AngleSettings, DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.finding import find_drives, find_format
from semicoupled.tasks.driving.formats.reading import cut_at_gaps, read_drives

DEGREES = DataSettings(angle=AngleSettings(unit="degrees", sign=1))
COMMA = DataSettings(angle=AngleSettings(unit="degrees", factor=0.1))


@pytest.fixture(scope="module")
def made(samples: ModuleType):
    return samples.make_drive(12)


def same(drive: Drive, made, scale: float = 1.0, within: float = 3.0, off: float = 1e-3) -> None:
    """Frames, times from the first one and angles are those that were written; a JPEG differs by some gray levels."""
    assert len(drive) == len(drive.frames) == len(drive.angles) == len(made.times)
    np.testing.assert_allclose(drive.times - drive.times[0], made.times, atol=2e-3)
    np.testing.assert_allclose(drive.angles, scale * made.angles, atol=off * scale)
    for index in (0, 5, len(drive) - 1):
        image = drive.frames.read(index)
        assert image.dtype == np.uint8
        assert image.shape == made.frames[index].shape
        others = [np.abs(image.astype(int) - frame).mean() for frame in made.frames]
        assert np.argmin(others) == index
        assert others[index] < within
        # red is red
        assert abs(image[..., 0].mean() - made.frames[index][..., 0].mean()) < 3


def test_tub(samples: ModuleType, tmp_path: Path, made):
    other = samples.make_drive(9, seed=1)
    folder = samples.write_tub(tmp_path / "tub", {"7": made, "8": other})
    first, second = read_drives(folder)
    same(first, made)
    same(second, other)
    assert (first.name, first.run, first.unit, second.run) == ("7", "7", "normalized", "8")


def test_records_that_were_deleted_from_a_tub_are_left_out(samples: ModuleType, tmp_path: Path, made):
    folder = samples.write_tub(tmp_path / "tub", {"7": made}, deleted=(0, 4, 11))
    (drive,) = read_drives(folder, DataSettings(gap_seconds=0.11))
    kept = [index for index in range(12) if index not in (0, 4, 11)]
    np.testing.assert_allclose(drive.angles, made.angles[kept])
    assert drive.frames.name(3).endswith("5_cam_image_array_.jpg")
    parts = read_drives(folder, DataSettings(gap_seconds=0.06))
    assert [(part.name, part.run, len(part)) for part in parts] == [("7", "7", 3), ("7+1", "7", 6)]


@pytest.mark.parametrize("times", ["milliseconds", "timestamp"])
def test_old_tub(samples: ModuleType, tmp_path: Path, made, times: str):
    folder = samples.write_tub_v1(tmp_path / "tub", made, times=times)
    (drive,) = read_drives(folder)
    same(drive, made)
    assert (drive.name, drive.unit) == ("tub", "normalized")


def test_old_tub_without_times_and_with_records_taken_out(samples: ModuleType, tmp_path: Path, made):
    folder = samples.write_tub_v1(tmp_path / "tub", made, times="none")
    (folder / "exclude.json").write_text("[1, 12]")
    (drive,) = read_drives(folder, DataSettings(file_rate=10))
    np.testing.assert_allclose(drive.times, np.arange(10) / 10)
    np.testing.assert_allclose(drive.angles, made.angles[1:-1])


def test_an_old_tub_whose_clock_starts_again_has_another_run(samples: ModuleType, tmp_path: Path, made):
    long = made._replace(times=made.times + 100)
    samples.write_tub_v1(tmp_path / "tub", long, first=1)
    samples.write_tub_v1(tmp_path / "tub", made, first=13)
    one, two = read_drives(tmp_path / "tub")
    same(one, long._replace(times=made.times))
    same(two, made)
    assert (one.run, two.run) == ("1", "2")


def test_table_of_images(samples: ModuleType, tmp_path: Path, made):
    file = samples.write_table(tmp_path / "drives.csv", {"a": made, "b": made}, scale=20, extra=True)
    one, two = read_drives(tmp_path, DEGREES)
    same(one, made, 20)
    assert (one.name, two.name, one.unit) == ("a", "b", "degrees")
    assert one.speeds is not None
    np.testing.assert_allclose(one.speeds, 5 + np.arange(12))
    assert one.roads == tuple("straight" if abs(angle) < 0.5 else "curve" for angle in made.angles)
    assert read_drives(file, DEGREES)[0].name == "a"


def test_a_table_says_unit_sign_and_offset_itself(samples: ModuleType, tmp_path: Path, made):
    above = "# recorded by hand\n# angle_unit: radians\n# angle_positive: left\n# angle_offset: 0.5\n"
    (drive,) = read_drives(samples.write_table(tmp_path / "drives.csv", {"a": made}, above=above))
    np.testing.assert_allclose(drive.angles, -(made.angles - 0.5), atol=1e-6)
    assert drive.unit == "radians"


def test_sign_offset_and_factor_of_the_settings(samples: ModuleType, tmp_path: Path, made):
    file = samples.write_table(tmp_path / "drives.csv", {"a": made})
    angle = AngleSettings(unit="degrees", sign=-1, factor=25, offset=0.1)
    (drive,) = read_drives(file, DataSettings(angle=angle))
    np.testing.assert_allclose(drive.angles, -25 * (made.angles - 0.1), atol=1e-4)


def test_table_without_times_or_some_angles(tmp_path: Path):
    file = tmp_path / "drives.csv"
    file.write_text("Angle, frame\n1.5,a.png\n,b.png\nnan,c.png\n-2,d.png\n")
    (drive,) = read_drives(file, dataclasses.replace(DEGREES, file_rate=5))
    np.testing.assert_allclose(drive.angles, [1.5, np.nan, np.nan, -2])
    np.testing.assert_allclose(drive.times, [0, 0.2, 0.4, 0.6])
    assert drive.name == "drives"


def test_table_of_a_video(samples: ModuleType, tmp_path: Path, made):
    pytest.importorskip("av")
    samples.write_video(tmp_path / "films" / "drive.mp4", made.frames)
    # labels at 50 Hz, from the third frame on, with words
    at = np.arange(0.1, 0.5501, 0.02)
    angles = 10 * np.interp(at, made.times, made.angles)
    words = ["late" if time > 0.31 else "early" for time in at]
    lines = [f"films/drive.mp4,{time:.2f},{angle},{word}" for time, angle, word in zip(at, angles, words, strict=True)]
    (tmp_path / "drive.csv").write_text("video,time,angle,road\n" + "\n".join(lines) + "\n")
    (drive,) = read_drives(tmp_path, DEGREES)
    np.testing.assert_allclose(drive.times, made.times[2:11], atol=1e-3)
    # a label between two frames lies beside the bend that the line through frames has there
    np.testing.assert_allclose(drive.angles, 10 * made.angles[2:11], atol=0.4)
    assert drive.roads == ("early",) * 5 + ("late",) * 4
    for index in range(len(drive)):
        off = [np.abs(drive.frames.read(index).astype(int) - frame).mean() for frame in made.frames]
        assert np.argmin(off) == index + 2


def test_comma(samples: ModuleType, tmp_path: Path, made):
    other = samples.make_drive(8, seed=2)
    samples.write_comma(tmp_path, "2016-01-30--11-24-51", made)
    samples.write_comma(tmp_path, "2016-06-08--11-46-01", other)
    one, two = read_drives(tmp_path, COMMA)
    same(one, made, 30, within=0.1)
    same(two, other, 30, within=0.1)
    assert (one.run, one.unit) == ("2016-01-30--11-24-51", "degrees")
    assert one.times[0] == pytest.approx(100.07)  # the first line that points to frame 0
    assert one.speeds is not None
    assert set(one.speeds) == {20.0}
    again = pickle.loads(pickle.dumps(one.frames))
    np.testing.assert_array_equal(again.read(3), made.frames[3])
    assert "frame 3" in again.name(3)


def test_one_camera_file_of_comma(samples: ModuleType, tmp_path: Path, made):
    samples.write_comma(tmp_path, "drive", made)
    (drive,) = read_drives(tmp_path / "camera" / "drive.h5", COMMA)
    same(drive, made, 30, within=0.1)
    assert drive.name == "drive"


def test_comma2k19(samples: ModuleType, tmp_path: Path, made):
    pytest.importorskip("av")
    other = samples.make_drive(8, seed=2)
    route = samples.write_comma2k19(tmp_path / "Chunk_1" / "b0c9|2018-07-27--06-03-57", [made] + [other] * 10)
    drives = read_drives(tmp_path)
    assert [drive.name.rsplit("/", 1)[1] for drive in drives] == [str(number) for number in range(11)]
    assert {drive.run for drive in drives} == {"Chunk_1/b0c9|2018-07-27--06-03-57"}
    # the line between two messages passes beside the bend that the made angles have at a frame
    same(drives[0], made, 30, off=0.01)
    same(drives[10], other, 30, off=0.01)
    assert drives[0].speeds is not None
    np.testing.assert_allclose(drives[0].speeds, 25)
    (alone,) = read_drives(route / "0")
    same(alone, made, 30, off=0.01)


def test_dbnet(samples: ModuleType, tmp_path: Path, made):
    for part, name in (("train", "10"), ("train", "2"), ("test", "1")):
        samples.write_dbnet(tmp_path / part / name, made, labels=part == "train")
    settings = dataclasses.replace(DEGREES, file_rate=20.0)
    unlabelled, two, ten = read_drives(tmp_path, settings)
    same(two, made, 40)
    assert (unlabelled.name, two.name, ten.name) == ("test/1", "train/2", "train/10")
    assert np.isnan(unlabelled.angles).all()
    assert two.speeds is not None
    np.testing.assert_allclose(two.speeds[:2], [10, 37 / 3.6])


@pytest.mark.parametrize("head", [True, False])
def test_udacity(samples: ModuleType, tmp_path: Path, made, head: bool):
    folder = samples.write_udacity(tmp_path / "track1", made, head=head)
    (drive,) = read_drives(folder)
    same(drive, made)
    assert (drive.name, drive.unit) == ("track1", "normalized")
    assert drive.frames.name(0).endswith("center_2016_12_01_13_30_48_287.jpg")
    assert drive.speeds is not None
    np.testing.assert_allclose(drive.speeds, 22.1 * 0.44704)


def test_a_pause_in_the_log_of_udacity_is_another_run(samples: ModuleType, tmp_path: Path, made):
    for minute in (30, 31, 5):
        samples.write_udacity(tmp_path / "track1", made, minute=minute)
    drives = read_drives(tmp_path / "track1")
    assert [drive.run for drive in drives] == ["1", "2", "3"]
    for drive in drives:
        same(drive, made)


@pytest.mark.parametrize(("times", "images"), [(True, ""), (False, "data")])
def test_names_and_angles(samples: ModuleType, tmp_path: Path, made, times: bool, images: str):
    folder = samples.write_names(tmp_path / "driving_dataset", made, times=times, images=images)
    (drive,) = read_drives(folder, DataSettings(file_rate=None if times else 20))
    same(drive, made, 90)
    assert (drive.name, drive.unit) == ("driving_dataset", "degrees")


def test_names_say_nothing(samples: ModuleType, tmp_path: Path, made):
    folder = samples.write_udacity(tmp_path / "data", made)
    (folder / "driving_log.csv").rename(folder / "log of monday.text")
    assert find_format(folder / "log of monday.text").NAME == "Udacity simulator log"
    list_ = samples.write_names(tmp_path / "other", made) / "data.txt"
    list_.rename(list_.with_name("driving_log.csv"))
    assert find_format(list_.with_name("driving_log.csv")).NAME == "list of names and angles"


def test_several_places_are_named_by_their_folders(samples: ModuleType, tmp_path: Path, made):
    samples.write_tub(tmp_path / "car10" / "tub", {"0": made})
    samples.write_tub(tmp_path / "car2", {"0": made, "1": made})
    assert [found.name for found in find_drives(tmp_path)] == ["car10/tub", "car2"]
    assert [drive.run for drive in read_drives(tmp_path)] == ["car10/tub/0", "car2/0", "car2/1"]


def test_a_lag_carries_no_label_across_a_gap(samples: ModuleType, tmp_path: Path, made):
    times = made.times + np.where(np.arange(12) < 6, 0, 2.0)
    folder = samples.write_tub(tmp_path / "tub", {"0": made._replace(times=times)})
    one, two = read_drives(folder, DataSettings(lag_frames=2))
    np.testing.assert_allclose(one.angles, [*made.angles[2:6], np.nan, np.nan])
    np.testing.assert_allclose(two.angles, [*made.angles[8:], np.nan, np.nan])


def test_cut_at_gaps_keeps_every_frame(samples: ModuleType, tmp_path: Path, made):
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.choice([0.05, 3.0], 12, p=[0.7, 0.3]))
    folder = samples.write_tub(tmp_path / "tub", {"0": made._replace(times=times)})
    (whole,) = read_drives(folder, DataSettings(gap_seconds=10))
    parts = cut_at_gaps(whole, 0.5)
    np.testing.assert_array_equal(np.concatenate([part.angles for part in parts]), whole.angles)
    assert [part.frames.name(index) for part in parts for index in range(len(part))] == [
        whole.frames.name(index) for index in range(12)
    ]
    assert all((np.diff(part.times) < 0.5).all() for part in parts)
    assert len(parts) == 1 + int((np.diff(times) > 0.5).sum())


def test_real_tubs(real_drives: Path):
    drives = read_drives(real_drives / "yuki_tub")
    assert (len(drives), sum(map(len, drives))) == (25, 11979)
    angles = np.concatenate([drive.angles for drive in drives])
    assert (int((angles == 0).sum()), int((np.abs(angles) == 1).sum())) == (7147, 2649)
    assert drives[3].frames.read(0).shape == (120, 160, 3)
    both = read_drives(real_drives)
    assert {drive.run.split("/")[0] for drive in both} == {"yuki_tub", "chahed_tub"}


def test_a_manifest_may_know_more(samples: ModuleType, tmp_path: Path, made):
    folder = samples.write_tub(tmp_path / "tub", {"0": made})
    lines = (folder / "manifest.json").read_text().splitlines()
    about = {**json.loads(lines[4]), "deleted_indexes": [3, 3, 99]}
    (folder / "manifest.json").write_text("\n".join([*lines[:4], json.dumps(about)]))
    (drive,) = read_drives(folder)
    assert len(drive) == 11
