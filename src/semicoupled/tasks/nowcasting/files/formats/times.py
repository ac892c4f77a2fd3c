"""Times that stand in the names of files, for formats that hold none."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from semicoupled.errors import DataError

_DATE = r"(?P<year>(?:19|20)\d\d)(?P<mark>[-_.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d\d)(?P<colon>[-_.:h]?)(?P<minute>\d\d)(?:(?P=colon)(?P<second>\d\d))?"
_WHOLE = re.compile(rf"(?<!\d){_DATE}[-_.T ]?{_CLOCK}(?!\d)")
_DAY = re.compile(rf"(?<!\d){_DATE}(?!\d)")
_HOUR = re.compile(rf"(?<!\d){_CLOCK}(?!\d)")


def time_of(path: Path) -> datetime | None:
    """Read a time, UTC, from a file's name, or its date from the folder's and its hour from the file's.

    Args:
        path: ``.../any_202102052005.png``, ``.../2021-02-05T20:05:00Z.npy``, ``.../20210205/2005.png``, ...

    Returns:
        The last time in the name (of two, the second is the end of what was gathered), None if there is none.
    """
    found = [time for match in _WHOLE.finditer(path.name) if (time := _time(match.groupdict()))]
    if found:
        return found[-1]
    days = list(_DAY.finditer(path.parent.name))
    hours = list(_HOUR.finditer(path.name))
    if len(days) == 1 and len(hours) == 1:
        return _time({**hours[0].groupdict(), **days[0].groupdict()})
    return None


def needed_time(path: Path) -> datetime:
    """Read a time from a file's name.

    Raises:
        DataError: there is none.
    """
    found = time_of(path)
    if found is None:
        raise DataError(
            f"{path}: says no time, nor does its name; expected a name such as rain_202102052005.png (UTC). "
            "Rename the files by their times"
        )
    return found


def parse_time(text: str) -> datetime | None:
    """Read a time as ISO 8601, or run together as in file names; UTC unless it says another zone."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        match = _WHOLE.search(text)
        return _time(match.groupdict()) if match else None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def pattern_of(path: Path) -> str:
    """Give a file's name with every digit run as ``#``: what names of one product have in common."""
    return re.sub(r"\d+", "#", path.name)


def _time(parts: dict[str, str | None]) -> datetime | None:
    numbers = [int(parts[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
    try:
        return datetime(*numbers, tzinfo=UTC)  # pyright: ignore[reportArgumentType]
    except ValueError:
        return None
