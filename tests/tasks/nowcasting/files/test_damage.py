"""Bytes that changed on the way: every format gives fields or one `DataError`, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings, Reading
from semicoupled.tasks.nowcasting.files.reading import read_frames
from semicoupled.tasks.nowcasting.files.sequences import read_sequences

NAME = "rain_202102052005"
READING = Reading(files=FileSettings(quantity="dBZ", gain=0.5, offset=-32, minutes=5, kilometers=1))
FORMATS = ("knmi", "odim", "fmi", "fmi plain", "meteoswiss", "netcdf", "classic netcdf", "png", "gif", "npz", "npy")
SECONDS = 5.0

changes = st.tuples(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=20), st.floats(0.05, 4)
)


@pytest.fixture(scope="module")
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, samples: ModuleType
) -> tuple[Path, bytes]:
    """A whole file of the format, and its content."""
    folder = tmp_path_factory.mktemp("damage")
    path = folder / NAME
    fields = np.random.default_rng(0).integers(0, 120, (2, 12, 10)).astype(np.uint8)
    write: dict[str, Callable[[], object]] = {
        "odim": lambda: samples.write_odim(path, fields[0]),
        "fmi": lambda: samples.write_fmi(path, fields[0]),
        "fmi plain": lambda: samples.write_fmi(path, fields[0], packed=False),
        "meteoswiss": lambda: samples.write_meteoswiss(path, np.tile(fields[0], (54, 71))[:640, :710]),
        "netcdf": lambda: samples.write_netcdf(path, samples.dataset(fields / 10, units="mm/h")),
        "classic netcdf": lambda: samples.write_classic_netcdf(path, samples.dataset(fields / 10, units="mm/h")),
        "png": lambda: samples.write_png(path, fields[0]),
        "gif": lambda: samples.write_gif(path, fields),
    }
    if request.param == "knmi":
        request.getfixturevalue("make_knmi_module")(path, fields[0], samples.TIME)
    elif request.param in ("npz", "npy"):
        with path.open("wb") as file:
            (np.savez_compressed if request.param == "npz" else np.save)(file, fields)
    else:
        write[request.param]()
    assert read_frames(path, READING.files)
    return path, path.read_bytes()


@pytest.mark.parametrize("whole", FORMATS, indirect=True)
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(change=changes)
def test_changed_bytes_give_fields_or_a_sentence(
    whole: tuple[Path, bytes], change: tuple[list[tuple[float, int]], float]
):
    path, content = whole
    damaged = bytearray(content)
    for place, value in change[0]:
        damaged[int(place * len(damaged))] = value
    path.write_bytes(bytes(damaged[: round(change[1] * len(damaged))]))  # cut off in one of four cases
    start = time.monotonic()
    assert NAME in (_refusal(path) or NAME)
    assert time.monotonic() - start < SECONDS


def _refusal(path: Path) -> str | None:
    """Read a file, and give the sentence with which it is refused."""
    try:
        read_sequences([path], reading=READING)
    except DataError as error:
        return str(error)
    return None


@settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 1, exclude_max=True), change=changes)
def test_changed_bytes_in_a_zarr_store(
    part: float,
    change: tuple[list[tuple[float, int]], float],
    tmp_path_factory: pytest.TempPathFactory,
    samples: ModuleType,
):
    store = samples.write_mlcast(tmp_path_factory.mktemp("zarr") / "store.zarr", np.ones((2, 6, 5)), version=3)
    files = sorted(path for path in store.rglob("*") if path.is_file())
    chosen = files[int(part * len(files))]
    damaged = bytearray(chosen.read_bytes())
    for place, value in change[0]:
        damaged[int(place * len(damaged))] = value
    chosen.write_bytes(bytes(damaged[: round(change[1] * len(damaged))]))
    assert "store.zarr" in (_refusal(store) or "store.zarr")


def test_a_heap_that_would_hang_the_library_is_refused(tmp_path: Path, samples: ModuleType):
    path = samples.write_netcdf(tmp_path / NAME, samples.dataset(np.ones((1, 6, 5)), units="mm/h"))
    content = bytearray(path.read_bytes())
    content[content.index(b"GCOL") + 24] = 255  # size of the first object
    path.write_bytes(content)
    assert "whose heap at byte" in (_refusal(path) or "")
