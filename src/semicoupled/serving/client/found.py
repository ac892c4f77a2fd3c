"""What a job found out: a document and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semicoupled.errors import DataError


@dataclass(frozen=True)
class Found:
    """What a job found out.

    Args:
        document: as the server describes it.
        arrays: its arrays, by name without ``.npy``.
    """

    document: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    def field(self, name: str) -> np.ndarray:
        """Give a field of a forecast in its unit: dBZ, or 0 to 1 for ``exceedance`` and ``share``; NaN = missing.

        Raises:
            DataError: there is none of this name.
        """
        if name not in self.arrays:
            why = self.document.get("missing_layers", {}).get(name, f"there are {', '.join(sorted(self.arrays))}")
            raise DataError(f"the result has no field {name!r}: {why}")
        if "encoding" not in self.document:
            raise DataError(f"{name!r} is no field of a forecast; its numbers are arrays[{name!r}] as they are")
        encoding = self.document["encoding"]
        steps = encoding["share_steps" if name in ("exceedance", "share") else "dbz_steps"]
        values = self.arrays[name]
        return np.where(values == encoding["missing"], np.nan, values / np.float32(steps)).astype(np.float32)
