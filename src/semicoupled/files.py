"""Files that are either the old one or the new one, never half of it."""

from __future__ import annotations

import os
import secrets
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
