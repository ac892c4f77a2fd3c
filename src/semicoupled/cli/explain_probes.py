"""``semicoupled explain probes``: what can be read out of each branch's features (Fig. 2b, 4a)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from semicoupled.cli.explained_run import ExplainedRun, open_explained, run_parser
from semicoupled.cli.options import autocast
from semicoupled.cli.progress import progress
from semicoupled.cli.tables import output, scores_table
from semicoupled.errors import DataError
from semicoupled.explain.importance import integer_fields, spread
from semicoupled.explain.maps import recording
from semicoupled.explain.probes import Probe, pool_records, probe_all
from semicoupled.report import Section, rows_table
from semicoupled.rows import Row


def main(arguments: Sequence[str]) -> int:
    """Fit probes and print what they read."""
    parser = run_parser("probes", "Read answers out of each branch of each layer by a linear probe.", samples=512)
    options = parser.parse(arguments)
    run = open_explained("probes", options)
    rows = [
        Row(
            str(run.loaded.settings.model.kind),
            "accuracy",
            {"layer": probe.layer, "branch": probe.branch, "question": probe.question, "chance": probe.chance},
            probe.accuracy,
            probe.count,
        )
        for probe in find_probes(run)
    ]
    output().print(scores_table(rows, "What a linear probe reads out of each branch"))
    text = (
        "A softmax regression on features averaged over the frame and the clip, fitted to one half of the samples and "
        "scored on the other. Chance is the share of the commonest class."
    )
    run.write([Section("Probes", text, [rows_table(rows)])], rows)
    return 0


def find_probes(run: ExplainedRun) -> list[Probe]:
    """Fit a probe for every layer, branch and question of a run.

    Raises:
        DataError: the task's samples have no classes that could be read.
    """
    features: dict[tuple[int, str], list[Tensor]] = {}
    answers: dict[str, list[Tensor]] = {}
    indices = spread(len(run.data), run.options.samples)
    with progress() as shown:
        shown.begin("recording", len(indices))
        done = 0
        for batch in run.batches(indices):
            with (
                recording(run.network) as records,
                torch.no_grad(),
                autocast(batch.frames.device, run.options.precision),
            ):
                run.loaded.model(batch)
            for key, pooled in pool_records(next(iter(records.values()))).items():
                features.setdefault(key, []).append(pooled)
            for name in integer_fields(batch):
                answers.setdefault(name, []).append(getattr(batch, name).flatten(1)[:, -1].cpu())
            done += len(batch.frames)
            shown.update(done)
        shown.end()
    if not answers:
        raise DataError(f"task {run.loaded.task.name}: its samples have no classes; expected some that probes can read")
    joined = {name: torch.cat(parts) for name, parts in answers.items()}
    return probe_all({key: torch.cat(parts) for key, parts in features.items()}, joined)
