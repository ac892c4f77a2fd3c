"""DonkeyCar's tub, version 2: a folder with ``manifest.json``, catalogs of JSON lines, and a folder ``images``.

``manifest.json`` holds five lines of JSON: names of the fields, their types, metadata, about the file, and what
catalogs there are (``paths``) and which records were deleted (``deleted_indexes``). A record has ``user/angle``, -1..1
of full lock, positive to the right, ``_timestamp_ms`` and ``_session_id``: each session is a run. Facts of the format:
https://docs.donkeycar.com/guide/deep_learning/train_autopilot/
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from semicoupled.data.untrusted import check_place
from semicoupled.errors import DataError
from semicoupled.skipping import Skipped
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.images import ImageFiles

NAME: str = "DonkeyCar tub v2"
MANIFEST = "manifest.json"
IMAGES = "images"

_IMAGE, _ANGLE, _TIME, _SESSION, _INDEX = "cam/image_array", "user/angle", "_timestamp_ms", "_session_id", "_index"
_MODE, _BY_HAND = "user/mode", "user"
_LOG = logging.getLogger(__name__)
_NEEDED: dict[str, Any] = {_IMAGE: str, _TIME: int | float, _INDEX: int}


def recognizes(path: Path) -> bool:
    """Whether a folder is a tub: it has a manifest, or catalogs that have lost theirs."""
    return path.is_dir() and ((path / MANIFEST).is_file() or any(path.glob("catalog_*.catalog")))


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read a tub; each of its sessions is a run.

    Args:
        path: the tub's folder.
        settings: what becomes of broken records, such as the last one of a car that was switched off.

    Raises:
        DataError: the manifest, a catalog or a part of a record is missing or damaged, or nothing is left.
    """
    manifest = _read_manifest(path)
    deleted = set(manifest.get("deleted_indexes", ()))
    skipped = Skipped(settings.on_error, str(path), "records")
    records = [record for name in manifest["paths"] for record in _read_catalog(path / name, skipped)]
    skipped.close(len(records) + skipped.count)
    sessions: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        if record[_INDEX] not in deleted:
            sessions.setdefault(str(record.get(_SESSION, "0")), []).append(record)
    if not sessions:
        raise DataError(
            f"{path}: has {len(records)} records, of which {len(deleted)} are deleted; expected some to read. Restore "
            "some, or use another tub"
        )
    _log_oddities(path, manifest["paths"], [record for own in sessions.values() for record in own])
    return [_drive(path, name, records) for name, records in sessions.items()]


def _log_oddities(path: Path, named: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    for file in sorted(path.glob("*.catalog")):
        if file.name not in named:
            _LOG.warning("%s: is not named by the manifest, and not read", file)
    # what the hand did meanwhile is not how the car was steered
    piloted = sum(record.get(_MODE, _BY_HAND) != _BY_HAND for record in records)
    if piloted:
        _LOG.warning(
            "%s: %d of %d records were driven by the car's own pilot; their user/angle is no label. Delete them there",
            path,
            piloted,
            len(records),
        )


def _read_manifest(path: Path) -> Mapping[str, Any]:
    file = path / MANIFEST
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({error.strerror}); expected a tub's manifest beside its catalogs. Copy the whole "
            "tub, with its manifest"
        ) from error
    try:
        found = json.loads(lines[4])
        whole = all(isinstance(found.get(name, []), list) for name in ("paths", "deleted_indexes"))
        if whole and all(isinstance(name, str) for name in found["paths"]):
            return cast("Mapping[str, Any]", found)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    raise DataError(
        f"{file}: expected the five lines of a tub's manifest, the last with 'paths' of catalogs, got {len(lines)} "
        "lines that are no such thing. Copy the tub again"
    )


def _read_catalog(file: Path, skipped: Skipped) -> list[Mapping[str, Any]]:
    check_place(file)
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read ({error.strerror}); the manifest names this catalog. Copy the whole tub"
        ) from error
    records: list[Mapping[str, Any]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append(_read_record(f"{file}, line {number}", line))
        except DataError as error:
            skipped.add(error)
    return records


def _read_record(where: str, line: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where}: is not JSON ({error}); expected a record of a tub. Take the line out, or leave it out with "
            "--data.on_error skip"
        ) from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: expected a record of a tub, got {line[:40]!r}")
    wrong = [name for name, kind in _NEEDED.items() if not isinstance(record.get(name), kind)]
    if wrong:
        raise DataError(
            f"{where}: has no {', '.join(wrong)} as a tub with a camera has them; it has: {', '.join(sorted(record))}"
        )
    return cast("Mapping[str, Any]", record)


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
