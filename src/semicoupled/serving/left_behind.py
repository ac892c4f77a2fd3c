"""Folders of servers that were killed: they could not remove what strangers had sent, so the next server does.

A folder is held by a lock on a file in it, which the system lets go when the process ends, however it ends. Where there
are no such locks (Windows), nothing is removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_HELD = ".held"


class HeldFolder:
    """A temporary folder that only this user can read, and that goes with the process at the latest."""

    def __init__(self, prefix: str) -> None:
        """Remove what servers before left behind, and make a folder.

        Args:
            prefix: of the folder's name, which says whose it is.
        """
        remove_left_behind(prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        part = self.path / f"{_HELD}.part"
        self._file = part.open("w")
        _lock(self._file)
        part.rename(self.path / _HELD)  # it is locked before anybody can see it

    def close(self) -> None:
        """Remove the folder."""
        self._file.close()
        shutil.rmtree(self.path, ignore_errors=True)


def remove_left_behind(prefix: str) -> None:
    """Remove this user's folders of a prefix that no living process holds."""
    if fcntl is None:
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        held = folder / _HELD
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with held.open("r+") as file:
                if _lock(file):
                    shutil.rmtree(folder, ignore_errors=True)


def _lock(file: IO[str]) -> bool:
    """Lock a file, if nobody else has."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
