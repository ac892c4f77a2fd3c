"""The study of motion: does the table of what needs time say what is known of made clips?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from semicoupled.report import Cell, Table
from semicoupled.rows import Row
from semicoupled.studies import page as study_page
from semicoupled.studies.page import means_of
from semicoupled.studies.scores import Goal, at_least, at_most, select, verdict
from semicoupled.tasks.action.study.answers import TEST
from semicoupled.tasks.action.study.made import MOVING, STILL
from semicoupled.tasks.action.study.page import classes_of, score_table, streamed, time_table
from semicoupled.tasks.action.study.variants import WHOLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PRESETS = ("motion",)
VARIANTS_SHOWN = (WHOLE, "cnn")
"""Of the study of action: the whole, and what cannot know the direction."""
LEAST, MOST = 0.5, 0.1
"""Importance of time: at least so much where the motion alone tells the class, at most so much where a frame does."""
CHANCE = 0.25
"""A frame of a square may belong to each of four classes."""
SLACK = 0.05


def goals(rows: Sequence[Row]) -> Iterator[Goal]:
    """Say of each class whether the table says what is known.

    Args:
        rows: of the study, on the test split.
    """
    means = means_of(rows)

    def mean(metric: str, name: str, stream: str | None = None) -> float:
        found = select(means, metric, variant=WHOLE, data=TEST, stream=stream, **{"class": name})
        return found[0].value if found else math.nan

    for name in MOVING:
        yield at_least(f"importance of time for {name}", mean("importance", name), LEAST)
    for name in STILL:
        yield at_most(f"importance of time for {name}", mean("importance", name), MOST)
    for name in MOVING:
        said = mean("probability", name, "spatial")
        yield at_most(f"the spatial stream does not know the way of {name}", said, CHANCE + SLACK)


def goal_table(rows: Sequence[Row]) -> Table:
    """Lay `goals` out."""
    lines: list[list[Cell]] = [[goal.text, goal.value, goal.bound, verdict(goal)] for goal in goals(rows)]
    caption = "What is known of the clips: squares differ by their way alone, disc and cross are told by any frame."
    return Table(["known", "found", "bound", ""], lines, caption)


def tables(rows: Sequence[Row]) -> list[Table]:
    """Give all tables, in the order in which they are read."""
    return [goal_table(rows), score_table(rows), *(time_table(rows, variant, TEST) for variant in streamed(rows))]


def pictures(rows: Sequence[Row]) -> dict[str, tuple[Figure, str]]:
    """Draw what needs time; figures with their captions, by name."""
    from semicoupled.tasks.action.study.plots import time_plot

    return {
        f"motion-{variant.name}": (
            time_plot(means_of(rows), variant, TEST, classes_of(rows)),
            f"Made clips: which classes need time ({variant.label}).",
        )
        for variant in streamed(rows)[:1]
    }


def section(rows: Sequence[Row], command: str, shown: Sequence[tuple[str, str]]) -> str:
    """Write the study's section in Markdown; see `semicoupled.studies.page.section`."""
    return study_page.section("Made clips: which classes need time", command, tables(rows), shown)
