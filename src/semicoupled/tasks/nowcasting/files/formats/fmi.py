"""FMI's open radar composites: gzipped PGM with the projection and the time in its comments.

Pixels of param CorrectedReflectivity are dBZ = 0.5 PV - 32, 255 is outside the radars' reach (FMI open data, 2016).
"""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyproj

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.formats.limits import check_size, sizes
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.grid import Grid

NAME: str = "FMI PGM"
_GZIP = b"\x1f\x8b"


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is one of these, by its content.

    Args:
        path: the file; not opened.
        head: its first bytes.
    """
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, 2048)
        except zlib.error:
            return False
    return head.startswith(b"P5") and b"# param " in head and b"# obstime " in head


def read(path: Path, given: FileSettings) -> tuple[RadarFrame, ...]:
    """Read one composite.

    Args:
        path: the file.
        given: not needed, the file says everything.

    Raises:
        DataError: the file is truncated, or its comments are not understood.
    """
    del given
    content = path.read_bytes()
    if content.startswith(_GZIP):
        try:
            content = _unpack(path)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(
                f"{path}: expected a whole gzip file, got one that breaks off ({error}). Fetch it again"
            ) from error
    notes, (columns, rows), pixels = _parse(path, content)
    if notes.get("param") != "CorrectedReflectivity":
        raise DataError(
            f"{path}: param is {notes.get('param')!r}; expected CorrectedReflectivity. Use a reflectivity product"
        )
    values = np.where(pixels == 255, np.nan, 0.5 * pixels.astype(np.float32) - 32).astype(np.float32)
    try:
        valid = datetime.strptime(notes["obstime"], "%Y%m%d%H%M").replace(tzinfo=UTC)
        grid = _grid(notes, columns, rows)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{path}: a comment that is needed is missing or not understood: {error!r}. Fetch it again"
        ) from error
    return (RadarFrame(values, "dBZ", valid, None, grid, path, f"FMI {notes.get('productname', '')}".strip()),)


def _unpack(path: Path) -> bytes:
    most = sizes().bytes
    with gzip.open(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise DataError(f"{path}: unpacks to more than {most} bytes; expected one field. It is no radar file")
    return content


def _parse(path: Path, content: bytes) -> tuple[dict[str, str], tuple[int, int], np.ndarray]:
    notes: dict[str, str] = {}
    numbers: list[int] = []
    position = content.find(b"\n") + 1
    while len(numbers) < 3 and position < len(content):
        end = content.find(b"\n", position)
        line = content[position : end if end >= 0 else len(content)].decode("ascii", "replace").strip()
        position = end + 1 if end >= 0 else len(content)
        if line.startswith("#"):
            name, _, value = line.lstrip("# ").partition(" ")
            notes[name] = value.strip()
        else:
            numbers += [int(word) for word in line.split() if word.isdigit()]
    if len(numbers) != 3 or numbers[2] != 255 or len(content) - position < numbers[0] * numbers[1]:
        raise DataError(
            f"{path}: expected a PGM of 8 bits with width, height and all pixels, got size {numbers} and "
            f"{len(content) - position} bytes of pixels. Fetch it again"
        )
    columns, rows = numbers[:2]
    check_size(path, (rows, columns))
    pixels = np.frombuffer(content, np.uint8, columns * rows, position).reshape(rows, columns)
    return notes, (columns, rows), pixels


def _grid(notes: dict[str, str], columns: int, rows: int) -> Grid:
    if notes["type"] != "stereographic":
        raise ValueError(f"projection {notes['type']!r}, expected stereographic")
    crs = pyproj.CRS.from_proj4(
        f"+proj=stere +lat_0={notes['centrallatitude']} +lon_0={notes['centrallongitude']} "
        f"+lat_ts={notes['truelatitude']} +a=6371288 +b=6371288 +units=m +no_defs"
    )
    project = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    longitude, latitude = map(float, notes["bottomleft"].split())
    west, south = project.transform(longitude, latitude)
    x_step, y_step = float(notes["metersperpixel_x"]), float(notes["metersperpixel_y"])
    north = south + rows * y_step
    return Grid(west + x_step / 2, x_step, columns, north - y_step / 2, -y_step, rows, crs.to_wkt())
