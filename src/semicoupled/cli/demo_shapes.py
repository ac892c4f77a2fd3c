"""Moving shapes, for the demo: which way, which shape, by the structure and its rivals (Fig. 2)."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.cli.demo_runs import Planned, toy_settings

QUESTIONS = ("which_way", "which_shape")
KINDS = ("semicoupled", "cnn_lstm")
FULL_KINDS = (*KINDS, "convlstm")
FULL_SEEDS = (0, 1, 2)
SUMMARY = (
    "Small networks watch clips of a single shape and are asked which way it moves, or which shape it is. Then they "
    "are tested on what they never saw: other shapes, or the frames in disorder."
)
FOCUS = (
    "--switches.method=astsgd",
    "--data.wrap=false",
    "--goals.spatial=1",
    "--goals.temporal=1",
    "--training.steps=300",
    "--training.batch=16",
    "--training.checkpoint_every=300",
)
"""Options of the trainings that show q: ASTSGD follows the sub-goals. Shapes that stay inside are learned faster.

Their scores are compared with nobody's, so that half of the clips a step suffice; three streams take twice the time.
"""


def plan(kinds: Sequence[str], seeds: Sequence[int], options: Sequence[str] = ()) -> list[Planned]:
    """Plan the trainings whose scores are compared."""
    return [
        Planned(f"{question}-{kind}-{seed}", toy_settings(question, kind, seed, options))
        for question in QUESTIONS
        for kind in kinds
        for seed in seeds
    ]


def plan_focus(options: Sequence[str] = ()) -> list[Planned]:
    """Plan two trainings that show q (Fig. 4b): by the formula, and learned."""
    shared = [*FOCUS, *options]
    learned = [*shared, "--switches.controller=learned"]
    return [
        Planned("which_shape-focus-formula", toy_settings("which_shape", "semicoupled", 0, shared)),
        Planned("which_shape-focus-learned", toy_settings("which_shape", "semicoupled", 0, learned)),
    ]
