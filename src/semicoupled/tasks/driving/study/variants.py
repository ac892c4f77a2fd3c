"""The study of driving: the structure, its p and its length beside CNN, CNN+LSTM and ConvLSTM (Sec. 5.7, Tables 5, 6).

Variants have about as many parameters as each other and the same wall time. One of them is trained alone by
``semicoupled train driving`` with its presets.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semicoupled.studies.trials import Variant, variant_settings
from semicoupled.tasks.driving.settings import DrivingSettings

TASK = "driving"

ALL = ("--training.checkpoint_every=50",)
"""Of every variant: little is lost where a study is killed."""

VARIANTS = (
    Variant("semicoupled", "Semi-Coupled Structure, p = .5", presets=("p5",)),
    Variant("semicoupled_p3", "Semi-Coupled Structure, p = .3", presets=("p3",)),
    Variant("semicoupled_p0", "Semi-Coupled Structure, p = 0", presets=("p0",)),
    Variant("semicoupled_long", "Semi-Coupled Structure, p = .5, LTSC", presets=("p5", "long")),
    Variant("convlstm", "ConvLSTM", presets=("convlstm",)),
    Variant("cnn_lstm", "CNN+LSTM", presets=("cnn_lstm",)),
    Variant("cnn", "CNN, one frame", presets=("cnn",)),
    *(
        Variant(
            f"semicoupled_{name}length{frames}",
            f"Semi-Coupled Structure, p = {said}, length {frames}",
            presets=(preset, f"length_{frames}"),
        )
        for frames in (7, 3)
        for name, said, preset in (("", ".5", "p5"), ("p3_", ".3", "p3"), ("p0_", "0", "p0"))
    ),
    *(
        Variant(f"cnn_lstm_length{frames}", f"CNN+LSTM, length {frames}", presets=("cnn_lstm", f"length_{frames}"))
        for frames in (7, 3)
    ),
)
"""In the order of tables and of training: first those that carry a state along the drive, then the clips of Table 5."""

TABLE_5 = tuple(variant for variant in VARIANTS if "length" in variant.name or variant.name == "cnn")
"""The table's own lines: clips of 7 and 3 frames, and one frame."""

PAIRS = (
    ("semicoupled", "cnn"),
    ("semicoupled", "cnn_lstm"),
    ("semicoupled", "convlstm"),
    ("semicoupled", "semicoupled_p0"),
    ("semicoupled_p3", "semicoupled_p0"),
    ("semicoupled_long", "semicoupled"),
    ("semicoupled_p0", "cnn"),
    ("semicoupled_p0", "cnn_lstm"),
    ("semicoupled", "semicoupled_length7"),
    ("semicoupled_length7", "semicoupled_length3"),
    ("cnn_lstm_length7", "cnn_lstm_length3"),
    *(
        pair
        for length in ("length7", "length3")
        for pair in (
            (f"semicoupled_{length}", "cnn"),
            (f"semicoupled_{length}", f"cnn_lstm_{length}"),
            (f"semicoupled_p0_{length}", "cnn"),
            (f"semicoupled_p0_{length}", f"cnn_lstm_{length}"),
            (f"semicoupled_{length}", f"semicoupled_p0_{length}"),
            (f"semicoupled_p3_{length}", f"semicoupled_p0_{length}"),
        )
    ),
)
"""The first and the second whose difference has an interval."""

QUICK = (
    "--data.width=32",
    "--data.height=16",
    "--model.widths=[8,8]",
    "--model.strides=[2,2]",
    "--training.time_budget=null",
    "--training.steps=2",
    "--training.batch=2",
)
"""Options that make every training a matter of seconds. It then shows that the study runs, not what comes out."""


def settings_of(
    variant: Variant, seed: int, options: Sequence[str] = (), presets: Sequence[str] | None = None
) -> DrivingSettings:
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
    return variant_settings(DrivingSettings, folder, variant, seed, [*ALL, *options], presets or ())
