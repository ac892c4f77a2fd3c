"""The study of rain: what the structure is worth beside its rivals and beside advection (Sec. 5.8, Table 7).

Variants have about as many parameters as each other within their form, and the same wall time. One of them is trained
alone by ``semicoupled train nowcasting`` with its presets and options.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semicoupled.studies.trials import Variant, variant_settings
from semicoupled.tasks.nowcasting.settings import NowcastingSettings

TASK = "nowcasting"
TRUSTED = ("--predict.trust=1", "--predict.match=0")
"""Scores are of what the networks give, as it is: they learn from several events."""

ALL = ("--evaluation.leads=5", "--training.checkpoint_every=50")
"""Of every variant: 5 steps ahead, and little is lost where a study is killed."""

RATES = {
    "semicoupled": 0.002,
    "convlstm": 0.004,
    "convgru": 0.002,
    "predrnn": 0.002,
    "semicoupled_plain": 0.002,
    "convlstm_plain": 0.002,
}
"""Learning rates that `semicoupled tune nowcasting` found, for each kind in each form (docs/log.md)."""

_NO_BRANCHES = ("--goals.spatial=0", "--goals.temporal=0", "--switches.method=none")


def _rate(of: str) -> str:
    return f"--training.learning_rate={RATES[of]:g}"


VARIANTS = (
    Variant("semicoupled", "Semi-Coupled Structure, best form", (_rate("semicoupled"),)),
    Variant("convlstm", "ConvLSTM, same form", ("--model.width=19", _rate("convlstm")), ("convlstm",)),
    Variant("convgru", "ConvGRU, same form", ("--model.width=22", _rate("convgru")), ("convgru",)),
    Variant("predrnn", "PredRNN, same form", ("--model.width=12", _rate("predrnn")), ("predrnn",)),
    Variant(
        "semicoupled_goals",
        "Semi-Coupled Structure, best form, sub-goals and STSGD",
        (
            "--goals.spatial=1",
            "--goals.temporal=1",
            "--switches.method=stsgd",
            "--switches.start=0.5",
            _rate("semicoupled"),
        ),
    ),
    Variant("semicoupled_plain", "Semi-Coupled Structure, plain, p = .5", (_rate("semicoupled_plain"),), ("plain",)),
    Variant(
        "semicoupled_plain_p3",
        "Semi-Coupled Structure, plain, p = .3",
        ("--switches.start=0.3", _rate("semicoupled_plain")),
        ("plain",),
    ),
    Variant(
        "semicoupled_plain_p0",
        "Semi-Coupled Structure, plain, p = 0",
        ("--switches.method=none", _rate("semicoupled_plain")),
        ("plain",),
    ),
    Variant(
        "convlstm_plain",
        "ConvLSTM, plain",
        ("--model.width=28", *_NO_BRANCHES, _rate("convlstm_plain")),
        ("plain", "convlstm"),
    ),
)
"""In the order of tables and of training."""

PAIRS = (
    ("semicoupled", "convlstm"),
    ("semicoupled", "convgru"),
    ("semicoupled", "predrnn"),
    ("semicoupled_plain", "convlstm_plain"),
)
"""Ours and the rival whose difference has an interval."""

QUICK = (
    "--data.input_frames=3",
    "--data.output_frames=2",
    "--data.crop=32",
    "--data.kilometers=1",
    "--model.layers=1",
    "--model.patch=4",
    "--model.scales=1",
    "--evaluation.leads=2",
    "--training.steps=2",
    "--training.batch=2",
)
"""Options that make every training a matter of seconds. It then shows that the study runs, not what comes out."""


def settings_of(
    variant: Variant, seed: int, options: Sequence[str] = (), presets: Sequence[str] | None = None
) -> NowcastingSettings:
    """Give a variant's settings.

    Args:
        variant: one of `VARIANTS`.
        seed: of samples, weights and switches.
        options: for all variants alike, ``--data.root=DIR``; the variant's own win.
        presets: what all variants begin with; variants name all of theirs themselves, so that None stands for none.

    Raises:
        SettingsError: settings that do not go together.
    """
    folder = Path(__file__).parents[1] / "presets"
    return variant_settings(NowcastingSettings, folder, variant, seed, [*ALL, *TRUSTED, *options], presets or ())
