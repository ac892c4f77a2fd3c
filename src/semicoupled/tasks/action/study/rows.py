"""From answers to the rows of a study: every run, means over seeds, the baselines, differences, and what needs time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from semicoupled.bootstrap import draws_within, interval
from semicoupled.errors import DataError
from semicoupled.rows import Condition, Row
from semicoupled.studies.rows import by_variant, compared, difference_rows
from semicoupled.studies.training import Trained, took_rows
from semicoupled.studies.trials import Trial
from semicoupled.tasks.action.architecture import architecture
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.study.answers import STREAMS, Answers, Part, load_answers
from semicoupled.tasks.action.study.baselines import Baselines
from semicoupled.tasks.action.study.variants import PAIRS

MOST_GROUPS = 12
"""Groups that have scores of their own; a table with more cannot be read."""


class Scope(NamedTuple):
    """Which videos a score is over.

    Attributes:
        condition: what rows say of it.
        chosen: N, whether a video counts.
        weights: 1 + draws x N, how often each counts in the bootstrap, which draws videos within their groups.
    """

    condition: Mapping[str, Condition]
    chosen: np.ndarray
    weights: np.ndarray

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Average values of videos, N: first as they are, then for each draw."""
        return self.weights @ values / self.weights.sum(1)


def study_rows(
    trials: Sequence[Trial], trained: Mapping[Path, Trained], parts: Sequence[Part], baselines: Baselines
) -> list[Row]:
    """Make the rows of a study.

    Args:
        trials: all of them, done.
        trained: what each training took, by run folder.
        parts: what was answered.
        baselines: what they answered.

    Returns:
        Rows `top1`, `top5` and `probability` (of the right class), of the whole and by `stream`, `class` and `group`;
        `importance` and `importance_top1`, the temporal stream's score less the spatial one's; `confusion`; all with
        the conditions `data` (the split), `variant` and `seed`. Without `seed` they are means over seeds, whose
        interval is of that mean and tells nothing about other seeds or other groups. Differences `top1_difference`
        are `against` another variant, with `_lowest` and `_highest` seed. `width` has a row for each `layer`.
    """
    rows: list[Row] = []
    for trial in trials:
        rows += took_rows(trial, _kind(trial), trained[trial.path])
    for trial in {trial.variant.name: trial for trial in reversed(trials)}.values():
        plan = architecture(cast(ActionSettings, trial.settings).model)
        for layer, (width, stride) in enumerate(zip(plan.widths, plan.strides, strict=True)):
            about: dict[str, Condition] = {"variant": trial.variant.name, "layer": layer}
            rows += [Row(_kind(trial), "width", about, width, 1), Row(_kind(trial), "stride", about, stride, 1)]
    for part in parts:
        rows += part_rows(trials, part, baselines)
    return rows


def part_rows(trials: Sequence[Trial], part: Part, baselines: Baselines) -> Iterator[Row]:
    """Make the rows of one split.

    Raises:
        DataError: what a trial answered is gone.
    """
    truth, found = part.truth, scopes(part)
    runs = by_variant((trial, _answers(trial, part)) for trial in trials)
    for name, own in runs.items():
        yield from _variant_rows(name, own, part, truth, found)
    for name, split in baselines.items():
        values = values_of(split[part.name], truth)
        for scope in found:
            if "class" not in scope.condition:
                about: dict[str, Condition] = {"data": part.name, **scope.condition}
                yield _row(name, "top1", about, scope, scope.mean(values["main", "top1"]))
    whole = found[0]
    for ours, other, pairs in compared(PAIRS, runs):
        right = [[values_of(answers, truth)["main", "top1"] for answers in pair] for pair in pairs]
        drawn = np.stack([whole.mean(mine - theirs) for mine, theirs in right])
        against: dict[str, Condition] = {"data": part.name, "variant": ours, "against": other}
        yield from difference_rows(_kind(runs[ours][0][0]), "top1", against, drawn, int(whole.chosen.sum()))


def scopes(part: Part) -> list[Scope]:
    """Give what is scored of a split: all its videos, then each group, then each class."""
    truth, groups = part.truth, part.groups
    chosen: list[tuple[dict[str, Condition], np.ndarray]] = [({}, np.ones(len(truth), bool))]
    names = np.unique(groups)
    if 1 < len(names) <= MOST_GROUPS:
        chosen.extend(({"group": str(name)}, groups == name) for name in names)
    chosen.extend(({"class": name}, truth == number) for number, name in enumerate(part.classes))
    return [Scope(condition, which, draws_within(groups, which)) for condition, which in chosen if bool(which.any())]


def values_of(answers: Answers, truth: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Give the scores of single videos by stream and metric, N each; the importance of time stands by itself.

    Args:
        answers: of a run.
        truth: the right class of each video.
    """
    found: dict[tuple[str, str], np.ndarray] = {}
    for stream in STREAMS:
        said: np.ndarray | None = getattr(answers, stream)
        if said is None:
            continue
        order = np.argsort(-said, axis=1, kind="stable")
        hits = order == truth[:, None]
        found[stream, "top1"] = hits[:, 0].astype(float)
        if said.shape[1] > 5:
            found[stream, "top5"] = hits[:, :5].any(1).astype(float)
        found[stream, "probability"] = said[np.arange(len(truth)), truth].astype(float)
    if ("spatial", "top1") in found and ("temporal", "top1") in found:
        found["importance", "importance"] = found["temporal", "probability"] - found["spatial", "probability"]
        found["importance", "importance_top1"] = found["temporal", "top1"] - found["spatial", "top1"]
    return found


def _variant_rows(
    name: str, runs: Sequence[tuple[Trial, Answers]], part: Part, truth: np.ndarray, found: Sequence[Scope]
) -> Iterator[Row]:
    model = _kind(runs[0][0])
    every = [(trial.seed, values_of(answers, truth)) for trial, answers in runs]
    for stream, metric in every[0][1]:
        kept: dict[str, Condition] = {} if stream in ("main", "importance") else {"stream": stream}
        together = np.mean([values[stream, metric] for _, values in every], 0)
        for scope in found:
            about: dict[str, Condition] = {"data": part.name, "variant": name}
            for seed, values in every:
                condition = {**about, "seed": seed, **kept, **scope.condition}
                yield _row(model, metric, condition, scope, scope.mean(values[stream, metric]))
            yield _row(model, metric, {**about, **kept, **scope.condition}, scope, scope.mean(together))
    said = np.zeros((len(part.classes), len(part.classes)))
    for _, answers in runs:
        np.add.at(said, (truth, answers.main.argmax(1)), 1 / len(runs))
    for right, guess in np.argwhere(said > 0):
        count = int((truth == right).sum())
        where = {"class": part.classes[int(right)], "called": part.classes[int(guess)]}
        yield Row(
            model, "confusion", {"data": part.name, "variant": name, **where}, float(said[right, guess]) / count, count
        )


def _row(model: str, metric: str, condition: Mapping[str, Condition], scope: Scope, drawn: np.ndarray) -> Row:
    return Row(model, metric, condition, float(drawn[0]), int(scope.chosen.sum()), "1", interval(drawn[1:]))


def _answers(trial: Trial, part: Part) -> Answers:
    found = load_answers(trial.path, part)
    if found is None:
        raise DataError(f"{trial.path}: what was answered for the split {part.name} is gone. Run the study again")
    return found


def _kind(trial: Trial) -> str:
    return cast(ActionSettings, trial.settings).model.kind
