"""The way to pysteps: an extra, imported when it is asked for, with its banners kept from standard output."""

from __future__ import annotations

import importlib
import importlib.util
import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from semicoupled.errors import MissingExtraError

FAILURES = (ValueError, ArithmeticError, IndexError, RuntimeError, TypeError, np.linalg.LinAlgError)
"""What its methods raise on fields that they cannot use, such as those with too little rain."""


def has_pysteps() -> bool:
    """Whether pysteps is installed."""
    return importlib.util.find_spec("pysteps") is not None


def imported(name: str, instead: str = "") -> Any:
    """Import a module of pysteps.

    Args:
        name: such as ``pysteps.nowcasts.sprog``.
        instead: what else can be done where it is not installed.

    Raises:
        MissingExtraError: pysteps is not installed, or does not work.
    """
    try:
        return quietly(importlib.import_module, name)
    except ImportError as error:
        raise MissingExtraError(
            f'pysteps cannot be imported ({error}). Install it with pip install "semicoupled[pysteps]"{instead}'
        ) from error


def quietly(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call what prints banners and warns of empty means."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)
