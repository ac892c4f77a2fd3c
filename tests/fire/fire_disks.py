"""Disks that are small, full, or may not be written to, by mounting them; tests skip where that cannot be done."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, size: int) -> Generator[Path]:
    """Give a disk of so many bytes, or skip where none can be made."""
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False, capture_output=True, text=True
    )
    if made.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def filled(disk: Path, left: int) -> Generator[None]:
    """Fill a disk until so many bytes are left."""
    room = os.statvfs(disk)
    ballast = disk / "ballast"
    free = room.f_bavail * room.f_frsize
    ballast.write_bytes(b"\0" * max(0, free - left))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def read_only(folder: Path) -> Generator[None]:
    """Let nobody write into a folder; skip where that cannot be had."""
    if os.getuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    for options in (["--bind", str(folder)], ["-o", "remount,bind,ro"]):  # rights do not bind root
        made = subprocess.run(["mount", *options, str(folder)], check=False, capture_output=True, text=True)
        if made.returncode != 0:
            pytest.skip(f"a folder cannot be made read-only here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
