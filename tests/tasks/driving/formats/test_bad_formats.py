from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
from tests.tasks.driving.refused import refused

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import AngleSettings, DataSettings
from semicoupled.tasks.driving.formats.reading import read_drives

DEGREES = DataSettings(angle=AngleSettings(unit="degrees", sign=1))
COMMA = DataSettings(angle=AngleSettings(unit="degrees", factor=0.1))


class TestTable:
    @pytest.mark.parametrize(
        ("text", "settings", "words"),
        [
            ("frame,time,angle\na.png,0,1\n", DataSettings(), "does not say the unit of its angles"),
            (
                "frame,time,angle\na.png,0,1\n",
                DataSettings(angle=AngleSettings(unit="degrees")),
                "does not say which way its angles turn; expected to be told. Set --data.angle.sign",
            ),
            ("frame,angle\na.png,1\n", DEGREES, "holds no times; expected to be told how many frames a second"),
            ("frame,time,angle\na.png,0,hello\n", DEGREES, "line 2: angle is 'hello'; expected a number, or nothing"),
            ("frame,time,angle\na.png,0\n", DEGREES, "line 2: has 2 cells; expected 3 (frame, time, angle)"),
            ("frame,time,angle\n", DEGREES, "has a head and no line below it"),
            ("frame,video,time,angle\na,b,0,1\n", DEGREES, "has a column frame and a column video; expected one"),
            ("video,angle\na.mp4,1\n", DEGREES, "names videos and has no column time"),
            (
                "# angle_unit: grad\nframe,angle\na,1\n",
                DEGREES,
                "angle_unit is 'grad'; expected one of: degrees",
            ),
            (
                "# angle_positive: up\nframe,angle\na,1\n",
                DEGREES,
                "angle_positive is 'up'; expected one of: right",
            ),
            ("# angle_offset: x\nframe,angle\na,1\n", DEGREES, "line 1: angle_offset is 'x'; expected a number"),
            (
                "video,time,angle\na.mp4,0,1\nb.mp4,1,1\n",
                DEGREES,
                "has 2 videos (a.mp4, b.mp4); expected one a",
            ),
        ],
    )
    def test_refused(self, tmp_path: Path, text: str, settings: DataSettings, words: str):
        (tmp_path / "drives.csv").write_text(text)
        refused(tmp_path / "drives.csv", settings, words)

    def test_video(self, samples: ModuleType, tmp_path: Path, made):
        pytest.importorskip("av")
        file = tmp_path / "drives.csv"
        file.write_text("video,time,angle\na.mp4,0,1\na.mp4,0.2,1\n")
        with pytest.raises(DataError, match=r"a\.mp4: no such file; expected a video"):
            read_drives(file, DEGREES)
        samples.write_video(tmp_path / "a.mp4", made.frames)
        file.write_text("video,time,angle\na.mp4,100,1\na.mp4,100.2,1\n")
        refused(file, DEGREES, "its lines are from 100 to 100.2 s, its video has frames from 0 to 0.55 s")
        file.write_text("video,time,angle\na.mp4,0.1,1\na.mp4,0.1,1\n")
        refused(file, DEGREES, "line 3: its time does not rise")


class TestComma:
    @pytest.fixture
    def folder(self, samples: ModuleType, tmp_path: Path, made) -> Path:
        return samples.write_comma(tmp_path, "drive", made)

    def test_scale_must_be_given(self, folder: Path):
        for angle in (AngleSettings(), AngleSettings(unit="degrees"), AngleSettings(factor=0.1)):
            refused(folder, DataSettings(angle=angle), "steering_angle has no unit", "--data.angle.factor 0.1")

    def test_no_log(self, folder: Path):
        (folder / "log" / "drive.h5").unlink()
        with pytest.raises(DataError, match=r"camera.drive\.h5: has no log; expected .*log.drive\.h5"):
            read_drives(folder, COMMA)

    @pytest.mark.parametrize("part", ["camera", "log"])
    def test_truncated(self, folder: Path, part: str):
        file = folder / part / "drive.h5"
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(
            DataError, match=rf"{part}.drive\.h5: expected a whole HDF5 file, got one that cannot be opened"
        ):
            read_drives(folder, COMMA)

    def test_fewer_frames_than_the_log_knows(self, folder: Path, made):
        with h5py.File(folder / "camera" / "drive.h5", "w") as file:
            file["X"] = np.moveaxis(made.frames[:7], -1, 1)
        with pytest.raises(DataError, match=r"has 7 frames, and drive\.h5 points to 12; expected all of them"):
            read_drives(folder, COMMA)
        (drive,) = read_drives(folder, dataclasses.replace(COMMA, on_error="skip"))
        assert len(drive) == 7

    @pytest.mark.parametrize(
        ("name", "values", "words"),
        [
            ("cam1_ptr", None, "has no list of numbers 'cam1_ptr'; expected one. It has: "),
            ("times", np.zeros(3), "its parts differ in length"),
            ("cam1_ptr", np.full(67, np.nan), "cam1_ptr points to none of the 12 frames"),
            ("steering_angle", np.array([b"a"] * 67), "has no list of numbers 'steering_angle'"),
        ],
    )
    def test_odd_log(self, folder: Path, name: str, values: np.ndarray | None, words: str):
        with h5py.File(folder / "log" / "drive.h5", "a") as file:
            del file[name]
            if values is not None:
                file[name] = values
        with pytest.raises(DataError, match=re.escape(words)):
            read_drives(folder, COMMA)

    def test_odd_images(self, folder: Path):
        with h5py.File(folder / "camera" / "drive.h5", "w") as file:
            file["X"] = np.zeros((4, 160, 320))
        with pytest.raises(
            DataError, match=r"X is \(4, 160, 320\) of float64; expected N x 3 x height x width of uint8"
        ):
            read_drives(folder, COMMA)


class TestComma2k19:
    @pytest.fixture
    def route(self, samples: ModuleType, tmp_path: Path, made) -> Path:
        pytest.importorskip("av")
        return samples.write_comma2k19(tmp_path / "route", [made])

    @pytest.mark.parametrize("name", ["global_pose/frame_times", "processed_log/CAN/steering_angle/value"])
    def test_truncated_array(self, route: Path, name: str):
        file = route / "0" / name
        file.write_bytes(file.read_bytes()[:90])
        refused(route, DataSettings(), f"{name}: is no whole array of numbers")

    def test_frames_without_times(self, route: Path, made):
        with (route / "0" / "global_pose" / "frame_times").open("wb") as file:
            np.save(file, 1000 + made.times[:9])
        (drive,) = read_drives(route)
        with pytest.raises(
            DataError, match=r"video\.hevc: has 12 frames, and .*frame_times has 9 times; expected as many"
        ):
            drive.frames.read(0)

    def test_values_without_times(self, route: Path):
        with (route / "0" / "processed_log/CAN/steering_angle/t").open("wb") as file:
            np.save(file, np.arange(3.0))
        refused(route, DataSettings(), "steering_angle: has 3 times and", "values; expected as many, and some")

    def test_no_video(self, route: Path):
        (route / "0" / "video.hevc").unlink()
        refused(route, DataSettings(), "video.hevc: no such file; expected the video of the segment")

    def test_frames_outside_the_messages_have_no_angle(self, route: Path, made):
        with (route / "0" / "global_pose" / "frame_times").open("wb") as file:
            np.save(file, 1000.3 + made.times)
        (drive,) = read_drives(route)
        assert drive.frames.read(11).shape == made.frames[11].shape
        assert np.isnan(drive.angles).tolist() == [False] * 7 + [True] * 5


class TestDBNet:
    SETTINGS = dataclasses.replace(DEGREES, file_rate=1.0)

    def test_what_it_does_not_say(self, samples: ModuleType, tmp_path: Path, made):
        folder = samples.write_dbnet(tmp_path / "1", made)
        refused(folder, DataSettings(file_rate=1), "does not say which way its angles turn")
        refused(folder, DEGREES, "holds no times; expected to be told how many frames a second")

    def test_lines_and_pictures_must_agree(self, samples: ModuleType, tmp_path: Path, made):
        folder = samples.write_dbnet(tmp_path / "1", made)
        (folder / "dvr_66x200" / "11.jpg").unlink()
        refused(folder, self.SETTINGS, "behavior.csv: has 12 lines for 11 pictures in dvr_66x200; expected as many")
        (folder / "dvr_66x200" / "3.jpg").unlink()
        refused(folder, self.SETTINGS, "has no 3.jpg among pictures up to 10.jpg; expected all from 0.jpg on")


class TestLists:
    def test_udacity(self, samples: ModuleType, tmp_path: Path, made):
        folder = samples.write_udacity(tmp_path / "track", made)
        log = folder / "driving_log.csv"
        good = log.read_text()
        log.write_text(good + "center.jpg, 3\n")
        refused(log, DataSettings(), "line 13: expected center, left, right, steering")
        log.write_text(good.replace(" 0.5, 0, 22.1\n", " 0.5, 0, fast\n", 4).replace("fast", "22.1", 3))
        refused(log, DataSettings(), "line 4: speed is 'fast'; expected a number")
        log.write_text("center,left,right,steering,throttle,brake,speed\n")
        refused(log, DataSettings(), "has no line of a picture")
        log.write_text(good.replace("center_", "mid_"))
        refused(log, DataSettings(), "its images are not found: mid_2016", "Put the images beside the list")
        log.write_text(good.replace("2016_12_01", "day"))
        for image in (folder / "IMG").iterdir():
            image.rename(image.with_name(image.name.replace("2016_12_01", "day")))
        refused(log, DataSettings(), "holds no times; expected to be told how many frames a second")

    def test_names(self, samples: ModuleType, tmp_path: Path, made):
        folder = samples.write_names(tmp_path / "set", made, times=True)
        file = folder / "data.txt"
        good = file.read_text()
        file.write_text(good + "what is this\n")
        refused(file, DataSettings(), "line 13: expected a name, a blank and an angle", "got 'what is this'")
        file.write_text(good + "12.jpg 3.5\n")
        refused(file, DataSettings(), "12 of 13 lines have a time; expected all or none")
        file.write_text(good.replace("2018-07-01", "2018-17-01"))
        refused(file, DataSettings(), "line 1: has a time that there is not")
        file.write_text(good.encode().replace(b"9.jpg", b"\xff\xfe.jpg").decode("latin-1"), encoding="latin-1")
        refused(file, DataSettings(), "is no text (byte")
