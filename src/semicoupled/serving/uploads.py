"""Files that were dropped: kept in a folder of the server's own, each upload under a name that nobody can guess."""

from __future__ import annotations

import itertools
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Container
from dataclasses import dataclass, field
from pathlib import Path

from semicoupled.errors import DataError
from semicoupled.serving.left_behind import HeldFolder
from semicoupled.serving.settings import Limits

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_DOTS = re.compile(r"\.[.]+")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)
_LONGEST = 120
AGAIN = "again"
"""Stands, with a number, before the ending of a second file of one name."""


class FullError(DataError):
    """There is no room for another file."""


@dataclass
class Upload:
    """Files that belong together.

    Args:
        id: what the client knows it by.
        folder: where they lie.
        names: what the client called them, by the name that they lie under.
        bytes: of all files, those that are still coming included.
        used: when it was last used, seconds of a clock that only goes on.
    """

    id: str
    folder: Path
    names: dict[str, str] = field(default_factory=dict[str, str])
    bytes: int = 0
    used: float = field(default_factory=time.monotonic)


class Uploads:
    """All uploads. What has not been used for a while is removed, and everything when the server ends."""

    def __init__(self, limits: Limits) -> None:
        """Make a folder that only this user can read."""
        self._limits = limits
        self._held = HeldFolder("semicoupled_uploads_")
        self._folder = self._held.path
        self._uploads: dict[str, Upload] = {}

    @property
    def folder(self) -> Path:
        """The folder of all uploads."""
        return self._folder

    def folders(self) -> list[Path]:
        """Give the folders of the uploads, and theirs; for messages, which must not say them."""
        return [*(upload.folder for upload in list(self._uploads.values())), self._folder]

    def begin(self) -> Upload:
        """Begin an upload of one or more files.

        Raises:
            FullError: there are too many already, or the disk is full.
        """
        self.remove_old()
        if len(self._uploads) >= self._limits.uploads:
            raise FullError(f"{self._limits.uploads} uploads are open, the most there may be; try again later")
        name = secrets.token_urlsafe(16)
        folder = self._folder / secrets.token_hex(16)  # no letter of it comes from outside
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise FullError(f"the server cannot keep files ({error.strerror}); make room on its disk") from error
        upload = self._uploads[name] = Upload(name, folder)
        return upload

    async def add(self, upload_id: str, name: str, content: AsyncIterator[bytes]) -> str:
        """Take in a file.

        Args:
            upload_id: of the upload.
            name: what the client calls it.
            content: its bytes.

        Returns:
            The name that it lies under.

        Raises:
            DataError: no such upload, or too many files.
            FullError: no room, here or on the disk.
        """
        upload = self.find(upload_id)
        if len(upload.names) >= self._limits.files:
            raise DataError(f"an upload takes {self._limits.files} files; expected no more. Drop fewer at once")
        stored = _free(stored_name(name, len(upload.names)), upload.names)
        upload.names[stored] = name[:_LONGEST]
        target, size = upload.folder / stored, 0
        try:
            with target.open("xb") as file:
                async for part in content:
                    size += len(part)
                    upload.bytes += len(part)
                    if size > self._limits.upload_bytes:
                        raise DataError(
                            f"{name[:_LONGEST]!r} is larger than {self._limits.upload_bytes} bytes; give a folder "
                            "with --root instead"
                        )
                    if sum(each.bytes for each in self._uploads.values()) > self._limits.uploads_bytes:
                        raise FullError("there is no room for more uploads now; try again later")
                    file.write(part)
                    upload.used = time.monotonic()
        except BaseException as error:
            target.unlink(missing_ok=True)
            upload.names.pop(stored, None)
            upload.bytes -= size
            if isinstance(error, OSError):
                raise FullError(f"the server cannot keep the file ({error.strerror}); make room on its disk") from error
            raise
        return stored

    def find(self, upload_id: str) -> Upload:
        """Find an upload.

        Raises:
            DataError: there is none of this id, or none any more.
        """
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise DataError("there is no such upload any more; drop the files again")
        upload.used = time.monotonic()
        return upload

    def files(self, upload_id: str) -> tuple[Path, ...]:
        """Give the files of an upload.

        Raises:
            DataError: no such upload, or nothing in it.
        """
        upload = self.find(upload_id)
        if not upload.names:
            raise DataError("the upload holds no files; expected at least one. Drop the files again")
        return tuple(upload.folder / name for name in sorted(upload.names))

    def remove(self, upload_id: str) -> None:
        """Remove an upload and its files."""
        upload = self._uploads.pop(upload_id, None)
        if upload is not None:
            shutil.rmtree(upload.folder, ignore_errors=True)

    def remove_old(self) -> None:
        """Remove what has not been used for a while."""
        now = time.monotonic()
        for upload in list(self._uploads.values()):
            if now - upload.used > self._limits.upload_seconds:
                self.remove(upload.id)

    def close(self) -> None:
        """Remove everything."""
        self._uploads.clear()
        self._held.close()


def stored_name(name: str, number: int) -> str:
    """Give the name that a file lies under.

    Some formats say the time in the name alone, and many programs go by its ending, so that what is harmless in it
    stays: letters, digits, ``_``, ``-`` and single dots between them. Anything else becomes ``_``, and where nothing or
    a device's name is left, a number.

    Args:
        name: what the client calls it.
        number: of the file in its upload.
    """
    last = _DOTS.sub(".", _ODD.sub("_", re.split(r"[/\\]", name)[-1])).rstrip(".")
    stem, dot, ending = last.rpartition(".")
    plain = (stem if dot else ending).lstrip("._-")
    whole = f"{plain}.{ending}" if dot else plain
    if plain and _is_harmless(whole):
        return whole
    suffix = _SUFFIX.search(name)
    return f"file_{number:04d}{suffix[0] if suffix else ''}"


def _free(stored: str, taken: Container[str]) -> str:
    """Give a name that no file has; one that failed may have left a gap in the numbers."""
    stem, dot, suffix = stored.rpartition(".")
    numbers = itertools.count(1)
    while stored in taken:
        stored = f"{stem}.{AGAIN}{next(numbers)}.{suffix}" if dot else f"{suffix}.{AGAIN}{next(numbers)}"
    return stored


def _is_harmless(name: str) -> bool:
    return len(name) <= _LONGEST and _PLAIN.fullmatch(name) is not None and not _RESERVED.fullmatch(name)
