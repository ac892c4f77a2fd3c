"""What libraries raise at damaged files, turned into one sentence that names the file."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from semicoupled.errors import DataError, SemicoupledError

DAMAGE = (
    OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, EOFError, MemoryError,
    AssertionError, SyntaxError, tokenize.TokenError, zlib.error, struct.error, zipfile.BadZipFile,
    UnidentifiedImageError, Image.DecompressionBombError,
)  # fmt: skip
"""What the libraries raise that read files; anything of it means "this file cannot be read". RuntimeError is also what
HDF5 and JSON that is nested too deep end with."""


@contextmanager
def piece_damage_told() -> Generator[None]:
    """Turn whatever comes of a damaged piece of a shared prediction into one sentence that says how to go on.

    Raises:
        DataError: anything of `DAMAGE` was raised within; our own errors pass as they are.
    """
    with _told(
        lambda error: (
            f"a piece of this prediction that was kept on the disk cannot be read ({type(error).__name__}: "
            f"{str(error)[:200]}); expected it as it was written. Remove the folder beside the output whose name ends "
            "in .parts, and give the command again"
        )
    ):
        yield


@contextmanager
def damage_told(path: Path, name: str) -> Generator[None]:
    """Turn whatever a library says of a damaged file into one sentence.

    Args:
        path: the file or folder.
        name: of its format.

    Raises:
        DataError: anything of `DAMAGE` was raised within; our own errors pass as they are.
    """
    with _told(
        lambda error: (
            f"{path}: expected a whole file of {name}, got one that cannot be read ({type(error).__name__}: {error}). "
            "It may be damaged: fetch it again, or leave it out"
        )
    ):
        yield


@contextmanager
def _told(say: Callable[[BaseException], str]) -> Generator[None]:
    """Turn `DAMAGE` into a `DataError` that says what `say` makes of it."""
    try:
        yield
    except SemicoupledError:
        raise
    except DAMAGE as error:
        raise DataError(say(error)) from error
