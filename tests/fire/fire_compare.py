"""Is every file whole, and do two folders hold the same, but for the clock?"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import xarray as xr
import yaml
from PIL import Image
from safetensors import safe_open

from semicoupled.training.checkpoint import read_checkpoint

_CHECKPOINT = re.compile(r"(checkpoint-\d+)-[0-9a-f]{16}\.pt")
_CLOCKS = ("seconds", "elapsed", "updated", "age_minutes")


def files_of(folder: Path) -> dict[str, Path]:
    """Give all files below a folder by name; checkpoints without their digest."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {_CHECKPOINT.sub(r"\1.pt", path.relative_to(folder).as_posix()): path for path in found}


def hidden(folder: Path) -> list[str]:
    """Give what is left that is no result: temporaries, parts."""
    return [path.name for path in folder.rglob("*") if path.name.startswith(".") or path.suffix in (".part", ".parts")]


def check_whole(folder: Path) -> None:
    """Read every file that has its name; temporaries may be half.

    Raises:
        Exception: one cannot be read: it is half.
    """
    for name, path in files_of(folder).items():
        if not any(part.startswith(".") for part in Path(name).parts):
            _ = content(path)


def check_same(one: Path, other: Path) -> None:
    """Compare two folders bit for bit, but for times of day and seconds that something took.

    Raises:
        AssertionError: they differ.
    """
    left, right = files_of(one), files_of(other)
    assert left.keys() == right.keys(), sorted(left.keys() ^ right.keys())
    for name in left:
        if Path(name).name == "environment.json" or path_suffix(name) == ".html":
            continue  # the machine, and a page that shows what is compared here anyway
        difference = _difference(content(left[name]), content(right[name]))
        assert difference is None, f"{name}: {difference}"


def path_suffix(name: str) -> str:
    """Give the suffix of a name."""
    return Path(name).suffix


def content(path: Path) -> Any:
    """Read a file to its end.

    Raises:
        Exception: it is not whole.
    """
    reader = _READERS.get(path.suffix)
    assert reader is not None, f"{path}: nobody knows how to read this"
    return reader(path)


def _json_lines(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]  # as `read_log`


def _tensors(path: Path) -> Any:
    with safe_open(path, "pt") as opened:
        return {"about": opened.metadata(), "tensors": {name: opened.get_tensor(name) for name in opened.keys()}}  # noqa: SIM118


def _netcdf(path: Path) -> Any:
    with xr.open_dataset(path) as held:
        return {str(name): torch.from_numpy(held[name].values.astype("f8")) for name in held.data_vars if name != "crs"}


def _image(path: Path) -> Any:
    with Image.open(path) as image:
        image.load()
        return image.tobytes()


def _video(path: Path) -> Any:
    import av

    with av.open(str(path)) as opened:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in opened.decode(video=0)]


def _html(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    assert text.rstrip().endswith("</html>")
    return text


def _table(path: Path) -> Any:
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert all(len(row) == len(rows[0]) for row in rows)
    return rows


_READERS: Mapping[str, Callable[[Path], Any]] = {
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".jsonl": _json_lines,
    ".part": _json_lines,
    ".yaml": lambda path: yaml.safe_load(path.read_text(encoding="utf-8")),
    ".safetensors": _tensors,
    ".pt": lambda path: read_checkpoint(path).content,
    ".nc": _netcdf,
    ".png": _image,
    ".gif": _image,
    ".mp4": _video,
    ".html": _html,
    ".csv": _table,
    ".lock": lambda path: path.read_bytes(),
}


def _difference(one: Any, other: Any) -> str | None:
    """Say where two contents differ."""
    if type(one) is not type(other):
        return f"{type(one).__name__} and {type(other).__name__}"
    if isinstance(one, torch.Tensor):
        return None if torch.equal(one.nan_to_num(-1), other.nan_to_num(-1)) else "other numbers"
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return f"{sorted(map(str, one))} and {sorted(map(str, other))}"
        pairs = [(name, one[name], other[name]) for name in one if name not in _CLOCKS]
    elif isinstance(one, (list, tuple)):
        if len(one) != len(other):
            return f"{len(one)} and {len(other)} parts"
        pairs = [(str(number), *pair) for number, pair in enumerate(zip(one, other, strict=True))]
    elif isinstance(one, bytes):
        wrong = [place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]]
        if len(one) == len(other) and not wrong:
            return None
        return f"{len(one)} and {len(other)} bytes, {len(wrong)} others, the first at {wrong[:1]}"
    elif isinstance(one, float) and math.isnan(one) and math.isnan(other):
        return None
    else:
        return None if one == other else f"{one!r:.80} and {other!r:.80}"
    for name, left, right in pairs:
        found = _difference(left, right)
        if found is not None:
            return f"{name}: {found}"
    return None
