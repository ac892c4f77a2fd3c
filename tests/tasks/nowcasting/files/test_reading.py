from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.files.reading import read_frames

TIME = datetime(2021, 2, 5, 20, 5, tzinfo=UTC)
FMI_HEAD = """P5
# composite_area FIN
# obstime 201609281445
# productname LOWEST
# param CorrectedReflectivity
# metersperpixel_x 999.674053
# metersperpixel_y 999.62859
# projection radar {
# type stereographic
# centrallongitude 25
# centrallatitude 90
# truelatitude 60
# bottomleft 18.600000 57.930000
# topright 34.903000 69.005000
# }
760 1226
255
"""


def test_a_file_is_told_by_its_content_not_its_name(tmp_path: Path, make_knmi: Callable[..., Path]):
    assert read_frames(make_knmi(tmp_path / "radar.png", np.zeros((2, 2)), TIME))[0].valid == TIME


def test_a_truncated_file_is_refused_by_name(tmp_path: Path, make_knmi: Callable[..., Path]):
    path = make_knmi(tmp_path / "f.h5", np.zeros((40, 40)), TIME)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(
        DataError, match=r"f\.h5: expected a whole HDF5 file, got one that cannot be opened.*Fetch it again"
    ):
        read_frames(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; expected a file of radar fields"),
        (b"\xff\xd8\xff\xe0" + bytes(50), r"no radar file that is known; expected one of: KNMI HDF5.*zarr.*b'.xff.xd8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "expected a whole file of gray PNG, GIF, got one that cannot be read"),
        (b"\x1f\x8b garbage that is no gzip", "no radar file that is known"),
    ],
)
def test_other_files_are_refused_with_what_is_known(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "f.h5"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_frames(path)


def test_hdf5_of_another_kind_is_refused(tmp_path: Path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(DataError, match="no radar file that is known"):
        read_frames(tmp_path / "f.h5")


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(DataError, match="cannot be read"):
        read_frames(tmp_path / "nothing.h5")


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_fmi_pgm(tmp_path: Path, pack: Callable[[bytes], bytes]):
    pixels = np.zeros((1226, 760), np.uint8)
    pixels[0, 0], pixels[1, 2] = 255, 100
    path = tmp_path / "f"
    path.write_bytes(pack(FMI_HEAD.encode() + pixels.tobytes()))
    (frame,) = read_frames(path)
    assert frame.valid == datetime(2016, 9, 28, 14, 45, tzinfo=UTC)
    assert np.isnan(frame.values[0, 0])
    assert frame.values[1, 2] == 18
    longitude, latitude = frame.grid.lon_lat(np.array([-0.5, 759.5]), np.array([1225.5, -0.5]))
    np.testing.assert_allclose(longitude, [18.6, 34.903], atol=1e-5)
    np.testing.assert_allclose(latitude, [57.93, 69.005], atol=1e-5)


def test_fmi_pgm_that_breaks_off(tmp_path: Path):
    path = tmp_path / "f"
    path.write_bytes(FMI_HEAD.encode() + bytes(100))
    with pytest.raises(DataError, match="expected a PGM of 8 bits with width, height and all pixels"):
        read_frames(path)
    path.write_bytes(gzip.compress(FMI_HEAD.encode() + bytes(760 * 1226))[:-20])
    with pytest.raises(DataError, match="expected a whole gzip file"):
        read_frames(path)


def test_real_files_of_other_services(real_data: Path):
    (frame,) = read_frames(sorted((real_data / "radar/fmi_20160928").iterdir())[0])
    assert (frame.quantity, frame.values.shape) == ("dBZ", (1226, 760))
    (frame,) = read_frames(sorted((real_data / "radar/bom_melbourne_20180616").iterdir())[4])
    assert (frame.quantity, frame.interval) == ("mm", timedelta(minutes=6))
    assert frame.grid.kilometers == pytest.approx(0.5)
    assert frame.grid.y_step < 0
