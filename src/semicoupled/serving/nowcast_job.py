"""A forecast for the page: fields as bytes, and all that is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pyproj

from semicoupled.description import Json
from semicoupled.errors import DataError
from semicoupled.serving.job_options import ForecastOptions
from semicoupled.serving.nowcast_view import graticule, legend, scores_by_lead
from semicoupled.serving.radar_sample import FRAMES, SIZE, find_sample, rain_fields
from semicoupled.serving.work import JobRequest, Result, Work, in_bytes, npy
from semicoupled.tasks.nowcasting.data_settings import Reading
from semicoupled.tasks.nowcasting.files.sequences import RadarSequence, read_sequences
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.operating.output import Forecast
from semicoupled.tasks.nowcasting.operating.session import NowcastSession
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.tasks.nowcasting.task import session as make_session

DBZ_STEPS = 4.0
SHARE_STEPS = 200.0
_MOST_BYTES = 96 * 2**20
_START = datetime(2000, 6, 1, 12, 0, tzinfo=UTC)
_CRS = "+proj=laea +lat_0=50 +lon_0=10 +ellps=WGS84 +units=m"


def forecast(work: Work, request: JobRequest) -> Result:
    """Forecast, and compare with what came if that is known.

    Raises:
        DataError: there are too few images, none of the time that is asked for, or too large ones.
    """
    options = cast(ForecastOptions, request.options)
    work.progress(0.02, "loading the model")
    run = work.run(request.run)
    settings = cast(NowcastingSettings, run.settings)
    session = make_session(settings, run.description, cast(NowcastingModel, run.model))
    work.progress(0.15, "reading the fields")
    sequences = read_source(work, request, run.description)
    newest = max(sequences, key=lambda sequence: sequence.times[-1])
    same = [sequence for sequence in sequences if sequence.event == newest.event]
    step = newest.step
    leads = session.steps_for(settings.predict.minutes if options.minutes is None else options.minutes, step)
    chosen, now = choose_time(same, settings.data.input_frames, leads, options.at)
    _check_result(chosen.grid, leads, session, settings)
    state = session.start([chosen.part(max(0, now + 1 - 2 * settings.data.input_frames), now + 1)])
    work.progress(0.35, "forecasting")
    found = session.forecast(state, leads)
    truth = chosen.dbz[now + 1 : now + 1 + leads].astype(np.float32)
    scores: dict[str, Json] = {}
    thresholds = settings.evaluation.thresholds
    if len(truth):
        by_lead = scores_by_lead(
            found.observed,
            found.dbz,
            truth,
            chosen.grid.kilometers,
            thresholds,
            lambda doing: work.progress(0.7, doing),
        )
        scores = dict(by_lead)
    work.progress(0.9, "packing")
    document = {
        **_describe(found, chosen, session),
        "truth_leads": len(truth),
        "scores": {"thresholds": list(thresholds), "models": scores},
        "choices": [_text(sequence.times[now]) for sequence, now in _possible(same, settings.data.input_frames)],
        "sample": request.source.sample,
    }
    return Result(document, _files(found, truth))


def read_source(work: Work, request: JobRequest, description: object) -> Sequence[RadarSequence]:
    """Read the files that are meant, or generate rain as the run knows it.

    Raises:
        DataError: the files cannot be used.
    """
    settings = cast(NowcastingSettings, work.run(request.run).settings)
    about = cast("dict[str, Json]", description)
    source = request.source
    if source.sample is not None:
        size, step = about.get("kilometers"), about.get("step_seconds")
        kilometers = float(size) if isinstance(size, (int, float)) else 2.0
        seconds = float(step) if isinstance(step, (int, float)) else 300.0
        return [
            work.cached((source.sample, kilometers, seconds), lambda: sample(source.sample or "", kilometers, seconds))
        ]
    reading: Reading = settings.data.reading
    stamps = tuple((file, file.stat().st_mtime_ns, file.stat().st_size) for file in source.files)
    return work.cached((stamps, str(reading)), lambda: read_sequences(source.files, reading=reading).sequences)


def sample(name: str, kilometers: float, step_seconds: float) -> RadarSequence:
    """Make a sequence of generated rain.

    Args:
        name: of the sample.
        kilometers: size of a pixel.
        step_seconds: from one field to the next.
    """
    dbz = rain_fields(find_sample(name), FRAMES, kilometers, step_seconds / 60)
    step = timedelta(seconds=step_seconds)
    edge = (SIZE - 1) / 2 * kilometers * 1000
    wkt = pyproj.CRS.from_proj4(_CRS).to_wkt()
    grid = Grid(-edge, kilometers * 1000, SIZE, edge, -kilometers * 1000, SIZE, wkt)
    times = tuple(_START + index * step for index in range(FRAMES))
    sources = (Path(f"generated {name}"),) * FRAMES
    return RadarSequence(name, times, step, dbz.astype(np.float16), grid, sources, "generated")


def choose_time(sequences: Sequence[RadarSequence], inputs: int, leads: int, at: str) -> tuple[RadarSequence, int]:
    """Choose the field to forecast from.

    Args:
        sequences: of one place.
        inputs: fields that go in.
        leads: fields that come out.
        at: see `ForecastOptions`.

    Returns:
        The sequence, and the index of its field that is the last to go in.

    Raises:
        DataError: too few fields, or there is no field of that time.
    """
    fitting = [sequence for sequence in sequences if len(sequence) >= inputs]
    if not fitting:
        longest = max(len(sequence) for sequence in sequences)
        raise DataError(
            f"the longest sequence has {longest} fields; expected at least {inputs} without a gap, as in training. "
            "Add files"
        )
    newest = max(fitting, key=lambda sequence: sequence.times[-1])
    if at == "newest":
        return newest, len(newest) - 1
    if at == "checkable":
        known = len(newest) - 1 - leads
        return newest, known if known >= inputs - 1 else max(inputs - 1, (inputs + len(newest)) // 2 - 1)
    try:
        wanted = datetime.fromisoformat(at)
    except ValueError as error:
        raise DataError(
            f"{at[:50]!r} is no time; expected newest, checkable, or one such as 2021-02-05T20:25Z"
        ) from error
    wanted = wanted if wanted.tzinfo else wanted.replace(tzinfo=UTC)
    for sequence, index in _possible(fitting, inputs):
        if abs(sequence.times[index] - wanted) < sequence.step / 2:
            return sequence, index
    raise DataError(
        f"there is no field of {wanted:%Y-%m-%d %H:%M %Z} with {inputs - 1} more before it; expected one between "
        f"{fitting[0].times[inputs - 1]:%Y-%m-%d %H:%M} and {fitting[-1].times[-1]:%Y-%m-%d %H:%M}"
    )


def _possible(sequences: Sequence[RadarSequence], inputs: int) -> list[tuple[RadarSequence, int]]:
    """Give all fields that a forecast can be made from: those with enough before them, without a gap."""
    return [(sequence, index) for sequence in sequences for index in range(inputs - 1, len(sequence))]


def _check_result(grid: Grid, leads: int, session: NowcastSession, settings: NowcastingSettings) -> None:
    layers = settings.data.input_frames + 2 * leads
    layers += leads if "share" not in session.missing_layers else 0
    layers += leads * len(settings.evaluation.thresholds) if "exceedance" not in session.missing_layers else 0
    rows, columns = grid.shape
    if rows * columns * layers > _MOST_BYTES:
        raise DataError(
            f"{layers} fields of {rows} x {columns} pixels are more than the page shows; expected at most "
            f"{_MOST_BYTES // (rows * columns)}. Forecast less far, or use `semicoupled predict`"
        )


def _files(found: Forecast, truth: np.ndarray) -> dict[str, bytes]:
    files = {
        "observed.npy": npy(in_bytes(found.observed, DBZ_STEPS)),
        "forecast.npy": npy(in_bytes(found.dbz, DBZ_STEPS)),
    }
    if len(truth):
        files["truth.npy"] = npy(in_bytes(truth, DBZ_STEPS))
    if found.share is not None:
        files["share.npy"] = npy(in_bytes(found.share, SHARE_STEPS))
    if found.exceedance is not None:
        files["exceedance.npy"] = npy(in_bytes(found.exceedance.probability, SHARE_STEPS))
    return files


def _describe(found: Forecast, sequence: RadarSequence, session: NowcastSession) -> dict[str, Json]:
    grid = sequence.grid
    observed = [found.reference - back * found.step for back in range(len(found.observed) - 1, -1, -1)]
    corners = grid.lon_lat(np.array([0, grid.columns - 1]), np.array([0, grid.rows - 1]))
    placed = bool(np.isfinite(corners).all())
    return {
        "reference": _text(found.reference),
        "observed_times": [_text(time) for time in observed],
        "lead_times": [_text(time) for time in found.times],
        "lead_minutes": [lead.total_seconds() / 60 for lead in found.leads],
        "step_minutes": found.step.total_seconds() / 60,
        "product": sequence.product,
        "model": found.model,
        "grid": {
            "rows": grid.rows,
            "columns": grid.columns,
            "kilometers": round(grid.kilometers, 4),
            "projection": grid.projection,
            "placed": placed,
            "text": str(grid),
        },
        "graticule": graticule(grid),
        "legend": legend(),
        "encoding": {"dbz_steps": DBZ_STEPS, "share_steps": SHARE_STEPS, "missing": 255},
        "thresholds": list(found.exceedance.thresholds) if found.exceedance else [],
        "missing_layers": session.missing_layers,
        "notes": list(found.notes),
        "sources": sorted({source.name for source in found.sources}),
    }


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
