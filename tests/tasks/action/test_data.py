"""From files to samples: every kind of bad video, rates, rotation, masks, flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest
import torch

from semicoupled.errors import DataError
from semicoupled.tasks.action.data import ActionData, choose_frames, flow_between
from semicoupled.tasks.action.data_settings import DataSettings
from semicoupled.tasks.action.frames import iterate_frames
from semicoupled.tasks.action.listing.clip import Clip
from semicoupled.tasks.action.sight import Sight
from semicoupled.tasks.action.store import ClipStore, decode_clip, usable
from semicoupled.training.sampling import SampleKey

SMALL = DataSettings(height=24, width=32, frames=6)


def clip(path: Path, **about: object) -> Clip:
    return Clip(path, "right", path.name)._replace(**about)


def data_of(path: Path, settings: DataSettings = SMALL, **how: bool) -> ActionData:
    return ActionData([clip(path)], ["left", "right"], settings, **how)


def test_a_sample_of_a_short_video_stands_still_at_its_end(make_video: Callable[..., Path]) -> None:
    sample = data_of(make_video(frames=4))[SampleKey(0)]
    assert sample.frames.shape == (6, 3, 24, 32)
    assert sample.valid.tolist() == [1, 1, 1, 1, 0, 0]
    assert torch.equal(sample.frames[3], sample.frames[5])
    assert not torch.equal(sample.frames[2], sample.frames[3])
    assert sample.label.tolist() == [1] * 6


def test_one_frame_is_a_clip(make_video: Callable[..., Path]) -> None:
    sample = data_of(make_video(frames=1))[SampleKey(0)]
    assert sample.valid.tolist() == [1, 0, 0, 0, 0, 0]
    assert bool(sample.frames.isfinite().all())


def test_draws_differ_and_come_again(make_video: Callable[..., Path]) -> None:
    data = data_of(make_video(frames=12))
    one, same, other = data[SampleKey(0, 5)], data[SampleKey(0, 5)], data[SampleKey(0, 6)]
    assert torch.equal(one.frames, same.frames)
    assert not torch.equal(one.frames, other.frames)


def test_flow_is_signed_and_follows_the_mirror(samples: ModuleType, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    texture = random.uniform(40, 220, (48, 96)).astype(np.float32)
    kernel = np.ones(5) / 5
    for axis in (0, 1):
        texture = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), axis, texture)
    moving = np.stack([texture[:, 20 - 2 * t : 84 - 2 * t] for t in range(4)]).astype(np.uint8)[..., None]
    flow = flow_between(moving)
    assert not flow[0].any()
    assert float(np.median(flow[1:, 0, 8:-8, 8:-8])) == pytest.approx(2, abs=0.3)  # goes right
    mirrored = flow_between(np.ascontiguousarray(moving[:, :, ::-1]))
    assert float(np.median(mirrored[1:, 0, 8:-8, 8:-8])) == pytest.approx(-2, abs=0.3)


def test_flow_comes_only_when_asked(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=4)
    assert data_of(path)[SampleKey(0)].flow.shape == (6, 0)
    flow = data_of(path, with_flow=True)[SampleKey(0)].flow
    assert flow.shape == (6, 2, 24, 32)
    assert not flow[4:].any()


def test_uneven_frames_are_brought_to_an_even_rate(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=5, times=[0, 100, 500, 600, 700], rate=10)
    own = [round(frame.time, 2) for frame in iterate_frames(path)]
    assert own == [0, 0.1, 0.5, 0.6, 0.7]
    even = list(iterate_frames(path, rate=10))
    assert [round(frame.time, 2) for frame in even] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert np.array_equal(even[1].image, even[4].image)
    assert not np.array_equal(even[4].image, even[5].image)


def test_a_part_of_a_video(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=10)
    frames = decode_clip(clip(path, start=0.3, end=0.7), SMALL)
    assert len(frames) == 4
    assert np.array_equal(frames, decode_clip(clip(path), SMALL)[3:7])


def test_folders_of_frames_count_by_number(samples: ModuleType, tmp_path: Path) -> None:
    images = samples.square(11)
    folder = samples.write_frames(tmp_path / "clip", images)
    frames = list(iterate_frames(folder, frame_rate=10))
    assert np.array_equal(np.stack([frame.image for frame in frames]), images)  # frame_10 behind frame_9
    assert [round(frame.time, 2) for frame in iterate_frames(folder, frame_rate=10, start=0.2, end=0.5)] == [
        0.2,
        0.3,
        0.4,
    ]


def bad_videos(samples: ModuleType, folder: Path) -> dict[str, tuple[Path, str]]:
    """Every way in which a video can be bad, with what must be said."""
    whole = samples.write_video(folder / "whole.mp4", frames=40, size=(64, 96)).read_bytes()
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("not a video at all, but long enough to be read\n" * 20)
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    with av.open(str(folder / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (folder / "frames").mkdir()
    (folder / "frames" / "1.jpg").write_bytes(b"no jpeg")
    (folder / "nothing").mkdir()
    return {
        "missing": (folder / "missing.mp4", "no such file"),
        "empty": (folder / "empty.mp4", r"is empty \(0 bytes\)"),
        "text": (folder / "text.mp4", "cannot be opened as a video"),
        "truncated": (folder / "truncated.mp4", "cannot be opened|is damaged|ends after"),
        "sound": (folder / "sound.mp4", r"holds no video stream \(found: audio\)"),
        "broken image": (folder / "frames", r"1\.jpg: cannot be decoded; expected an image"),
        "empty folder": (folder / "nothing", "holds no images"),
    }


def test_bad_videos_are_named(samples: ModuleType, tmp_path: Path) -> None:
    for path, message in bad_videos(samples, tmp_path).values():
        with pytest.raises(DataError, match=message) as caught:
            decode_clip(clip(path), SMALL)
        assert str(path) in str(caught.value)


def test_few_bad_ones_are_left_out_and_many_are_too_many(
    samples: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = samples.write_video(tmp_path / "good.mp4", frames=2)
    (tmp_path / "bad.mp4").write_bytes(b"")
    clips = [clip(good)] * 100 + [clip(tmp_path / "bad.mp4")]
    assert usable(clips, ClipStore(clips, SMALL), "train") == list(range(100))
    assert "left out" in caplog.text
    assert "bad.mp4: is empty" in caplog.text
    fewer = clips[-50:]
    with pytest.raises(DataError, match=r"split train: 1 of 50 videos cannot be used, more than the 1%.*bad\.mp4"):
        usable(fewer, ClipStore(fewer, SMALL), "train")


def test_the_cache_gives_the_same_and_is_made_anew_with_the_file(samples: ModuleType, tmp_path: Path) -> None:
    path = samples.write_video(tmp_path / "a.mp4", frames=3)
    settings = DataSettings(height=24, width=32, cache_folder=str(tmp_path / "cache"), cache_gigabytes=0)
    first = ClipStore([clip(path)], settings).frames(0)
    (kept,) = (tmp_path / "cache").iterdir()
    assert np.array_equal(ClipStore([clip(path)], settings).frames(0), first)
    kept.write_bytes(kept.read_bytes()[:50])  # half a file is made anew
    assert np.array_equal(ClipStore([clip(path)], settings).frames(0), first)
    samples.write_video(path, frames=5)
    assert len(ClipStore([clip(path)], settings).frames(0)) == 5
    folder = samples.write_frames(tmp_path / "frames", samples.square(3))
    before = ClipStore([clip(folder)], settings).frames(0)
    (folder / "frame_2.png").write_bytes((folder / "frame_1.png").read_bytes() + b" ")  # written in its place
    after = ClipStore([clip(folder)], settings).frames(0)
    assert np.array_equal(after[1], before[0])
    assert not np.array_equal(after[1], before[1])


def test_a_video_that_is_not_there_is_told_with_a_cache_too(tmp_path: Path) -> None:
    settings = DataSettings(height=24, width=32, cache_folder=str(tmp_path / "cache"))
    with pytest.raises(DataError, match=r"gone\.mp4: no such file"):
        ClipStore([clip(tmp_path / "gone.mp4")], settings).frames(0)


def test_memory_is_bounded(samples: ModuleType, tmp_path: Path) -> None:
    clips = [clip(samples.write_video(tmp_path / f"{i}.mp4", frames=2, seed=i)) for i in range(3)]
    one = decode_clip(clips[0], SMALL).nbytes
    store = ClipStore(clips, SMALL, limit=2 * one)
    for index in (0, 1, 2, 2):
        store.frames(index)
    assert len(store._kept) == 2


@pytest.mark.parametrize("sampling", ["window", "spread"])
@pytest.mark.parametrize("tempo", [0.8, 1.0, 1.3])
def test_frames_are_inside_and_in_order(sampling: str, tempo: float) -> None:
    for length in (1, 2, 5, 16, 40):
        for offset in (0.0, 0.5, 0.999):
            taken = choose_frames(length, 8, sampling, offset, tempo)
            assert 1 <= len(taken) <= 8
            assert taken.min() >= 0
            assert taken.max() < length
            assert bool((np.diff(taken) >= 0).all())
    assert choose_frames(40, 4, "spread", 0.5).tolist() == [5, 15, 25, 35]
    assert choose_frames(40, 4, "spread", 0.0).tolist() == [0, 10, 20, 30]
    assert choose_frames(40, 4, "spread", 0.0, 2.0).tolist() == [0, 2, 10, 22]  # 40 (i / 4)^2: slow, then fast
    assert choose_frames(2, 4, "spread", 0.5).tolist() == [0, 0, 1, 1]
    assert choose_frames(40, 4, "window", 0.0).tolist() == [0, 1, 2, 3]
    assert choose_frames(3, 8, "window", 0.7).tolist() == [0, 1, 2]


def test_images_and_their_flow_stand_side_by_side(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=5)
    both, images, flow = (
        data_of(path, replace(SMALL, color=color))[SampleKey(0)].frames for color in ("rgb_flow", "rgb", "flow")
    )
    assert both.shape == (6, 5, 24, 32)
    assert torch.equal(both[:, :3], images)
    assert (both[:, 3:] - flow).abs().mean() < 0.05  # gray is rounded before the one and after the other
    assert float(both[1:5, 3:].abs().max()) > 0.3
    assert not both[5, 3:].any()  # who stands still does not move


def test_images_and_their_flow_come_alike_piece_by_piece(make_video: Callable[..., Path]) -> None:
    settings = replace(SMALL, color="rgb_flow")
    data = data_of(make_video(frames=6), settings)
    video, sight = data.store.frames(0), Sight(settings)
    pieces = torch.cat([sight.see(video[:2]), sight.see(video[2:3]), sight.see(video[3:])])
    assert torch.allclose(pieces, data[SampleKey(0)].frames, atol=1e-6)
