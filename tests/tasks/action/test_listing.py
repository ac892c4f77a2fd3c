"""Lists in all formats, recognized by their content; splits by group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from semicoupled.errors import DataError
from semicoupled.tasks.action.listing.clip import Clip, Listing
from semicoupled.tasks.action.listing.recognize import list_clips
from semicoupled.tasks.action.splitting import split_clips


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def ucf(root: Path) -> Path:
    """The official files of UCF-101, of two classes."""
    videos = [f"{c}/v_{c}_g{g:02d}_c01.avi" for c in ("Archery", "Biking") for g in (1, 2, 8, 9)]
    touch(root, *(f"UCF-101/{name}" for name in videos))
    lists = root / "ucfTrainTestlist"
    lists.mkdir()
    (lists / "classInd.txt").write_text("1 Archery\r\n2 Biking\r\n")
    (lists / "trainlist01.txt").write_text(
        "".join(f"{name} {1 if 'Arch' in name else 2}\r\n" for name in videos if "_g0" in name and name[-10:-8] >= "08")
    )
    (lists / "testlist01.txt").write_text("".join(f"{name}\r\n" for name in videos if name[-10:-8] < "08"))
    return root


def test_ucf101(tmp_path: Path) -> None:
    found = list_clips(ucf(tmp_path))
    assert found.format == "UCF-101, split 1"
    assert found.classes == ["Archery", "Biking"]
    assert [clip.split for clip in found.clips] == ["train"] * 4 + ["test"] * 4
    first = found.clips[0]
    assert (first.label, first.group) == ("Archery", "Archery/g08")
    assert first.path.is_file()
    parts = split_clips(found)
    assert len(parts.test) == 4
    assert {clip.label for clip in parts.validation} == {"Archery", "Biking"}  # a group of each class
    assert not {clip.family for clip in parts.train} & {clip.family for clip in parts.validation}


def test_ucf101_without_a_split_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"trainlist03\.txt: cannot be read"):
        list_clips(ucf(tmp_path), 3)


def test_ucf101_with_a_class_that_is_not_there(tmp_path: Path) -> None:
    root = ucf(tmp_path)
    (root / "ucfTrainTestlist" / "testlist01.txt").write_text("Fencing/v_Fencing_g01_c01.avi\n")
    with pytest.raises(DataError, match=r"testlist01\.txt: line 1: class 'Fencing' is not in classInd\.txt"):
        list_clips(root)


def test_hmdb51(tmp_path: Path) -> None:
    names = ["a_wave_u_nm_np1_ba_med_0.avi", "b_wave_u_nm_np1_ba_med_1.avi", "c_wave_u_nm_np1_ba_med_2.avi"]
    touch(tmp_path, *(f"{label}/{name}" for label in ("wave", "brush_hair") for name in names))
    lists = tmp_path / "testTrainMulti_7030_splits"
    lists.mkdir()
    for label in ("wave", "brush_hair"):
        for split in (1, 2):
            (lists / f"{label}_test_split{split}.txt").write_text(
                f"{names[0]} {split} \n{names[1]} 2 \n{names[2]} 0 \n"
            )
    found = list_clips(tmp_path)
    assert found.format == "HMDB-51, split 1"
    assert found.classes == ["brush_hair", "wave"]
    assert [clip.split for clip in found.clips] == ["train", "test"] * 2  # 0 is in neither
    assert all(clip.path.is_file() for clip in found.clips)
    with pytest.raises(DataError, match=r"has no lists \*_test_split3\.txt"):
        list_clips(tmp_path, 3)


def test_kinetics_takes_cut_and_whole_videos_and_counts_what_is_not_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "train/abseiling/AbC-_1_000010_000020.mp4", "val/whole_one.mp4")
    head = "label,youtube_id,time_start,time_end,split\n"
    (tmp_path / "train.csv").write_text(head + "abseiling,AbC-_1,10,20,train\nabseiling,gone,1,11,train\n")
    (tmp_path / "val.csv").write_text(head + "surfing,whole_one,5,15,validate\n")
    found = list_clips(tmp_path)
    assert found.format == "Kinetics"
    cut, whole = found.clips
    assert (cut.split, cut.start, cut.end, cut.group) == ("train", None, None, "AbC-_1")
    assert (whole.split, whole.start, whole.end) == ("validation", 5.0, 15.0)
    assert "1 of 3 videos of the lists are not there" in caplog.text


def test_csv_in_any_order_with_parts_of_videos(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    (tmp_path / "list.csv").write_text(
        "split, label ,video,start,end,group\ntrain,run,a.mp4,0,2,x\ntest,walk,b.mp4,,,y\n"
    )
    found = list_clips(tmp_path / "list.csv")
    assert found.format == "CSV"
    one, other = found.clips
    assert (one.label, one.split, one.start, one.end, one.group) == ("run", "train", 0.0, 2.0, "x")
    assert (other.label, other.split, other.start, other.name) == ("walk", "test", None, "b.mp4")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.mp4,run,trian,,", r"line 2: there is no split 'trian'\. Did you mean 'train'"),
        ("a.mp4,,train,,", r"line 2: expected a video and a label, got 'a\.mp4' and ''"),
        ("a.mp4,run,train,3,2", r"line 2: ends at 2 s, not after its start at 3 s"),
        ("a.mp4,run,train,soon,", r"line 2: start is 'soon'; expected seconds from 0"),
        ("a/001.jpg,run,train,,", r"names the image 'a/001\.jpg'; expected a video"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "videos.csv").write_text(f"video,label,split,start,end\n{line}\n")
    with pytest.raises(DataError, match=message):
        list_clips(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("videos.csv", "video,label,split\n\n \na.mp4,run,trian\n", r"videos\.csv: line 4: there is no split"),
        ("train.txt", "\na.mp4 0\n\nb.mp4\n", r"train\.txt: line 4: expected `video label`"),
        ("train.csv", "label,youtube_id,time_start,time_end\n\nrun,a,soon,2\n", r"train\.csv: line 3: expected times"),
    ],
)
def test_empty_lines_are_counted(tmp_path: Path, name: str, text: str, message: str) -> None:
    touch(tmp_path, "a.mp4")
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        list_clips(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["video,label\nmy, video.mp4,run\n", "label,youtube_id,time_start,time_end\nrun, fast,a,1,2\n"],
)
def test_a_comma_too_many_is_told(tmp_path: Path, text: str) -> None:
    touch(tmp_path, "my.mp4")
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(DataError, match=r"train\.csv: line 2: has \d cells; expected \d \(.*between quotation marks"):
        list_clips(tmp_path)
    (tmp_path / "train.csv").write_text('"Video","Label"\n"my.mp4","to run, fast",\n')  # quoted; nothing behind
    assert list_clips(tmp_path).clips[0].label == "to run, fast"


def test_lists_without_a_header(tmp_path: Path) -> None:
    touch(tmp_path, "videos/a.mp4", "videos/b.mp4", "videos/c.mp4")
    (tmp_path / "train.txt").write_text("a.mp4 0\nb.mp4 120 1\n")
    (tmp_path / "val.txt").write_text("c.mp4\t1\n")
    (tmp_path / "classes.txt").write_text("run\nwalk\n")
    found = list_clips(tmp_path)
    assert found.format == "list without header"
    assert [(clip.label, clip.split) for clip in found.clips] == [
        ("run", "train"),
        ("walk", "train"),
        ("walk", "validation"),
    ]
    assert found.clips[0].path == tmp_path / "videos" / "a.mp4"
    (tmp_path / "train.txt").write_text("a.mp4 7\n")
    with pytest.raises(DataError, match="class 7; expected 0 to 1"):
        list_clips(tmp_path)
    (tmp_path / "train.txt").write_text("a.mp4 run\nb.mp4 wolk\n")
    with pytest.raises(DataError, match=r"line 2: .* names beside it has no 'wolk'\. Did you mean 'walk'"):
        list_clips(tmp_path)


def test_folders_of_classes_with_videos_and_frames(tmp_path: Path) -> None:
    touch(tmp_path, "run/a.mp4", "run/b_g02_c01.avi", "walk/clip1/1.jpg", "walk/clip1/2.jpg", "walk/notes.txt")
    found = list_clips(tmp_path)
    assert found.format == "folder of classes"
    assert [(clip.name, clip.group) for clip in found.clips] == [
        ("run/a.mp4", None),
        ("run/b_g02_c01.avi", "run/g02"),
        ("walk/clip1", None),
    ]


def test_folders_of_splits(tmp_path: Path) -> None:
    touch(tmp_path, "train/run/a.mp4", "val/run/b.mp4", "train/walk/c.mp4")
    assert [clip.split for clip in list_clips(tmp_path).clips] == ["train", "train", "validation"]


def test_images_right_in_a_class_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "run/a.mp4", "run/001.jpg")
    with pytest.raises(DataError, match=r"001\.jpg: an image right in a class's folder"):
        list_clips(tmp_path)


def test_nothing_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="no labeled videos were found; expected one of: UCF-101, HMDB-51, Kinetics, CSV"
    ):
        list_clips(tmp_path)
    with pytest.raises(DataError, match="no such folder or list"):
        list_clips(tmp_path / "nowhere")


@pytest.fixture
def speakers() -> Callable[..., Listing]:
    """A list of two words by some speakers."""

    def make(count: int = 5, **splits: str) -> Listing:
        clips = [
            Clip(Path(f"/v/{label}/s{s}_{n}.mp4"), label, f"{label}/s{s}_{n}.mp4", splits.get(f"s{s}"), f"s{s}")  # pyright: ignore[reportArgumentType]
            for label in ("yes", "no")
            for s in range(count)
            for n in range(2)
        ]
        return Listing(Path("/v"), "CSV", clips, ["no", "yes"])

    return make


def groups(clips: object) -> set[str]:
    return {clip.group for clip in clips}  # pyright: ignore


def test_a_fifth_of_the_groups_is_held_back_whole(speakers: Callable[..., Listing]) -> None:
    parts = split_clips(speakers(10))
    assert len(groups(parts.validation)) == 2
    assert not groups(parts.train) & groups(parts.validation)
    assert len(parts.train) + len(parts.validation) == 40
    assert split_clips(speakers(10)) == parts


def test_named_groups_are_held_back(speakers: Callable[..., Listing]) -> None:
    parts = split_clips(speakers(), validation="s1", test="s[23]")
    assert (groups(parts.train), groups(parts.validation), groups(parts.test)) == ({"s0", "s4"}, {"s1"}, {"s2", "s3"})
    one_clip = split_clips(speakers(), validation="yes/s1_0.mp4")
    assert groups(one_clip.validation) == {"s1"}  # the whole group goes with it
    assert len(one_clip.validation) == 4


def test_names_of_nothing_are_told(speakers: Callable[..., Listing]) -> None:
    with pytest.raises(
        DataError, match=r"data\.validation: nothing is named 's9', neither a group nor a clip\. Groups: s0, s1"
    ):
        split_clips(speakers(), validation="s1,s9")
    with pytest.raises(DataError, match=r"there is no class 'maybe'\. Known: no, yes"):
        split_clips(speakers(), only=["maybe"])
    with pytest.raises(DataError, match="nothing is left for the split train"):
        split_clips(speakers(2), validation="s*")


def test_a_group_in_two_splits_is_refused(speakers: Callable[..., Listing]) -> None:
    listing = speakers(3, s0="train", s1="test")
    clips = [*listing.clips[:-1], listing.clips[-1]._replace(group="s0", split="test")]
    with pytest.raises(DataError, match="both are of group s0; expected whole groups on one side"):
        split_clips(Listing(listing.root, listing.format, clips, listing.classes))


def test_parts_of_one_video_in_two_splits_are_refused(speakers: Callable[..., Listing]) -> None:
    video = Path("/v/long.mp4")
    clips = [
        Clip(video, "yes", "long@0-1", "train", None, 0.0, 1.0),
        Clip(video, "yes", "long@1-2", "test", None, 1.0, 2.0),
        *speakers().clips,
    ]
    with pytest.raises(DataError, match=r"long@1-2 is of the split test, and long@0-1 of the split train"):
        split_clips(Listing(Path("/v"), "CSV", clips, ["no", "yes"]))


def test_a_class_that_nobody_learns_is_told(speakers: Callable[..., Listing]) -> None:
    listing = speakers()
    clips = [clip for clip in listing.clips if clip.label == "no" or clip.group == "s1"]
    with pytest.raises(DataError, match="no clip to learn from has the class yes"):
        split_clips(Listing(listing.root, listing.format, clips, listing.classes), validation="s1")
