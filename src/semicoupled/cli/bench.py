"""``semicoupled bench``: how fast the structure is on this machine, and how much memory it takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semicoupled.cli.options import Parser, count
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, printed, scores_table
from semicoupled.errors import SettingsError, nearest
from semicoupled.rows import Row, write_rows

if TYPE_CHECKING:
    import torch

    from semicoupled.training.progress import Progress

Part = Callable[[], list[Row]]
"""Measures something."""

KINDS = {
    "speed": "beside the convolution peak, the reference loop, ConvLSTM, ConvGRU, R(2+1)D; frame by frame on one core",
    "memory": "of a training step, of LTSC against the length, of a stream of 10 000 frames",
}


def main(arguments: Sequence[str]) -> int:
    """Measure, print the table, draw the plot."""
    parser = Parser(
        "bench",
        "{speed,memory} [--full] [--json F] [--plot F] [--device D]",
        "Measure on this machine. A speed is printed only after the fast path gave what the slow one gives.",
    )
    parser.epilog = "; ".join(f"{name}: {summary}" for name, summary in KINDS.items())
    parser.add_argument("kind", metavar="KIND", help="speed or memory")
    parser.add_argument("--full", action="store_true", help="growth too: more lengths of clips, depths and sizes")
    parser.add_argument("--quick", action="store_true", help="a part of it, in seconds: shows that it runs")
    parser.add_argument("--json", type=Path, metavar="F", help="also write the figures to this file")
    parser.add_argument("--plot", type=Path, metavar="F", help="also draw them, PNG")
    parser.add_argument("--page", type=Path, metavar="F", help="also put tables and plot into this Markdown page")
    parser.add_argument("--device", default="auto", help="of `speed`: auto, cpu, cuda, or cuda:N")
    parser.add_argument("--threads", type=count, metavar="N", help="cores to use; default: all")
    options = parser.parse(arguments)
    if options.kind not in KINDS:
        raise SettingsError(f"there is no bench {options.kind!r}. {nearest(options.kind, KINDS)}")

    import torch

    from semicoupled.bench.page import PAGE_TITLE, section
    from semicoupled.bench.plots import memory_figure, speed_figure
    from semicoupled.bench.promises import kept
    from semicoupled.devices import choose_device
    from semicoupled.page import put_section
    from semicoupled.report import write_figure

    if options.threads:
        torch.set_num_threads(options.threads)
    with progress() as shown:
        if options.kind == "memory":
            rows = _memory(options, shown)
        else:
            rows = _speed(options, choose_device(options.device), shown)
    for metric in dict.fromkeys(row.metric for row in rows):
        output().print(scores_table([row for row in rows if row.metric == metric], metric))
    promised = kept(rows)
    if promised is not None:
        output().print(printed(promised))
    if options.json is not None:
        write_rows(options.json, f"bench {options.kind}", "generated", rows)
    if options.plot is not None:
        write_figure(options.plot, (memory_figure if options.kind == "memory" else speed_figure)(rows))
        print(f"plot: {options.plot}")
    if options.page is not None:
        picture = options.page.with_name(f"bench-{options.kind}.png")
        write_figure(picture, (memory_figure if options.kind == "memory" else speed_figure)(rows))
        asked = [f"--{name}" for name in ("full", "quick") if getattr(options, name)]
        text = section(options.kind, rows, " ".join(["semicoupled bench", options.kind, *asked]), picture.name)
        put_section(options.page, f"bench {options.kind}", text, PAGE_TITLE)
        print(f"page: {options.page}")
    return 0


def _speed(options: argparse.Namespace, device: torch.device, shown: Progress) -> list[Row]:
    from semicoupled.bench import speed, streaming
    from semicoupled.bench.presets import PRESETS

    for preset in PRESETS.values():
        speed.check(preset, device)
    speed.check_rivals(device)
    machine, rows = speed.measure_peak(device)
    if options.quick:
        return rows + _collect("bench speed", speed.quick_parts(machine), shown)
    growth = speed.growth_parts(machine) if options.full else []
    parts = [*speed.parts(machine), *streaming.parts(), *growth]
    return rows + _collect("bench speed", parts, shown)


def _memory(options: argparse.Namespace, shown: Progress) -> list[Row]:
    from semicoupled.bench.memory import default_cases, growth_cases, parts, quick_cases, ratios

    cases = quick_cases() if options.quick else [*default_cases(), *(growth_cases() if options.full else ())]
    rows = _collect("bench memory", parts(cases), shown)
    return rows + ratios(rows)


def _collect(title: str, parts: Sequence[Part], shown: Progress) -> list[Row]:
    """Measure part after part, and show how far it is."""
    rows: list[Row] = []
    shown.begin(title, len(parts))
    try:
        for done, part in enumerate(parts):
            rows += part()
            shown.update(done + 1)
    finally:
        shown.end()
    return rows
