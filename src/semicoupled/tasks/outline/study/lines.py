"""The lines of Table 4: what the paper prints, and what trains each of them, small and at the paper's size.

Both sizes differ in the preset that all begin with (`small`; `paper` and `cityscapes`) and not in the line.
"""

from __future__ import annotations

from pathlib import Path

from semicoupled.paper_table import Line, figures
from semicoupled.studies import Variant
from semicoupled.tasks.outline.study.paper import PAPER_POLYGON_RNN, PAPER_TABLE_4, TABLE_4_COLUMNS
from semicoupled.tasks.outline.study.studies import VARIANTS

QUOTED, COMPARED = "Quoted from others", "Decoders of equal inputs"
_KINDS = {"convlstm": "Polyg-LSTM", "convgru": "Polyg-GRU", "cbm": "Polyg-CBM", "semicoupled": "Polyg-SCS"}


def quoted_variant(preset: str, label: str) -> Variant | None:
    """Give what trains a line of the upper half; None where this package has no preset for it.

    Args:
        preset: its name, which is the variant's, too.
        label: what the paper calls it.
    """
    known = {variant.name: variant for variant in VARIANTS}
    if preset in known:
        return known[preset]
    if (Path(__file__).parents[1] / "presets" / f"{preset}.yaml").exists():
        return Variant(preset, label, presets=(preset,))
    return None


def table_4() -> tuple[Line, ...]:
    """Give the lines in the paper's order."""
    lines: list[Line] = []
    for preset, (label, iou) in PAPER_POLYGON_RNN.items():
        variant = quoted_variant(preset, label)
        lines.append(Line(preset, label, figures(TABLE_4_COLUMNS, [iou]), variant, variant, group=QUOTED))
    by_name = {variant.name: variant for variant in VARIANTS}
    for kind, label in _KINDS.items():
        for name, iou in PAPER_TABLE_4.items():
            if name.startswith(f"{kind}_"):
                layers = name.rpartition("_")[2]
                said = f"{label}, {layers} layers"
                printed = figures(TABLE_4_COLUMNS, [iou])
                lines.append(Line(name, said, printed, by_name[name], by_name[name], group=COMPARED))
    return tuple(lines)


TABLE_4 = table_4()
