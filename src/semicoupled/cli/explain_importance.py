"""``semicoupled explain importance``: how important time is for the answers (Table 6)."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.explained_run import open_explained, run_parser
from semicoupled.cli.options import autocast
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, scores_table
from semicoupled.explain.importance import Importance, by_condition, integer_fields, score_samples, summarize
from semicoupled.report import Section, rows_table
from semicoupled.rows import Row


def main(arguments: Sequence[str]) -> int:
    """Score both streams, and print the difference in total and by condition."""
    parser = run_parser(
        "importance", "Score of the temporal stream minus that of the spatial stream, in total and by condition.", 256
    )
    options = parser.parse(arguments)
    run = open_explained("importance", options)
    loaded = run.loaded
    batch = next(run.batches([0]))
    conditions = integer_fields(batch)
    with progress() as shown, autocast(batch.frames.device, options.precision):
        samples = score_samples(
            loaded.model,
            loaded.task.goals(loaded.settings),
            run.data,
            options.samples,
            conditions=conditions,
            progress=shown,
        )
    groups = [summarize("all", samples)]
    for condition in conditions:
        groups.extend(by_condition(samples, condition))
    kind = str(loaded.settings.model.kind)
    rows = [row for group in groups for row in _rows(kind, group)]
    title = "Importance of time: the temporal stream's score minus the spatial stream's"
    output().print(scores_table([row for row in rows if row.metric == "importance"], title))
    text = "The score is minus the loss of the main goal. Above 0, time says more than space; intervals are 95 %."
    run.write([Section("Importance of time", text, [rows_table(rows)])], rows)
    return 0


def _rows(kind: str, group: Importance) -> list[Row]:
    condition = {"group": group.name}
    values = {"main": group.main, "spatial": group.spatial, "temporal": group.temporal}
    reach = 1.96 * group.error
    interval = (group.importance - reach, group.importance + reach)
    return [
        Row(kind, "importance", condition, group.importance, group.count, "1", None if reach != reach else interval),
        *(Row(kind, f"score_{name}", condition, value, group.count) for name, value in values.items()),
    ]
