"""The lines of Tables 2 and 3: what the paper prints, and what trains each of them, small and at the paper's size.

Small ones begin with the preset of the study (`lips` unless another is given), the paper's with `hmdb51`, `ucf101` or
`kinetics`.
"""

from __future__ import annotations

from semicoupled.paper_table import Line, figures
from semicoupled.studies.trials import Variant
from semicoupled.tasks.action.architecture import SIZES
from semicoupled.tasks.action.study.equal_size import deepened
from semicoupled.tasks.action.study.paper import PAPER_TABLE_2, PAPER_TABLE_3, TABLE_2_COLUMNS, TABLE_3_COLUMNS
from semicoupled.tasks.action.study.variants import ABLATION, VARIANTS

PRETRAINED, SCRATCH = "Pre-trained on Kinetics", "Not pre-trained on Kinetics"
_BY_NAME = {variant.name: variant for variant in VARIANTS}
_LEAST = ("--data.height=32", "--data.width=64")
"""A backbone ends at a 32nd of the frame."""
_GOALS = ("--goals.spatial=1", "--goals.temporal=1", "--switches.method=astsgd")
_NO_GOALS = ("--goals.spatial=0", "--goals.temporal=0")
_SHORT = ("--data.frames=5", "--segments.length=null", "--evaluation.clips=1")

_LABELS = {
    "cnn_lstm_vgg": "LSTM with BB (VGG)",
    "two_stream_3d": "3D-Fused",
    "cbm": "Stand-alone CBM",
    "whole": "Stand-alone SCS",
    "convlstm_15": "15-layer ConvLSTM",
    "cbm_vgg": "BB (VGG) supported CBM",
    "semicoupled_vgg": "BB (VGG) supported SCS",
    "semicoupled_inception": "BB (Inception) supported SCS",
}

SMALL_TABLE_2 = {
    "cnn_lstm_vgg": Variant("cnn_lstm_vgg", "CNN+LSTM on VGG-16", _LEAST, ("backbone", "cnn_lstm", "backbone_small")),
    "two_stream_3d": Variant("two_stream_3d", "two towers fused in 3D", presets=("two_stream_3d",)),
    "cbm": _BY_NAME["cbm"],
    "whole": _BY_NAME["whole"],
    "convlstm_15": _BY_NAME["convlstm_15"],
    "cbm_vgg": Variant("cbm_vgg", "CBM on VGG-16", _LEAST, ("backbone", "cbm", "backbone_small")),
    "semicoupled_vgg": Variant(
        "semicoupled_vgg",
        "Semi-Coupled Structure on VGG-16",
        (*_LEAST, *_GOALS, "--sub_goals.temporal=[main]"),
        ("backbone", "backbone_small"),
    ),
    "semicoupled_inception": Variant(
        "semicoupled_inception",
        "Semi-Coupled Structure on Inception V1",
        (*_LEAST, *_GOALS, "--sub_goals.temporal=[main]", "--model.backbone=inception_v1"),
        ("backbone", "backbone_small"),
    ),
}


def _layers_of_convlstm() -> tuple[str, str]:
    """Give 15 layers with the widths and the sizes of maps of Table 1."""
    plan = SIZES["table1"]
    widths, strides = deepened(plan.widths, plan.rival_strides, 15)
    return f"--model.widths={list(widths)}", f"--model.strides={list(strides)}"


FULL_TABLE_2 = {
    "cnn_lstm_vgg": Variant("cnn_lstm_vgg", "CNN+LSTM on VGG-16", ("--model.hidden=512",), ("backbone", "cnn_lstm")),
    "two_stream_3d": Variant("two_stream_3d", "two VGG-16 fused in 3D", ("--model.size=backbone",), ("two_stream_3d",)),
    # names of their own: the study makes its rivals as large as ours
    "cbm": Variant("cbm_paper", "CBM, 17 layers", presets=("cbm",)),
    "whole": Variant("whole", "Semi-Coupled Structure, 17 layers, ASTSGD", ("--switches.method=astsgd",)),
    "convlstm_15": Variant("convlstm_15_paper", "ConvLSTM, 15 layers", _layers_of_convlstm(), ("convlstm",)),
    "cbm_vgg": Variant("cbm_vgg", "CBM on VGG-16", presets=("backbone", "cbm")),
    "semicoupled_vgg": Variant("semicoupled_vgg", "Semi-Coupled Structure on VGG-16", presets=("backbone",)),
    "semicoupled_inception": Variant(
        "semicoupled_inception",
        "Semi-Coupled Structure on Inception V1",
        ("--model.backbone=inception_v1",),
        ("backbone",),
    ),
}

TABLE_2 = tuple(
    Line(
        name,
        label,
        figures(TABLE_2_COLUMNS, PAPER_TABLE_2[name]),
        SMALL_TABLE_2[name],
        FULL_TABLE_2[name],
        group=PRETRAINED if index < 4 else SCRATCH,
    )
    for index, (name, label) in enumerate(_LABELS.items())
)

_ABLATION_LABELS = {
    "whole": "Whole Stand-alone SCS",
    "without_sub_goals": "Stand-alone SCS w/o two sub-tasks",
    "without_temporal_goal": "Stand-alone SCS w/o sub-task T^2 only",
    "without_astsgd": "Stand-alone SCS w/o ASTSGD",
    "without_ltsc": "Stand-alone SCS w/o LTSC",
}

_FULL_ABLATION = {
    "whole": FULL_TABLE_2["whole"],
    # Eq. 20 follows the spatial loss: without one, STSGD decouples the branches
    "without_sub_goals": Variant(
        "without_sub_goals", "without the two sub-goals (STSGD)", (*_NO_GOALS, "--switches.method=stsgd")
    ),
    "without_temporal_goal": Variant(
        "without_temporal_goal",
        "without the temporal goal only",
        ("--goals.temporal=0", "--switches.method=astsgd"),
    ),
    "without_astsgd": Variant("without_astsgd", "without ASTSGD: no gradient is stopped", ("--switches.method=none",)),
    "without_ltsc": Variant("without_ltsc", "without LTSC: clips of 5 frames", ("--switches.method=astsgd", *_SHORT)),
}

TABLE_3 = tuple(
    Line(
        name,
        label,
        figures(TABLE_3_COLUMNS, PAPER_TABLE_3[name]),
        next(variant for variant in ABLATION if variant.name == name),
        _FULL_ABLATION[name],
    )
    for name, label in _ABLATION_LABELS.items()
)
