"""pysteps, both ways: our networks as a nowcast method of theirs, and their methods as forecasters of ours.

    from pysteps import nowcasts
    from semicoupled.plugins.pysteps import register_with_pysteps

    register_with_pysteps()
    forecast = nowcasts.get_method("semicoupled")(rain, velocity, 12, model="runs/rain", unit="mm/h")

pysteps 1.21 has no entry point for nowcast methods; the package offers the one that is proposed,
``pysteps.plugins.nowcasts``, so that later versions find the method by themselves.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

import numpy as np

from semicoupled.errors import MissingExtraError, SettingsError, ShapeError, nearest
from semicoupled.run_folder import LoadedRun, load
from semicoupled.tasks.nowcasting.extrapolation.baselines import advect
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion
from semicoupled.tasks.nowcasting.extrapolation.pysteps_door import FAILURES, imported, quietly
from semicoupled.tasks.nowcasting.forecast.forecasting import Forecaster, forecast_fields
from semicoupled.tasks.nowcasting.model import NowcastingModel
from semicoupled.tasks.nowcasting.settings import NowcastingSettings
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ, dbz_to_rain, rain_to_dbz

log = logging.getLogger(__name__)

NAME = "semicoupled"
Unit = Literal["dBZ", "mm/h"]
UNITS: tuple[Unit, ...] = ("dBZ", "mm/h")
THRESHOLD_DBZ = 7.0
"""What pysteps' methods take for rain."""


class _Method(NamedTuple):
    """How a nowcast method of pysteps wants to be called.

    Attributes:
        frames: how many go in; 0 for the last one as a field.
        unit: of its fields.
        options: that it gets unless others are asked for.
    """

    frames: int
    unit: Unit
    options: Mapping[str, Any]


METHODS = {
    "eulerian": _Method(0, "dBZ", {}),
    "extrapolation": _Method(0, "dBZ", {}),
    "sprog": _Method(3, "dBZ", {"precip_thr": THRESHOLD_DBZ}),
    "steps": _Method(3, "dBZ", {"precip_thr": THRESHOLD_DBZ, "n_ens_members": 8, "seed": 0, "vel_pert_method": None}),
    "anvil": _Method(4, "mm/h", {}),
    # features by OpenCV, which is there; blobs, the default of pysteps, would need scikit-image
    "linda": _Method(3, "mm/h", {"add_perturbations": False, "feature_method": "shitomasi"}),
}
"""Methods of pysteps that can be forecasters of ours."""


def register_with_pysteps() -> None:
    """Put ``"semicoupled"`` among the methods that `pysteps.nowcasts.get_method` knows.

    Raises:
        MissingExtraError: pysteps is not installed.
    """
    imported("pysteps.nowcasts.interface")._nowcast_methods[NAME] = forecast


def forecast(
    precip: np.ndarray,
    velocity: np.ndarray | None,
    timesteps: int | Sequence[float],
    *,
    model: str | LoadedRun = "pretrained",
    unit: Unit = "dBZ",
    kmperpixel: float | None = None,
    device: str = "auto",
    measure_time: bool = False,
) -> np.ndarray | tuple[np.ndarray, float]:
    """Forecast with a trained run: the interface of pysteps' nowcast methods.

    Args:
        precip: T m n, the newest frames one time step apart, oldest first; NaN = missing. What pysteps calls a
            dB-transformed rain rate is not dBZ: give mm/h, or reflectivity.
        velocity: 2 m n, pixels per time step to the right and downward, as pysteps' motion methods give it; None
            estimates it as in training.
        timesteps: how many, or rising numbers of time steps, between which fields are interpolated.
        model: a run folder, ``"pretrained[:NAME]"``, or a loaded run.
        unit: of `precip` and of the result: ``"dBZ"`` or ``"mm/h"``.
        kmperpixel: size of a pixel; None for that of the training.
        device: as ``--device``.
        measure_time: also return the seconds that it took.

    Returns:
        K m n in the same unit, NaN where the last frame is.

    Raises:
        ShapeError: fewer than two frames, or a velocity of another size.
        SettingsError: another unit, or time steps that do not rise from above 0.
        RunError: no such run, or one of another task.
    """
    if unit not in UNITS:
        raise SettingsError(f"unit: there is no unit {unit!r}. {nearest(str(unit), UNITS)}")
    precip = np.asarray(precip)
    if precip.ndim != 3 or len(precip) < 2:
        raise ShapeError(
            f"precip: expected at least two frames T m n, since one does not show what changes, got {precip.shape}"
        )
    if velocity is not None and np.shape(velocity) != (2, *precip.shape[1:]):
        raise ShapeError(f"velocity: expected {(2, *precip.shape[1:])}, got {np.shape(velocity)}")
    wanted = _steps(timesteps)
    begin = time.perf_counter()
    run = _loaded(model, device) if isinstance(model, str) else model
    settings, network = cast(NowcastingSettings, run.settings), cast(NowcastingModel, run.model)
    frames = np.clip(precip, 0, HIGHEST_DBZ) if unit == "dBZ" else rain_to_dbz(precip, settings.data.z_r)
    frames = np.asarray(frames, np.float32)[-settings.data.input_frames :]
    kilometers = _kilometers(run, kmperpixel)
    motion = None if velocity is None else np.nan_to_num(np.asarray(velocity, np.float32))
    device_of = next(network.parameters()).device
    leads = int(np.ceil(wanted[-1]))
    made = forecast_fields(network, device_of, settings.predict, frames, leads, kilometers, motion=motion).dbz
    result = _between(frames[-1], made, wanted)
    result = result if unit == "dBZ" else dbz_to_rain(result, settings.data.z_r)
    return (result, time.perf_counter() - begin) if measure_time else result


def pysteps_forecaster(method: str, minutes: float = 5.0, **options: Any) -> Forecaster:
    """Give a nowcast method of pysteps the signature of our baselines, so that it stands in the same tables.

    It moves the rain as our baselines do. Missing pixels go in as dry; where it gives no value, and where it gives up
    because there is too little rain, advection stands in, and the log says so. Of an ensemble the mean is taken.

    Args:
        method: ``eulerian``, ``extrapolation``, ``sprog``, ``steps``, ``anvil`` or ``linda``.
        minutes: from one frame to the next; for methods that ask for it.
        **options: handed on to the method.

    Raises:
        SettingsError: no such method.
        MissingExtraError: pysteps is not installed.
    """
    if method not in METHODS:
        raise SettingsError(f"there is no method {method!r} of pysteps here. {nearest(method, METHODS)}")
    how = METHODS[method]
    function = imported("pysteps.nowcasts").get_method(method)
    lacking = imported("pysteps.exceptions").MissingOptionalDependency

    def forecast(dbz: np.ndarray, leads: int, kilometers: float) -> np.ndarray:
        motion = estimate_motion(dbz, kilometers)
        carried = advect(dbz[-1], motion, leads)
        if how.frames > len(dbz):
            raise ShapeError(f"{method}: expected at least {how.frames} frames, got {len(dbz)}")
        if not np.nanmax(dbz, initial=0.0) > THRESHOLD_DBZ:
            log.info("pysteps %s: no rain above %g dBZ; advection stands in", method, THRESHOLD_DBZ)
            return carried
        frames = np.nan_to_num(np.asarray(dbz[-max(how.frames, 1) :], np.float64), nan=0.0)
        frames = frames if how.unit == "dBZ" else dbz_to_rain(frames).astype(np.float64)
        chosen = {**how.options, **options}
        if method == "steps":
            chosen = {"kmperpixel": kilometers, "timestep": minutes, **chosen}
        try:
            given = quietly(function, frames if how.frames else frames[-1], motion.astype(np.float64), leads, **chosen)
        except lacking as error:
            raise MissingExtraError(f"pysteps {method}: {error}. Install it, or choose another method") from error
        except FAILURES as error:
            log.warning("pysteps %s failed (%s: %s); advection stands in", method, type(error).__name__, error)
            return carried
        given = np.asarray(given, np.float32)
        given = given.mean(0) if given.ndim == 4 else given
        given = np.clip(given, 0, HIGHEST_DBZ) if how.unit == "dBZ" else rain_to_dbz(given)
        return np.where(np.isnan(carried) | np.isnan(given), carried, given).astype(np.float32)

    return forecast


def _steps(timesteps: int | Sequence[float]) -> list[float]:
    if isinstance(timesteps, (int, np.integer)):
        wanted = [float(step) for step in range(1, int(timesteps) + 1)]
    else:
        wanted = [float(step) for step in timesteps]
    if not wanted or wanted[0] <= 0 or sorted(set(wanted)) != wanted:
        raise SettingsError(
            f"timesteps: expected a number from 1, or rising numbers of time steps above 0, got {timesteps!r}"
        )
    return wanted


def _between(last: np.ndarray, made: np.ndarray, wanted: Sequence[float]) -> np.ndarray:
    """Interpolate between leads; lead 0 is the last frame."""
    fields = [last, *made]
    result = np.empty((len(wanted), *last.shape), np.float32)
    for index, step in enumerate(wanted):
        before = int(step)
        rest = step - before
        result[index] = fields[before] if not rest else (1 - rest) * fields[before] + rest * fields[before + 1]
    return result


def _kilometers(run: LoadedRun, given: float | None) -> float:
    trained = run.description.get("kilometers")
    if not isinstance(trained, (int, float)):
        return given or 1.0
    if given is not None and abs(given / trained - 1) > 0.1:
        log.warning("pixels of %.3g km, where the network was trained on %.3g km", given, trained)
    return float(trained) if given is None else given


@functools.lru_cache(maxsize=4)
def _loaded(run: str, device: str) -> LoadedRun:
    return load(run, device, "nowcasting")
