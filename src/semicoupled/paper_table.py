"""The lines of a table of the paper: what is printed there, and the configurations that train it.

A line has a variant at two sizes: a small one for a CPU and minutes, and one of the paper's own size for a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from semicoupled.rows import Condition
from semicoupled.studies.trials import Variant

Size = Literal["small", "paper"]
SIZES: tuple[Size, ...] = ("small", "paper")


@dataclass(frozen=True)
class Line:
    """One line of a table of the paper.

    Attributes:
        name: what rows call it.
        label: what the paper calls it.
        figures: what is printed, by column of the paper; None for a dash.
        small: what trains it on a CPU in minutes; None if it is no network that this package has.
        full: what trains it at the paper's size; None likewise.
        condition: what its scores are limited to, ``{"road": "curve"}``.
        group: a heading that the line stands under.
        first: what has to be trained before it, because it begins with their weights.
    """

    name: str
    label: str
    figures: Mapping[str, float | None]
    small: Variant | None
    full: Variant | None
    condition: Mapping[str, Condition] = field(default_factory=dict)
    group: str = ""
    first: tuple[Variant, ...] = ()

    def variant(self, size: Size) -> Variant | None:
        """Give what trains it at a size."""
        return self.small if size == "small" else self.full


def figures(columns: Sequence[str], values: Sequence[float | None]) -> dict[str, float | None]:
    """Put the printed figures of a line under the paper's columns.

    Raises:
        ValueError: there are not as many figures as columns.
    """
    return dict(zip(columns, values, strict=True))
