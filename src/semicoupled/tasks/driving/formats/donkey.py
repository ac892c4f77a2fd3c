"""DonkeyCar's tub, version 2: a folder with ``manifest.json``, catalogs of JSON lines, and a folder ``images``.

``manifest.json`` holds five lines of JSON: names of the fields, their types, metadata, about the file, and what
catalogs there are (``paths``) and which records were deleted (``deleted_indexes``). A record has ``user/angle``, -1..1
of full lock, positive to the right, ``_timestamp_ms`` and ``_session_id``: each session is a run. Facts of the format:
https://docs.donkeycar.com/guide/deep_learning/train_autopilot/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.images import ImageFiles

NAME: str = "DonkeyCar tub v2"
MANIFEST = "manifest.json"
IMAGES = "images"

_IMAGE, _ANGLE, _TIME, _SESSION, _INDEX = "cam/image_array", "user/angle", "_timestamp_ms", "_session_id", "_index"


def recognizes(path: Path) -> bool:
    """Whether a folder is a tub: it has a manifest, or catalogs that have lost theirs."""
    return path.is_dir() and ((path / MANIFEST).is_file() or any(path.glob("catalog_*.catalog")))


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read a tub; each of its sessions is a run.

    Args:
        path: the tub's folder.
        settings: not needed; a tub says everything itself.

    Raises:
        DataError: the manifest, a catalog or a part of a record is missing or damaged.
    """
    del settings
    manifest = _read_manifest(path)
    deleted = {int(index) for index in manifest.get("deleted_indexes", ())}
    sessions: dict[str, list[Mapping[str, Any]]] = {}
    for name in manifest["paths"]:
        for record in _read_catalog(path / name):
            if record[_INDEX] not in deleted:
                sessions.setdefault(str(record.get(_SESSION, "0")), []).append(record)
    return [_drive(path, name, records) for name, records in sessions.items()]


def _read_manifest(path: Path) -> Mapping[str, Any]:
    file = path / MANIFEST
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({error.strerror}); expected a tub's manifest beside its catalogs. Copy the whole "
            "tub, with its manifest"
        ) from error
    try:
        found = json.loads(lines[4])
        if isinstance(found["paths"], list):
            return cast("Mapping[str, Any]", found)
    except (ValueError, LookupError, TypeError):
        pass
    raise DataError(
        f"{file}: expected the five lines of a tub's manifest, the last with 'paths' of catalogs, got {len(lines)} "
        "lines that are no such thing. Copy the tub again"
    )


def _read_catalog(file: Path) -> list[Mapping[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({error.strerror}); the manifest names this catalog. Copy the whole tub"
        ) from error
    records: list[Mapping[str, Any]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DataError(f"{file}, line {number}: is not JSON ({error}); expected a record of a tub") from error
        missing = [name for name in (_IMAGE, _TIME, _INDEX) if name not in record]
        if missing:
            raise DataError(
                f"{file}, line {number}: has no {', '.join(missing)}; expected the record of a tub with a camera, got "
                f"{', '.join(sorted(record))}"
            )
        records.append(record)
    return records


def _drive(path: Path, session: str, records: Sequence[Mapping[str, Any]]) -> Drive:
    return Drive(
        name=session,
        run=session,
        source=path,
        frames=ImageFiles([path / IMAGES / record[_IMAGE] for record in records]),
        times=np.array([record[_TIME] for record in records], np.float64) / 1000,
        angles=np.array([_angle(record.get(_ANGLE)) for record in records], np.float64),
        unit="normalized",
    )


def _angle(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
