"""What holds for files of every format: damage, sizes and bombs."""

from __future__ import annotations

import zlib
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.files.reading import iterate_frames, read_frames

RAIN = np.array([[[0, 1, np.nan], [2, 4, 8]], [[0, 0, np.nan], [1, 2, 4]]])
GRAY = FileSettings(quantity="dBZ", gain=0.5, offset=-32, missing=255, kilometers=1)


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, samples: ModuleType):
    path = samples.write_png(tmp_path / "rain_202102052005.png", np.zeros((1, 1), np.uint8))
    content = bytearray(path.read_bytes())
    content[16:24] = (50_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"\(1, 50000, 50000\); expected at most 67108864 pixels a field|bomb"):
        read_frames(path, GRAY)
    bomb = samples.write_odim(tmp_path / "f.h5", np.zeros((2, 2)))
    with h5py.File(bomb, "r+") as file:
        del file["dataset1/data1/data"]
        file["dataset1/data1"].create_dataset("data", (10**6, 10**6), np.uint8, chunks=(1000, 1000), compression="gzip")
    with pytest.raises(DataError, match=r"\(1000000, 1000000\); expected at most"):
        read_frames(bomb)


def test_fields_of_one_pixel_and_of_many(tmp_path: Path, samples: ModuleType):
    assert read_frames(samples.write_odim(tmp_path / "small", np.full((1, 1), 100)))[0].values.shape == (1, 1)
    assert read_frames(samples.write_odim(tmp_path / "large", np.zeros((5000, 5000)), pixel=200.0))[0].values.shape == (
        5000,
        5000,
    )


@pytest.mark.parametrize(
    "name",
    ["odim.h5", "fmi.pgm", "mch.gif", "cf.nc", "gray_202102052005.png", "stack_202102052005.gif", "a_202102052005.npz"],
)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_truncated_files_are_refused_by_name(tmp_path: Path, samples: ModuleType, name: str, share: float):
    path = tmp_path / name
    fields = np.random.default_rng(0).integers(0, 200, (3, 40, 50)).astype(np.uint8)
    if name == "a_202102052005.npz":
        np.savez(path, a=fields)
    else:
        {
            "odim.h5": lambda: samples.write_odim(path, fields[0]),
            "fmi.pgm": lambda: samples.write_fmi(path, fields[0]),
            "mch.gif": lambda: samples.write_meteoswiss(path, np.tile(fields[0], (16, 15))[:640, :710]),
            "cf.nc": lambda: samples.write_netcdf(path, samples.dataset(fields / 10, units="mm/h")),
            "gray_202102052005.png": lambda: samples.write_png(path, fields[0]),
            "stack_202102052005.gif": lambda: samples.write_gif(path, fields),
        }[name]()
    given = FileSettings(quantity="dBZ", gain=0.5, offset=-32, missing=255, kilometers=1, minutes=5)
    whole = path.read_bytes()
    assert read_frames(path, given)
    path.write_bytes(whole[: round(share * len(whole))])
    with pytest.raises(DataError, match=rf"{name}.*[Ff]etch it again"):
        read_frames(path, given)


def test_fields_are_read_one_after_the_other(tmp_path: Path, samples: ModuleType):
    frames = iterate_frames(samples.write_mlcast(tmp_path / "store.zarr", RAIN, version=3))
    assert isinstance(next(iter(frames)), RadarFrame)


def test_a_grid_that_no_radar_has_is_refused(tmp_path: Path, samples: ModuleType):
    data = samples.dataset(np.ones((1, 6, 5)), units="mm/h")
    for name in "xy":
        data[name].attrs["units"] = "km"  # they are metres
    with pytest.raises(DataError, match=r"pixels of 1e\+03 x 1e\+03 km; expected 0.01 to 100"):
        read_frames(samples.write_netcdf(tmp_path / "f", data))
