"""Data that are wrong in every way that was thought of: each is found, and nothing stops the check."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from semicoupled.data_report import DataReport
from semicoupled.errors import DataError
from semicoupled.report import Table
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.nowcasting.data_settings import DataSettings, FileSettings
from semicoupled.tasks.nowcasting.files.check import check
from semicoupled.tasks.nowcasting.files.describe import describe
from semicoupled.tasks.nowcasting.settings import EvaluationSettings, NowcastingSettings
from semicoupled.tasks.nowcasting.task import RadarSplits, read_splits

MakeFolder = Callable[..., Path]


def look(root: Path, **data: object) -> DataReport:
    options = {"kilometers": 1.0, "input_frames": 3, "output_frames": 2, **data}
    settings = NowcastingSettings(data=DataSettings(**options))  # type: ignore[arg-type]
    settings = dataclasses.replace(settings, evaluation=dataclasses.replace(settings.evaluation, leads=2))
    return check(DataRequest(settings, root))


def found(report: DataReport, *words: str) -> list[str]:
    return [
        f"{one.severity} {one.where}: {one.text}" for one in report.findings if all(word in one.text for word in words)
    ]


def table(report: DataReport, title: str) -> dict[str, dict[str, object]]:
    """Rows of a section's table by their first cell."""
    (section,) = [section for section in report.sections if section.title == title]
    (part,) = section.parts
    assert isinstance(part, Table)
    return {str(row[0]): dict(zip(part.columns, row, strict=True)) for row in part.rows}


def test_good_data(make_folder: MakeFolder):
    report = look(make_folder(frames=30))
    assert (report.exit_code, list(report.findings)) == (0, [])
    row = table(report, "Files and times")["event"]
    assert [row[name] for name in ("files", "fields", "broken", "step, min", "gaps")] == [30, 30, 0, "5", 0]
    assert (row["first (UTC)"], row["last (UTC)"]) == ("2021-02-05 20:00", "2021-02-05 22:25")
    kind = table(report, "Fields")["event"]
    assert [kind[name] for name in ("format", "product", "quantity", "size", "pixel, km")] == [
        "KNMI HDF5",
        "RAD_NL25_PCP_NA",
        "dBZ",
        "64 x 48",
        "1",
    ]
    rain = table(report, "Rain")["event"]
    assert rain["missing"] == "8.66 %"  # the rim of 3 rows and 2 columns
    assert rain["highest, dBZ"] == "36.0"
    seen = table(report, "What training would see")["event"]
    assert [seen[name] for name in ("part", "frames", "windows", "step, min")] == ["validation", 6, 2, "5"]


def test_broken_files_are_all_named(make_folder: MakeFolder):
    folder = make_folder(frames=12)
    files = sorted(folder.iterdir())
    files[3].write_bytes(b"no radar")
    files[7].write_bytes(files[7].read_bytes()[:2000])
    files[8].write_bytes(b"")
    report = look(folder)
    assert report.exit_code == 1
    assert len(found(report, "is no radar file that is known")) == 1
    assert len(found(report, "cannot be opened")) == 1
    assert len(found(report, "is empty")) == 1
    assert str(files[7]) in found(report, "cannot be opened")[0]
    assert table(report, "Files and times")["event"]["broken"] == 3
    assert len(found(report, "gap:")) == 2


def test_gaps_and_fields_of_one_time(make_folder: MakeFolder):
    folder = make_folder(frames=20, leave_out=(9, 10))
    files = sorted(folder.iterdir())
    shutil.copy(files[0], folder / "copy.h5")
    report = look(folder)
    assert found(report, "gap: 2 fields missing between 2021-02-05 20:40 and 2021-02-05 20:55 UTC")[0].startswith(
        "warn"
    )
    (double,) = found(report, "2 equal fields are valid at 2021-02-05 20:00 UTC")
    assert double.startswith("problem")
    assert "copy.h5" in double


def test_what_stands_still_although_it_rains(
    make_folder: MakeFolder, make_knmi: Callable[..., Path], samples: ModuleType
):
    folder = make_folder(frames=20)
    wet = np.full((64, 48), 104)
    for index in (20, 21, 22):
        make_knmi(folder / f"{index}.h5", wet, samples.TIME + (index - 1) * samples.STEP)
    (frozen,) = found(look(folder), "repeat the one before")
    assert "2 fields from 2021-02-05 21:45 UTC" in frozen
    dry = folder.parent / "dry"
    for index in range(12):
        make_knmi(dry / f"{index}.h5", np.zeros((64, 48)), samples.TIME + index * samples.STEP)
    report = look(dry)
    assert found(report, "repeat") == []
    assert found(report, "no pixel reaches 7 dBZ: dry")[0].startswith("note")


def test_lines_values_and_coverage(make_folder: MakeFolder, make_knmi: Callable[..., Path], samples: ModuleType):
    folder = make_folder(frames=20)
    pixels = {20: np.zeros((64, 48)), 21: np.zeros((64, 48)), 22: np.full((64, 48), 255), 23: np.zeros((64, 48))}
    pixels[20][30] = 100  # a row of 18 dBZ
    pixels[21][:, 7] = 255  # a column of nothing
    pixels[23][:32] = 255  # half of the field
    pixels[23][60, 40] = 250  # 93 dBZ
    for index, field in pixels.items():
        make_knmi(folder / f"{index}.h5", field, samples.TIME + (index - 1) * samples.STEP)
    report = look(folder)
    assert "2 fields have lines" in found(report, "lines of echo or of nothing across them (row 30)")[0]
    assert "21.h5" in found(report, "lines of echo")[0]
    assert "1 fields hold nothing but missing pixels, 22.h5" in found(report, "nothing but missing")[0]
    assert "miss 50% of their pixels at worst, where 9% are usual, 23.h5" in found(report, "A radar was off")[0]
    assert "1 fields have 1 pixels at most that no rain has" in found(report, "no rain has")[0]
    assert table(report, "Rain")["event"]["highest, dBZ"] == "93.0"


def test_two_products_in_one_folder(make_folder: MakeFolder, samples: ModuleType):
    folder = make_folder(frames=12)
    for index in (12, 13):
        samples.write_odim(folder / f"{index}.h5", np.zeros((64, 48)), samples.TIME + (index - 1) * samples.STEP)
    report = look(folder)
    (mixed,) = found(report, "expected the folder's 'RAD_NL25_PCP_NA'")
    assert mixed.startswith("problem")
    assert "So are 1 more" in mixed
    assert found(report, "files of several formats: ODIM HDF5 (12.h5), KNMI HDF5 (202102052000.h5)")


def test_what_training_would_refuse(tmp_path: Path, samples: ModuleType, make_folder: MakeFolder):
    make_folder("root/five", frames=20)
    for index in range(12):
        time = samples.TIME + index * 2 * samples.STEP
        samples.write_odim(tmp_path / "root/ten" / f"{index}.h5", np.zeros((64, 48)), time, pixel=1000.0)
    report = look(tmp_path / "root")
    assert "expected one time step" in found(report, "fields come every 5, 10 minutes")[0]
    made_equal = look(tmp_path / "root", step_minutes=10)
    assert made_equal.exit_code == 0
    assert {row["step, min"] for row in table(made_equal, "What training would see").values()} == {"10"}
    assert "one field every 10 minutes" in found(look(tmp_path / "root", step_minutes=5), "data.step_minutes 5")[0]
    assert "within 10%" in found(look(tmp_path / "root", kilometers=1.5), "make pixels of")[0]
    assert found(look(tmp_path / "root/five", input_frames=40), "no 42 frames without a gap")


def test_what_is_held_back_by_name(make_folder: MakeFolder):
    make_folder("root/one", frames=12)
    root = make_folder("root/two", frames=10).parent
    seen = table(look(root, validation="two"), "What training would see")
    assert {name: (row["part"], row["windows"]) for name, row in seen.items()} == {
        "one": ("train", 8),
        "two": ("validation", 6),
    }
    assert found(look(root, validation="three"), "0 of 22 files match --data.validation 'three'")
    assert found(look(root, validation="two, three"), "no file matches 'three' of --data.validation")


def read_as_check(root: Path, held: str) -> RadarSplits:
    data = DataSettings(str(root), held, kilometers=1, input_frames=3, output_frames=2)
    return read_splits(NowcastingSettings(data=data, evaluation=EvaluationSettings(leads=2)))


@pytest.mark.parametrize("held", ["*/202102052[12]*", "*/2021020521[012]*"])
def test_the_check_counts_what_training_takes(make_folder: MakeFolder, held: str):
    root = make_folder("root/one", frames=30).parent
    report = look(root, validation=held)
    (section,) = [section for section in report.sections if section.title == "What training would see"]
    (seen,) = (part for part in section.parts if isinstance(part, Table))
    lines = [dict(zip(seen.columns, row, strict=True)) for row in seen.rows]
    assert [(line["part"], line["frames"]) for line in lines] == [
        (part, sum(map(len, sequences)))
        for part, sequences in zip(("train", "validation"), read_as_check(root, held), strict=True)
    ]


@pytest.mark.parametrize("held", ["*/202102052100*", "*/20210205210[05]*,*/*[0-9]0.h5", "*/*[05].h5"])
def test_the_check_refuses_what_training_does(make_folder: MakeFolder, held: str):
    root = make_folder("root/one", frames=30).parent
    with pytest.raises(DataError):
        read_as_check(root, held)
    assert found(look(root, validation=held), "training would be refused")


def test_pixels_that_are_no_squares(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(np.ones((12, 30, 20)), units="mm/h", axes="lat lon")
    data = data.assign_coords(longitude=("longitude", 5 + 0.01 * np.arange(20), data["longitude"].attrs))
    samples.write_netcdf(tmp_path / "f.nc", data)
    assert "expected squares" in found(look(tmp_path, kilometers=None), "pixels of 0.713 x 1.11 km")[0]


def test_a_folder_without_files_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="holds no radar files"):
        look(tmp_path)


def test_images_say_which_setting_is_missing(tmp_path: Path, samples: ModuleType):
    for minute in ("00", "05"):
        samples.write_png(tmp_path / f"rain_2021020520{minute}.png", np.zeros((40, 40), np.uint8))
    assert len(found(look(tmp_path), "Set data.files.quantity")) == 2
    given = FileSettings(quantity="dBZ", gain=0.5, offset=-32, kilometers=1)
    assert found(look(tmp_path, files=given), "Set data.files") == []


def test_describe_reads_a_few_files(make_folder: MakeFolder, samples: ModuleType):
    root = make_folder("root/one", frames=12).parent
    sorted((root / "one").iterdir())[5].write_bytes(b"nobody looks here")
    samples.write_png(root / "two/rain_202102052005.png", np.zeros((40, 40), np.uint8))
    report = describe(DataRequest(NowcastingSettings(), root))
    rows = table(report, "What it is")
    assert [rows["one"][name] for name in ("files", "format", "step, min", "longitude", "latitude")] == [
        12,
        "KNMI HDF5",
        "5",
        "0.0 to 0.8",
        "55.4 to 56.0",
    ]
    assert rows["two"]["format"] is None
    assert "Set data.files.quantity" in report.findings[0].text
    assert report.exit_code == 1


def test_a_folder_with_files_and_folders_is_described_once(make_folder: MakeFolder):
    root = make_folder("root/between", frames=3).parent
    for name in ("a.h5", "z.h5"):
        shutil.copy(root / "between/202102052005.h5", root / name)
    rows = table(describe(DataRequest(NowcastingSettings(), root)), "What it is")
    assert {name: row["files"] for name, row in rows.items()} == {"root": 2, "between": 3}


def test_real_folders(real_data: Path):
    """KNMI's evenings 2021-02-08 and -09 begin with a radar off; the other four sources are whole."""
    report = check(DataRequest(NowcastingSettings(), real_data / "radar/knmi_2021/2021-02-0[789]"))
    assert [one.where for one in report.findings] == ["2021-02-08", "2021-02-09"]
    assert all("miss 35% of their pixels at worst, where 20% are usual" in one.text for one in report.findings)
    for name, wet in (("fmi_20160928", "32.1 %"), ("bom_melbourne_20180616", "31.1 %"), ("mch_20170131", "10.1 %")):
        report = check(DataRequest(NowcastingSettings(), real_data / "radar" / name))
        assert report.exit_code == 0
        assert {one.severity for one in report.findings} <= {"note", "warning"}
        assert [one.text for one in report.findings if one.severity == "warning"] == [
            one.text for one in report.findings if "training would be refused" in one.text
        ]
        assert table(report, "Rain")[name]["7 dBZ and more"] == wet
