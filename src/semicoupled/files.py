"""Files that are either the old one or the new one, never half of it.

What is being made is called ``.NAME.PLACE-PROCESS-RANDOM.part`` until it is whole. The name says who makes it, so that
what a killed process left behind is found and removed by the next one that writes into the folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from semicoupled.owner import alive, place

_LEFT = re.compile(r"\.(.+)\.([0-9a-f]{4})-(\d+)-[0-9a-f]{8}\.(part|old)")
_swept: set[Path] = set()


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a temporary path beside `path`; what was written there takes its place when the block ends well.

    The file is flushed to the disk before it is renamed, so that a power cut leaves the old or the new one.
    If the block raises, the temporary file is removed and `path` stays as it was.

    Args:
        path: the file to make or to replace; its folder is made if need be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    temporary = aside(path)
    try:
        yield temporary
        descriptor = os.open(temporary, os.O_RDWR)  # Windows flushes only what is open for writing
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a binary file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing_folder(path: Path) -> Generator[Path]:
    """Give a temporary folder beside `path`; it takes its place, as a whole, when the block ends well.

    If the block raises, the temporary folder is removed and `path` stays as it was. What `path` held before is gone
    afterwards, so the caller looks into it first.

    Args:
        path: the folder to make or to replace.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    temporary, old = aside(path), aside(path, "old")
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            path.rename(old)
        try:
            temporary.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Remove a folder so that nobody sees half of it; what a kill leaves of it, the next `sweep` removes.

    Args:
        path: the folder.
    """
    gone = aside(path)
    shutil.rmtree(path.rename(gone), ignore_errors=True)


def aside(path: Path, kind: str = "part") -> Path:
    """Give a name beside `path` for what takes its place (``part``) or is replaced (``old``).

    Args:
        path: of the file or folder.
        kind: ``part`` or ``old``.
    """
    return path.with_name(f".{path.name}.{place()}-{os.getpid()}-{secrets.token_hex(4)}.{kind}")


def sweep(folder: Path) -> None:
    """Remove what processes left in a folder that were killed; looked for once in the life of a process.

    A folder that was killed between its two renames gets its old content back.

    Args:
        folder: that is about to be written into.
    """
    folder = folder.absolute()
    if folder in _swept:
        return
    _swept.add(folder)
    try:
        inside = list(folder.iterdir())
    except OSError:  # it can be written to, and not be listed
        return
    for path in inside:
        found = _LEFT.fullmatch(path.name)
        if found is None or found[2] != place() or alive(int(found[3])):
            continue
        original = path.with_name(found[1])
        with contextlib.suppress(OSError):  # somebody else was quicker, or we may not
            if found[4] == "old" and not original.exists():
                path.rename(original)
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
