"""The lines of Tables 5 and 6: what the paper prints, and what trains each of them, small and at the paper's size."""

from __future__ import annotations

from semicoupled.paper_table import Line, figures
from semicoupled.studies.trials import Variant
from semicoupled.tasks.driving.study.paper import PAPER_TABLE_5, PAPER_TABLE_6
from semicoupled.tasks.driving.study.variants import VARIANTS

TABLE_5_COLUMNS = ("LiVi, 6 deg", "LiVi, 3 deg", "LiVi, MSE", "Comma, 6 deg", "Comma, 3 deg", "Comma, MSE")
TABLE_6_COLUMNS = ("T1, 6 deg", "T2, 6 deg", "T2 - T1, 6 deg", "T1, 3 deg", "T2, 3 deg", "T2 - T1, 3 deg")

_ALONE = ("--goals.spatial=0", "--goals.temporal=0", "--switches.method=none")
_P = {"semicoupled": 0.5, "semicoupled_p3": 0.3, "semicoupled_p0": 0.0}


def _full(name: str) -> tuple[str, Variant]:
    """Give the label and what trains a line at the paper's size."""
    kind, _, length = name.partition("_length")
    if kind == "cnn":
        options = ("--model.kind=resnet18", "--data.frames=1", *_ALONE)
        return "CNN, length 1", Variant(name, "ResNet-18, one frame", options, ("paper",))
    if kind == "cnn_lstm":
        options = ("--model.kind=vgg_lstm", "--model.hidden=512", "--training.learning_rate=2e-4", *_ALONE)
        said = f"VGG-16+LSTM, length {length}"
        return f"CNN+LSTM, length {length}", Variant(name, said, (*options, f"--data.frames={length}"), ("paper",))
    p = _P[kind]
    said = f"p = {p:g}, length {length}"
    options = (f"--switches.start={p:g}", f"--data.frames={length}")
    return f"SCS, {said}", Variant(name, f"Semi-Coupled Structure, 17 layers, {said}", options, ("paper",))


def table_5() -> tuple[Line, ...]:
    """Give the lines in the paper's order: ours by length and p, then the rivals."""
    by_name = {variant.name: variant for variant in VARIANTS}
    lines: list[Line] = []
    for name, printed in PAPER_TABLE_5.items():
        label, full = _full(name)
        values = [*printed["LiVi"], *printed["Comma"]]
        lines.append(Line(name, label, figures(TABLE_5_COLUMNS, values), by_name[name], full))
    return tuple(lines)


TABLE_5 = table_5()

STREAMS_OF = "semicoupled_length7"
"""The variant whose streams Table 6 compares: p = .5, clips of 7 frames; both streams learn the angle."""

_NOT_PRINTED = figures(TABLE_6_COLUMNS, [None] * len(TABLE_6_COLUMNS))


def table_6() -> tuple[Line, ...]:
    """Give the lines in the paper's order, and below them what only we have: sharp curves, and all frames together."""
    small, full = next((line.small, line.full) for line in TABLE_5 if line.name == STREAMS_OF)
    lines = [
        Line(road, road, figures(TABLE_6_COLUMNS, PAPER_TABLE_6[road]), small, full, {"road": road})
        for road in ("crossroads", "T-junction", "curve", "straight")
    ]
    lines.append(Line("sharp", "sharp curve (here alone)", _NOT_PRINTED, small, full, {"road": "sharp"}))
    return (*lines, Line("all", "all frames (here alone)", _NOT_PRINTED, small, full))


TABLE_6 = table_6()
