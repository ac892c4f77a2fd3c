"""What the study of outlines shows: Table 4, scores by prompt, class and size, clicks, what had to be reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semicoupled.report import Cell, Table, number
from semicoupled.rows import Condition, Row
from semicoupled.studies import page as study_page
from semicoupled.studies.page import differences, means_of, present, says, seeded_of, span_cell, value_cell
from semicoupled.studies.scores import range_of, said_seeds, select, spread_cell, spread_of
from semicoupled.studies.trials import options_list
from semicoupled.tasks.outline.scores.evaluation import BOX, CEILING, ELLIPSE, SIZES
from semicoupled.tasks.outline.settings import PROMPTS
from semicoupled.tasks.outline.study.goals import PROMPT, goals
from semicoupled.tasks.outline.study.paper import PAPER_FAMILY, PAPER_TABLE_4
from semicoupled.tasks.outline.study.rows import FOREGROUND
from semicoupled.tasks.outline.study.variants import FIGURE_5C, PAIRS, TABLE_4, VARIANTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_TITLE = "# Outlines: results\n\nEvery section between two marks is written by the command that stands in it.\n"
SHAPES = (CEILING, BOX, ELLIPSE)
_HEADINGS = {
    "": "The structure and its rivals at 2, 5, 10 and 15 layers",
    "deep": "10 and 15 layers",
    "initial q": "Where q begins (Fig. 5c)",
}
ALL_FOREGROUND = ", ".join(FOREGROUND)


def part_of(rows: Sequence[Row]) -> str:
    """Tell sections of a page apart: deep networks alone, and beginnings of q alone, stand by themselves."""
    names = [variant.name for variant in present(VARIANTS, rows)]
    if set(names) <= {variant.name for variant in FIGURE_5C}:
        return "initial q"
    if set(names) <= {variant.name for variant in TABLE_4 if variant.name.endswith(("_10", "_15"))}:
        return "deep"
    return ""


def table_4(rows: Sequence[Row]) -> Table:
    """Lay Table 4 out: IoU by kind and depth, start and end given; the paper's beside it, the plain shapes below."""
    seeded, means = seeded_of(rows), means_of(rows)
    lines: list[list[Cell]] = []
    for variant in present(VARIANTS, rows):
        decoder = select(means, "decoder_parameters", variant=variant.name)
        took = [range_of(seeded, metric, variant.name) for metric in ("parameters", "steps")]
        minutes = [row.value / 60 for row in select(seeded, "training_seconds", variant=variant.name)]
        about: dict[str, Condition | None] = {"variant": variant.name, "prompt": PROMPT}
        scores = [spread_cell(spread_of(select(seeded, "iou", **about)))]
        scores += [value_cell(select(means, metric, **about)) or "" for metric in ("iou_class_mean", "iou_pooled")]
        foreground = value_cell(select(means, "iou", **about, **{"class": ALL_FOREGROUND}))
        paper = {**PAPER_TABLE_4, **PAPER_FAMILY}.get(variant.name)
        lines.append(
            [
                variant.label,
                int(decoder[0].value) if decoder else None,
                *took,
                f"{max(minutes):.1f}" if minutes else None,
                *scores,
                foreground,
                None if paper is None else f"{paper:g}",
            ]
        )
    for name in SHAPES:
        found = [row for row in select(means, "iou", model=name) if "variant" not in row.condition]
        if found:
            scores = [
                value_cell(select(means, metric, model=name)) for metric in ("iou", "iou_class_mean", "iou_pooled")
            ]
            foreground = value_cell(select(means, "iou", model=name, **{"class": ALL_FOREGROUND}))
            lines.append([_shape(name), None, "", "", "", *scores, foreground, None])
    heads = ["decoder", "parameters", "steps", "minutes", "IoU", "class mean", "pooled", "foreground", "paper"]
    caption = (
        f"Table 4: start and end given. IoU is the mean over {_count(rows)} objects of images that nothing was learned "
        f"from, at the image's size; foreground is {ALL_FOREGROUND}. The paper's is in percent on Cityscapes. "
        f"{said_seeds(rows)}"
    )
    return Table(["", *heads], lines, caption)


def prompt_table(rows: Sequence[Row]) -> Table:
    """Lay IoU out by what is known of an outline, with boundaries and what went wrong."""
    means = means_of(rows)
    asked = [prompt for prompt in PROMPTS if any(row.condition.get("prompt") == prompt for row in means)]
    lines: list[list[Cell]] = []
    for variant in present(VARIANTS, rows):
        cells: list[Cell] = [value_cell(select(means, "iou", variant=variant.name, prompt=prompt)) for prompt in asked]
        about: dict[str, Condition | None] = {"variant": variant.name, "prompt": PROMPT}
        cells += [value_cell(select(means, "boundary_f", **about, within_px=distance)) for distance in (1, 2)]
        cells += [value_cell(select(means, metric, **about)) for metric in ("points", "self_crossing", "not_closed")]
        lines.append([variant.label, *cells])
    for name in SHAPES:
        found = select(means, "iou", model=name)
        if found:
            cells = [value_cell(found), *[None] * (len(asked) - 1)]
            cells += [value_cell(select(means, "boundary_f", model=name, within_px=distance)) for distance in (1, 2)]
            cells += [value_cell(select(means, "points", model=name)), None, None]
            lines.append([_shape(name), *cells])
    heads = [*(f"IoU, {prompt.replace('_', ' + ')}" for prompt in asked), "boundary F, 1 px", "2 px", "points"]
    caption = "By what is known of an outline; from the boundary on: start and end given. Means over seeds."
    return Table(["", *heads, "crossing", "not closed"], lines, caption)


def group_table(rows: Sequence[Row]) -> Table:
    """Lay IoU out by class and by size, start and end given."""
    means = means_of(rows)
    classes = list(dict.fromkeys(str(row.condition["class"]) for row in means if "class" in row.condition))
    classes = [name for name in classes if name != ALL_FOREGROUND]
    sizes = [name for name, _, _ in SIZES if any(row.condition.get("size") == name for row in means)]

    def cells(**about: Condition | None) -> list[Cell]:
        found: list[Cell] = [value_cell(select(means, "iou", **about, **{"class": name})) for name in classes]
        return [*found, *(value_cell(select(means, "iou", **about, size=name)) for name in sizes)]

    lines: list[list[Cell]] = [
        [variant.label, *cells(variant=variant.name, prompt=PROMPT)] for variant in present(VARIANTS, rows)
    ]
    lines += [[_shape(name), *cells(model=name)] for name in SHAPES if select(means, "iou", model=name)]
    caption = "IoU by class and by size (COCO's: below 32 x 32 px, below 96 x 96, above), start and end given."
    return Table(["", *classes, *sizes], lines, caption)


def click_table(rows: Sequence[Row]) -> Table:
    """Lay the simulated annotator's clicks out."""
    means = means_of(rows)
    wanted = sorted({float(row.condition["iou"]) for row in means if row.metric == "clicks"})
    lines: list[list[Cell]] = []
    count = most = 0
    for variant in present(VARIANTS, rows):
        cells: list[Cell] = []
        for iou in wanted:
            own = [
                row for row in means if row.condition.get("iou") == iou and row.condition.get("variant") == variant.name
            ]
            clicks, enough = ([row for row in own if row.metric == metric] for metric in ("clicks", "clicks_enough"))
            cells += [_with_span(clicks[0]) if clicks else None, f"{100 * enough[0].value:.0f} %" if enough else None]
            if clicks:
                count, most = clicks[0].count, int(clicks[0].condition["most_clicks"])
        lines.append([variant.label, *cells])
    heads = [head for iou in wanted for head in (f"clicks to IoU {iou:g}", "get there")]
    caption = (
        f"Simulated annotator, {count} objects: start and end are given and not counted; who does not get there counts "
        f"with {most} clicks, so that the mean is too low where many do not. 90 % of a bootstrap over images."
    )
    return Table(["", *heads], lines if wanted else [], caption)


def difference_table(rows: Sequence[Row]) -> Table:
    """Lay differences out: the first minus the second, start and end given."""
    labels, means = {variant.name: variant.label for variant in VARIANTS}, means_of(rows)
    lines: list[list[Cell]] = []
    for ours, other in PAIRS:
        about: dict[str, Condition | None] = {"variant": ours, "against": other, "prompt": PROMPT}
        pair = f"{labels[ours]} - {labels[other]}"
        for found in differences(means, "iou", about):
            lines.append([pair, found.value, found.interval, found.seeds, says(found.row)])
    caption = (
        "Differences of IoU: mean over seeds; 90 % of a bootstrap over images, the same draws for both; lowest and "
        "highest difference seed by seed. An interval that holds 0 decides nothing."
    )
    return Table(["", "difference", "interval", "seeds", "the first is"], lines, caption)


def goal_table(rows: Sequence[Row]) -> Table:
    """Say of each line that had to be reached whether it is."""
    return study_page.goal_table(list(goals(rows)))


def tables(rows: Sequence[Row]) -> list[Table]:
    """Give all tables, in the order in which they are read."""
    found = [goal_table(rows), table_4(rows), prompt_table(rows), group_table(rows), click_table(rows)]
    return [table for table in (*found, difference_table(rows)) if table.rows]


def pictures(rows: Sequence[Row]) -> dict[str, tuple[Figure, str]]:
    """Draw the study; figures with their captions, by name."""
    from semicoupled.tasks.outline.study.plots import curve_plot, depth_plot

    found = {
        "outline": (
            depth_plot(rows, {variant.name for variant in present(VARIANTS, rows)}),
            "IoU by depth, start and end given: a dot a seed, bars hold 90 % of a bootstrap over images; beside the "
            "grid's ceiling, the box and the ellipse, which need no network, and the paper's figures (other data).",
        )
    }
    panels = [
        ("depth", [variant for variant in TABLE_4 if variant.name.startswith(("semicoupled", "convlstm"))]),
        ("initial q", list(FIGURE_5C)),
    ]
    shown = [(title, [one for one in variants if one in present(VARIANTS, rows)]) for title, variants in panels]
    if any(row.metric == "training_loss" for row in rows):
        found["outline-training"] = (
            curve_plot(rows, [panel for panel in shown if panel[1]]),
            "Fig. 5c: the loss of training by depth and by initial q, against the wall time; a line a seed.",
        )
    return found


def section(rows: Sequence[Row], command: str, shown: Sequence[tuple[str, str]]) -> str:
    """Write the study's section in Markdown; see `semicoupled.studies.page.section`."""
    title = _HEADINGS[part_of(rows)]
    ending = f"What the variants differ in:\n\n{options_list(present(VARIANTS, rows))}"
    return study_page.section(title, command, tables(rows), shown, ending)


def _shape(name: str) -> str:
    return {CEILING: "the grid's ceiling", BOX: "the box itself", ELLIPSE: "the ellipse in the box"}[name]


def _count(rows: Sequence[Row]) -> int:
    found = [row.count for row in select(means_of(rows), "iou", model=CEILING)]
    return found[0] if found else 0


def _with_span(row: Row) -> str:
    return f"{number(row.value)} ({span_cell(row)})" if row.interval else number(row.value)
