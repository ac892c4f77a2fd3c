"""A session's state on disk: one safetensors file whose header holds what is not a tensor, as JSON.

It is written whole or not at all, and taken up bit for bit, so that a forecast after a restart is the one that would
have been made without it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from semicoupled import __version__
from semicoupled.description import Json
from semicoupled.errors import RunError
from semicoupled.files import write_bytes
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.operating.session import NowcastState

FORMAT = 1


class Stored(NamedTuple):
    """What a file holds.

    Attributes:
        state: the frames, or None if none had come.
        notes: what the writer put beside them.
    """

    state: NowcastState | None
    notes: Mapping[str, Any]


def save_state(
    path: Path, state: NowcastState | None, fingerprint: str, notes: Mapping[str, Json] | None = None
) -> None:
    """Write a state.

    Args:
        path: the file.
        state: the frames; None before the first has come.
        fingerprint: of the session, see `NowcastSession.fingerprint`.
        notes: what else is to be remembered.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; what was there stays.
    """
    about: dict[str, Json] = {"version": __version__, "fingerprint": fingerprint, "notes": notes or {}, "state": None}
    tensors: dict[str, np.ndarray] = {}
    if state is not None:
        about["state"] = {
            "times": [time.isoformat() for time in state.times],
            "sources": [str(source) for source in state.sources],
            "grid": dataclasses.asdict(state.grid),
            "step_seconds": state.step.total_seconds(),
            "product": state.product,
        }
        tensors = {f"frame_{index}": np.ascontiguousarray(dbz) for index, dbz in enumerate(state.dbz)}
    write_bytes(path, save(tensors, {"format": str(FORMAT), "about": json.dumps(about)}))


def load_state(path: Path, fingerprint: str) -> Stored:
    """Read a state.

    Args:
        path: the file.
        fingerprint: of the session that goes on with it.

    Raises:
        RunError: no such file, it is broken, of another format, or of another run.
    """
    again = "Remove it to begin anew, or name another with --state"
    try:
        with cast(Any, safe_open(path, "np")) as opened:
            header = dict(opened.metadata() or {})
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        if header.get("format") != str(FORMAT):
            raise RunError(f"{path}: is a state of format {header.get('format')!r}; expected {FORMAT}. {again}")
        about = json.loads(header["about"])
        if about["fingerprint"] != fingerprint:
            raise RunError(f"{path}: is the state of another run (or of other weights); expected this one's. {again}")
        kept = about["state"]
        state = None
        if kept is not None:
            state = NowcastState(
                times=tuple(datetime.fromisoformat(time) for time in kept["times"]),
                dbz=tuple(tensors[f"frame_{index}"] for index in range(len(kept["times"]))),
                sources=tuple(Path(source) for source in kept["sources"]),
                grid=Grid(**kept["grid"]),
                step=timedelta(seconds=kept["step_seconds"]),
                product=str(kept["product"]),
            )
        return Stored(state, about["notes"])
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise RunError(f"{path}: is broken ({error!r}); expected the state of a watch. {again}") from error
