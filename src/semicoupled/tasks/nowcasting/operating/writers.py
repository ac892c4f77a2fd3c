"""Where a forecast is written to: the format by the name's end, the time by ``{time}`` in it, one file or several.

forecast.nc               everything, as NetCDF
forecast_{time}.tif       reflectivity as GeoTIFF, a file for each reference time: forecast_20210205T2025Z.tif
forecast.gif  .mp4  .png  pictures
forecast.share.png        the share of time as a map; .share.tif as GeoTIFF
forecast.probability.tif  exceedance probabilities as GeoTIFF
folder/                   folder/nowcast_{time}.nc
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from semicoupled.data.video_container import load_av
from semicoupled.errors import DataError, RunError, SettingsError, nearest
from semicoupled.files import write_bytes
from semicoupled.tasks.nowcasting.operating.geotiff import load_rasterio, write_geotiff, write_probability, write_share
from semicoupled.tasks.nowcasting.operating.movie import thinned, write_animation, write_movie
from semicoupled.tasks.nowcasting.operating.output import Forecast, write_netcdf
from semicoupled.tasks.nowcasting.operating.pictures import forecast_panels
from semicoupled.tasks.nowcasting.operating.share_map import share_map

TIME = "{time}"
IN_A_FOLDER = f"nowcast_{TIME}.nc"
_DPI = 110


class Writer(NamedTuple):
    """One way to write a forecast.

    Attributes:
        write: writes it, whole or not at all.
        layer: what the forecast must have: ``share`` or ``exceedance``; empty for none.
        check: imports what is needed, which fails with a sentence where it is not there.
    """

    write: Callable[[Forecast, Path], None]
    layer: str = ""
    check: Callable[[], object] | None = None


class Target(NamedTuple):
    """A file to write.

    Attributes:
        pattern: its path, perhaps with ``{time}``.
        writer: how.
    """

    pattern: Path
    writer: Writer

    def path(self, reference: datetime) -> Path:
        """Give the path of the forecast from a reference time."""
        return self.pattern.with_name(self.pattern.name.replace(TIME, f"{reference:%Y%m%dT%H%MZ}"))


def _write_panels(forecast: Forecast, path: Path) -> None:
    write_bytes(path, _png(forecast_panels(thinned(forecast))))


def _write_share_map(forecast: Forecast, path: Path) -> None:
    write_bytes(path, _png(share_map(forecast)))


NETCDF = Writer(write_netcdf)
GIF = Writer(write_animation)
_TIFF = Writer(write_geotiff, check=load_rasterio)
_SHARE_TIFF = Writer(write_share, "share", load_rasterio)
_PROBABILITY_TIFF = Writer(write_probability, "exceedance", load_rasterio)
WRITERS = {
    **dict.fromkeys((".nc", ".nc4", ".netcdf"), NETCDF),
    **dict.fromkeys((".tif", ".tiff"), _TIFF),
    ".gif": GIF,
    ".mp4": Writer(write_movie, check=load_av),
    ".png": Writer(_write_panels),
    **dict.fromkeys((".share.tif", ".share.tiff"), _SHARE_TIFF),
    ".share.png": Writer(_write_share_map, "share"),
    **dict.fromkeys((".probability.tif", ".probability.tiff"), _PROBABILITY_TIFF),
}


def find_targets(outs: Sequence[Path], missing_layers: dict[str, str]) -> list[Target]:
    """Find out what to write, before anything is read.

    Args:
        outs: names as the module says.
        missing_layers: what this run's forecasts do not have, and why.

    Raises:
        DataError: a name that says no format, or no place to write to.
        RunError: a layer that the run does not have.
        SettingsError: the same name twice.
        MissingExtraError: a library that is not installed.
    """
    targets: list[Target] = []
    for given in outs:
        out = given / IN_A_FOLDER if given.is_dir() or not given.suffix else given
        ends = [end for end in WRITERS if out.name.lower().endswith(end)]
        if not ends:
            raise DataError(
                f"{out}: nothing is written in the format {out.suffix!r}; expected a name that ends in "
                f"{', '.join(WRITERS)}, or a folder. {nearest(out.suffix, WRITERS)}"
            )
        writer = WRITERS[max(ends, key=len)]
        if writer.layer in missing_layers:
            raise RunError(
                f"{out}: cannot be written: {missing_layers[writer.layer]}. Leave it out, or use another run"
            )
        if writer.check is not None:
            writer.check()
        if any(target.pattern == out for target in targets):
            raise SettingsError(f"--out: {out} is given twice; expected a name for each file")
        targets.append(Target(out, writer))
    return targets


def write_targets(forecast: Forecast, targets: Sequence[Target]) -> Iterator[Path]:
    """Write a forecast, and give each file as soon as it is whole.

    Raises:
        DataError: a file cannot be written; what was there stays.
    """
    for target in targets:
        path = target.path(forecast.reference)
        try:
            target.writer.write(forecast, path)
        except OSError as error:
            raise DataError(
                f"{path}: cannot be written ({error}); nothing was left there. "
                "Is there room on the disk? May this user write there? Else choose another --out"
            ) from error
        yield path


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()
