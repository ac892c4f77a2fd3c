"""A pytest plugin that checks the shape annotations of every call: `python -m pytest -p checked_shapes tests/nn/...`.

Tests that pass wrong shapes on purpose expect the package's own errors and run without it.
"""

from __future__ import annotations

from jaxtyping import install_import_hook

install_import_hook(["semicoupled.nn", "semicoupled.networks", "semicoupled.training.ltsc"], "beartype.beartype")
