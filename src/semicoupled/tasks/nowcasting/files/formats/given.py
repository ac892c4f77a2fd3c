"""What images and arrays without metadata are taken for: from their own keys, else from the settings, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semicoupled.errors import DataError, nearest
from semicoupled.tasks.nowcasting.data_settings import FileSettings, Quantity
from semicoupled.tasks.nowcasting.files.formats.times import needed_time, parse_time
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.grid import local_grid

KEYS = ("quantity", "gain", "offset", "missing", "minutes", "kilometers", "time")
_QUANTITIES = ("dBZ", "mm/h", "mm")


class _Facts(NamedTuple):
    quantity: Quantity
    gain: float
    offset: float
    missing: float | None
    minutes: float | None
    kilometers: float


def stack_frames(
    path: Path,
    stack: np.ndarray,
    said: Mapping[str, object],
    given: FileSettings,
    product: str,
    times: list[datetime] | None = None,
) -> tuple[RadarFrame, ...]:
    """Make fields of pixels and of what is known about them.

    Args:
        path: the file.
        stack: T H W, whole numbers (pixels, which need a gain) or real ones (values already, unless a gain is given).
        said: what the file says under the names of `KEYS`.
        given: what the settings say, where it does not.
        product: for messages.
        times: of each field; else the first one's is in `said` or in the name, and the minutes between them known.

    Raises:
        DataError: something is neither said nor given, with the name of the setting.
    """
    facts = _facts(path, said, given, whole=stack.dtype.kind in "iub")
    when = times or _times(path, said, facts, len(stack))
    interval = None
    if facts.quantity == "mm":
        interval = timedelta(minutes=_needed(path, facts.minutes, "minutes", "how long the rain was gathered"))
    grid = local_grid(stack.shape[1], stack.shape[2], facts.kilometers)
    return tuple(
        RadarFrame(_values(field, facts), facts.quantity, time, interval, grid, path, product)
        for time, field in sorted(zip(when, stack, strict=True), key=lambda pair: pair[0])
    )


def _facts(path: Path, said: Mapping[str, object], given: FileSettings, *, whole: bool) -> _Facts:
    quantity = said.get("quantity", given.quantity)
    if quantity is None:
        raise DataError(f"{path}: does not say what its pixels are; expected dBZ, mm/h or mm. Set data.files.quantity")
    if quantity not in _QUANTITIES:
        raise DataError(f"{path}: the quantity {quantity!r} is not known. {nearest(str(quantity), _QUANTITIES)}")
    gain = _number(path, said, "gain", given.gain)
    if whole:
        gain = _needed(path, gain, "gain", "what one step of its whole numbers is worth")
    return _Facts(
        quantity,
        1.0 if gain is None else gain,
        _number(path, said, "offset", given.offset) or 0.0,
        _number(path, said, "missing", given.missing),
        _number(path, said, "minutes", given.minutes),
        _needed(path, _number(path, said, "kilometers", given.kilometers), "kilometers", "how large a pixel is"),
    )


def _values(field: np.ndarray, facts: _Facts) -> np.ndarray:
    values = (facts.gain * field.astype(np.float64) + facts.offset).astype(np.float32)
    if facts.missing is not None:
        values[field == facts.missing] = np.nan
    return values


def _times(path: Path, said: Mapping[str, object], facts: _Facts, count: int) -> list[datetime]:
    words = said.get("time")
    first = parse_time(str(words)) if words is not None else needed_time(path)
    if first is None:
        raise DataError(f"{path}: its time is {words!r}; expected one such as 2021-02-05T20:05:00Z")
    if count == 1:
        return [first]
    step = timedelta(minutes=_needed(path, facts.minutes, "minutes", f"how far apart its {count} fields are"))
    return [first + index * step for index in range(count)]


def moments(path: Path, values: np.ndarray) -> list[datetime]:
    """Read N times: datetime64, text of ISO 8601, or seconds since 1970.

    Raises:
        DataError: they are something else.
    """
    if values.dtype.kind in "SU":
        words = [word.decode("ascii", "replace") if isinstance(word, bytes) else str(word) for word in values.tolist()]
        times = [parse_time(word) for word in words]
        if any(time is None for time in times):
            raise DataError(f"{path}: times such as {words[0]!r}; expected 2021-02-05T20:05:00Z")
        return [time for time in times if time is not None]
    if values.dtype.kind == "M":
        values = values.astype("datetime64[s]").astype(np.int64)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise DataError(f"{path}: times of {values.dtype}; expected datetime64, text, or seconds since 1970")
    return [datetime.fromtimestamp(float(value), UTC) for value in values]


def _number(path: Path, said: Mapping[str, object], name: str, otherwise: float | None) -> float | None:
    if name not in said:
        return otherwise
    try:
        value = float(str(said[name]))
    except ValueError as error:
        raise DataError(f"{path}: its {name} is {said[name]!r}; expected a number") from error
    if not np.isfinite(value):
        if name == "missing":
            return None  # NaN always is missing
        raise DataError(f"{path}: its {name} is {said[name]!r}; expected a finite number")
    if name in ("minutes", "kilometers") and value <= 0:
        raise DataError(f"{path}: its {name} is {said[name]!r}; expected more than 0")
    return value


def _needed(path: Path, value: float | None, name: str, what: str) -> float:
    if value is None:
        raise DataError(f"{path}: does not say {what}. Set data.files.{name}")
    return value
