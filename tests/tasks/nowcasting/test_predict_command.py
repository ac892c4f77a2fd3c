"""Bad input, from the command line on: a sentence that helps, an exit code, nothing half-written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from semicoupled.cli.main import main

Make = Callable[..., Path]


@pytest.fixture
def command(make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    run = make_run()

    def predict(*inputs: Path, out: str = "out/f.nc", more: tuple[str, ...] = ()) -> tuple[int, str, str]:
        (tmp_path / "out").mkdir(exist_ok=True)
        arguments = ["predict", "nowcasting", str(run), *map(str, inputs), "--out", str(tmp_path / out)]
        code = main([*arguments, "--device=cpu", *more])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return predict


@pytest.fixture
def nothing_written(tmp_path: Path) -> Callable[[], bool]:
    return lambda: list((tmp_path / "out").iterdir()) == []


def write_frames(folder: Path, make_knmi: Make, pixels: list[np.ndarray]) -> Path:
    from datetime import UTC, datetime

    for index, field in enumerate(pixels):
        time = datetime(2021, 2, 5, 20, tzinfo=UTC) + index * timedelta(minutes=5)
        make_knmi(folder / f"{time:%Y%m%d%H%M}.h5", field, time)
    return folder


def test_a_forecast_from_the_command_line(command: Any, make_folder: Make, tmp_path: Path):
    folder = make_folder(frames=4)
    out, lead = tmp_path / "out" / "f.nc", tmp_path / "out" / "g.png"
    code, shown, _ = command(folder, more=("--lead", "30", "--out", str(lead)))
    assert code == 0
    assert shown == f"{out}\n{lead}\n"
    with xr.open_dataset(out, engine="h5netcdf") as data:
        assert data.sizes["time"] == 6


def test_options_may_stand_between_inputs(command: Any, make_folder: Make):
    files = sorted(make_folder(frames=3).iterdir())
    assert command(files[0], more=("--lead=10", str(files[1]), str(files[2])))[0] == 0


def test_wrong_options_are_named(command: Any, make_folder: Make, nothing_written: Any):
    folder = make_folder(frames=3)
    code, _, errors = command(folder, more=("--leed", "60"))
    assert code == 2
    assert "unknown option '--leed'. Did you mean '--lead'?" in errors
    code, _, errors = command(folder, more=("--lead=-5",))
    assert code == 2
    assert "--lead: expected minutes above 0, got -5.0" in errors
    code, _, errors = command(folder, more=("--lead=soon",))
    assert code == 2
    assert "lead" in errors
    code, _, errors = command(folder, more=("--once",))
    assert code == 2
    assert "--once: is of use with --watch DIR alone" in errors
    code, _, errors = command()
    assert code == 2
    assert "required: INPUT" in errors
    assert nothing_written()


@pytest.mark.parametrize(("pixel", "wanted"), [(0, 0.0), (255, np.nan)])
def test_all_dry_and_all_missing(command: Any, make_knmi: Make, tmp_path: Path, pixel: int, wanted: float):
    folder = write_frames(tmp_path / "in", make_knmi, [np.full((20, 24), pixel)] * 3)
    assert command(folder, more=("--out", str(tmp_path / "out" / "f.png")))[0] == 0
    with xr.open_dataset(tmp_path / "out" / "f.nc", engine="h5netcdf") as data:
        np.testing.assert_array_equal(data.reflectivity.values, np.full((3, 20, 24), wanted))


def test_one_missing_frame(command: Any, make_folder: Make, nothing_written: Any):
    code, _, errors = command(make_folder(frames=4, leave_out=(2,)))
    assert code == 3
    assert "1 of them is missing: 2021-02-05 20:10. Wait for the missing ones" in errors
    assert nothing_written()


def test_one_frame_only(command: Any, make_folder: Make, nothing_written: Any):
    code, _, errors = command(make_folder(frames=1))
    assert code == 3
    assert "needs 3 frames 5 minutes apart, and 2 of them are missing: 2021-02-05 19:50, 2021-02-05 19:55" in errors
    assert nothing_written()


def test_wrong_units(command: Any, make_folder: Make, make_knmi: Make, nothing_written: Any):
    folder = make_folder(frames=3)
    from datetime import UTC, datetime

    time = datetime(2021, 2, 5, 20, 15, tzinfo=UTC)
    make_knmi(folder / "x.h5", np.zeros((64, 48)), time, image_geo_parameter=np.bytes_(b"ECHOTOP_[KM]"))
    code, _, errors = command(folder)
    assert code == 3
    assert "x.h5" in errors
    assert "ECHOTOP_[KM]" in errors
    assert "expected reflectivity" in errors
    assert nothing_written()


def test_a_truncated_hdf5(command: Any, make_folder: Make, nothing_written: Any):
    folder = make_folder(frames=3)
    last = sorted(folder.iterdir())[-1]
    last.write_bytes(last.read_bytes()[:3000])
    code, _, errors = command(folder)
    assert code == 3
    assert last.name in errors
    assert "Fetch it again" in errors
    assert nothing_written()


def test_a_picture_instead_of_radar(command: Any, make_folder: Make, nothing_written: Any):
    folder = make_folder(frames=3)
    Image.fromarray(np.zeros((64, 48, 3), np.uint8)).save(folder / "holiday.png")
    code, _, errors = command(folder)
    assert code == 3
    assert "holiday.png" in errors
    assert nothing_written()


def test_one_pixel(command: Any, make_knmi: Make, tmp_path: Path):
    folder = write_frames(tmp_path / "in", make_knmi, [np.full((1, 1), 100)] * 3)
    names = ("g.png", "g.gif")
    assert command(folder, more=tuple(f"--out={tmp_path / 'out' / name}" for name in names))[0] == 0
    with xr.open_dataset(tmp_path / "out" / "f.nc", engine="h5netcdf") as data:
        assert data.reflectivity.shape == (3, 1, 1)
        assert np.isfinite(data.reflectivity.values).all()


@pytest.mark.parametrize("name", ["f.nc", "f.tif", "f.png"])
def test_a_disk_that_is_full_halfway(make_run: Make, make_knmi: Make, tmp_path: Path, name: str):
    """In a process that may write no more than 20 kB to a file, as to a disk that fills up: nothing is simulated."""
    if name == "f.tif":
        pytest.importorskip("rasterio", reason="the extra geotiff is not installed")
    rng = np.random.default_rng(0)
    folder = write_frames(tmp_path / "in", make_knmi, [rng.integers(64, 150, (120, 120)) for _ in range(3)])
    out = tmp_path / "out" / name
    out.parent.mkdir()
    out.write_text("the last forecast")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "from semicoupled.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["predict", "nowcasting", str(make_run()), str(folder), "--out", str(out), "--device=cpu"]
    result = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 3, result.stderr
    assert "cannot be written" in result.stderr
    assert "Is there room on the disk?" in result.stderr
    assert out.read_text() == "the last forecast"
    assert [path.name for path in out.parent.iterdir()] == [name]


@pytest.mark.slow
def test_a_field_of_25_million_pixels(command: Any, make_knmi: Make, tmp_path: Path):
    field = np.zeros((5000, 5000), np.uint8)
    field[2000:2300, 2000:2300] = 120
    folder = write_frames(tmp_path / "in", make_knmi, [np.roll(field, 3 * index, axis=1) for index in range(3)])
    assert command(folder, more=("--lead=5", "--out", str(tmp_path / "out" / "f.png")))[0] == 0
    with xr.open_dataset(tmp_path / "out" / "f.nc", engine="h5netcdf") as data:
        assert data.reflectivity.shape == (1, 5000, 5000)
    shutil.rmtree(tmp_path / "in")
