"""Tables 2 to 7: what each shows, which study is behind it, and what differs here."""

from __future__ import annotations

from collections.abc import Sequence

from semicoupled.paper_table import Line
from semicoupled.reproduce import doors, measures
from semicoupled.reproduce.table import PaperTable


def _table_2() -> Sequence[Line]:
    from semicoupled.tasks.action.study.lines import TABLE_2

    return TABLE_2


def _table_3() -> Sequence[Line]:
    from semicoupled.tasks.action.study.lines import TABLE_3

    return TABLE_3


def _table_4() -> Sequence[Line]:
    from semicoupled.tasks.outline.study.lines import TABLE_4

    return TABLE_4


def _table_5() -> Sequence[Line]:
    from semicoupled.tasks.driving.study.lines import TABLE_5

    return TABLE_5


def _table_6() -> Sequence[Line]:
    from semicoupled.tasks.driving.study.lines import TABLE_6

    return TABLE_6


def _table_7() -> Sequence[Line]:
    from semicoupled.tasks.nowcasting.study.lines import TABLE_7

    return TABLE_7


_ACTION_DIFFERS = (
    "Data: 1 100 short videos of ten spoken words, 24 x 48 px in gray, instead of thousands of web videos; no "
    "pre-training on Kinetics.",
    "Networks: nine narrow layers instead of 17, rivals of equal size; the backbones are whole, but begin without "
    "ImageNet's weights and have 15 layers of 64 above them instead of 512.",
    "Time: ten minutes each on a CPU core unless --budget says otherwise.",
)

TABLE_2 = PaperTable(
    "table2",
    "Table 2: action recognition",
    "accuracy on Kinetics, UCF-101 and HMDB-51; 17 layers alone, or 15 behind a backbone from ImageNet.",
    doors.ACTION,
    _table_2,
    measures.top1(("Kinetics", "UCF-101", "HMDB-51")),
    "Table 2: accuracy in percent. The paper's are on other data with larger networks: the order "
    "compares, not the size.",
    (
        *_ACTION_DIFFERS,
        "3D-Fused sees the flow of one frame where the original sees ten, and has no tower of its own loss.",
    ),
)

TABLE_3 = PaperTable(
    "table3",
    "Table 3: what each part is worth",
    "accuracy on Kinetics and HMDB-51 (its caption says UCF-101) of the 17 layers without one part at a time.",
    doors.ACTION,
    _table_3,
    measures.top1(("Kinetics", "HMDB-51")),
    "Table 3: accuracy in percent. The paper's are on other data with larger networks: the order "
    "compares, not the size.",
    (
        *_ACTION_DIFFERS,
        "LTSC: the videos fit whole, so that the whole learns from whole videos and what stands for LTSC left out "
        "learns and answers from clips of five frames, the length of the paper's segments.",
        "Temporal goal: the class, not the optical flow, so that importance can be told.",
    ),
)

TABLE_4 = PaperTable(
    "table4",
    "Table 4: outlines",
    "IoU on Cityscapes' validation set, VGG-16 below the decoders; the upper half is quoted from others.",
    doors.OUTLINE,
    _table_4,
    measures.iou,
    "Table 4: IoU in percent, start and end given. The paper's are on Cityscapes: the order compares, not the size.",
    (
        "Data: CamVid, a thirtieth of the objects; touching objects of a class are one.",
        "Networks: a light backbone from scratch, crops of 128 px and a grid of 16 x 16 cells instead of VGG-16 from "
        "ImageNet, 224 px and 28 x 28; the decoders have the paper's widths and see 32 features instead of 128.",
        "Sub-goals, switches and segments are off at this size; --size paper has them.",
        "Time: ten minutes each on a CPU core unless --budget says otherwise.",
    ),
)

TABLE_5 = PaperTable(
    "table5",
    "Table 5: the steering angle",
    "accuracy (24) at 6 and 3 degrees and MSE of the normalized angle on LiVi-Set and comma.ai, clips of "
    "7 and 3 frames.",
    doors.DRIVING,
    _table_5,
    measures.angles,
    "Table 5: accuracy (24) in percent and MSE of the normalized angle, against the raw label. The "
    "paper's are on other data, in degrees: the order compares, not the size.",
    (
        "Data: a car of a tenth of the size, steered by a joystick; angles are shares of full lock, so that the "
        "thresholds are 0.2 and 0.1 of it.",
        "Networks: six layers, rivals of equal size (no ResNet-18, no VGG); --size paper has the named ones.",
        "Time: ten minutes each on a CPU core unless --budget says otherwise.",
    ),
)

TABLE_6 = PaperTable(
    "table6",
    "Table 6: how important time is, by kind of road",
    "accuracy (24) of both streams on LiVi-Set by kind of road, and their difference.",
    doors.DRIVING,
    _table_6,
    measures.streams,
    "Table 6: accuracy (24) in percent of the spatial stream (T1), the temporal one (T2), and their difference.",
    (
        *TABLE_5.differs,
        "Roads: without labels of roads they are told by the size of the smoothed angle (straight, curve, sharp), so "
        "that crossroads and T-junctions have no figures unless the data have a column `road`.",
    ),
)

TABLE_7 = PaperTable(
    "table7",
    "Table 7: precipitation",
    "MSE, CSI, FAR, POD and correlation on REEC-2018, 5 images in, 5 out, 15 + 15 layers.",
    doors.RAIN,
    _table_7,
    measures.forecasts,
    "Table 7: squared error on dBZ / 60, the others at 30 dBZ, .5 on that scale, pooled over all pixels. "
    "The paper's are on other data: the order compares, not the size.",
    (
        "Data: Dutch and Finnish radar, every 5 minutes and not 6, with a fixed scale of dBZ / 60 instead of each "
        "image's least and greatest value.",
        "Networks: 4 + 4 layers on cells of 4 x 4 px instead of 15 + 15 on every pixel; ConvLSTM of equal size.",
        "Time: 25 minutes each on a CPU core unless --budget says otherwise.",
    ),
)

TABLES = (TABLE_2, TABLE_3, TABLE_4, TABLE_5, TABLE_6, TABLE_7)
