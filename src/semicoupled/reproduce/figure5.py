"""Figure 5: outlines drawn point by point, and the course of training by depth and by the beginning of q."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from semicoupled.reproduce.doors import OUTLINE
from semicoupled.reproduce.reproduction import Outcome, Reproduction
from semicoupled.reproduce.request import Request
from semicoupled.run_folder import load
from semicoupled.studies.scores import select
from semicoupled.studies.trials import Trial, Variant

KINDS = ("semicoupled", "convlstm")


def variants(request: Request) -> list[Variant]:
    """Give the structure and ConvLSTM at all depths, and the structure with three beginnings of q."""
    from semicoupled.tasks.outline.study.lines import TABLE_4
    from semicoupled.tasks.outline.study.variants import FIGURE_5C

    by_depth = [line.variant(request.size) for line in TABLE_4 if line.name.startswith(KINDS)]
    return [*(variant for variant in by_depth if variant is not None), *FIGURE_5C]


def trials(request: Request) -> Sequence[Trial]:
    """Give the trainings, which Table 4 shares but for those of q."""
    return OUTLINE.trials(request, variants(request))


def run(request: Request) -> Outcome:
    """Train what Table 4 has not trained yet, and draw."""
    from semicoupled.tasks.outline.scores.draw import outlines_figure
    from semicoupled.tasks.outline.study.goals import PROMPT
    from semicoupled.tasks.outline.study.page import pictures, table_4

    rows = OUTLINE.run(request, variants(request))
    means = [row for row in rows if "seed" not in row.condition]

    def iou(trial: Trial) -> float:
        found = select(means, "iou", variant=trial.variant.name, prompt=PROMPT)
        return found[0].value if found else 0.0

    ours = [trial for trial in trials(request) if trial.variant.name.startswith(KINDS[0])]
    best = max(ours, key=iou)
    loaded = load(best.path, request.device, "outline")
    data = cast(Any, loaded.task.splits(loaded.settings).validation)
    drawn = outlines_figure(cast(Any, loaded.settings), cast(Any, loaded.model), data, PROMPT)
    shown = {
        "figure5a": (
            drawn,
            f"Fig. 5a and b: objects that were held back, outlined by {best.variant.label} (the best of "
            "the structure's in the mean). The start is marked by a circle; white is the truth.",
        )
    }
    for name, (figure, caption) in pictures(rows).items():
        shown["figure5c" if name.endswith("training") else "figure5-depth"] = (figure, caption)
    notes = [
        "Fig. 5d is a drawing of the encoder and the decoder, not a result: docs/nowcasting.md describes ours, and "
        "`semicoupled reproduce table7` scores it.",
        "The paper's Fig. 5c shows that ConvLSTM gets worse with depth and the structure does not, and "
        "that a larger q at first is better. The table says whether that is so here.",
    ]
    return Outcome("outline", OUTLINE.said_data(request), rows, [table_4(rows)], shown, notes)


FIGURE_5 = Reproduction(
    "figure5",
    "Figure 5: outlines drawn, and the course of training",
    "outlines drawn from the start point on Cityscapes; the course of training by depth and by q at first; the form of "
    "the precipitation network.",
    ("Data and networks are those of `reproduce table4`: CamVid, a light backbone.",),
    OUTLINE.data,
    (),
    trials,
    run,
    OUTLINE.budget_of,
)
