"""Which codecs a zarr store may name: those that unpack numbers or text, and none that runs what it finds.

A store says itself how its chunks are decoded, and numcodecs has a codec that unpickles: such a store is a
program. Newer releases of numcodecs refuse it; we don't rely on that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from semicoupled.errors import DataError

KNOWN = (
    "adler32", "astype", "bitround", "blosc", "bytes", "bz2", "crc32", "crc32c", "delta", "endian",
    "fixedscaleoffset", "fletcher32", "gzip", "jenkins_lookup3", "lz4", "lzma", "packbits", "pcodec",
    "quantize", "sharding_indexed", "shuffle", "transpose", "vlen-bytes", "vlen-utf8", "zfpy", "zlib", "zstd",
)  # fmt: skip
"""Names of zarr 2 (`id`) and 3 (`name`), without the `numcodecs.` that some of version 3 begin with."""
_METADATA = (".zarray", ".zmetadata", "zarr.json")
_PLACES = ("compressor", "filters", "codecs", "index_codecs")
"""Where metadata name codecs."""


def check_codecs(store: Path) -> None:
    """Refuse a store that names another codec, before any of its chunks is decoded.

    Args:
        store: the folder.

    Raises:
        DataError: it names one that is not `KNOWN`, or its links go round.
        ValueError: its metadata are no JSON; whoever reads files says so of all kinds.
    """
    for file in _files(store):
        for name in _codecs(json.loads(file.read_bytes())):
            if name.removeprefix("numcodecs.") not in KNOWN:
                raise DataError(
                    f"{file}: names the codec {name!r}; expected one of {', '.join(KNOWN)}, which run nothing "
                    "of what they decode. Write the store anew with one of these"
                )


def _files(store: Path) -> Iterator[Path]:
    """Find all metadata as zarr does, which follows links, and without an end where they go round."""
    seen: set[str] = set()
    for folder, _, files in os.walk(store, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            raise DataError(f"{folder}: is a link to a folder of the same store; expected a store of folders alone")
        seen.add(real)
        yield from (Path(folder, name) for name in _METADATA if name in files)


def _codecs(node: object) -> Iterator[str]:
    """Name all codecs below a node of the metadata; a node's attributes are free text, and name none."""
    if isinstance(node, list):
        for each in cast("list[object]", node):
            yield from _codecs(each)
    if isinstance(node, dict):
        for key, value in cast("dict[str, object]", node).items():
            if key in _PLACES:
                yield from _named(value)
            if not _is_text(key, value):
                yield from _codecs(value)


def _is_text(key: str, value: object) -> bool:
    """Whether something is a node's attributes, and not a node that is called so where nodes are gathered by name."""
    of_node = isinstance(value, Mapping) and "zarr_format" in cast("Mapping[str, object]", value)
    return (key == "attributes" or key.endswith(".zattrs")) and not of_node


def _named(value: object) -> Iterator[str]:
    """Give the names in one codec or a list of them; version 3 also takes a name alone."""
    for each in cast("list[object]", value) if isinstance(value, list) else [value]:
        if isinstance(each, Mapping):
            codec = cast("Mapping[str, Any]", each)
            yield from (str(codec[key]) for key in ("id", "name") if key in codec)
        elif isinstance(each, str):
            yield each
