"""What the machine ran short of, said as one error with what to do: disk, memory, rights, a process that was ended."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from semicoupled.errors import DataError, SemicoupledError, ShortageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL_WORDS = re.compile(r"No space left on device|File too large|Disk quota exceeded|StorageFull")
_MEMORY_WORDS = re.compile(r"can't allocate memory|out of memory|Cannot allocate memory|Insufficient memory", re.I)
_WORKER = re.compile(r"DataLoader worker \(pid")
_LOWER = (
    "training.batch (training.accumulate makes up for it), the length of what is learned from (data.frames, "
    "segments.length), or its size (data.height and data.width, data.crop or data.size); --workers 0 and "
    "--precision bf16 need less, too"
)
_AGAIN = (
    "What was whole before still is: a training goes on from its last checkpoint when the same command is given again"
)


def shortage(error: BaseException, lower: str | None = None) -> SemicoupledError | None:
    """Say what the machine ran short of.

    Args:
        error: what was raised, by Python or by a library.
        lower: what to lower where it was memory; None for what a training holds.

    Returns:
        The error to show instead, or None where it is something else.
    """
    for each in _chain(error):
        said = " ".join(str(each).split())
        number = each.errno if isinstance(each, OSError) else None
        file = each.filename if isinstance(each, OSError) and each.filename else None
        if number in _FULL or _FULL_WORDS.search(said):
            where = f"{file}: " if file else ""
            return ShortageError(
                f"{where}cannot be written, the disk is full ({_short(said)}). {_AGAIN}. Make room first"
            )
        if number in _FORBIDDEN and file:
            return DataError(
                f"{file}: {each.strerror if isinstance(each, OSError) else said}; expected a place that may "
                "be read and written by this user. Change its rights, or choose another with --run, --out or --json"
            )
        if isinstance(each, MemoryError) or number == errno.ENOMEM or _MEMORY_WORDS.search(said):
            return ShortageError(
                f"the memory of this machine, or of its GPU, is used up ({_short(said) or type(each).__name__}). "
                f"{_AGAIN}. Lower what is held at once: {lower or _LOWER}"
            )
        if _WORKER.search(said):
            return ShortageError(
                f"a process that loads data was ended from outside ({_short(said)}), as a system does that runs out of "
                f"memory. {_AGAIN}. Give fewer --workers, or 0, if it happens again"
            )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it came from."""
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and not any(found is each for each in seen):
        seen.append(found)
        yield found
        found = found.__cause__ or found.__context__


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:157]}..."
