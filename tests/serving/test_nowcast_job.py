"""Forecasts in the worker: from which fields one can be made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.run_folder import PRETRAINED
from semicoupled.serving.job_options import ForecastOptions
from semicoupled.serving.nowcast_job import choose_time, forecast, sample
from semicoupled.serving.radar_sample import SAMPLES, rain_fields
from semicoupled.serving.work import JobRequest, Source, Work

SMALL = PRETRAINED / "nowcasting" / "small"


def test_every_time_that_is_offered_can_be_forecast_from(work: Work, tmp_path: Path) -> None:
    for index, dbz in enumerate(rain_fields(SAMPLES["front"], 16, 2.0, 5.0, 32)):
        if index in (7, 8):
            continue  # a gap, behind which five fields have to come first
        clock = f"{12 + index // 12}:{5 * (index % 12):02d}:00"
        times = np.array([f"2020-05-01T{clock}"], "datetime64[s]")
        np.savez(tmp_path / f"{index:02d}.npz", dbz=dbz[None], times=times, kilometers=2.0, quantity="dBZ")
    files = tuple(sorted(tmp_path.glob("*.npz")))
    options = ForecastOptions(minutes=5, at="newest")
    choices: Any = forecast(work, JobRequest("", SMALL, Source(files), options)).document["choices"]
    assert [time[11:16] for time in choices] == ["12:20", "12:25", "12:30", "13:05", "13:10", "13:15"]


def test_a_time_that_is_not_there_is_said_in_its_own_zone() -> None:
    with pytest.raises(DataError, match=r"no field of 1999-01-01 20:25 UTC\+02:00 with 4 more"):
        choose_time([sample("showers", 2.0, 300)], 5, 2, "1999-01-01T20:25+02:00")
