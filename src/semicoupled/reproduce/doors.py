"""The studies that reproductions go through: the data that stand in, the presets they begin with, the time they get."""

from __future__ import annotations

from semicoupled.reproduce import made
from semicoupled.reproduce.door import DataNeed, Door

ACTION = Door(
    "action",
    "action",
    "10m",
    {"small": ("lips",), "paper": ("hmdb51",)},
    DataNeed(
        "UCF-101, HMDB-51 and Kinetics-400",
        "https://www.crcv.ucf.edu/data/UCF101.php, "
        "https://serre-lab.clps.brown.edu/resource/hmdb-a-large-human-motion-database, "
        "https://github.com/cvdfoundation/kinetics-dataset",
        "ten single words on the lips of speakers who were not learned from (action/lips of docs/data.md)",
        {
            "data.root": "{data}/action/lips",
            "data.classes": "[begin, choose, connection, navigation, next, previous, start, stop, hello, web]",
        },
        {},
    ),
    made.clips(),
)

OUTLINE = Door(
    "outline",
    "outline",
    "10m",
    {"small": ("small",), "paper": ("paper", "cityscapes")},
    DataNeed(
        "Cityscapes, 8 classes, 51 000 objects to learn from, 10 000 to test on",
        "https://www.cityscapes-dataset.com",
        "CamVid's street scenes, 1 866 and 579 objects (outline/camvid of docs/data.md)",
        {"data.root": "{data}/outline/camvid", "data.labels": "[]"},
        {},
    ),
    made.outlines(),
)

DRIVING = Door(
    "driving",
    "driving",
    "10m",
    {},
    DataNeed(
        "comma.ai's data set and LiVi-Set",
        "https://archive.org/details/comma-dataset, http://www.dbehavior.net",
        "a car of a tenth of the size on a track indoors, the last five runs held back (driving/yuki_tub "
        "of docs/data.md)",
        {"data.root": "{data}/driving/yuki_tub"},
        {"data.validation": "last:5"},
    ),
    made.drives(),
)

RAIN = Door(
    "rain",
    "nowcasting",
    "25m",
    {},
    DataNeed(
        "REEC-2018, composite reflectivity of Eastern China, the 100 wettest days of 2018",
        "on request from the paper's authors",
        "Dutch and Finnish radar, a sparse and a wet event held back (radar of docs/data.md)",
        {
            "data.root": "{data}/radar/*mi_*",
            "data.validation": "knmi_2021/2021-02-05,knmi_2010/*_2010082605[45]?.h5,knmi_2010/*_201008260[67]??.h5",
        },
        {},
        ("data.root", "data.validation"),
    ),
    made.radar(),
)
