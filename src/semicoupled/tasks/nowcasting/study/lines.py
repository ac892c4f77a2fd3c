"""The lines of Table 7: what the paper prints, and what trains each of them, small and at the paper's size."""

from __future__ import annotations

from semicoupled.paper_table import Line, figures
from semicoupled.studies.trials import Variant
from semicoupled.tasks.nowcasting.study.paper import PAPER_TABLE_7, TABLE_7_COLUMNS
from semicoupled.tasks.nowcasting.study.variants import VARIANTS

_P = {"semicoupled_plain_p0": 0.0, "semicoupled_plain_p3": 0.3, "semicoupled_plain": 0.5}
_LABELS = {"convlstm_plain": "ConvLSTM", **{name: f"SCS, p = {p:g}" for name, p in _P.items()}}


def _full(name: str) -> Variant:
    """Give what trains a line at the paper's size; Table 8: 64 features and batches of 8 for ConvLSTM."""
    if name not in _P:
        options = ("--model.width=64", "--training.batch=8", "--goals.spatial=0", "--goals.temporal=0")
        said = "ConvLSTM, 15 + 15 layers of 64"
        return Variant(name, said, (*options, "--switches.method=none"), ("paper", "convlstm"))
    said = f"Semi-Coupled Structure, 15 + 15 layers of 128, p = {_P[name]:g}"
    return Variant(name, said, (f"--switches.start={_P[name]:g}",), ("paper",))


TABLE_7 = tuple(
    Line(
        name,
        label,
        figures(TABLE_7_COLUMNS, PAPER_TABLE_7[name]),
        next(variant for variant in VARIANTS if variant.name == name),
        _full(name),
    )
    for name, label in _LABELS.items()
)
