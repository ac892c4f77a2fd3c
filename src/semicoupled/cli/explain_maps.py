"""``semicoupled explain maps``: the maps of both branches and of their product (Fig. 2b)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from semicoupled.cli.explained_run import open_explained, run_parser
from semicoupled.cli.options import autocast
from semicoupled.cli.tables import output, scores_table
from semicoupled.explain.highlights import draw_highlights, find_highlights
from semicoupled.explain.importance import spread
from semicoupled.explain.maps import draw_maps, mean_gates, recording, strongest_channels
from semicoupled.report import Picture, Section, rows_table
from semicoupled.rows import Row


def main(arguments: Sequence[str]) -> int:
    """Draw the maps of some samples, and print how far the gates are open."""
    parser = run_parser("maps", "Draw the maps of both branches and of their product, layer by layer.", samples=2)
    options = parser.parse(arguments)
    run = open_explained("maps", options)
    batch = next(run.batches(spread(len(run.data), options.samples)))
    with recording(run.network) as records, torch.no_grad(), autocast(batch.frames.device, options.precision):
        run.loaded.model(batch)
    kind = str(run.loaded.settings.model.kind)
    rows: list[Row] = []
    sections: list[Section] = []
    for name, found in records.items():
        for layer, gate in mean_gates(found).items():
            rows.append(Row(kind, "gate", {"stack": name, "layer": layer}, gate, len(batch.frames)))
        pictures: list[Picture] = []
        for sample in range(len(batch.frames)):
            clip = batch.frames[sample].float().cpu()
            frames = clip.mean(1).nan_to_num()
            maps = strongest_channels(found, sample)
            shown = min(len(frames), min(len(layer.product) for layer in maps))
            busy = f"Sample {sample}: where each branch is busy, over all channels; bright is busiest of its line"
            pictures.append(Picture(draw_highlights(clip, find_highlights(found, sample)), busy))
            caption = f"Sample {sample}: in each layer the channel that varies most"
            pictures.append(Picture(draw_maps(frames[:shown], maps), caption))
        sections.append(Section(f"Maps of {name}", parts=pictures))
    title = "How far the gates are open: the mean of the sigmoid of c, 0.5 says nothing"
    output().print(scores_table(rows, title))
    run.write([*sections, Section("Gates", parts=[rows_table(rows, title)])], rows)
    return 0
