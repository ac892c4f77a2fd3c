"""Table 8: the paper's hyper-parameters, beside those of the presets that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from semicoupled.find_task import settings_class, task_folders
from semicoupled.report import Cell, Table
from semicoupled.settings_file import parse_settings


class Column(NamedTuple):
    """A column of Table 8.

    Attributes:
        head: as printed.
        task: ours.
        presets: that stand for it.
        options: laid over them.
        printed: by line; what the paper prints.
        why: by line; why the presets have something else, as they say themselves.
    """

    head: str
    task: str
    presets: tuple[str, ...]
    options: tuple[str, ...]
    printed: dict[str, str]
    why: Mapping[str, str] = MappingProxyType({})


class Entry(NamedTuple):
    """A cell of Table 8 beside ours.

    Attributes:
        column: its head.
        line: its line.
        printed: by the paper.
        here: what the presets have.
        why: they have something else; empty where they do not.
    """

    column: str
    line: str
    printed: str
    here: str
    why: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.printed == self.here


COLUMNS = (
    Column(
        "action, backbone",
        "action",
        ("hmdb51", "backbone"),
        (),
        {"batch": "16", "learning rate": "0.0001", "method": "stsgd", "LTSC": "10 x 7"},
    ),
    Column(
        "action, stand-alone",
        "action",
        ("hmdb51",),
        (),
        {"batch": "40", "learning rate": "0.0001", "method": "stsgd", "layers": "17", "LTSC": "5 x 6"},
    ),
    Column(
        "outline, SCS",
        "outline",
        ("paper",),
        (),
        {"batch": "4", "learning rate": "0.0002", "method": "stsgd", "layers": "15", "LTSC": "10 x 4"},
        {
            "method": "the text (Sec. 5.6) has ASTSGD",
            "LTSC": "the text has 6; 60 points in clips of 10 that overlap take 9",
        },
    ),
    Column(
        "driving, SCS",
        "driving",
        ("paper",),
        (),
        {"batch": "128", "learning rate": "0.0001", "method": "astsgd", "layers": "15", "LTSC": "-"},
        {
            "method": "the text (Sec. 5.7) and Table 5 have STSGD with p",
            "layers": "the text has the network of action, 17",
        },
    ),
    Column(
        "precipitation, SCS",
        "nowcasting",
        ("paper",),
        (),
        {"batch": "4", "learning rate": "0.0001", "method": "astsgd", "layers": "15", "LTSC": "-", "features": "128"},
        {"method": "the text (Sec. 5.8) and Table 7 have STSGD with p"},
    ),
    Column(
        "precipitation, ConvLSTM",
        "nowcasting",
        ("paper", "convlstm"),
        ("--model.width=64", "--training.batch=8", "--goals.spatial=0", "--goals.temporal=0", "--switches.method=none"),
        {"batch": "8", "learning rate": "0.0001", "features": "64"},
    ),
)


def entries() -> list[Entry]:
    """Give every cell that has something of ours to stand beside."""
    found: list[Entry] = []
    for column in COLUMNS:
        presets = [task_folders()[column.task] / "presets" / f"{name}.yaml" for name in column.presets]
        settings = parse_settings(settings_class(column.task), column.options, [Path(file) for file in presets])
        for line, printed in column.printed.items():
            here = _HERE[line](column.task, settings)
            found.append(Entry(column.head, line, printed, here, column.why.get(line, "")))
    return found


def table_8() -> Table:
    """Lay Table 8 out, cell by cell."""
    lines: list[list[Cell]] = [
        [entry.column, entry.line, entry.printed, entry.here, "yes" if entry.agrees else f"no: {entry.why}"]
        for entry in entries()
    ]
    caption = (
        "Table 8 beside the presets of the paper's size. Where both differ the text of the paper disagrees with its "
        "table, and the last column says how; LTSC is frames of a segment times segments."
    )
    return Table(["", "", "paper", "preset", "the same"], lines, caption)


def _batch(task: str, settings: Any) -> str:
    # outlines: the paper adds gradients up over several batches and does not say how many
    return str(settings.training.batch * (1 if task == "outline" else settings.training.accumulate))


def _layers(task: str, settings: Any) -> str:
    if task == "driving":
        from semicoupled.tasks.driving.model import layers_of

        return str(len(layers_of(settings.model)[0]))
    if task == "action":
        from semicoupled.tasks.action.architecture import architecture

        return str(len(architecture(settings.model).widths))
    return str(settings.model.layers)


def _segments(task: str, settings: Any) -> str:
    from semicoupled.training.ltsc import plan_for

    if getattr(settings, "segments", None) is None or settings.segments.length is None:
        return "-"
    length = settings.data.points if task == "outline" else settings.data.frames
    return f"{settings.segments.length} x {len(plan_for(settings.segments, length))}"


_HERE: dict[str, Callable[[str, Any], str]] = {
    "batch": _batch,
    "learning rate": lambda task, settings: f"{settings.training.learning_rate:g}",
    "method": lambda task, settings: str(settings.switches.method),
    "layers": _layers,
    "LTSC": _segments,
    "features": lambda task, settings: str(settings.model.width),
}
