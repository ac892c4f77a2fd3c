"""The study of action: the structure and its parts beside rivals of equal size and equal wall time (Sec. 5.5, Table 3).

One of the variants is trained alone by ``semicoupled train action`` with its presets and options.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semicoupled.studies.trials import Variant, variant_settings
from semicoupled.tasks.action.settings import ActionSettings
from semicoupled.tasks.action.study.equal_size import count_parameters, of_equal_size

TASK = "action"
PRESETS = ("lips",)
"""What the study begins with where nothing else is asked for."""

ALL = ("--training.checkpoint_every=50",)
"""Of every variant: little is lost where a study is killed."""

OURS, WHOLE = "semicoupled", "whole"
_GOALS = ("--goals.spatial=1", "--goals.temporal=1", "--sub_goals.temporal=[main]")
_NO_GOALS = ("--goals.spatial=0", "--goals.temporal=0")
_ASTSGD, _STSGD, _NONE = (f"--switches.method={method}" for method in ("astsgd", "stsgd", "none"))
_AS_SHIPPED = ("--model.widths=null", "--model.strides=null", "--model.first_kernel=null", "--model.pool_first=null")

ABLATION = (
    Variant(WHOLE, "whole: two sub-goals, ASTSGD", (*_GOALS, _ASTSGD)),
    # Eq. 20 follows the spatial loss: without one, STSGD decouples the branches
    Variant("without_sub_goals", "without the two sub-goals (STSGD)", (*_NO_GOALS, _STSGD)),
    Variant(
        "without_temporal_goal", "without the temporal goal only", ("--goals.spatial=1", "--goals.temporal=0", _ASTSGD)
    ),
    Variant("without_astsgd", "without ASTSGD: no gradient is stopped", (*_GOALS, _NONE)),
    Variant("stsgd", "STSGD in place of ASTSGD, p from .5 to 0", (*_GOALS, _STSGD)),
    Variant("stsgd_p3", "STSGD in place of ASTSGD, p from .3 to 0", (*_GOALS, _STSGD, "--switches.start=0.3")),
    Variant("ltsc", "whole, in segments of 8 frames (LTSC)", (*_GOALS, _ASTSGD, "--segments.length=8")),
    Variant(
        "without_ltsc",
        "without LTSC, as where no more fits into memory: clips of 5 frames",
        (*_GOALS, _ASTSGD, "--data.frames=5", "--data.sampling=window", "--evaluation.clips=1"),
    ),
)
"""Table 3. The videos fit whole, so that LTSC is added; leaving it out is learning from short clips."""

RIVALS = (
    Variant("cnn", "CNN, one frame", presets=("cnn",)),
    Variant("cnn_lstm", "CNN+LSTM", presets=("cnn_lstm",)),
    Variant("convlstm", "ConvLSTM", presets=("convlstm",)),
    Variant("convlstm_15", "ConvLSTM, 15 layers", presets=("convlstm",)),
    Variant("cbm", "CBM", presets=("cbm",)),
    Variant("r2plus1d", "R(2+1)D-18, narrow: sees the clip at once", presets=("r2plus1d",)),
)
"""Each as wide as it takes to have the parameters of `OURS`."""

LAYERS = {"convlstm_15": 15}
"""Depth of rivals that are not as deep as ours."""

SIZES = (
    Variant("s", "Semi-Coupled Structure, size s (9 layers)", ("--model.size=s", *_AS_SHIPPED)),
    Variant("large", "Semi-Coupled Structure, size table1 (17 layers)", ("--model.size=table1", *_AS_SHIPPED)),
)
"""The small and the large network as they come with the task."""

VARIANTS = (Variant(OURS, "Semi-Coupled Structure, as the preset"), *RIVALS, *ABLATION, *SIZES)
"""In the order of tables and of training."""

PAIRS = (
    *((OURS, rival.name) for rival in RIVALS),
    *((WHOLE, other.name) for other in ABLATION[1:]),
    (WHOLE, OURS),
    ("s", "large"),
    (OURS, "large"),
)
"""The first and the second whose difference has an interval."""

QUICK = (
    "--data.height=16",
    "--data.width=16",
    "--data.frames=4",
    "--model.widths=[16,32,48]",
    "--model.strides=[2,2,1]",
    "--training.time_budget=null",
    "--training.steps=2",
    "--training.batch=2",
)
"""Options that make every training a matter of seconds. It then shows that the study runs, not what comes out."""


def settings_of(
    variant: Variant, seed: int, options: Sequence[str] = (), presets: Sequence[str] | None = None
) -> ActionSettings:
    """Give a variant's settings; a rival gets the widths at which it is as large as ours.

    Args:
        variant: one of `VARIANTS`.
        seed: of samples, weights and switches.
        options: for all variants alike, ``--data.root=DIR``; the variant's own win.
        presets: what all variants begin with; None for `PRESETS`.

    Raises:
        SettingsError: settings that do not go together, or a rival that cannot be made as large as ours.
    """
    folder, begun = Path(__file__).parents[1] / "presets", PRESETS if presets is None else presets
    settings = variant_settings(ActionSettings, folder, variant, seed, [*ALL, *options], begun)
    if variant.name not in {rival.name for rival in RIVALS}:
        return settings
    target = count_parameters(variant_settings(ActionSettings, folder, VARIANTS[0], seed, options, begun))
    return of_equal_size(settings, target, LAYERS.get(variant.name))
