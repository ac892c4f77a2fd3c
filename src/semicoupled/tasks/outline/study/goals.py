"""What the study of outlines has to reach, line by line, each computed from the rows and said as met or not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from semicoupled.rows import Condition, Row
from semicoupled.studies.scores import Goal, at_least, at_most, difference_note, select
from semicoupled.tasks.outline.scores.evaluation import BOX, ELLIPSE
from semicoupled.tasks.outline.study.rows import FOREGROUND

PROMPT = "start_end"
LEAST_IOU = 0.65
"""Mean over cars, pedestrians and bicyclists, start and end given."""
MOST_CLICKS, WANTED = 4.0, 0.8
"""Clicks on average, until the IoU is reached."""
PATIENCE = 20
"""Clicks that the annotator must be willing to make, or who does not get there says nothing about the mean."""
DEEP = (5, 10, 15)
ALL_DEPTHS = (2, 5, 10, 15)


def goals(rows: Sequence[Row]) -> Iterator[Goal]:
    """Say what is reached on the objects that were held back.

    Args:
        rows: of the study.
    """
    means = [row for row in rows if "seed" not in row.condition]
    label = ", ".join(FOREGROUND)

    def iou(kind: str, layers: int, name: str | None = label) -> float:
        about: dict[str, Condition | None] = {"prompt": PROMPT, "class": name}
        found = select(means, "iou", variant=f"{kind}_{layers}", **about)
        return found[0].value if found else math.nan

    def best(kind: str, depths: Sequence[int], name: str | None = label) -> tuple[float, int]:
        known = [(iou(kind, layers, name), layers) for layers in depths]
        known = [pair for pair in known if not math.isnan(pair[0])]
        return max(known, default=(math.nan, 0))

    ours, layers = best("semicoupled", ALL_DEPTHS)
    which = f"semicoupled, {layers} layers" if layers else "semicoupled"
    yield at_least(f"IoU of {label}, start and end given ({which}, the best depth)", ours, LEAST_IOU)
    deep, depth = best("semicoupled", DEEP, None)
    lstm, lstm_depth = best("convlstm", ALL_DEPTHS, None)
    text = f"IoU of the structure with 5 layers or more ({depth}) above the best ConvLSTM ({lstm_depth})"
    yield at_least(text, deep, lstm, _note(means, depth, lstm_depth))
    for shape in (BOX, ELLIPSE):
        found = select(means, "iou", model=shape)
        plain = [row for row in found if "variant" not in row.condition]
        text = f"IoU above that of the {shape}, which needs no network ({depth} layers)"
        yield at_least(text, deep, plain[0].value if plain else math.nan)
    clicks = [row for row in means if row.metric == "clicks" and row.condition.get("iou") == WANTED]
    own = [row for row in clicks if row.condition.get("variant") == f"semicoupled_{depth}"]
    enough = [
        row.value
        for row in means
        if row.metric == "clicks_enough"
        and row.condition.get("iou") == WANTED
        and row.condition.get("variant") == f"semicoupled_{depth}"
    ]
    note, reached = "", math.nan
    if own and enough:
        most = float(own[0].condition["most_clicks"])
        note = f"{100 * enough[0]:.0f} % get there; the others count with {most:g}"
        # who is stopped early counts too little, and would make a bad network look good
        reached = own[0].value if enough[0] == 1 or most >= PATIENCE or own[0].value > MOST_CLICKS else math.nan
    text = f"clicks of the simulated annotator until IoU {WANTED}, start and end not counted ({depth} layers)"
    yield at_most(text, reached, MOST_CLICKS, note)


def _note(means: Sequence[Row], layers: int, other: int) -> str:
    about = {"variant": f"semicoupled_{layers}", "against": f"convlstm_{other}", "prompt": PROMPT}
    return difference_note(select(means, "iou_difference", **about))
