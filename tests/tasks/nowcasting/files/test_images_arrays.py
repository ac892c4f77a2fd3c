"""Images and arrays: what their pixels and times come to, and what must be said of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.reading import read_frames

TIME = datetime(2021, 2, 5, 20, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
PIXELS = np.array([[0, 64, 100, 255], [0, 1, 164, 255], [66, 67, 68, 69]], np.uint8)
RAIN = np.array([[[0, 1, np.nan], [2, 4, 8]], [[0, 0, np.nan], [1, 2, 4]]])
GRAY = FileSettings(quantity="dBZ", gain=0.5, offset=-32, missing=255, kilometers=1)


def test_gray_png_of_8_bits_by_the_settings(tmp_path: Path, samples: ModuleType):
    (frame,) = read_frames(samples.write_png(tmp_path / "rain_202102052005.png", PIXELS), GRAY)
    assert (frame.quantity, frame.valid) == ("dBZ", TIME)
    np.testing.assert_array_equal(frame.values[0], [-32, 0, 18, np.nan])
    assert (frame.grid.local, frame.grid.kilometers, frame.grid.shape) == (True, 1, (3, 4))
    assert np.isnan(frame.grid.lon_lat(np.array([0]), np.array([0]))).all()


def test_png_of_16_bits_that_says_all_itself(tmp_path: Path, samples: ModuleType):
    said = {"quantity": "mm/h", "gain": 0.01, "missing": 65535, "kilometers": 2, "time": "2021-02-05T20:05:00Z"}
    path = samples.write_png(tmp_path / "no time", np.array([[0, 1000], [20000, 65535]], np.uint16), **said)
    (frame,) = read_frames(path, FileSettings(quantity="dBZ", gain=7))  # what a file says is not overruled
    np.testing.assert_allclose(frame.values, [[0, 10], [200, np.nan]])
    assert (frame.quantity, frame.valid, frame.grid.kilometers) == ("mm/h", TIME, 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quantity": None}, r"does not say what its pixels are; expected dBZ, mm/h or mm. Set data\.files\.quantity"),
        ({"gain": None}, r"does not say what one step of its whole numbers is worth. Set data\.files\.gain"),
        ({"kilometers": None}, r"does not say how large a pixel is. Set data\.files\.kilometers"),
        ({"quantity": "mm"}, r"does not say how long the rain was gathered. Set data\.files\.minutes"),
    ],
)
def test_what_is_missing_is_never_guessed(tmp_path: Path, samples: ModuleType, given: dict[str, Any], message: str):
    path = samples.write_png(tmp_path / "rain_202102052005.png", PIXELS)
    options = {"quantity": "dBZ", "gain": 0.5, "offset": -32, "kilometers": 1, **given}
    with pytest.raises(DataError, match=message):
        read_frames(path, FileSettings(**options))


def test_colors_are_no_values(tmp_path: Path):
    path = tmp_path / "rain_202102052005.png"
    colors = np.zeros((8, 8, 3), np.uint8)
    colors[0, 0] = 255, 0, 0
    Image.fromarray(colors).save(path)
    with pytest.raises(DataError, match=r"a picture in colors.*expected gray"):
        read_frames(path, GRAY)


def test_a_name_without_a_time_is_refused(tmp_path: Path, samples: ModuleType):
    with pytest.raises(
        DataError, match=r"says no time, nor does its name; expected a name such as rain_202102052005\.png"
    ):
        read_frames(samples.write_png(tmp_path / "rain.png", PIXELS), GRAY)


def test_a_gif_is_a_stack(tmp_path: Path, samples: ModuleType):
    stack = np.stack([PIXELS, PIXELS // 2])
    path = samples.write_gif(tmp_path / "rain_202102052005.gif", stack)
    with pytest.raises(DataError, match=r"how far apart its 2 fields are. Set data\.files\.minutes"):
        read_frames(path, GRAY)
    frames = read_frames(
        path, FileSettings(quantity="dBZ", gain=0.5, offset=-32, missing=255, kilometers=1, minutes=10)
    )
    assert [frame.valid for frame in frames] == [TIME, TIME + 2 * STEP]
    np.testing.assert_array_equal(frames[0].values[0], [-32, 0, 18, np.nan])


def test_npz_with_everything(tmp_path: Path):
    path = tmp_path / "any.npz"
    times = np.array(["2021-02-05T20:10", "2021-02-05T20:05"], "datetime64[s]")
    np.savez_compressed(path, rain=RAIN, times=times, kilometers=2.0, quantity="mm/h")
    frames = read_frames(path)
    assert [frame.valid for frame in frames] == [TIME, TIME + STEP]
    np.testing.assert_allclose(frames[0].values, RAIN[1])  # sorted by time
    assert (frames[0].quantity, frames[0].grid.kilometers) == ("mm/h", 2)


@pytest.mark.parametrize(
    "time",
    [np.datetime64("2021-02-05T20:05", "ns"), np.datetime64("2021-02-05T20:05", "s"), 1612555500, "20210205T2005"],
)
def test_the_time_of_an_npz_is_read_as_its_times_are(tmp_path: Path, time: Any):
    np.savez(tmp_path / "any.npz", rain=RAIN[0], time=time)
    (frame,) = read_frames(tmp_path / "any.npz", FileSettings(quantity="mm/h", kilometers=1))
    assert frame.valid == TIME


def test_an_array_that_is_named_must_be_one_of_fields(tmp_path: Path):
    np.savez(tmp_path / "any_202102052005.npz", rain=RAIN, quality=np.ones(7))
    with pytest.raises(DataError, match=r"npz: 'quality' has the shape \(7,\); expected T H W or H W\. Name another"):
        read_frames(tmp_path / "any_202102052005.npz", FileSettings("mm/h", "quality", kilometers=1))


def test_npy_by_the_settings(tmp_path: Path):
    path = tmp_path / "rain_20210205T2005.npy"
    np.save(path, RAIN)
    frames = read_frames(path, FileSettings(quantity="mm/h", kilometers=1, minutes=5))
    assert [frame.valid for frame in frames] == [TIME, TIME + STEP]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": RAIN, "b": RAIN}, r"holds a \(2, 2, 3\), b \(2, 2, 3\); expected one array.*data\.files\.variable"),
        ({"a": RAIN, "times": np.array([0])}, "2 fields and 1 times; expected as many"),
        ({"a": RAIN, "times": np.array(["x", "y"])}, "times such as 'x'; expected 2021-02-05T20:05:00Z"),
        ({"a": RAIN, "quantity": "rain"}, "the quantity 'rain' is not known.*Known: dBZ, mm, mm/h"),
        ({"a": np.array([[{}]])}, "cannot be read.*allow_pickle=False"),
        ({"a": RAIN[:, :0]}, "expected at least one pixel"),
    ],
)
def test_npz_that_is_not_understood(tmp_path: Path, arrays: dict[str, Any], message: str):
    path = tmp_path / "rain_202102052005.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=message):
        read_frames(path, FileSettings(quantity=None if "quantity" in arrays else "mm/h", kilometers=1, minutes=5))
