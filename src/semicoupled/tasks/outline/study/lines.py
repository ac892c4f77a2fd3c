"""The lines of Table 4: what the paper prints, and what trains each of them, small and at the paper's size.

Both sizes differ in the preset that all begin with (`small`; `paper` and `cityscapes`), and in the batch and the
learning rate that Table 8 gives the rivals.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from semicoupled.paper_table import Line, figures
from semicoupled.studies import Variant
from semicoupled.tasks.outline.study.paper import PAPER_POLYGON_RNN, PAPER_TABLE_4, TABLE_4_COLUMNS
from semicoupled.tasks.outline.study.studies import VARIANTS

QUOTED, COMPARED = "Quoted from others", "Decoders of equal inputs"
_TABLE_8_LSTM = ("--training.batch=8", "--training.accumulate=2", "--training.learning_rate=1e-4")
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
                small = full = by_name[name]
                if kind in ("convlstm", "convgru"):
                    full = dataclasses.replace(full, options=(*full.options, *_TABLE_8_LSTM))
                lines.append(Line(name, said, printed, small, full, group=COMPARED))
    return tuple(lines)


TABLE_4 = table_4()
