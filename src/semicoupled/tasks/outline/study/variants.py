"""The study of outlines: the structure and its rivals at 2, 5, 10 and 15 layers (Sec. 5.6, Table 4, Fig. 5c).

All begin with the same preset, with the same features of the image; what differs is the decoder. One variant is trained
alone by ``semicoupled train outline`` with its presets and options.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from semicoupled.studies.trials import Variant, variant_settings
from semicoupled.tasks.outline.settings import OutlineSettings

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
    variant: Variant, seed: int, options: Sequence[str] = (), presets: Sequence[str] | None = None
) -> OutlineSettings:
    """Give a variant's settings.

    Args:
        variant: one of `VARIANTS`.
        seed: of samples, weights and switches.
        options: for all variants alike, ``--data.root=DIR``; the variant's own win.
        presets: what all variants begin with; None for `PRESETS`.

    Raises:
        SettingsError: settings that do not go together.
    """
    folder, begun = Path(__file__).parents[1] / "presets", PRESETS if presets is None else presets
    settings = variant_settings(OutlineSettings, folder, variant, seed, [*ALL, *options], begun)
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
