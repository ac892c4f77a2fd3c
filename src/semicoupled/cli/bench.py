"""``semicoupled bench``: how fast the structure is on this machine, and how much memory it takes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from semicoupled.cli.options import Parser, count
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, printed, scores_table
from semicoupled.errors import SettingsError, nearest
from semicoupled.rows import Row, write_rows
from semicoupled.training.settings import parse_duration

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

    from semicoupled.bench.parts import Part

KINDS = {
    "speed": "beside the convolution peak, the reference loop, ConvLSTM, ConvGRU, R(2+1)D; frame by frame on one core",
    "memory": "of a training step, of LTSC against the length, of a stream of 10 000 frames",
    "ways": "what single ways to train faster are worth, each beside the plain one; `cell: linear` beside Eq. 5",
    "scaling": "two processes against one; and what every preset moves and holds where 64 GPUs train it, on paper",
}


class Bench(NamedTuple):
    """What is done.

    Attributes:
        rows: that are known before the first part.
        parts: what is measured.
        figure: draws all rows.
        conclude: gives rows that follow from the others.
        on_page: chooses the rows that a page shows.
    """

    rows: list[Row]
    parts: list[Part]
    figure: Callable[[Sequence[Row]], Figure]
    conclude: Callable[[Sequence[Row]], list[Row]] = lambda rows: []
    on_page: Callable[[Sequence[Row]], list[Row]] = list


def main(arguments: Sequence[str]) -> int:
    """Measure, print the table, draw the plot.

    Raises:
        SettingsError: no such bench.
    """
    begun = time.monotonic()
    parser = Parser(
        "bench",
        "{speed,memory,ways,scaling} [--full] [--time-budget T] [--json F] [--plot F] [--page F] [--device D]",
        "Measure on this machine. A speed is printed only after the fast path gave what the slow one gives.",
    )
    parser.epilog = "; ".join(f"{name}: {summary}" for name, summary in KINDS.items())
    parser.add_argument("kind", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument(
        "--full", action="store_true", help="of `speed`, `memory`: growth too, with length, depth and size"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a part of it, in a minute or two: shows that it runs; with --full a part of growth, too",
    )
    parser.add_argument(
        "--time-budget",
        default="30m",
        metavar="T",
        help="begin no further part after this long, 90s, 10m, 1h (default: %(default)s); the one that runs is "
        "finished, which takes minutes at most, and what is left out is said",
    )
    parser.add_argument("--json", type=Path, metavar="F", help="also write the figures to this file")
    parser.add_argument("--plot", type=Path, metavar="F", help="also draw them, PNG")
    parser.add_argument("--page", type=Path, metavar="F", help="also put tables and plot into this Markdown page")
    parser.add_argument("--device", default="auto", help="of `speed`, `ways`: auto, cpu, cuda, or cuda:N")
    parser.add_argument("--threads", type=count, metavar="N", help="cores to use; default: all")
    options = parser.parse(arguments)
    if options.kind not in KINDS:
        raise SettingsError(f"there is no bench {options.kind!r}. {nearest(options.kind, KINDS)}")
    until = begun + parse_duration(options.time_budget)

    import torch

    from semicoupled.bench.page import PAGE_TITLE, section
    from semicoupled.bench.parts import measure_parts
    from semicoupled.bench.promises import kept
    from semicoupled.devices import choose_device
    from semicoupled.page import put_section
    from semicoupled.report import write_figure

    if options.threads:
        torch.set_num_threads(options.threads)
    untimed = {"memory": _memory, "scaling": _scaling}
    chosen = untimed.get(options.kind)
    bench = _timed(options, choose_device(options.device)) if chosen is None else chosen(options)
    with progress() as shown:
        measured = measure_parts(f"bench {options.kind}", bench.parts, shown, until=until)
    rows = [*bench.rows, *measured.rows]
    rows += bench.conclude(rows)
    for metric in dict.fromkeys(row.metric for row in rows):
        output().print(scores_table([row for row in rows if row.metric == metric], metric))
    promised = kept(rows)
    if promised is not None:
        output().print(printed(promised))
    if measured.left:
        print(
            f"{measured.left} of {len(bench.parts)} parts are missing: --time-budget {options.time_budget} is used up"
        )
    if options.json is not None:
        write_rows(options.json, f"bench {options.kind}", "generated", rows)
    if options.plot is None and options.page is None:
        return 0
    figure = bench.figure(rows)
    if options.plot is not None:
        write_figure(options.plot, figure)
        print(f"plot: {options.plot}")
    if options.page is not None:
        picture = options.page.with_name(f"bench-{options.kind}.png")
        write_figure(picture, figure)
        asked = [f"--{name}" for name in ("full", "quick") if getattr(options, name)]
        command = " ".join(["semicoupled bench", options.kind, *asked])
        text = section(options.kind, bench.on_page(rows), command, picture.name, measured.left)
        put_section(options.page, f"bench {options.kind}", text, PAGE_TITLE)
        print(f"page: {options.page}")
    return 0


def _timed(options: argparse.Namespace, device: torch.device) -> Bench:
    from semicoupled.bench import speed, streaming, ways
    from semicoupled.bench.plots import speed_figure, ways_figure
    from semicoupled.bench.presets import PRESETS

    if options.kind == "ways":
        return Bench([], (ways.quick_parts if options.quick else ways.parts)(device), ways_figure)
    for preset in PRESETS.values():
        speed.check(preset, device)
    speed.check_rivals(device)
    machine, rows = speed.measure_peak(device)
    if options.quick:
        return Bench(rows, speed.quick_parts(machine, growth=options.full), speed_figure)
    growth = speed.growth_parts(machine) if options.full else []
    return Bench(rows, [*speed.parts(machine), *streaming.parts(), *growth], speed_figure)


def _memory(options: argparse.Namespace) -> Bench:
    from semicoupled.bench.memory import default_cases, growth_cases, parts, quick_cases, ratios
    from semicoupled.bench.plots import memory_figure

    cases = quick_cases() if options.quick else default_cases()
    growth = growth_cases() if options.full and not options.quick else []
    return Bench([], parts([*cases, *growth]), memory_figure, ratios)


def _scaling(options: argparse.Namespace) -> Bench:
    from semicoupled.bench import cluster, scaling
    from semicoupled.bench.plots import scaling_figure

    load = scaling.QUICK if options.quick else scaling.Load(threads=options.threads or 1)
    return Bench([], [*scaling.parts(load), *cluster.parts()], scaling_figure, on_page=cluster.largest)
