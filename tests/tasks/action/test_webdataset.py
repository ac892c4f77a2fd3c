"""Shards as a list of videos: against the same videos as files."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tests.tars import write_tar
from torch.utils.data import DataLoader

from semicoupled.errors import DataError
from semicoupled.task_requests import DataRequest
from semicoupled.tasks.action.checking.check import check
from semicoupled.tasks.action.checking.describe import describe
from semicoupled.tasks.action.frames import iterate_frames
from semicoupled.tasks.action.listing.recognize import list_clips, list_usable
from semicoupled.tasks.action.settings import ActionSettings, DataSettings
from semicoupled.tasks.action.splitting import split_clips
from semicoupled.tasks.action.store import cache_key
from semicoupled.tasks.action.task import splits
from semicoupled.training.sampling import SampleBatches


@pytest.fixture(scope="module")
def root(samples: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos as files, and the same in three shards, with groups; the last video as images."""
    folder = tmp_path_factory.mktemp("shards")
    samples.make_tree(folder / "files")
    videos = sorted((folder / "files").rglob("*.mp4"))
    for number in range(3):
        files: dict[str, bytes | str] = {}
        for video in (one for one in videos if one.stem == f"p{number}"):
            key, label = f"{video.parent.name}/{video.stem}", ("left", "right").index(video.parent.name)
            if number == 2:
                for index, frame in enumerate(iterate_frames(video)):
                    files[f"{key}.{index}.png"] = _png(frame.image)
            else:
                files[f"{key}.mp4"] = video.read_bytes()
            files[f"{key}.cls"] = str(label)
            files[f"{key}.json"] = json.dumps({"group": f"p{number}"})
        write_tar(folder / f"packed/d-{number:06}.tar", files)
    (folder / "packed/classes.txt").write_text("left\nright\n")
    return folder


def _png(image: np.ndarray) -> bytes:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


def settings(root: Path, **data: Any) -> ActionSettings:
    given = {"validation": "p1", "height": 24, "width": 32, "frames": 6, "frame_rate": 10.0, **data}
    return ActionSettings(data=DataSettings(root=str(root), **given))


def test_shards_are_the_videos_that_they_hold(root: Path) -> None:
    files, packed = list_clips(root / "files"), list_clips(root / "packed")
    assert packed.format == "WebDataset"
    assert list(packed.classes) == list(files.classes) == ["left", "right"]
    assert not packed.problems
    assert packed.clips[0].name == "d-000000.tar/left/p0"
    assert str(packed.clips[0].path) == f"{root}/packed/d-000000.tar: left/p0.mp4"
    assert str(packed.clips[5].path) == f"{root}/packed/d-000002.tar: right/p2"
    as_files = {(clip.label, clip.group): clip for clip in files.clips}
    assert {(clip.label, clip.group) for clip in packed.clips} == set(as_files)
    for clip in packed.clips:
        other = list(iterate_frames(as_files[clip.label, clip.group].path))
        own = list(iterate_frames(clip.path, frame_rate=10))
        assert len(own) == len(other)
        for one, two in zip(own, other, strict=True):
            assert one.time == pytest.approx(two.time)
            assert np.array_equal(one.image, two.image)
    seeking = [frame.time for frame in iterate_frames(packed.clips[0].path, start=0.2, end=0.5)]
    assert seeking == pytest.approx([0.2, 0.3, 0.4])


@pytest.mark.parametrize("pattern", ["packed/d-00000?.tar", "packed/d-{000000..000002}.tar", "packed"])
def test_patterns_name_shards(root: Path, pattern: str) -> None:
    assert len(list_clips(root / pattern).clips) == 6
    assert len(list_clips(root / "packed/d-000001.tar").clips) == 2


@pytest.mark.parametrize("pattern", ["", "{train,val}/{000..000}.tar", "*/*.tar", "**/000.tar"])
def test_shards_of_one_name_in_several_folders_are_told_apart(tmp_path: Path, pattern: str) -> None:
    for split in ("train", "val"):
        write_tar(tmp_path / split / "000.tar", {"k.mp4": b"1", "k.cls": "1"})
    (tmp_path / "classes.txt").write_text("left\nright\n")
    listing = list_clips(tmp_path / pattern)
    assert not listing.problems
    assert list(listing.classes) == ["left", "right"]
    assert [(clip.name, clip.label, clip.split) for clip in listing.clips] == [
        ("train/000.tar/k", "right", "train"), ("val/000.tar/k", "right", "validation")
    ]  # fmt: skip


def test_training_samples_are_those_of_files_whatever_the_workers(root: Path) -> None:
    wanted, shown = splits(settings(root / "files")).train, splits(settings(root / "packed")).train
    assert len(wanted) == len(shown) == 4  # pyright: ignore[reportArgumentType]
    by_label = {(str(c.label), c.group): i for i, c in enumerate(wanted.clips)}  # pyright: ignore[reportAttributeAccessIssue]
    for index, clip in enumerate(shown.clips):  # pyright: ignore[reportAttributeAccessIssue]
        for one, two in zip(shown[index], wanted[by_label[clip.label, clip.group]], strict=True):
            assert one.equal(two)
    batches = [
        [key for batch in SampleBatches(4, 2, seed=0, rank=rank, ranks=2, stop=4) for key in batch] for rank in range(2)
    ]
    assert sorted(key.index for rank in batches for key in rank) == [0, 0, 1, 1, 2, 2, 3, 3]
    loader: Any = DataLoader(shown, sampler=batches[1], num_workers=2, batch_size=None)
    for key, sample in zip(batches[1], loader, strict=True):
        assert all(one.equal(two) for one, two in zip(sample, shown[key], strict=True))


def test_splits_by_group_by_shard_and_by_the_shards_name(root: Path, tmp_path: Path) -> None:
    listing = list_clips(root / "packed")
    assert {clip.group for clip in split_clips(listing, validation="p1").validation} == {"p1"}
    assert {clip.group for clip in split_clips(listing, validation="d-000002.tar/*").validation} == {"p2"}
    for name in ("set-train-0.tar", "val/0.tar", "x_test.0.tar"):
        shard = root / "packed/d-000000.tar"
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(shard.read_bytes())
    assert [clip.split for clip in list_clips(tmp_path).clips] == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert {clip.split for clip in list_clips(tmp_path / "val/?.tar").clips} == {"validation"}


def test_labels_are_classes_numbers_or_words(root: Path, samples: ModuleType, tmp_path: Path) -> None:
    video = next(root.rglob("*.mp4")).read_bytes()
    files: dict[str, bytes | str] = {"g_c.mp4": video, "g_c.json": '{"label": 10, "split": "val"}'}
    write_tar(tmp_path / "a.tar", {"v_X_g08_c01.avi": video, "v_X_g08_c01.cls": " 9 \n", **files})
    listing = list_clips(tmp_path / "a.tar")
    assert list(listing.classes) == ["9", "10"]
    assert [(clip.label, clip.split, clip.group) for clip in listing.clips] == [
        ("9", None, "9/g08"), ("10", "validation", None)
    ]  # fmt: skip
    (tmp_path / "classes.txt").write_text("only\none\n")
    with pytest.raises(DataError, match=r"a\.tar: v_X_g08_c01: class 9; expected 0 to 1"):
        list_clips(tmp_path / "a.tar")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"k.cls": "1"}, r"a\.tar: k: has cls; expected one video, such as mp4, or images"),
        ({"k.mp4": b"1", "k.avi": b"1", "k.cls": "1"}, r"k: has avi, cls, mp4; expected one video"),
        ({"k.mp4": b"1"}, r"k: has no label \(its files: mp4\); expected k\.cls with a class"),
        ({"k.mp4": b"1", "k.json": "[1]"}, r"k\.json: holds a list; expected an object"),
        ({"k.mp4": b"1", "k.json": "{"}, r"k\.json: is no JSON"),
        ({"k.mp4": b"1", "k.json": '{"label": 1, "split": "tran"}'}, r"k\.json: there is no split 'tran'"),
        ({"k.mp4": b"1", "k.cls": b"\xff"}, r"a\.tar: k\.cls: is no text"),
        ({"k.mp4": b"1", "k.cls": b"1" * (1 << 21)}, r"a\.tar: k\.cls: has 2097152 bytes; expected a label"),
        ({"k.mp4": b"1", "j.cls": "1", "k.cls": "1"}, r"k: has no label \(its files: mp4\)"),
    ],
)
def test_problems_name_shard_and_sample(tmp_path: Path, files: dict[str, bytes | str], said: str) -> None:
    write_tar(tmp_path / "a.tar", {"good.mp4": b"1", "good.cls": "a", **files})
    listing = list_clips(tmp_path)
    assert listing.clips[0].label == "a"
    with pytest.raises(DataError, match=said):
        list_usable(tmp_path, 1, "fail")
    with pytest.raises(DataError, match="cannot be used, more than the 1%"):
        list_usable(tmp_path, 1, "skip")


def test_a_key_that_comes_twice_is_told(tmp_path: Path) -> None:
    one: dict[str, bytes | str] = {"k.mp4": b"1", "k.cls": "1"}
    with tarfile.open(write_tar(tmp_path / "a.tar", {**one, "l.mp4": b"1", "l.cls": "1"}), "a") as archive:
        for name in one:
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, BytesIO(b"1"))
    assert [text.partition("a.tar: ")[2] for text in list_clips(tmp_path).problems] == [
        "k.mp4: its key comes twice in the shard; expected each once. Write it anew"
    ]


def test_check_goes_on_behind_a_damaged_shard_and_a_broken_video(root: Path, tmp_path: Path) -> None:
    for shard in (root / "packed").iterdir():
        (tmp_path / shard.name).write_bytes(shard.read_bytes())
    cut = tmp_path / "d-000000.tar"
    cut.write_bytes(cut.read_bytes()[:5000])  # within its fourth file
    write_tar(tmp_path / "d-000003.tar", {"bad.mp4": b"no video", "bad.cls": "0"})
    request = DataRequest(ActionSettings(), tmp_path)
    report = check(request)
    told = [f"{one.where}: {one.text}" for one in report.findings if one.severity == "problem"]
    assert any(text.startswith("WebDataset: ") and "d-000000.tar: right/p0.mp4: is cut off" in text for text in told)
    assert any(text.startswith("d-000003.tar/bad: cannot be opened as a video") for text in told)
    assert describe(request).summary.startswith("Format: WebDataset. Clips: 5.")


def test_the_cache_knows_samples_of_one_shard_apart(root: Path) -> None:
    clips = list_clips(root / "packed").clips
    assert len({cache_key(clip, DataSettings()) for clip in clips}) == len(clips)
