"""Tubs become drives: runs, labels, gaps; what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.tasks.driving.tubs import RATE, course, view, write_tub

from semicoupled.errors import DataError, SettingsError
from semicoupled.tasks.driving.data_settings import AngleSettings, DataSettings
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.splitting import split_runs


def test_sessions_are_runs_with_their_frames_times_and_angles(tmp_path: Path) -> None:
    tub = write_tub(tmp_path / "tub", {"7": course(6), "8": course(5, 1)})
    drives = read_drives(tub)
    assert [(drive.name, drive.run, len(drive), drive.unit) for drive in drives] == [
        ("7", "7", 6, "normalized"),
        ("8", "8", 5, "normalized"),
    ]
    assert drives[1].angles == pytest.approx(course(5, 1))
    assert np.diff(drives[0].times) == pytest.approx(1 / RATE, abs=1e-6)
    image = drives[0].frames.read(3)
    assert image.shape == (*view(0).shape[:2], 3)
    assert abs(image.astype(int) - view(course(6)[3])).mean() < 8  # JPEG; a swap of red and blue would be 20
    assert drives[0].frames.name(3).endswith("3_cam_image_array_.jpg")


def test_deleted_records_are_left_out_and_a_missing_angle_is_no_label(tmp_path: Path) -> None:
    tub = write_tub(tmp_path / "tub", {"a": course(6)}, deleted=[0, 5], changes={2: {"user/angle": None}})
    (drive,) = read_drives(tub)
    assert len(drive) == 4
    assert np.isnan(drive.angles).tolist() == [False, True, False, False]


def test_drives_are_cut_at_gaps_and_never_bridged(tmp_path: Path) -> None:
    later = {index: {"_timestamp_ms": 1_700_000_002_000 + 50 * index} for index in range(4, 10)}
    tub = write_tub(tmp_path / "tub", {"a": course(10)}, changes=later)
    drives = read_drives(tub)
    assert [(drive.name, drive.run, len(drive)) for drive in drives] == [("a", "a", 4), ("a+1", "a", 6)]
    assert drives[1].frames.name(0).endswith("4_cam_image_array_.jpg")
    assert drives[1].angles == pytest.approx(course(10)[4:])
    assert len(read_drives(tub, DataSettings(gap_seconds=5))) == 1


def test_sign_offset_and_lag_make_the_label(tmp_path: Path) -> None:
    tub = write_tub(tmp_path / "tub", {"a": course(6)})
    angle = AngleSettings(sign=-1, offset=0.25)
    (late,) = read_drives(tub, DataSettings(angle=angle, lag_frames=2))
    assert late.angles[:4] == pytest.approx(0.25 - course(6)[2:])
    assert np.isnan(late.angles[4:]).all()
    (early,) = read_drives(tub, DataSettings(lag_frames=-1))
    assert early.angles[1:] == pytest.approx(course(6)[:-1])
    assert np.isnan(early.angles[0])


def test_a_folder_of_tubs_names_runs_by_folder(tmp_path: Path) -> None:
    for name in ("monday", "tuesday"):
        _ = write_tub(tmp_path / "tubs" / name, {"0": course(3)})
    assert [drive.name for drive in read_drives(tmp_path / "tubs")] == ["monday/0", "tuesday/0"]


def test_what_is_wrong_with_a_tub_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such file or folder; expected a drive"):
        read_drives(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: is empty; expected one of: DonkeyCar"):
        read_drives(tmp_path / "empty")
    tub = write_tub(tmp_path / "a", {"a": course(3)})
    (tub / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"manifest\.json: cannot be read .* expected a tub's manifest"):
        read_drives(tub)
    (tub / "manifest.json").write_text("[]\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"expected the five lines of a tub's manifest.* got 1 lines"):
        read_drives(tub)
    tub = write_tub(tmp_path / "b", {"a": course(4)})
    (tub / "catalog_1.catalog").unlink()
    with pytest.raises(DataError, match=r"catalog_1\.catalog: cannot be read .* the manifest names this catalog"):
        read_drives(tub)
    (tub / "catalog_1.catalog").write_text('{"_index": 2\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"catalog_1\.catalog, line 1: is not JSON"):
        read_drives(tub)
    tub = write_tub(tmp_path / "c", {"a": course(4)}, changes={1: {"cam/image_array": None}})
    with pytest.raises(DataError, match=r"catalog_0\.catalog, line 2: has no cam/image_array"):
        read_drives(tub)
    tub = write_tub(tmp_path / "d", {"a": course(4)}, changes={2: {"_timestamp_ms": 5}})
    with pytest.raises(DataError, match=r"run a: times do not rise at frame 2 \(.*1_cam_image_array_\.jpg\)"):
        read_drives(tub)


def test_a_drive_may_have_one_frame_but_not_none(tmp_path: Path) -> None:
    (drive,) = read_drives(write_tub(tmp_path / "one", {"a": course(1)}))
    assert len(drive) == 1
    with pytest.raises(DataError, match=r"none: has 2 records, of which 2 are deleted; expected some to read"):
        read_drives(write_tub(tmp_path / "none", {"a": course(2)}, deleted=[0, 1]))


def test_runs_are_held_back_whole(tmp_path: Path) -> None:
    runs = {name: course(8 if name != "short" else 2) for name in ("1", "2", "3", "10", "short")}
    drives = read_drives(write_tub(tmp_path / "tub", runs))
    found = split_runs(drives, "last:1", "last:1", at_least=4)
    assert [[drive.run for drive in split] for split in found] == [["1", "2"], ["3"], ["10"]]
    found = split_runs(drives, "1*", None, at_least=4)
    assert [drive.run for drive in found.validation] == ["1", "10"]


@pytest.mark.parametrize(
    ("validation", "test", "error", "sentence"),
    [
        ("last:0", None, SettingsError, r"data\.validation: expected last:N with N of at least 1, got 'last:0'"),
        ("9", None, DataError, r"data\.validation: no run matches '9'; there are 1, 2"),
        ("1", "x*", DataError, r"data\.test: no run matches 'x\*'"),
        ("*", None, DataError, r"of 2 runs \(1, 2\), 2 are held back for validation"),
    ],
)
def test_a_split_that_cannot_be_is_told(
    tmp_path: Path, validation: str, test: str | None, error: type[Exception], sentence: str
) -> None:
    drives = read_drives(write_tub(tmp_path / "tub", {"1": course(4), "2": course(4)}))
    with pytest.raises(error, match=sentence):
        split_runs(drives, validation, test, at_least=2)
    with pytest.raises(DataError, match=r"no drive has the 5 frames of a clip; the longest of 2 has 4"):
        split_runs(drives, "last:1", None, at_least=5)
