"""The lines of Table 4: what the paper prints, and what trains each of them, small and at the paper's size.

Both sizes differ in the preset that all begin with (`small`; `paper` and `cityscapes`), and in the batch and the
learning rate that Table 8 gives the rivals.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from semicoupled.paper_table import Line, figures
from semicoupled.studies.trials import Variant
from semicoupled.tasks.outline.study.paper import PAPER_FAMILY, PAPER_TABLE_4, TABLE_4_COLUMNS
from semicoupled.tasks.outline.study.variants import VARIANTS

QUOTED, COMPARED = "Quoted from others", "Decoders of equal inputs"
_TABLE_8_LSTM = ("--training.batch=8", "--training.accumulate=2", "--training.learning_rate=1e-4")
_KINDS = {"convlstm": "Polyg-LSTM", "convgru": "Polyg-GRU", "cbm": "Polyg-CBM", "semicoupled": "Polyg-SCS"}


_LABELS = {
    "polyrnn_lstm": "Original Polygon-RNN",
    "polyrnn_residual": "Residual Polygon-RNN",
    "polyrnn_reinforce": "Residual Polygon-RNN + attention + RL",
    "polyrnn_evaluator": "Residual Polygon-RNN + attention + RL + EN",
    "polyrnn_pp": "Polygon-RNN++",
}


def sources_of(variant: Variant, known: Mapping[str, Variant]) -> tuple[Variant, ...]:
    """Give the variants whose weights one begins with, the first to be trained first."""
    if variant.after is None:
        return ()
    before = known[variant.after]
    return (*sources_of(before, known), before)


def table_4() -> tuple[Line, ...]:
    """Give the lines in the paper's order."""
    by_name = {variant.name: variant for variant in VARIANTS}
    lines: list[Line] = []
    for name, iou in PAPER_FAMILY.items():
        variant = by_name[name]
        first = sources_of(variant, by_name)
        printed = figures(TABLE_4_COLUMNS, [iou])
        lines.append(Line(name, _LABELS[name], printed, variant, variant, group=QUOTED, first=first))
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
