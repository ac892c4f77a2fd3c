from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.tasks.driving.refused import refused

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import AngleSettings, DataSettings
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.images import look_at

DEGREES = DataSettings(angle=AngleSettings(unit="degrees", sign=1))
SKIP = DataSettings(on_error="skip")


@pytest.fixture
def tub(samples: ModuleType, tmp_path: Path, made) -> Path:
    return samples.write_tub(tmp_path / "tub", {"0": made}, catalog=5)


def test_nothing_there(tmp_path: Path):
    refused(tmp_path / "no", DataSettings(), "no such file or folder; expected a drive")
    refused(tmp_path, DataSettings(), "is empty; expected one of: DonkeyCar tub v2")


def test_wrong_folder(tmp_path: Path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "notes.txt").write_text("a letter\n")
    (tmp_path / "deep" / "a.csv").write_text("x,y\n1,2\n")
    refused(tmp_path, DataSettings(), "is no drive that is known, and holds none; expected one of: DonkeyCar tub v2")


@pytest.mark.parametrize("content", [b"", b"\0\1\2\3" * 100, "grüße".encode("latin-1"), b"frames,angles\n1,2\n"])
def test_a_file_that_is_no_drive(tmp_path: Path, content: bytes):
    (tmp_path / "drive.csv").write_bytes(content)
    refused(tmp_path / "drive.csv", DataSettings(), "is no drive that is known; expected one of")


def test_a_file_where_a_folder_was_meant(samples: ModuleType, tub: Path):
    refused(tub / "manifest.json", DataSettings(), "is no drive that is known")
    refused(tub / "catalog_0.catalog", DataSettings(), "is no drive that is known")


def test_formats_are_not_mixed(samples: ModuleType, tmp_path: Path, made, tub: Path):
    samples.write_udacity(tmp_path / "track", made)
    refused(
        tmp_path, DataSettings(), "holds drives of several formats: DonkeyCar tub v2", "tub", "Udacity simulator log",
        "expected one format. Put each into a folder of its own",
    )  # fmt: skip


class TestTub:
    def test_missing_manifest(self, tub: Path):
        (tub / "manifest.json").unlink()
        refused(tub, DataSettings(), "manifest.json: cannot be read (No such file", "Copy the whole tub")

    @pytest.mark.parametrize("text", ["", "{}\n", "1\n2\n3\n4\n5\n", '[]\n[]\n{}\n{}\n{"paths": 3}\n', "[]\n" * 5])
    def test_damaged_manifest(self, tub: Path, text: str):
        (tub / "manifest.json").write_text(text)
        refused(tub, DataSettings(), "manifest.json: expected the five lines of a tub's manifest")

    def test_missing_catalog(self, tub: Path):
        (tub / "catalog_1.catalog").unlink()
        refused(tub, SKIP, "catalog_1.catalog: cannot be read", "the manifest names this catalog. Copy the whole tub")

    def test_what_is_odd_is_logged(self, tub: Path, caplog: pytest.LogCaptureFixture):
        catalog = tub / "catalog_0.catalog"
        catalog.write_text(catalog.read_text().replace('"user/mode": "user"', '"user/mode": "local"', 3))
        (tub / "catalog_7.catalog").write_text(catalog.read_text())
        (drive,) = read_drives(tub)
        assert len(drive) == 12
        assert "3 of 12 records were driven by the car's own pilot" in caplog.text
        assert "catalog_7.catalog: is not named by the manifest, and not read" in caplog.text

    def test_all_deleted(self, samples: ModuleType, tmp_path: Path, made):
        folder = samples.write_tub(tmp_path / "tub", {"0": made}, deleted=tuple(range(12)))
        refused(folder, DataSettings(), "has 12 records, of which 12 are deleted; expected some to read")

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ('{"_index": 4, "_sess', "line 5: is not JSON"),
            ("[1, 2]", "line 5: expected a record of a tub, got '[1, 2]'"),
            ('{"_index": 4, "_timestamp_ms": "soon", "cam/image_array": "a.jpg"}', "line 5: has no _timestamp_ms"),
            ('{"_index": 4, "_timestamp_ms": 4}', "line 5: has no cam/image_array as a tub with a camera has"),
        ],
    )
    def test_broken_record(self, tub: Path, line: str, words: str):
        catalog = tub / "catalog_0.catalog"
        catalog.write_text("\n".join([*catalog.read_text().splitlines()[:4], line]) + "\n")
        refused(tub, DataSettings(), f"catalog_0.catalog, {words}")
        # one of 12 is too many to be left out
        refused(tub, SKIP, "1 of 12 records cannot be used, more than the 1% that may be left out. The first: ", words)

    def test_the_last_record_of_a_car_that_was_switched_off(
        self, samples: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ):
        long = samples.make_drive(150, size=(16, 16))
        folder = samples.write_tub(tmp_path / "tub", {"0": long}, catalog=200)
        catalog = folder / "catalog_0.catalog"
        catalog.write_text(catalog.read_text()[:-40])
        refused(folder, DataSettings(), "line 150: is not JSON", "leave it out with --data.on_error skip")
        with caplog.at_level(logging.WARNING):
            (drive,) = read_drives(folder, SKIP)
        assert len(drive) == 149
        assert "left out: " in caplog.text
        assert "1 of 150 records left out" in caplog.text

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda image: image.write_bytes(b""), "is empty (0 bytes); expected an image"),
            (lambda image: image.unlink(), "cannot be read (No such file"),
            (lambda image: image.write_bytes(b"no picture"), "cannot be decoded; expected an image"),
            (lambda image: image.write_bytes(image.read_bytes()[:60]), "cannot be decoded; expected an image"),
        ],
    )
    def test_broken_image(
        self, samples: ModuleType, tmp_path: Path, damage: Callable[[Path], None], words: str,
        caplog: pytest.LogCaptureFixture,
    ):  # fmt: skip
        folder = samples.write_tub(tmp_path / "tub", {"0": samples.make_drive(110, size=(16, 16))})
        damage(folder / "images" / "7_cam_image_array_.jpg")
        with pytest.raises(DataError, match="7_cam_image_array_.jpg: " + re.escape(words)):
            look_at(read_drives(folder), DataSettings())
        (seen,) = look_at(read_drives(folder, SKIP), SKIP)
        assert len(seen) == 109
        assert words in caplog.text
        damage(folder / "images" / "50_cam_image_array_.jpg")
        with pytest.raises(DataError, match="tub: 2 of 110 images cannot be used, more than the 1%"):
            look_at(read_drives(folder, SKIP), SKIP)

    @pytest.mark.parametrize("text", ["{", '{"a": 1}', '{"cam/image_array": 3}', "[3]"])
    def test_broken_record_of_an_old_tub(self, samples: ModuleType, tmp_path: Path, made, text: str):
        folder = samples.write_tub_v1(tmp_path / "tub", made)
        (folder / "record_4.json").write_text(text)
        refused(folder, DataSettings(), "record_4.json: ", "Remove it")

    def test_old_tub_with_times_of_some(self, samples: ModuleType, tmp_path: Path, made):
        folder = samples.write_tub_v1(tmp_path / "tub", made, times="none")
        refused(folder, DataSettings(), "holds no times", "Set --data.file_rate")
        (folder / "record_4.json").write_text('{"cam/image_array": "4_cam-image_array_.jpg", "milliseconds": 3}')
        refused(folder, DataSettings(file_rate=20), "1 of 12 records have a time; expected all or none")
        (folder / "record_4.json").write_text('{"cam/image_array": "4_cam-image_array_.jpg", "timestamp": "noon"}')
        refused(folder, DataSettings(file_rate=20), "record_4.json: its timestamp is 'noon'; expected a time")

    @pytest.mark.parametrize("text", ["{", "3", '["a"]'])
    def test_damaged_list_of_what_was_taken_out(self, samples: ModuleType, tmp_path: Path, made, text: str):
        folder = samples.write_tub_v1(tmp_path / "tub", made)
        (folder / "exclude.json").write_text(text)
        refused(folder, DataSettings(), "exclude.json: expected a list of numbers of records")


@pytest.mark.parametrize("step", [0.0, -0.02])
def test_times_that_do_not_rise(samples: ModuleType, tmp_path: Path, made, step: float):
    times = made.times.copy()
    times[6] = times[5] + step
    folder = samples.write_tub(tmp_path / "tub", {"3": made._replace(times=times)})
    refused(folder, DataSettings(), "run 3: times do not rise at frame 6", "5_cam_image_array_.jpg", "Sort or mend")


def test_nan_angles_are_frames_without_a_label(samples: ModuleType, tmp_path: Path, made):
    angles = made.angles.copy()
    angles[[2, 5]] = np.nan, np.inf
    folder = samples.write_tub(tmp_path / "tub", {"0": made._replace(angles=angles)})
    (drive,) = read_drives(folder)
    assert np.flatnonzero(np.isnan(drive.angles)).tolist() == [2, 5]


def test_degrees_that_are_taken_as_normalized_are_warned_of(
    samples: ModuleType, tmp_path: Path, made, caplog: pytest.LogCaptureFixture
):
    folder = samples.write_tub(tmp_path / "tub", {"0": made._replace(angles=25 * made.angles)})
    read_drives(folder)
    assert "tub: angles reach 23" in caplog.text
    assert "taken as normalized; expected at most 1.02; they look like degrees. Set --data.angle.unit" in caplog.text
    caplog.clear()
    read_drives(folder, DEGREES)
    assert not caplog.text


def test_one_frame_is_a_drive(samples: ModuleType, tmp_path: Path):
    folder = samples.write_tub(tmp_path / "tub", {"0": samples.make_drive(1)})
    (drive,) = read_drives(folder)
    assert len(drive) == 1


def test_manifest_with_a_strange_list(tub: Path):
    lines = (tub / "manifest.json").read_text().splitlines()
    about = {**json.loads(lines[4]), "deleted_indexes": {"3": 1}}
    (tub / "manifest.json").write_text("\n".join([*lines[:4], json.dumps(about)]))
    refused(tub, DataSettings(), "manifest.json: expected the five lines")
