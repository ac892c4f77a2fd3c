"""Scores of answers: top-1, top-5, per class, confusion, importance of time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from semicoupled.rows import Condition, Row
from semicoupled.tasks.action.answering import VideoAnswer

_Z = 1.959964


def interval(hits: int, count: int) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a share; None of none."""
    if not count:
        return None
    share = hits / count
    middle = (share + _Z * _Z / (2 * count)) / (1 + _Z * _Z / count)
    half = _Z / (1 + _Z * _Z / count) * math.sqrt(share * (1 - share) / count + _Z * _Z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def share_row(model: str, metric: str, condition: Mapping[str, Condition], right: Sequence[bool]) -> Row:
    """Give how many of how many are right, with an interval."""
    hits, count = int(sum(right)), len(right)
    return Row(model, metric, condition, hits / count if count else math.nan, count, "1", interval(hits, count))


def in_top(probabilities: np.ndarray, label: int, count: int) -> bool:
    """Whether a class is among the `count` most probable of K; of two equal ones the earlier counts for more."""
    order = np.argsort(-probabilities, kind="stable")
    return label in order[:count]


def score_rows(
    model: str,
    answers: Sequence[VideoAnswer],
    labels: Sequence[int],
    classes: Sequence[str],
    condition: Mapping[str, Condition] | None = None,
) -> list[Row]:
    """Score answers.

    Args:
        model: its name.
        answers: of the videos.
        labels: the right classes.
        classes: names.
        condition: what the scores are limited to.

    Returns:
        Rows of `top1`, `top5` (above five classes), `frame_top1` (each frame by itself), the same by class, the
        `confusion` (how often a class was called another), and, where the streams answer, their `top1` and the
        `importance` of time: the temporal stream's probability of the right class less the spatial stream's.
    """
    about = dict(condition or {})
    rows = _overall(model, answers, labels, len(classes), about)
    for number, name in enumerate(classes):
        chosen = [(answer, label) for answer, label in zip(answers, labels, strict=True) if label == number]
        if chosen:
            some, same = zip(*chosen, strict=True)
            rows += _overall(model, some, same, 0, {**about, "class": name})
    said = np.zeros((len(classes), len(classes)), int)
    for answer, label in zip(answers, labels, strict=True):
        said[label, int(answer.main.argmax())] += 1
    for truth, guess in np.argwhere(said > 0):
        if truth != guess:
            of_truth = int(said[truth].sum())
            rows.append(
                Row(
                    model,
                    "confusion",
                    {**about, "class": classes[int(truth)], "called": classes[int(guess)]},
                    float(said[truth, guess]) / of_truth,
                    of_truth,
                )
            )
    return rows


def _overall(
    model: str,
    answers: Sequence[VideoAnswer],
    labels: Sequence[int],
    classes: int,
    about: Mapping[str, Condition],
) -> list[Row]:
    pairs = list(zip(answers, labels, strict=True))
    rows = [share_row(model, "top1", about, [in_top(answer.main, label, 1) for answer, label in pairs])]
    if classes > 5:
        rows.append(share_row(model, "top5", about, [in_top(answer.main, label, 5) for answer, label in pairs]))
    frames = [bool(frame) for answer, label in pairs for frame in answer.frames.argmax(-1) == label]
    rows.append(Row(model, "frame_top1", about, float(np.mean(frames)) if frames else math.nan, len(frames)))
    for stream in ("spatial", "temporal"):
        told = [(getattr(answer, stream), label) for answer, label in pairs if getattr(answer, stream) is not None]
        if told:
            rows.append(share_row(f"{model}/{stream}", "top1", about, [in_top(said, label, 1) for said, label in told]))
    both = [
        float(answer.temporal[label] - answer.spatial[label])
        for answer, label in pairs
        if answer.temporal is not None and answer.spatial is not None
    ]
    if both:
        error = 1.96 * float(np.std(both, ddof=1)) / math.sqrt(len(both)) if len(both) > 1 else math.nan
        mean = float(np.mean(both))
        ends = None if math.isnan(error) else (mean - error, mean + error)
        rows.append(Row(model, "importance", about, mean, len(both), "1", ends))
    return rows


def prior_rows(train: Sequence[int], labels: Sequence[int], condition: Mapping[str, Condition]) -> list[Row]:
    """Score the answer that is always the commonest class of the training: what must be beaten."""
    commonest = int(np.bincount(np.array(train)).argmax())
    return [share_row("commonest class", "top1", condition, [label == commonest for label in labels])]


def headline(rows: Sequence[Row]) -> Sequence[Row]:
    """Pick the rows that a terminal shows: those of all classes, and the strongest confusions."""
    overall = [row for row in rows if "class" not in row.condition]
    confused = sorted((row for row in rows if row.metric == "confusion"), key=lambda row: -row.value)
    return [*overall, *confused[:5]]
