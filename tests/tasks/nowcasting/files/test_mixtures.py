"""Folders of one size and step from files of several: what is brought together, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import ZR, FileSettings, Reading
from semicoupled.tasks.nowcasting.files.sequences import find_files, read_sequences

MakeFolder = Callable[..., Path]
PIXELS = np.full((8, 12), 104)


def test_folders_have_factors_of_their_own(tmp_path: Path, samples: ModuleType):
    for name, pixel in (("fine", 500.0), ("middle", 1000.0), ("coarse", 2000.0), ("odd", 1900.0)):
        samples.write_odim(tmp_path / name / "f.h5", PIXELS, pixel=pixel)
    data = read_sequences(find_files(tmp_path), tmp_path, reading=Reading(kilometers=2))
    shapes = {sequence.event: sequence.dbz.shape for sequence in data.sequences}
    assert shapes == {"fine": (1, 2, 3), "middle": (1, 4, 6), "coarse": (1, 8, 12), "odd": (1, 8, 12)}
    sizes = {sequence.event: sequence.grid.kilometers for sequence in data.sequences}
    assert sizes == pytest.approx({"fine": 2, "middle": 2, "coarse": 2, "odd": 1.9}, rel=1e-6)
    as_they_are = read_sequences(find_files(tmp_path), tmp_path)
    assert {sequence.dbz.shape for sequence in as_they_are.sequences} == {(1, 8, 12)}


def test_pixels_that_cannot_be_had(tmp_path: Path, samples: ModuleType):
    samples.write_odim(tmp_path / "event/f.h5", PIXELS, pixel=1300.0)
    message = (
        r"event: pixels of 1.3 km make pixels of 2.6 km at best; expected 2 km within 10%. Set data.kilometers to 2.6"
    )
    with pytest.raises(DataError, match=message):
        read_sequences(find_files(tmp_path), tmp_path, reading=Reading(kilometers=2))


def test_a_time_step_for_folders_of_several(tmp_path: Path, samples: ModuleType):
    for name, step in (("five", 5), ("ten", 10)):
        for index in range(6):
            time = samples.TIME + index * step * samples.STEP / 5
            samples.write_odim(tmp_path / name / f"{index}.h5", PIXELS, time)
    data = read_sequences(find_files(tmp_path), tmp_path, reading=Reading(step_minutes=10))
    assert [(sequence.event, len(sequence), sequence.step) for sequence in data.sequences] == [
        ("five", 3, 2 * samples.STEP),
        ("ten", 6, 2 * samples.STEP),
    ]
    assert data.sequences[0].times[-1] == samples.TIME + 5 * samples.STEP


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"quantity": "RATE"}, r"b\.h5: holds mm/h; expected the folder's dBZ, as in .*a\.h5"),
        ({"quantity": "TH"}, r"b\.h5: is of 'ODIM COMP TH SURF'; expected the folder's 'ODIM COMP DBZH SURF'.*a\.h5"),
        ({"pixel": 1000.0}, r"b\.h5: its grid is .*; expected the folder's .*a\.h5"),
    ],
)
def test_two_products_in_one_folder(tmp_path: Path, samples: ModuleType, how: dict[str, object], message: str):
    samples.write_odim(tmp_path / "a.h5", PIXELS)
    samples.write_odim(tmp_path / "b.h5", PIXELS, samples.TIME + samples.STEP, **how)
    with pytest.raises(DataError, match=message + r"\. Put different products, places and grids into folders"):
        read_sequences(find_files(tmp_path), tmp_path)


def test_two_places_by_their_names(tmp_path: Path, samples: ModuleType):
    samples.write_png(tmp_path / "east_202102052005.png", PIXELS.astype(np.uint8))
    samples.write_png(tmp_path / "west_202102052010.png", PIXELS.astype(np.uint8))
    reading = Reading(files=FileSettings(quantity="dBZ", gain=0.5, offset=-32, kilometers=1))
    with pytest.raises(DataError, match=r"west_202102052010\.png: is of 'images west_#\.png'.*east_202102052005\.png"):
        read_sequences(find_files(tmp_path), tmp_path, reading=reading)


def test_sums_over_two_intervals(tmp_path: Path, samples: ModuleType):
    samples.write_odim(tmp_path / "a.h5", PIXELS, quantity="ACRR")
    samples.write_odim(tmp_path / "b.h5", PIXELS, samples.TIME + samples.STEP, quantity="ACRR", minutes=60)
    with pytest.raises(DataError, match="holds mm gathered in 1:00:00; expected the folder's mm gathered in 0:05:00"):
        read_sequences(find_files(tmp_path), tmp_path)


def test_rain_becomes_reflectivity_by_the_law_that_is_asked_for(tmp_path: Path, samples: ModuleType):
    samples.write_odim(tmp_path / "f.h5", np.full((8, 12), 100), quantity="RATE")  # 10 mm/h
    for z_r, expected in ((ZR(), 39.01), (ZR(316, 1.5), 40.0), (ZR(256, 1.42), 38.28)):
        (sequence,) = read_sequences([tmp_path / "f.h5"], reading=Reading(z_r=z_r)).sequences
        np.testing.assert_allclose(sequence.dbz, expected, atol=0.02)
        (coarse,) = read_sequences([tmp_path / "f.h5"], reading=Reading(z_r=z_r, kilometers=4)).sequences
        np.testing.assert_allclose(coarse.dbz, expected, atol=0.02)  # to rain and back, by the same law


def test_other_places_at_the_networks_pixel_size(real_data: Path):
    """MeteoSwiss and the Bureau of Meteorology, whole events at 2 km: fit for scores out of domain."""
    for name, shape, frames, minutes in (
        ("mch_20150515", (320, 355), 40, 5),
        ("mch_20170131", (320, 355), 40, 5),
        ("bom_melbourne_20180616", (128, 128), 61, 6),
    ):
        folder = real_data / "radar" / name
        (sequence,) = read_sequences(find_files(folder), folder, reading=Reading(kilometers=2)).sequences
        assert sequence.dbz.shape == (frames, *shape)
        assert sequence.step.total_seconds() == 60 * minutes
        assert sequence.grid.kilometers == pytest.approx(2)
        assert 0.02 < np.mean(sequence.dbz > 7) < 0.6
