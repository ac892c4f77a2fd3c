"""Tar archives for tests: whole ones, with what a test wants in them."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path


def write_tar(path: Path, files: Mapping[str, bytes | str], form: int = tarfile.PAX_FORMAT, **about: object) -> Path:
    """Write an archive, its folder with it.

    Args:
        path: of the archive.
        files: content by name; texts are UTF-8.
        form: PAX, GNU or USTAR, as `tarfile` names them.
        **about: what else the head of each file says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in files.items():
            written = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(written)
            for key, value in about.items():
                setattr(info, key, value)
            archive.addfile(info, BytesIO(written))
    return path
