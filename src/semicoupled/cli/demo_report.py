"""What the demo shows: scores, clips, maps of both branches, probes, curves, and q."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from semicoupled.cli.demo_runs import Finished
from semicoupled.curves import draw_curves
from semicoupled.data.shapes import DIRECTIONS, SHAPES
from semicoupled.explain.focus import draw_focus, read_focus
from semicoupled.explain.maps import Strongest, draw_maps, mean_gates, recording, strongest_channels
from semicoupled.explain.probes import Probe, pool_records, probe_all
from semicoupled.report import Picture, Section, Table
from semicoupled.rows import Row
from semicoupled.tasks.toy.data import TESTS, ToyBatch, ToyData
from semicoupled.tasks.toy.draw import answer_name, draw_clips
from semicoupled.tasks.toy.evaluation import batches, collate
from semicoupled.tasks.toy.goals import clip_scores
from semicoupled.training.log import read_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {
    "semicoupled": "Semi-Coupled Structure",
    "cnn_lstm": "CNN+LSTM",
    "convlstm": "ConvLSTM",
}
TESTS_IN_WORDS = {
    ("which_way", "seen"): "which way, seen shapes",
    ("which_way", "unseen_shapes"): "which way, unseen shapes",
    ("which_shape", "seen"): "which shape, frames in order",
    ("which_shape", "shuffled_frames"): "which shape, frames in disorder",
}
CLIPS = 6
PROBED = 512


def mean_table(rows: Sequence[Row]) -> Table:
    """Average over the seeds: one line a test, one column a model, and the seeds' range where there are several."""
    models = list(dict.fromkeys(row.model for row in rows))
    lines: list[list[str | float]] = []
    for (question, test), words in TESTS_IN_WORDS.items():
        found: dict[str, list[float]] = {}
        for row in rows:
            if (row.condition["question"], row.condition["test"]) == (question, test):
                found.setdefault(row.model, []).append(row.value)
        if found:
            lines.append([words, *(_mean_and_range(found.get(model, [])) for model in models)])
    return Table(["share answered right", *(NAMES.get(model, model) for model in models)], lines)


def training_table(finished: Sequence[Finished]) -> Table:
    """Say how long each network was trained: one line a training."""
    lines: list[list[str | int]] = [
        [
            run.settings.data.question.replace("_", " "),
            _network(run),
            run.settings.seed,
            run.settings.training.steps,
            run.settings.training.batch,
            round(run.seconds),
        ]
        for run in finished
    ]
    columns = ["question", "network", "seed", "steps", "clips a step", "seconds"]
    return Table(columns, lines, "How long each was trained; the seconds are this machine's.")


def _network(run: Finished) -> str:
    """Name a network, and with ASTSGD who sets its q."""
    name = NAMES[run.settings.model.kind]
    return f"{name}, q {_setter(run)}" if run.settings.switches.method == "astsgd" else name


def _setter(run: Finished) -> str:
    """Say who sets q in a training with ASTSGD."""
    return "learned" if run.settings.switches.controller == "learned" else "by Eq. 20"


def sections(finished: Sequence[Finished], with_focus: Sequence[Finished]) -> list[Section]:
    """Give the report's sections.

    Args:
        finished: all trainings whose scores are compared.
        with_focus: trainings with ASTSGD, whose q is shown.
    """
    rows = [row for run in finished for row in run.rows]
    seeds = sorted({int(row.condition["seed"]) for row in rows})
    each = (
        f"Means over the seeds {', '.join(map(str, seeds))}, in brackets the range." if len(seeds) > 1 else "One seed."
    )
    parts = [
        Section(
            "Who answers right?",
            "The networks have the same depth, widths and steps, and the same search for their learning rates. Those "
            "who are asked which way a shape moves never saw a star or a cross; those who are asked which shape it is "
            f"never saw frames in disorder. {each}",
            [mean_table(rows), training_table(finished)],
        )
    ]
    for question in dict.fromkeys(run.settings.data.question for run in finished):
        first = [run for run in finished if run.settings.data.question == question and run.settings.seed == seeds[0]]
        ours = next(run for run in first if run.settings.model.kind == "semicoupled")
        parts += [_clips(first, test) for test in TESTS[question]]
        parts += [_maps(ours), _probes(ours)]
        lines = [line for line in read_log(ours.folder) if line["kind"] == "training"]
        words = question.replace("_", " ")
        parts.append(
            Section(f"Training ({words})", "", [Picture(draw_curves(lines), "The three losses, and the switches.")])
        )
    if with_focus:
        parts.append(focus_section(with_focus))
    return parts


def focus_section(runs: Sequence[Finished]) -> Section:
    """Show q by Eq. 20 and as it was learned (Fig. 4b)."""
    histories = {_setter(run): read_focus(run.folder) for run in runs}
    lines = [
        [name, history.mean(0, 0.1), history.mean(0.45, 0.55), history.mean(0.9, 1)]
        for name, history in histories.items()
    ]
    scores = [[name, run.rows[0].value, run.rows[-1].value] for name, run in zip(histories, runs, strict=True)]
    return Section(
        "How q moves (Fig. 4b)",
        "ASTSGD stops the gradient through the temporal branch with probability q and through the spatial branch with "
        "1 - q: space is learned first. q follows the losses, by Eq. 20 or as a small network learns to set it.",
        [
            Picture(draw_focus(histories), "q against optimizer steps."),
            Table(["q", "first tenth of the training", "middle tenth", "last tenth"], lines),
            Table(["q", "right, frames in order", "right, frames in disorder"], scores),
            training_table(runs),
        ],
    )


def maps_of(run: Finished, index: int = 0) -> tuple[Tensor, list[Strongest]]:
    """Give a clip of a run's last test, T H W, and the maps of the first, a middle, and the last layer."""
    stack = cast(nn.Module, run.model)
    test = TESTS[run.settings.data.question][-1]
    batch = collate(ToyData(run.settings.data, test), range(index, index + 1))
    depth = len(run.settings.model.widths)
    chosen = tuple(dict.fromkeys((0, depth // 2, depth - 1)))
    with recording(stack, ("spatial", "temporal", "features"), chosen) as records, torch.no_grad():
        run.model(batch)
    (found,) = records.values()
    return batch.frames[0, :, 0], strongest_channels(found)


def find_probes(run: Finished) -> list[Probe]:
    """Read *what* and *which way* out of each branch of a run, on validation clips."""
    model = cast(nn.Module, run.model)
    data = ToyData(dataclasses.replace(run.settings.data, validation=PROBED), "validation")
    features: dict[tuple[int, str], list[Tensor]] = {}
    seen: list[ToyBatch] = []
    for batch in batches(data):
        with recording(model, ("spatial", "temporal", "features")) as records, torch.no_grad():
            run.model(batch)
        (found,) = records.values()
        for key, pooled in pool_records(found).items():
            features.setdefault(key, []).append(pooled)
        seen.append(batch)
    answers = {
        "what": torch.cat([batch.shape[:, 0] for batch in seen]),
        "which way": torch.cat([batch.direction[:, 0] for batch in seen]),
    }
    return probe_all({key: torch.cat(parts) for key, parts in features.items()}, answers)


def _clips(runs: Sequence[Finished], test: str) -> Section:
    settings = runs[0].settings.data
    batch = collate(ToyData(settings, test), range(CLIPS))
    said: dict[str, Tensor] = {}
    with torch.no_grad():
        for run in runs:
            said[NAMES[run.settings.model.kind]] = clip_scores(run.model(batch).main.cpu()).argmax(-1)
    names: list[str] = []
    wrong: list[bool] = []
    for index in range(CLIPS):
        answers = [f"{name}: {answer_name(settings, int(answer[index]))}" for name, answer in said.items()]
        right = int(batch.answer[index, 0])
        what = f"{SHAPES[int(batch.shape[index, 0])]}, {DIRECTIONS[int(batch.direction[index, 0])]}"
        names.append("\n".join([what, *answers]))
        wrong.append(any(int(answer[index]) != right for answer in said.values()))
    figure = draw_clips(batch.frames[:, :, 0].numpy(), names, wrong)
    words = TESTS_IN_WORDS[settings.question, test]
    return Section(
        f"Clips: {words}",
        "The shape wraps around at the border. Red: someone is wrong.",
        [Picture(figure, f"The first clips of the test ({words}), with the answers.")],
    )


def _maps(run: Finished) -> Section:
    frames, found = maps_of(run)
    words = run.settings.data.question.replace("_", " ")
    with recording(cast(nn.Module, run.model), ("gate",)) as records, torch.no_grad():
        run.model(collate(ToyData(run.settings.data, "validation"), range(64)))
    (gates,) = records.values()
    table = Table(
        ["layer", "mean gate"],
        [[layer + 1, gate] for layer, gate in mean_gates(gates).items()],
        "How far the gates stand open on average; 0.5 says nothing.",
    )
    return Section(
        f"Maps of both branches ({words}, Fig. 2b)",
        "In each layer the channel whose product varies most. The spatial branch sees one frame at a time, the "
        "temporal branch remembers; what goes up to the next layer is their product.",
        [Picture(draw_maps(frames, found), "The clip, and the maps of three layers below it."), table],
    )


def _probes(run: Finished) -> Section:
    found = find_probes(run)
    branches = ("spatial", "temporal", "features")
    by_place = {(probe.layer, probe.branch, probe.question): probe.accuracy for probe in found}
    lines = [
        [layer + 1, *(by_place[layer, branch, question] for question in ("what", "which way") for branch in branches)]
        for layer in sorted({probe.layer for probe in found})
    ]
    heads = [f"{question}: {name}" for question in ("what", "which way") for name in ("spatial", "temporal", "product")]
    chance = {probe.question: probe.chance for probe in found}
    words = run.settings.data.question.replace("_", " ")
    return Section(
        f"What each branch knows ({words})",
        "A linear probe reads the shape (what) and the direction (which way) out of each branch's features, averaged "
        f"over frame and clip, on {found[0].count} clips that it was not fitted to. By guessing: "
        f"{chance['what']:.2f} and {chance['which way']:.2f}.",
        [Table(["layer", *heads], lines)],
    )


def picture(way: Finished, shape: Finished, rows: Sequence[Row]) -> Figure:
    """Draw the picture for a first screen: a clip, both branches and their product, and the scores.

    Args:
        way: ours, asked which way.
        shape: ours, asked which shape.
        rows: all scores.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=(1.5, 1))
    left = figure.add_subfigure(grid[0, 0])
    asked = ((way, "Which way does it move?"), (shape, "Which shape is it?"))
    for place, (run, title) in enumerate(asked):
        part = left.add_subfigure(left.add_gridspec(2, 1)[place, 0])
        frames, found = maps_of(run)
        first, shown = found[0], range(len(frames))
        panels = part.subplots(4, len(shown))
        for row, (name, maps, colors) in enumerate(
            (
                ("frames", frames, "gray"),
                ("spatial branch", first.spatial, "viridis"),
                ("temporal branch", first.temporal, "coolwarm"),
                ("product", first.product, "viridis"),
            )
        ):
            for column, frame in enumerate(shown):
                panel = panels[row, column]
                panel.imshow(maps[frame].numpy(), cmap=colors, vmin=float(maps.min()), vmax=float(maps.max()))
                panel.set_xticks([])
                panel.set_yticks([])
            panels[row, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        part.suptitle(f"{title} First layer, one channel, {len(frames)} frames", fontsize=9)
    axes = figure.add_subfigure(grid[0, 1]).subplots()
    table = mean_table(rows)
    models = table.columns[1:]
    for number, model in enumerate(models):
        values = [float(str(line[number + 1]).split()[0]) for line in table.rows]
        places = [line + 0.8 * (number - (len(models) - 1) / 2) / len(models) for line in range(len(values))]
        bars = axes.barh(places, values, height=0.75 / len(models), label=model)
        axes.bar_label(bars, [f"{value:.3f}" for value in values], padding=2, fontsize=7)
    axes.set_yticks(range(len(table.rows)), [str(line[0]).replace(", ", ",\n") for line in table.rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15)
    axes.set_xlabel("share answered right", fontsize=8)
    axes.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.4, 1), ncols=len(models), frameon=False)
    return figure


def _mean_and_range(values: Sequence[float]) -> float | str:
    if len(values) < 2:
        return values[0] if values else float("nan")
    mean = sum(values) / len(values)
    return f"{mean:.3f} ({min(values):.3f} - {max(values):.3f})"
