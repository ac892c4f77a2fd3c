"""`semicoupled data check action`: everything that is wrong is named, nothing stops it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np

from semicoupled.cli.main import main


def test_all_that_can_be_wrong(samples: ModuleType, tmp_path: Path) -> None:
    root = samples.make_tree(tmp_path / "root")
    videos = root / "videos"
    (videos / "broken.mp4").write_bytes(b"x" * 100)
    samples.write_video(videos / "single.mp4", frames=1)
    samples.write_video(videos / "still.mp4", np.repeat(samples.square(1), 6, 0))
    samples.write_video(
        videos / "uneven.mp4", frames=8, times=[0, 100, 200, 300, 400, 900, 1000, 1100], rate=10, seed=9
    )
    samples.write_video(videos / "fast.mp4", frames=8, rate=30, seed=8)
    shutil.copy(videos / "left" / "p0.mp4", videos / "copy.mp4")
    with (root / "videos.csv").open("a") as file:
        for name in ("broken", "single", "still", "uneven", "fast"):
            file.write(f"videos/{name}.mp4,left,p9\n")
        file.write("videos/copy.mp4,right,p8\n")
    code = main(
        ["data", "check", "action", str(root), "--json", str(tmp_path / "f.json"), "--page", str(tmp_path / "p.html")]
    )
    assert code == 1
    found = json.loads((tmp_path / "f.json").read_text())["findings"]
    said = [(one["severity"], one["where"], one["text"]) for one in found]

    def named(severity: str, where: str, text: str) -> bool:
        return any(one[0] == severity and one[1] == where and text in one[2] for one in said)

    assert named("problem", "videos/broken.mp4", "cannot be opened as a video")
    assert named("warning", "videos/single.mp4", "has one frame")
    assert named("warning", "videos/still.mp4", "all 6 frames are alike")
    assert named("note", "videos/uneven.mp4", "come unevenly")
    assert any(severity == "problem" and "look alike" in text and "copy.mp4" in text for severity, _, text in said)
    assert any("frames a second range from 10 to 30" in text for _, _, text in said)
    assert len([one for one in said if one[0] == "problem"]) == 2
    assert "<img" in (tmp_path / "p.html").read_text()


def test_good_data_have_no_problem_and_are_described(samples: ModuleType, tmp_path: Path) -> None:
    root = samples.make_tree(tmp_path / "root")
    assert main(["data", "check", "action", str(root), "--json", str(tmp_path / "f.json")]) == 0
    assert main(["data", "describe", "action", str(root), "--json", str(tmp_path / "d.json")]) == 0
    tables = json.loads((tmp_path / "d.json").read_text())["sections"]
    assert tables[0]["tables"][0]["rows"] == [["left", 3, 3], ["right", 3, 3]]
    assert tables[1]["tables"][0]["rows"][0][2] == "48 x 32"


def test_a_group_in_two_splits_is_a_problem(samples: ModuleType, tmp_path: Path) -> None:
    root = samples.make_tree(tmp_path / "root", groups=2)
    lines = (root / "videos.csv").read_text().splitlines()
    splits = ["split", "train", "train", "test", "train"]  # p1 is in both
    (root / "videos.csv").write_text("\n".join(f"{line},{split}" for line, split in zip(lines, splits, strict=True)))
    assert main(["data", "check", "action", str(root), "--json", str(tmp_path / "f.json")]) == 1
    problems = [one["text"] for one in json.loads((tmp_path / "f.json").read_text())["findings"]]
    assert any("both are of group p1" in text for text in problems)


def test_long_videos_keep_a_few_pictures(samples: ModuleType, tmp_path: Path) -> None:
    from semicoupled.tasks.action.checking.check import _Spread

    spread = _Spread(6)
    for number in range(1000):
        spread.add(np.full((64, 64, 3), number % 251, np.uint8))
        assert len(spread._kept) <= 49
    assert spread.chosen().shape == (6, 64, 64, 3)


def test_a_folder_without_frames_is_described_as_a_problem(samples: ModuleType, tmp_path: Path) -> None:
    root = samples.make_tree(tmp_path / "root")
    (root / "nothing").mkdir()
    with (root / "videos.csv").open("a") as file:
        file.write("nothing,left,p9\n" * 5)
    assert main(["data", "describe", "action", str(root), "--json", str(tmp_path / "d.json")]) == 1
    (found, *_) = json.loads((tmp_path / "d.json").read_text())["findings"]
    assert "holds no images; expected the frames of a video" in found["text"]
