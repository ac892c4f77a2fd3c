from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from semicoupled.cli.main import main
from semicoupled.data_report import DataReport, write_page
from semicoupled.errors import DataError
from semicoupled.report import Picture, Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.driving.checking.check import check
from semicoupled.tasks.driving.checking.describe import describe
from semicoupled.tasks.driving.checking.findings import lag_findings
from semicoupled.tasks.driving.checking.lag import Lag
from semicoupled.tasks.driving.data_settings import AngleSettings, DataSettings
from semicoupled.tasks.driving.settings import DrivingSettings

SMALL = (24, 32)


def look(root: Path, **data: object) -> DataReport:
    return check(DataRequest(DrivingSettings(data=DataSettings(**data)), root))


def said(report: DataReport) -> list[str]:
    return [f"{one.severity} {one.where}: {one.text}" for one in report.ordered]


def table(report: DataReport, title: str) -> Table:
    (section,) = [section for section in report.sections if section.title == title]
    (found,) = [part for part in section.parts if isinstance(part, Table)]
    return found


def has(report: DataReport, *words: str) -> bool:
    return any(all(word in line for word in words) for line in said(report))


@pytest.fixture(scope="module")
def long(samples: ModuleType):
    """45 s at 10 frames a second, whose image turns two frames after the angle."""
    made = samples.make_drive(450, lag=2, turn=1.2, size=SMALL)
    return made._replace(times=2 * made.times)


@pytest.fixture(scope="module")
def short(samples: ModuleType):
    return samples.make_drive(40, size=SMALL, seed=3)


def test_nothing_is_wrong(samples: ModuleType, tmp_path: Path, long):
    others = {str(number): samples.make_drive(60, size=SMALL, seed=10 + number) for number in range(3)}
    folder = samples.write_tub(tmp_path / "tub", {"9": long, **others}, catalog=300)
    report = look(folder, validation="last:1")
    assert said(report) == []
    assert report.exit_code == 0
    assert "Format: DonkeyCar tub v2. Places: 1. Runs: 4. Frames: 630, of which 0 cannot be decoded." in report.summary
    first = table(report, "Runs").rows[0]
    assert list(first) == ["9", 450, "44.9", "10", 0, "32 x 24", 0, 0, 0, 0]
    (line,) = table(report, "Angle and image").rows
    assert float(str(line[2])) == pytest.approx(1.5 / 10, abs=0.04)
    assert line[5] == "yes"
    (angles,) = table(report, "Angles").rows
    assert angles[:3] == ["tub", "normalized", 630]
    assert table(report, "Training").rows[0][:3] == ["train", 3, 570]
    pictures = [part for section in report.sections for part in section.parts if isinstance(part, Picture)]
    assert len(pictures) == 3
    write_page(tmp_path / "page.html", report)
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("data:image/png") == 3


def test_a_wrong_sign_is_told(samples: ModuleType, tmp_path: Path, long):
    report = look(samples.write_tub(tmp_path / "tub", {"0": long._replace(angles=-long.angles)}))
    assert has(report, "warning tub", "the image turns to the left where the angle says right (correlation -0.9")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (
            -0.4,
            ["the image turns before the angle does, lag -0.40 s (95 %: -0.45 to -0.35)", "--data.lag_frames 8 moves"],
        ),
        (0.8, ["the image turns long after the angle, lag 0.80 s (95 %: 0.75 to 0.85)", "--data.lag_frames -16 moves"]),
        (0.25, []),
    ],
)
def test_a_lag_that_no_car_has_is_told(tmp_path: Path, seconds: float, words: list[str]):
    shifts = np.linspace(-1.5, 1.5, 61)
    lag = Lag(seconds, (seconds - 0.05, seconds + 0.05), 0.8, shifts, 0 * shifts, 300.0)
    found = [one.text for one in lag_findings("car", lag)]
    assert len(found) == bool(words)
    assert all(word in found[0] for word in words)
    weak = dataclasses.replace(lag, correlation=0.1)
    assert lag_findings("car", weak) == []


def test_bad_times(samples: ModuleType, tmp_path: Path, short):
    steps = np.full(39, 0.05)
    steps[9] = 4.0
    gap = short._replace(times=np.concatenate([[0], np.cumsum(steps)]))
    back = short._replace(times=short.times + np.where(np.arange(40) == 20, -0.2, 0))
    steps = np.full(39, 0.05)
    steps[[3, 8]] = 0.1
    steps[20] = 0.01
    uneven = short._replace(times=np.concatenate([[0], np.cumsum(steps)]))
    folder = samples.write_tub(
        tmp_path / "tub", {"gap": gap, "back": back, "uneven": uneven, "one": samples.make_drive(1, size=SMALL, seed=5)}
    )
    report = look(folder)
    assert has(
        report, "warning gap: 1 gaps of more than 0.5 s, the longest of 4.00 s before images/10_cam", "Never bridged"
    )
    assert has(
        report, "problem back: times do not rise at 1 frames, the first images/60_cam", "A training would be refused"
    )
    assert has(report, "warning uneven: frames do not come evenly: 2 are missing between others, 1 come less than half")
    assert has(report, "note one: has one frame; expected several")
    assert has(report, "warning", "training would be refused: ", "times do not rise")
    assert report.exit_code == 1


def test_a_time_that_is_missing_does_not_end_the_look_at_the_rest(samples: ModuleType, tmp_path: Path, long):
    samples.write_table(tmp_path / "drives.csv", {"long": long, "gone": samples.make_drive(6, size=SMALL, seed=5)})
    lines = (tmp_path / "drives.csv").read_text().splitlines()
    place = lines[0].split(",").index("time")
    cells = lines[453].split(",")
    cells[place] = ""
    (tmp_path / "drives.csv").write_text("\n".join([*lines[:453], ",".join(cells), *lines[454:]]))
    report = look(tmp_path, angle=AngleSettings(unit="normalized", sign=1))
    assert has(report, "problem gone: times do not rise at 2 frames")
    (line,) = table(report, "Angle and image").rows
    assert line[5] == "yes"


def test_bad_pictures(samples: ModuleType, tmp_path: Path, short):
    frozen = short.frames.copy()
    frozen[10:15] = frozen[9]
    slow = short.frames.copy()
    slow[5], slow[20] = slow[4], slow[19]
    other = samples.make_drive(40, seed=4, size=SMALL)
    folder = samples.write_tub(
        tmp_path / "tub",
        {
            "frozen": short._replace(frames=frozen),
            "slow": samples.make_drive(40, seed=6, size=SMALL)._replace(frames=slow[:, ::-1]),
            "copy": other,
            "original": other,
        },
    )
    images = folder / "images"
    (images / "3_cam_image_array_.jpg").write_bytes(b"")
    (images / "4_cam_image_array_.jpg").write_bytes(b"no picture")
    samples.write_image(images / "30_cam_image_array_.jpg", short.frames[30][:20])
    report = look(folder)
    assert has(
        report, "problem frozen: ", "3_cam_image_array_.jpg: is empty (0 bytes)", "So are 1 more", "5.0% of the run"
    )
    assert has(report, "problem frozen: frames of several sizes: 32 x 24 (37), 32 x 20 (1); expected one")
    assert has(report, "warning frozen: the camera stood still 1 times, the longest for 5 frames from images/10_cam")
    assert has(report, "warning slow: 2 times a frame repeats the one before")
    assert has(report, "problem original: 40 pictures are also in run copy; expected other ones")
    assert not has(report, "also in run frozen")


def test_bad_labels(samples: ModuleType, tmp_path: Path, short):
    longer = samples.make_drive(120, size=SMALL, seed=8)
    missing = short.angles.copy()
    missing[[3, 7]] = np.nan
    spiky = np.tile(short.angles, 3)
    spiky = 0.3 * np.sin(np.arange(120) / 9)
    spiky[60] = -1.0
    folder = samples.write_tub(
        tmp_path / "tub",
        {
            "missing": short._replace(angles=missing),
            "constant": longer._replace(angles=np.full(120, 0.25)),
            "spiky": samples.make_drive(120, size=SMALL, seed=9)._replace(angles=spiky),
        },
    )
    report = look(folder)
    assert has(report, "warning missing: 2 of 40 frames have no angle, the first images/3_cam")
    assert has(report, "warning constant: the angle is 0.25 all along; expected a wheel that moves")
    assert has(report, "warning spiky: 1 spikes", "images/220_cam_image_array_.jpg (", ", -1, ", "Look at them")


def test_degrees_that_are_taken_as_normalized(samples: ModuleType, tmp_path: Path, short):
    folder = samples.write_tub(tmp_path / "tub", {"0": short._replace(angles=25 * short.angles)})
    assert has(look(folder), "warning tub: angles reach", "taken as normalized", "they look like degrees")
    right = AngleSettings(unit="degrees")
    assert not has(look(folder, angle=right), "taken as")


def test_no_angle_at_all(samples: ModuleType, tmp_path: Path, short):
    folder = samples.write_dbnet(tmp_path / "1", short, labels=False)
    report = look(tmp_path, file_rate=1.0, angle=AngleSettings(sign=1))
    assert has(report, "warning 1: no frame has an angle; expected labels")
    assert folder.is_dir()


def test_one_bad_place_does_not_hide_the_others(samples: ModuleType, tmp_path: Path, short):
    samples.write_tub(tmp_path / "a", {"0": short})
    samples.write_tub(tmp_path / "b", {"0": samples.make_drive(40, seed=7, size=SMALL)})
    (tmp_path / "a" / "manifest.json").unlink()
    report = look(tmp_path)
    assert has(report, "problem", "/a: ", "manifest.json: cannot be read")
    assert [line[0] for line in table(report, "Runs").rows] == ["b/0"]
    assert report.exit_code == 1


def test_a_broken_record_is_named_and_the_rest_is_looked_at(samples: ModuleType, tmp_path: Path):
    folder = samples.write_tub(tmp_path / "tub", {"0": samples.make_drive(150, size=SMALL)}, catalog=200)
    catalog = folder / "catalog_0.catalog"
    catalog.write_text(catalog.read_text()[:-40])
    report = look(folder)
    assert has(report, "problem", "line 150: is not JSON")
    assert table(report, "Runs").rows[0][1] == 149


def test_nothing_to_look_at(tmp_path: Path):
    with pytest.raises(DataError, match="is empty; expected one of: DonkeyCar tub v2"):
        look(tmp_path)


def test_describe(samples: ModuleType, tmp_path: Path, short):
    samples.write_table(tmp_path / "drives.csv", {"a": short, "b": short}, scale=20, extra=True)
    settings = DrivingSettings(data=DataSettings(angle=AngleSettings(unit="degrees", sign=-1)))
    report = describe(DataRequest(settings, tmp_path))
    assert report.summary.startswith("Format: table of frames (CSV). Runs: 2. Frames: 80.")
    line = table(report, "What it is").rows[0]
    assert list(line[:6]) == ["a", 40, "1.9", "20", "32 x 24", "degrees"]
    assert line[6] == pytest.approx(-20 * short.angles.max(), abs=1e-4)
    assert list(line[8:]) == [0, "yes", "yes"]
    unknown = describe(DataRequest(DrivingSettings(), tmp_path))
    assert has(unknown, "problem", "does not say the unit of its angles")
    (tmp_path / "images" / "a" / "00000.png").unlink()
    assert has(describe(DataRequest(settings, tmp_path)), "problem a: ", "00000.png: cannot be read")


def test_commands(samples: ModuleType, tmp_path: Path, short, capsys: pytest.CaptureFixture[str]):
    folder = samples.write_tub(tmp_path / "tub", {"7": short})
    assert main(["data", "describe", "driving", str(folder)]) == 0
    assert "DonkeyCar tub v2" in capsys.readouterr().out
    out = ["--json", str(tmp_path / "found.json"), "--page", str(tmp_path / "found.html")]
    assert main(["data", "check", "driving", str(folder), *out]) == 0
    assert "Angle and image" in capsys.readouterr().out
    document = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert document["sections"][0]["tables"][0]["rows"][0][:2] == ["7", 40]
    shutil.rmtree(folder / "images")
    assert main(["data", "check", "driving", str(folder)]) == 1
    assert main(["data", "check", "driving", str(tmp_path / "nothing")]) == 3
    assert "no such file or folder; expected a drive" in capsys.readouterr().err


def test_a_lag_of_the_settings_does_not_hide_what_there_is(samples: ModuleType, tmp_path: Path, short):
    folder = samples.write_tub(tmp_path / "tub", {"0": short})
    plain, moved = (table(look(folder, lag_frames=lag), "Runs").rows[0] for lag in (0, 20))
    assert plain == moved


@pytest.mark.slow
def test_real_drives(real_drives: Path):
    report = look(real_drives / "chahed_tub", validation="27")
    assert not [one for one in report.findings if one.severity == "problem"]
    (line,) = table(report, "Angle and image").rows
    assert line[5] == "yes"
    assert float(str(line[4])) > 0.7  # steering goes with turning, to the right
    assert dataclasses.asdict(report.findings[0])["severity"] == "warning"
