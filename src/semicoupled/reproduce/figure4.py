"""Figure 4: the maps of both branches with and without the sub-goals, and q over the training."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.errors import RunError
from semicoupled.report import Cell, Table, number
from semicoupled.reproduce.doors import ACTION
from semicoupled.reproduce.reproduction import Outcome, Reproduction
from semicoupled.reproduce.request import Request
from semicoupled.rows import Row
from semicoupled.run_folder import load
from semicoupled.studies.trials import Trial, Variant

NAMES = ("whole", "without_sub_goals")


def variants(request: Request) -> list[Variant]:
    """Give the whole, and it without the sub-goals, as Table 3 trains them."""
    from semicoupled.tasks.action.study.lines import TABLE_3

    found = (line.variant(request.size) for line in TABLE_3 if line.name in NAMES)
    return [variant for variant in found if variant is not None]


def trials(request: Request) -> Sequence[Trial]:
    """Give the trainings, which Table 3 shares."""
    return ACTION.trials(request, variants(request))


def run(request: Request) -> Outcome:
    """Train what Table 3 has not trained yet, and draw.

    Raises:
        RunError: no run with ASTSGD is there.
    """
    from semicoupled.explain.focus import draw_focus, read_focus
    from semicoupled.reproduce.looking import top_maps

    rows = ACTION.run(request, variants(request))
    planned = trials(request)
    pictures = {}
    for name in NAMES:
        trial = next(trial for trial in planned if trial.variant.name == name)
        pictures[f"figure4a-{name.replace('_', '-')}"] = (
            top_maps(load(trial.path, request.device, "action"), trial.variant.label),
            f"Fig. 4a, {trial.variant.label}: the top layer's maps of both branches and their product, in the channel "
            "that varies most.",
        )
    histories = {trial.path.name: read_focus(trial.path) for trial in planned if trial.variant.name == NAMES[0]}
    if not histories:
        raise RunError("figure4: no run with ASTSGD is there. Train `whole` first")
    pictures["figure4b"] = (
        draw_focus(histories),
        "Fig. 4b: q over the training, a line a seed. The paper's falls from 1 to about 0.5.",
    )
    lines: list[list[Cell]] = []
    scores: list[Row] = []
    for name, history in histories.items():
        ends = {"first": history.focus[0], "last": history.focus[-1], "mean": history.mean(0.0, 1.0)}
        lines.append([name, *(number(value) for value in ends.values()), history.steps[-1]])
        scores += [Row("semicoupled", "q", {"run": name, "of": part}, value, 1) for part, value in ends.items()]
    caption = (
        "Fig. 4b: q, how often the temporal branch is stopped; the paper's begins at about 1 and ends at about 0.5."
    )
    table = Table(["run", "q at first", "q at last", "q in the mean", "steps"], lines, caption)
    return Outcome("action", ACTION.said_data(request), [*scores, *rows], [table], pictures)


FIGURE_4 = Reproduction(
    "figure4",
    "Figure 4: with and without sub-goals, and the course of q",
    "maps of both branches on UCF-101 with and without sub-tasks, and q during the training.",
    (
        "Data and networks are those of `reproduce table3`: words on lips, nine layers. The maps are a "
        "look and no measure; `semicoupled explain probes` measures what each branch holds.",
    ),
    ACTION.data,
    (),
    trials,
    run,
    ACTION.budget_of,
)
