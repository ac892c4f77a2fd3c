"""Small radar files in the layouts of the public specifications, for the tests of the readers."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
import xarray as xr
from PIL import Image, PngImagePlugin
from pyproj import CRS, Transformer

TIME = datetime(2021, 2, 5, 20, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
LAEA = "+proj=laea +lat_0=55 +lon_0=10 +x_0=1950000 +y_0=-2100000 +ellps=WGS84 +units=m +no_defs"
OSGB = 27700
FMI_HEAD = """P5
# composite_area FIN
# obstime {time:%Y%m%d%H%M}
# productname LOWEST
# param {param}
# metersperpixel_x 999.674053
# metersperpixel_y 999.62859
# projection radar {{
# type stereographic
# centrallongitude 25
# centrallatitude 90
# truelatitude 60
# bottomleft 18.600000 57.930000
# topright 34.903000 69.005000
# }}
{columns} {rows}
255
"""


def write_odim(
    path: Path,
    pixels: np.ndarray,
    time: datetime = TIME,
    *,
    quantity: str = "DBZH",
    kind: str = "COMP",
    version: str = "H5rad 2.2",
    minutes: float = 5,
    pixel: float = 2000.0,
    where: dict[str, object] | None = None,
    what: dict[str, object] | None = None,
    root: dict[str, object] | None = None,
    more: list[tuple[datetime, np.ndarray]] | None = None,
) -> Path:
    """Write an ODIM_H5 composite as the specification lays it out; `where`, `what`, `root` replace attributes."""
    rows, columns = pixels.shape
    back = Transformer.from_crs(CRS.from_proj4(LAEA), CRS.from_proj4(LAEA).geodetic_crs, always_xy=True)
    west, north = 1_000_000.0, -1_500_000.0
    corners = {
        "UL": (west, north),
        "UR": (west + pixel * columns, north),
        "LL": (west, north - pixel * rows),
        "LR": (west + pixel * columns, north - pixel * rows),
    }
    place: dict[str, object] = {"projdef": np.bytes_(LAEA.encode()), "xsize": columns, "ysize": rows}
    place |= {"xscale": pixel, "yscale": pixel}
    for name, corner in corners.items():
        place[f"{name}_lon"], place[f"{name}_lat"] = back.transform(*corner)
    scale = {"DBZH": (0.5, -32.0), "TH": (0.5, -32.0), "RATE": (0.1, 0.0), "ACRR": (0.01, 0.0)}.get(
        quantity, (1.0, 0.0)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["Conventions"] = np.bytes_(f"ODIM_H5/V{version[-3:].replace('.', '_')}".encode())
        about = {
            "object": kind,
            "version": version,
            "date": f"{time:%Y%m%d}",
            "time": f"{time:%H%M%S}",
            "source": "ORG:247",
        }
        _attributes(file.require_group("what"), {**about, **(root or {})})
        _attributes(file.require_group("where"), {**place, **(where or {})})
        for number, (end, data) in enumerate([(time, pixels), *(more or [])], start=1):
            dataset = file.require_group(f"dataset{number}")
            start = end - timedelta(minutes=minutes)
            _attributes(
                dataset.require_group("what"),
                {
                    "product": "SURF",
                    "startdate": f"{start:%Y%m%d}",
                    "starttime": f"{start:%H%M%S}",
                    "enddate": f"{end:%Y%m%d}",
                    "endtime": f"{end:%H%M%S}",
                },
            )
            array = dataset.require_group("data1")
            _attributes(
                array.require_group("what"),
                {
                    "quantity": quantity,
                    "gain": scale[0],
                    "offset": scale[1],
                    "nodata": 255.0,
                    "undetect": 0.0,
                    **(what or {}),
                },
            )
            array.create_dataset("data", data=data.astype(np.uint8), compression="gzip")
            quality = dataset.require_group("data2")  # a quality index beside it is passed over
            _attributes(quality.require_group("what"), {"quantity": "QIND", "gain": 1.0, "offset": 0.0})
            quality.create_dataset("data", data=np.zeros((rows, columns), np.uint8))
    return path


def _attributes(group: h5py.Group, values: dict[str, object]) -> None:
    for name, value in values.items():
        if value is not None:
            group.attrs[name] = np.bytes_(value.encode()) if isinstance(value, str) else value


def write_fmi(
    path: Path, pixels: np.ndarray, time: datetime = TIME, *, packed: bool = True, param: str = "CorrectedReflectivity"
) -> Path:
    """Write a PGM as FMI does."""
    head = FMI_HEAD.format(time=time, param=param, rows=pixels.shape[0], columns=pixels.shape[1]).encode()
    content = head + pixels.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def write_meteoswiss(path: Path, pixels: np.ndarray, time: datetime = TIME, *, product: str = "AQC") -> Path:
    """Write a palette GIF as MeteoSwiss does: the comment holds product and time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels.astype(np.uint8), "P")
    image.putpalette([channel for level in range(256) for channel in (255, 255 - level, 255 - level)])
    comment = f"generated by Meteoswiss\nPRDT={product}{time:%y%j%H%M} SCALE=mmh2LASSEN8bitmm_mn ACCUm=000005"
    image.save(path, "GIF", comment=comment.encode(), optimize=False)
    return path


def dataset(
    values: np.ndarray,
    *,
    name: str = "rainfall_rate",
    units: str = "m s-1",
    axes: str = "projected",
    times: list[datetime] | None = None,
    **attributes: object,
) -> xr.Dataset:
    """Make a CF dataset of fields T H W, on a projection, on longitude and latitude, or with 2-D ones."""
    times = times or [TIME + index * STEP for index in range(len(values))]
    rows, columns = values.shape[1:]
    moments = np.array([time.replace(tzinfo=None) for time in times], "datetime64[ns]")
    about = {"units": units, "standard_name": attributes.pop("standard_name", "rainfall_rate"), **attributes}
    coordinates: dict[str, object] = {"time": ("time", moments, {"standard_name": "time"})}
    names = ("y", "x")
    data: dict[str, object] = {}
    x, y = 200_500.0 + 1000 * np.arange(columns), 700_500.0 - 1000 * np.arange(rows)
    if axes == "projected":
        coordinates["x"] = ("x", x, {"standard_name": "projection_x_coordinate", "units": "m"})
        coordinates["y"] = ("y", y, {"standard_name": "projection_y_coordinate", "units": "m"})
        about["grid_mapping"] = "crs"
        data["crs"] = ((), np.int32(0), CRS.from_epsg(OSGB).to_cf())
    elif axes == "lat lon":
        names = ("latitude", "longitude")
        coordinates["longitude"] = ("longitude", 5 + 0.015 * np.arange(columns), {"units": "degrees_east"})
        coordinates["latitude"] = ("latitude", 50 + 0.01 * np.arange(rows), {"units": "degrees_north"})
    elif axes in ("2d lat lon", "2d projected"):
        if axes == "2d projected":
            flat = CRS.from_proj4("+proj=laea +lat_0=52 +lon_0=5 +ellps=WGS84 +units=m")
            plane = np.meshgrid(1000.0 * np.arange(columns), -1000.0 * np.arange(rows))
            middle = [axis - axis.mean() for axis in plane]
            longitude, latitude = Transformer.from_crs(flat, 4326, always_xy=True).transform(*middle)
        else:
            longitude, latitude = np.meshgrid(5 + 0.015 * np.arange(columns), 50 + 0.01 * np.arange(rows))
        coordinates["lon"] = (names, longitude, {"standard_name": "longitude", "units": "degrees_east"})
        coordinates["lat"] = (names, latitude, {"standard_name": "latitude", "units": "degrees_north"})
    data[name] = (("time", *names), values.astype(np.float32), about)
    return xr.Dataset(data, coordinates, {"title": "a test", "Conventions": "CF-1.7"})  # type: ignore[arg-type]


def write_netcdf(path: Path, data: xr.Dataset) -> Path:
    """Write a dataset as NetCDF-4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data.to_netcdf(path, engine="h5netcdf")
    return path


def write_mlcast(path: Path, values: np.ndarray, *, version: int, name: str = "rr", units: str = "mm/h") -> Path:
    """Write a zarr store as the MLCast specification asks: dims time, y, x; NaN = missing; crs with crs_wkt."""
    data = dataset(values, name=name, units=units, standard_name="rainfall_flux")
    wkt = CRS.from_epsg(OSGB).to_wkt()
    data["crs"].attrs = {"crs_wkt": wkt, "spatial_ref": wkt}
    chunks = {name: {"chunks": (1, *values.shape[1:])}}
    data.to_zarr(path, mode="w", zarr_format=version, encoding=chunks, consolidated=version == 2)
    return path


def write_png(path: Path, pixels: np.ndarray, **said: object) -> Path:
    """Write a gray PNG of 8 or 16 bits with text chunks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    chunks = PngImagePlugin.PngInfo()
    for name, value in said.items():
        chunks.add_text(name, str(value))
    Image.fromarray(pixels).save(path, "PNG", pnginfo=chunks)
    return path


def write_gif(path: Path, stack: np.ndarray) -> Path:
    """Write a gray GIF of several images."""
    images = [Image.fromarray(image.astype(np.uint8), "L") for image in stack]
    images[0].save(path, "GIF", save_all=True, append_images=images[1:], optimize=False)
    return path


def write_classic_netcdf(path: Path, data: xr.Dataset) -> Path:
    """Write the NetCDF of before 2008 (CDF-2)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data.to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")
    return path
