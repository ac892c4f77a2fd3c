"""What strangers, disks and networks do to a file: bytes change, ends are missing, numbers grow, JSON is another."""

from __future__ import annotations

import json
import random as _random
from collections.abc import Callable, Mapping
from typing import Any

Random = _random.Random

_NUMBERS = (b"-1", b"0", b"1e308", b"-1e999", b"NaN", b"9" * 5000, b"99999999999999999999", b"0.0000001", b"2147483648")
_WORDS = (b"null", b"true", b"{}", b"[]", b'""', b"'", b'"', b"\x00", b"\xff\xfe", b"../../../etc/passwd", b"\n", b"\r")
_WORDS_OF_TEXT = (b",", b"\t", b"# ", b": ", b"&a [*a]", b"!!python/object:os.system", b"[" * 3000, b"{" * 3000)
_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63, 10**400, -(10**18), 1e308, 1e-308, float("nan"), float("inf"), "", "x", "0",
    "\x00", "../../../../etc/passwd", "/dev/zero", "a" * 70000, [], {}, [[]], [None], [1e308] * 4, {"": None}, [[[[]]]],
)  # fmt: skip


def change_bytes(content: bytes, random: Random) -> bytes:
    """Change a file's bytes in one to four ways."""
    for _ in range(random.choice((1, 1, 2, 4))):
        content = random.choice(_WAYS)(content, random)
    return content


def change_json(content: bytes, random: Random) -> bytes:
    """Put something else in place of some values of a JSON document; lines of JSON one by one."""
    lines = content.splitlines(keepends=True)
    try:
        document = json.loads(content)
        return json.dumps(change_value(document, random)).encode()
    except ValueError:
        pass
    if not lines:
        return content
    number = random.randrange(len(lines))
    try:
        lines[number] = json.dumps(change_value(json.loads(lines[number]), random)).encode() + b"\n"
    except ValueError:
        return change_bytes(content, random)
    return b"".join(lines)


def change_value(value: Any, random: Random) -> Any:
    """Put something else in place of one to three parts of nested dicts and lists."""
    for _ in range(random.choice((1, 1, 1, 3))):
        value = _one(value, random)
    return value


def _one(value: Any, random: Random) -> Any:
    if isinstance(value, (dict, list)) and value and random.random() < 0.9:
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        chosen = random.choice(keys)
        copy: Any = value.copy()
        if random.random() < 0.1:
            del copy[chosen]
        elif isinstance(copy, list) and random.random() < 0.1:
            copy.append(copy[chosen])
        else:
            copy[chosen] = _one(copy[chosen], random)
        return copy
    return random.choice(_VALUES)


def _flip(content: bytes, random: Random) -> bytes:
    made = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 20)) if made else 0):
        made[random.randrange(len(made))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    return bytes(made)


def _flip_head(content: bytes, random: Random) -> bytes:
    return _flip(content[:256], random) + content[256:]


def _grow(content: bytes, random: Random) -> bytes:
    """Make some binary number huge, 0 or negative."""
    width = random.choice((2, 4, 8))
    if len(content) <= width:
        return content
    place = random.randrange(len(content) - width)
    new = random.choice(
        (b"\xff" * width, b"\x00" * width, b"\x7f" + b"\xff" * (width - 1), b"\xff" * (width - 1) + b"\x7f")
    )
    return content[:place] + new + content[place + width :]


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _remove(content: bytes, random: Random) -> bytes:
    begin = random.randrange(len(content) + 1)
    return content[:begin] + content[begin + random.choice((1, 4, 100)) :]


def _double(content: bytes, random: Random) -> bytes:
    begin = random.randrange(len(content) + 1)
    piece = content[begin : begin + random.choice((1, 8, 500))]
    return content[:begin] + piece * random.choice((2, 50)) + content[begin:]


def _word(content: bytes, random: Random) -> bytes:
    place = random.randrange(len(content) + 1)
    return content[:place] + random.choice((*_NUMBERS, *_WORDS, *_WORDS_OF_TEXT)) + content[place:]


def _number(content: bytes, random: Random) -> bytes:
    """Put another number in place of one that is written in digits."""
    digits = [place for place, byte in enumerate(content[:200_000]) if 48 <= byte <= 57]
    if not digits:
        return _word(content, random)
    begin = random.choice(digits)
    end = begin
    while end < len(content) and content[end] in b"0123456789.":
        end += 1
    return content[:begin] + random.choice(_NUMBERS) + content[end:]


def _lines(content: bytes, random: Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        return _cut(content, random)
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    if random.random() < 0.5:
        del lines[one]
    return b"".join(lines)


def _nothing(content: bytes, random: Random) -> bytes:
    return random.choice((b"", b"\n", b"\x00" * 100, content[::-1]))


_WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip, _flip, _flip_head, _flip_head, _grow, _grow, _cut, _remove, _double, _word, _number, _lines, _nothing,
)  # fmt: skip

BY_SUFFIX: Mapping[str, Callable[[bytes, Random], bytes]] = dict.fromkeys(
    (".json", ".jsonl", ".catalog", ".catalog_manifest", ".zattrs", ".zarray"), change_json
)
"""What is changed as JSON, every other time."""


def change_file(name: str, content: bytes, random: Random) -> bytes:
    """Change a file, by what its name says it is."""
    structured = BY_SUFFIX.get(name[name.rfind(".") :])
    if structured is not None and random.random() < 0.6:
        return structured(content, random)
    return change_bytes(content, random)
