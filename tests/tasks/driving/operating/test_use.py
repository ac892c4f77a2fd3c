"""Driving as it is used: files of every kind in, tables and videos out."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from tests.tasks.driving.operating.using import rows_of, write_film

from semicoupled.cli.main import main
from semicoupled.data.video import read_video
from semicoupled.errors import DataError, SettingsError
from semicoupled.run_folder import LoadedRun
from semicoupled.tasks.driving.operating.answer_table import COLUMNS, read_csv
from semicoupled.tasks.driving.operating.inputs import read_inputs
from semicoupled.tasks.driving.settings import DataSettings

pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]")


def test_a_tub_becomes_a_table_and_a_video(run: Path, tub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    table, film = tmp_path / "a.csv", tmp_path / "a.mp4"
    assert main(["predict", "driving", str(run), str(tub), "--out", str(table), "--out", str(film)]) == 0
    assert capsys.readouterr().out.split() == [str(table), str(film)]
    rows = rows_of(table)
    assert tuple(rows[0]) == COLUMNS
    assert [row["drive"] for row in rows] == ["a"] * 30 + ["b"] * 12
    assert float(rows[7]["truth"]) == pytest.approx(0, abs=1)
    frames = list(read_video(film))
    assert len(frames) == 42
    assert frames[29].time == pytest.approx(29 / 20, abs=2e-3)
    assert frames[30].time == pytest.approx(29 / 20 + 0.5, abs=2e-3)
    assert set(read_csv(table)) == {"a", "b"}
    assert read_csv(table)["b"].angles[3] == pytest.approx(float(rows[33]["angle"]))


def test_the_wheel_is_drawn_where_the_table_says(loaded: LoadedRun, samples: ModuleType, tmp_path: Path):
    from semicoupled.tasks.driving.operating.wheel import MAIN, SPACE, Moment, Renderer

    view = np.full((120, 160, 3), 90, np.uint8)

    def mark(angle: float) -> float:
        image = Renderer("normalized").draw(view, Moment(0.0, angle))
        red = (np.abs(image.astype(int) - SPACE).sum(-1) < 40) & (np.arange(image.shape[0]) < 300)[:, None].repeat(
            480, 1
        )
        blue = (np.abs(image.astype(int) - MAIN).sum(-1) < 40)[:, :140]
        return float(np.argwhere(red)[:, 1].mean() - np.argwhere(blue)[:, 1].mean())

    assert mark(0.6) > 10 > -10 > mark(-0.6)
    assert abs(mark(0.0)) < 4
    drawn = Renderer("degrees", "importance")
    pictures = [drawn.draw(view, Moment(t / 10, float("nan"), importance=np.sin(t))) for t in range(200)]
    assert len({picture.shape for picture in pictures}) == 1
    assert len(drawn._past) <= 102, "traces keep ten seconds"


def test_a_video_and_its_frames_in_a_folder_get_the_same_angles(run: Path, samples: ModuleType, tmp_path: Path):
    film = write_film(tmp_path / "drive.mp4", samples.make_drive(24).frames)
    folder = tmp_path / "drive"
    folder.mkdir()
    for index, frame in enumerate(read_video(film)):
        cv2.imwrite(str(folder / f"{index}.png"), frame.image[..., ::-1])  # 2.png comes before 10.png
    out = tmp_path / "film.csv", tmp_path / "folder.csv"
    assert main(["predict", "driving", str(run), str(film), "--out", str(out[0])]) == 0
    assert main(["predict", "driving", str(run), str(folder), "--rate=20", "--out", str(out[1])]) == 0
    assert out[0].read_text() == out[1].read_text()
    rows = rows_of(out[0])
    assert len(rows) == 24
    assert rows[3]["truth"] == ""
    assert rows[3]["drive"] == "drive"
    assert main(["predict", "driving", str(run), str(film), str(folder), "--rate=20", "--out", str(out[0])]) == 0
    assert len(rows_of(out[0])) == 48


def test_drives_of_one_name_are_called_by_where_they_lie(run: Path, samples: ModuleType, tmp_path: Path):
    images = samples.make_drive(6).frames
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_film(tmp_path / name / "drive.mp4", images)
    samples.write_tub(tmp_path / "c", {"7": samples.make_drive(4), "8": samples.make_drive(5)})
    samples.write_tub(tmp_path / "d", {"7": samples.make_drive(4)})
    films = [tmp_path / name / "drive.mp4" for name in ("a", "b", "a")]
    table = tmp_path / "t.csv"
    inputs = [str(path) for path in (*films, tmp_path / "c", tmp_path / "d")]
    assert main(["predict", "driving", str(run), *inputs, "--out", str(table)]) == 0
    found = {name: len(answers.angles) for name, answers in read_csv(table).items()}
    assert found == {"a/drive.mp4": 6, "b/drive.mp4": 6, "c/7": 4, "8": 5, "d/7": 4}


def test_parts_of_drives_of_one_name_keep_their_numbers(samples: ModuleType, tmp_path: Path):
    made = samples.make_drive(6)
    gap = made._replace(times=made.times + np.where(np.arange(6) < 3, 0, 2))
    for name in ("a", "b"):
        samples.write_tub(tmp_path / name, {"7": gap})
    drives = read_inputs([tmp_path / "a", tmp_path / "b"], DataSettings(), "normalized")
    assert [drive.name for drive in drives] == ["a/7", "a/7+1", "b/7", "b/7+1"]


def test_a_folder_of_images_has_no_times_of_its_own(samples: ModuleType, tmp_path: Path):
    for index in range(3):
        samples.write_image(tmp_path / "now" / f"{index}.jpg", samples.make_drive(1).frames[0])
    with pytest.raises(DataError, match=r"now: 3 images without times; .* Give --rate N"):
        read_inputs([tmp_path / "now"], DataSettings(), "degrees")
    drive = read_inputs([tmp_path / "now"], DataSettings(), "degrees", 2.0)[0]
    assert drive.times.tolist() == [0.0, 0.5, 1.0]
    assert len(read_inputs([tmp_path / "now" / "1.jpg"], DataSettings(), "degrees")) == 1
    with pytest.raises(DataError, match="nothing to predict from"):
        read_inputs([], DataSettings(), "degrees")
    with pytest.raises(DataError, match="no such file or folder"):
        read_inputs([tmp_path / "nowhere"], DataSettings(), "degrees")


def test_a_slow_video_is_no_row_of_gaps_and_a_folder_of_videos_is_many_drives(samples: ModuleType, tmp_path: Path):
    images = samples.make_drive(5).frames
    write_film(tmp_path / "slow.mp4", images, rate=1)
    write_film(tmp_path / "other.mp4", images)
    drives = read_inputs([tmp_path], DataSettings(), "degrees")
    assert [(drive.name, len(drive)) for drive in drives] == [("other", 5), ("slow", 5)]
    assert drives[0].unit == "degrees"


def test_a_frame_that_cannot_be_read_is_left_out_if_asked(run: Path, samples: ModuleType, tmp_path: Path):
    tub = samples.write_tub(tmp_path / "tub", {"a": samples.make_drive(30)})
    sorted((tub / "images").iterdir())[9].write_bytes(b"")
    out = tmp_path / "a.csv"
    assert main(["predict", "driving", str(run), str(tub), "--out", str(out)]) == 3
    assert not out.exists()
    film = tmp_path / "a.mp4"
    asked = ["predict", "driving", str(run), str(tub), "--on-error=skip", "--out", str(out), "--out", str(film)]
    assert main(asked) == 0
    assert sum(row["angle"] == "" for row in rows_of(out)) == 1
    for file in sorted((tub / "images").iterdir())[10:14]:
        file.write_bytes(b"")
    assert main(asked) == 3


def test_what_it_cannot_write_is_said_first(loaded: LoadedRun, tub: Path, tmp_path: Path):
    with pytest.raises(SettingsError, match=r"expected a file that ends with \.csv or \.mp4"):
        loaded.predict(tub, tmp_path / "a.txt")
    with pytest.raises(SettingsError, match=r"--out /dev/fd/9: expected .*\.mp4; only live answers go to a device"):
        loaded.predict(tub, "/dev/fd/9")
    with pytest.raises(SettingsError, match="expected each file once"):
        loaded.predict(tub, [tmp_path / "a.csv", tmp_path / "a.csv"])
