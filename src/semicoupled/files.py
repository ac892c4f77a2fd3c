"""Files that are either the old one or the new one, never half of it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a temporary path beside `path`; what was written there takes its place when the block ends well.

    The file is flushed to the disk before it is renamed, so that a power cut leaves the old or the new one.
    If the block raises, the temporary file is removed and `path` stays as it was.

    Args:
        path: the file to make or to replace; its folder is made if need be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
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
    token = secrets.token_hex(4)
    temporary, old = (path.with_name(f".{path.name}.{token}.{kind}") for kind in ("part", "old"))
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
