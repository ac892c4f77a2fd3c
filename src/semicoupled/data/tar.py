"""What lies where in a tar archive: its headers alone are read, nothing is unpacked.

Formats (POSIX.1-2001 pax, ustar, and what GNU tar writes): a header of 512 bytes before each member, its content padded
to a multiple of 512, two blocks of zeros at the end. A name may stand in a member of its own before: a pax record, or
GNU's long name. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from semicoupled.errors import DataError

BLOCK = 512
_LONGEST = 1 << 20
"""Bytes of a name, or of the records before a member, at most."""
_PLAIN = (b"0", b"\0", b"7")
_FOLDER, _PAX, _PAX_FOR_ALL, _LONG_NAME, _LONG_LINK = b"5", b"x", b"g", b"L", b"K"
_PACKED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))


class TarMember(NamedTuple):
    """A plain file in an archive.

    Attributes:
        name: as it stands there; it is never taken for a path on the disk.
        offset: of its first byte in the archive.
        size: bytes.
    """

    name: str
    offset: int
    size: int


def tar_members(path: Path) -> Iterator[TarMember]:
    """List the plain files of an archive, in its order; folders are passed over.

    Args:
        path: a tar archive that is not compressed.

    Raises:
        DataError: it is missing, compressed, no archive, damaged or cut off, or holds links or devices. What was given
            before can be used.
    """
    try:
        with path.open("rb") as file:
            yield from _members(path, file, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a tar archive") from error


def _members(path: Path, file: BinaryIO, end: int) -> Iterator[TarMember]:
    if end == 0:
        raise DataError(f"{path}: is empty (0 bytes); expected a tar archive. Copy or write it again")
    place, named, sized = 0, None, None
    before = "its beginning"
    while place < end:
        _ = file.seek(place)
        head = file.read(BLOCK)
        if head == bytes(BLOCK):
            return
        size = _checked(path, head, place, before)
        kind = head[156:157]
        start = place + BLOCK
        name = named if named is not None else _name(head)
        if kind in (_PAX, _LONG_NAME):
            content = _short(path, file, size, start, end)
            if kind == _PAX:
                records = _records(path, content)
                named, sized = records.get("path", named), _whole(path, records.get("size"), sized)
            else:
                named = content.rstrip(b"\0").decode(errors="surrogateescape")
        elif kind not in (_PAX_FOR_ALL, _LONG_LINK):
            size = size if sized is None else sized
            if kind == _FOLDER:  # its size says how much it may hold, and nothing follows
                size = 0
            if start + size > end:
                raise DataError(
                    f"{path}: {name}: is cut off ({end - start} of {size} bytes are there); expected a whole archive. "
                    "Copy or write it again"
                )
            if kind in _PLAIN:
                yield TarMember(name, start, size)
            elif kind != _FOLDER:
                raise DataError(
                    f"{path}: {name}: is a link, a device or another special member (type {kind!r}); expected plain "
                    "files. Write the archive without them"
                )
            named, sized, before = None, None, name
        place = start + -(-size // BLOCK) * BLOCK


def _checked(path: Path, head: bytes, place: int, before: str) -> int:
    """See that a block is a header, by its sum, and give the size of what follows."""
    for magic, packing in _PACKED if place == 0 else ():
        if head.startswith(magic):
            raise DataError(
                f"{path}: is compressed ({packing}); expected a plain tar archive, of which any part can be read. "
                "Videos and images are compressed already: unpack it once"
            )
    stated = _number(head[148:156])
    plain = head[:148] + b" " * 8 + head[156:]
    if len(head) < BLOCK or stated is None or stated != sum(plain):
        where = "at its beginning" if place == 0 else f"behind {before}"
        what = "is no tar archive" if place == 0 else "is damaged"
        raise DataError(f"{path}: {what} (no header {where}); expected a whole archive. Copy or write it again")
    size = _number(head[124:136])
    if size is None or size < 0:
        raise DataError(f"{path}: {_name(head)}: says no size; the archive is damaged. Copy or write it again")
    return size


def _number(field: bytes) -> int | None:
    """Read a number: octal digits, or, where the first bit is set, binary (GNU)."""
    if field[:1] >= b"\x80":
        return int.from_bytes(field[1:], "big") if field[:1] == b"\x80" else None
    text = field.strip(b"\0 ")
    try:
        return int(text, 8) if text else 0
    except ValueError:
        return None


def _name(head: bytes) -> str:
    name, prefix = head[:100].split(b"\0")[0], head[345:500].split(b"\0")[0]
    if prefix and head[257:263] == b"ustar\0":  # GNU's own format has other things there
        name = prefix + b"/" + name
    return name.decode(errors="surrogateescape")


def _short(path: Path, file: BinaryIO, size: int, start: int, end: int) -> bytes:
    if size > _LONGEST or start + size > end:
        raise DataError(
            f"{path}: a name or record of {size} bytes; expected at most {min(_LONGEST, end - start)}. The archive is "
            "damaged: copy or write it again"
        )
    return file.read(size)


def _records(path: Path, content: bytes) -> dict[str, str]:
    """Read the records of a pax header: ``LENGTH KEY=VALUE`` and a newline each, LENGTH counting all of it."""
    records: dict[str, str] = {}
    while content:
        digits, _, _ = content[:20].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        key, equals, value = content[len(digits) + 1 : length].partition(b"=")
        if length > len(content) or not equals or not value.endswith(b"\n"):
            raise DataError(f"{path}: a record before a member is damaged. Copy or write the archive again")
        records[key.decode(errors="surrogateescape")] = value[:-1].decode(errors="surrogateescape")
        content = content[length:]
    return records


def _whole(path: Path, text: str | None, other: int | None) -> int | None:
    if text is None:
        return other
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise DataError(f"{path}: says the size {text[:20]!r} of a member; the archive is damaged. Copy it again")
    return int(text)
