"""The study of outlines: the structure and its rivals at 2, 5, 10 and 15 layers (Sec. 5.6, Table 4, Fig. 5c).

All begin with the same preset, with the same features of the image; what differs is the decoder. One variant is trained
alone by ``semicoupled train outline`` with its presets and options.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import cast

from semicoupled.rows import Row
from semicoupled.run_folder import LoadedRun
from semicoupled.studies import Trial, Variant, make_trials, variant_settings
from semicoupled.study_training import check_some, train_all
from semicoupled.task import TaskSettings
from semicoupled.tasks.outline.settings import OutlineSettings
from semicoupled.training.progress import Progress

TASK = "outline"
PRESETS = ("small",)
"""What the study begins with where nothing else is asked for."""

ALL = ("--training.checkpoint_every=50", "--training.keep=last", "--evaluation.clicks=20")
"""Of every variant: the objects that are scored choose nothing; little is lost where a study is killed."""

_KINDS = {
    "semicoupled": ("Semi-Coupled Structure", (2, 5, 10, 15)),
    "convlstm": ("ConvLSTM", (2, 5, 10, 15)),
    "convgru": ("ConvGRU", (5, 15)),
    "cbm": ("CBM", (5, 15)),
}


def _depth(layers: int) -> tuple[str, ...]:
    return (f"--model.layers={layers}", "--model.widths=null")


_GOALS = ("--goals.spatial=1", "--goals.temporal=1", "--switches.method=astsgd")

TABLE_4 = tuple(
    Variant(f"{kind}_{layers}", f"{label}, {layers} layers", _depth(layers), () if kind == "semicoupled" else (kind,))
    for kind, (label, depths) in _KINDS.items()
    for layers in depths
)
"""Each with the widths for which the parameters of Table 4 come out, with 128 features and without norm."""

INITIAL_Q = {"q100": 1.0, "q75": 0.75, "q50": 0.5}
"""Where q of ASTSGD begins (Fig. 5c)."""

FIGURE_5C = tuple(
    Variant(f"semicoupled_5_{name}", f"Semi-Coupled Structure, 5 layers, ASTSGD, q from {q:g}", (*_depth(5), *_GOALS))
    for name, q in INITIAL_Q.items()
)

_PARTS = ("--model.learn=parts",)
FAMILY = (
    Variant("polyrnn_lstm", "Polygon-RNN", (), ("polyrnn_lstm",)),
    Variant("polyrnn_gru", "Polygon-RNN, ConvGRU", (), ("polyrnn_gru",)),
    Variant("polyrnn_residual", "Residual Polygon-RNN", (), ("polyrnn_residual",)),
    Variant("polyrnn_attention", "... + attention", (), ("polyrnn_attention",)),
    Variant("polyrnn_reinforce", "... + attention + RL", (), ("polyrnn_reinforce",), after="polyrnn_attention"),
    Variant(
        "polyrnn_evaluator", "... + attention + RL + EN", _PARTS, ("polyrnn_evaluator",), after="polyrnn_reinforce"
    ),
    Variant("polyrnn_pp", "Polygon-RNN++", _PARTS, ("polyrnn_pp",), after="polyrnn_evaluator"),
)
"""The upper rows of Table 4. From the reinforcement step on each begins with the weights of the one before, and has a
budget of its own beside what those had; the last two leave the decoder as it is."""

VARIANTS = (
    *sorted(TABLE_4, key=lambda variant: int(variant.name.rpartition("_")[2])),
    *FIGURE_5C,
    *FAMILY,
)
"""In the order of training: shallow ones first."""

PAIRS = (
    *((f"semicoupled_{layers}", f"convlstm_{layers}") for layers in (2, 5, 10, 15)),
    *((f"semicoupled_{layers}", f"{kind}_{layers}") for kind in ("convgru", "cbm") for layers in (5, 15)),
    *((f"semicoupled_{more}", f"semicoupled_{less}") for less, more in ((2, 5), (5, 10), (10, 15))),
    *((f"convlstm_{more}", f"convlstm_{less}") for less, more in ((2, 5), (5, 10), (10, 15))),
    ("semicoupled_5_q100", "semicoupled_5_q50"),
    ("semicoupled_5_q100", "semicoupled_5"),
    *((FAMILY[place].name, FAMILY[place - 1].name) for place in range(3, len(FAMILY))),
)
"""The first and the second whose difference has an interval."""

QUICK = (
    "--data.size=64",
    "--data.grid=16",
    "--data.points=8",
    "--model.features=8",
    "--training.time_budget=null",
    "--training.steps=2",
    "--training.batch=2",
    "--evaluation.limit=4",
    "--evaluation.clicks=1",
)
"""Options that make every training a matter of seconds. It then shows that the study runs, not what comes out."""


def settings_of(
    variant: Variant, seed: int, options: Sequence[str] = (), presets: Sequence[str] = PRESETS
) -> OutlineSettings:
    """Give a variant's settings.

    Args:
        variant: one of `VARIANTS`.
        seed: of samples, weights and switches.
        options: for all variants alike, ``--data.root=DIR``; the variant's own win.
        presets: what all variants begin with.

    Raises:
        SettingsError: settings that do not go together.
    """
    folder = Path(__file__).parents[1] / "presets"
    based = dataclasses.replace(variant, presets=(*presets, *variant.presets))
    settings = variant_settings(OutlineSettings, folder, based, seed, [*ALL, *options])
    q = INITIAL_Q.get(variant.name.rpartition("_")[2])
    if q is None:
        return settings
    initial = initial_loss(
        q, settings.data.classes, settings.switches.focus_floor, settings.switches.spatial_loss_floor
    )
    return dataclasses.replace(
        settings, switches=dataclasses.replace(settings.switches, classes=None, initial_main_loss=initial)
    )


def initial_loss(q: float, classes: int, floor: float, loss_floor: float) -> float:
    """Give the InitL_g with which Eq. 20 begins at q, where nothing is known yet: L_s = L_g = ln(classes).

    Args:
        q: where to begin, from `floor` to 1; at `floor` it stays there as good as all the time.
        classes: of the next point.
        floor: q_0.
        loss_floor: thresh.
    """
    share = max((q - floor) / (1 - floor), 1e-6)
    return loss_floor + (math.log(classes) - loss_floor) / share


def run_study(
    variants: Sequence[Variant],
    seeds: Sequence[int],
    folder: Path,
    *,
    options: Sequence[str] = (),
    presets: Sequence[str] = PRESETS,
    once: Collection[str] = (),
    device: str = "auto",
    workers: int = 0,
    progress: Progress | None = None,
) -> list[Row]:
    """Train and score variants; what is finished is not done again, also after a run was killed halfway.

    Args:
        variants: which of `VARIANTS`.
        seeds: every variant is trained with each.
        folder: takes a run folder for each variant and seed, with what was drawn.
        options: settings for all variants alike; ``--data.root`` among them.
        presets: what all variants begin with.
        once: names of variants that are trained with the first seed alone.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: processes that load data.
        progress: who is told how far it is.

    Returns:
        Rows as `rows.study_rows` makes them.

    Raises:
        SettingsError: no variant, or settings that do not go together.
        DataError: the data cannot be used.
        RunError: a run folder was begun with other settings.
    """
    from semicoupled.tasks.outline.study.answers import load_answers, make_answers, make_shapes, objects_of
    from semicoupled.tasks.outline.study.rows import study_rows

    check_some(variants, seeds)

    def settings_for(variant: Variant, seed: int) -> TaskSettings:
        return settings_of(variant, seed, options, presets)

    trials = make_trials(variants, seeds, folder, settings_for, once)
    objects = objects_of(cast(OutlineSettings, trials[0].settings))

    def draw(trial: Trial, run: LoadedRun) -> None:
        _ = make_answers(trial.path, objects, run, progress)

    def is_drawn(trial: Trial) -> bool:
        return load_answers(trial.path, objects) is not None

    trained = train_all(
        TASK, "study outline", trials, draw, is_drawn, device=device, workers=workers, progress=progress
    )
    return study_rows(trials, trained, objects, make_shapes(folder / "baselines", objects))
