"""What is said of data in JSON: sizes, classes, units, normalization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Description = Mapping[str, Json]
"""What the data looked like (sizes, classes, units, normalization): saved in the run folder, given to ``build``."""
