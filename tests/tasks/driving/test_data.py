"""Images in memory, and clips of them: what a sample holds, and what augmentation changes together."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tasks.driving.tubs import course, view, write_tub

from semicoupled.errors import DataError
from semicoupled.tasks.driving.angles import denormalize, normalize
from semicoupled.tasks.driving.data import DrivingData, standardize, to_frames
from semicoupled.tasks.driving.data_settings import AngleSettings, AugmentSettings, DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.images import Flows, SeenDrive, look_at, shrink, step_of
from semicoupled.training.sampling import SampleKey

STILL = AugmentSettings(mirror=0, brightness=0, contrast=0)
SMALL = DataSettings(frames=3, width=40, height=32, augment=STILL, angle=AngleSettings(smooth_seconds=0))


def seen(folder: Path, settings: DataSettings = SMALL, frames: int = 12) -> list[SeenDrive]:
    return look_at(read_drives(write_tub(folder / "tub", {"a": course(frames)}), settings), settings)


def data(drives: list[SeenDrive], settings: DataSettings = SMALL, *, warm_up: int | None = None) -> DrivingData:
    return DrivingData(drives, settings, seed=3, warm_up=warm_up, with_flow=True, augmented=True)


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "normalized"), (25.0, "degrees"), (0.4, "radians")])
def test_the_normalization_is_a_sigmoid_and_can_be_undone(scale: float, unit: str) -> None:
    angles = np.linspace(-1, 1, 41) * (1 if unit == "normalized" else 5 * scale)
    normalized = normalize(angles, scale)
    assert normalized == pytest.approx(1 / (1 + np.exp(-angles / scale)), abs=1e-14)
    assert denormalize(normalized, scale, unit) == pytest.approx(angles, abs=1e-9)
    assert normalize(-angles, scale) == pytest.approx(1 - normalized)


def test_what_no_car_can_steer_is_full_lock_and_nothing_is_infinite() -> None:
    assert denormalize(np.array([0.0, 0.99, np.nan]), 1.0, "normalized").tolist()[:2] == [-1.0, 1.0]
    assert np.isfinite(denormalize(np.array([0.0, 1.0]), 25.0, "degrees")).all()
    assert np.isnan(denormalize(np.array([np.nan]), 1.0, "degrees")).all()


def test_sky_and_hood_are_cut_off() -> None:
    image = np.zeros((100, 40, 3), np.uint8)
    image[:30], image[30:80], image[80:] = 10, 20, 30
    small = shrink(image, DataSettings(crop_top=0.3, crop_bottom=0.2, width=20, height=16))
    assert small.shape == (16, 20, 3)
    assert (small == 20).all()


def test_every_nth_frame_comes_nearest_to_the_rate() -> None:
    times = np.arange(10) / 20
    assert [step_of(times, rate) for rate in (None, 20.0, 10.0, 7.0, 3.0, 100.0)] == [1, 1, 2, 3, 7, 1]


def test_a_clip_holds_every_nth_frame_with_its_label(tmp_path: Path) -> None:
    drives = seen(tmp_path)
    clips = data(drives)
    assert len(clips) == 12 - 4
    clip = clips[SampleKey(5)]
    assert clip.frames.shape == (3, 3, 32, 40)
    assert torch.equal(clip.frames, to_frames(drives[0].images[[5, 7, 9]], SMALL))
    assert clip.angle.numpy() == pytest.approx(normalize(course(12)[[5, 7, 9]], 1.0), abs=1e-6)
    assert clip.weight.tolist() == [0, 0, 1]
    assert data(drives, warm_up=1)[SampleKey(5)].weight.tolist() == [0, 1, 1]


def test_clips_never_reach_over_the_end_of_a_drive(tmp_path: Path) -> None:
    runs = {"a": course(6), "b": course(5, 1), "c": course(4, 2)}
    drives = look_at(read_drives(write_tub(tmp_path / "tub", runs), SMALL), SMALL)
    clips = data(drives)
    assert len(clips) == 2 + 1
    with pytest.raises(DataError, match=r"no drive is as long as a clip of 3 frames at 10\.0 frames a second"):
        data(drives[2:])


def test_a_frame_without_a_label_does_not_count(tmp_path: Path) -> None:
    settings = dataclasses.replace(SMALL, rate=None)
    tub = write_tub(tmp_path / "tub", {"a": course(4)}, changes={2: {"user/angle": None}})
    clip = data(look_at(read_drives(tub, settings), settings), settings, warm_up=0)[SampleKey(0)]
    assert clip.weight.tolist() == [1, 1, 0]
    assert bool(clip.angle.isfinite().all())


def test_the_label_is_smoothed_if_asked(tmp_path: Path) -> None:
    settings = dataclasses.replace(SMALL, angle=AngleSettings(smooth_seconds=0.1), rate=None)
    clip = data(seen(tmp_path, settings), settings)[SampleKey(4)]
    angles = course(12)
    wanted = [angles[index - 1 : index + 2].mean() for index in (4, 5, 6)]
    assert clip.angle.numpy() == pytest.approx(normalize(np.array(wanted), 1.0), abs=1e-6)


def test_frames_are_standardized_or_left_as_they_are() -> None:
    images = np.stack([view(0.3), view(-0.5) // 3, np.full_like(view(0), 7)])
    frames = to_frames(images, SMALL)
    assert frames[:2].mean((1, 2, 3)).tolist() == pytest.approx([0, 0], abs=1e-5)
    assert frames[:2].std((1, 2, 3)).tolist() == pytest.approx([1, 1], abs=1e-2)
    assert bool((frames[2] == 0).all())
    assert torch.allclose(standardize(frames), frames, atol=1e-3)
    plain = to_frames(images, dataclasses.replace(SMALL, standardize=False))
    assert plain[0].permute(1, 2, 0).numpy() == pytest.approx(view(0.3) / 255 - 0.5, abs=1e-6)


def test_a_mirrored_clip_turns_the_other_way(tmp_path: Path) -> None:
    drives = seen(tmp_path)
    plain = data(drives)[SampleKey(5, 1)]
    settings = dataclasses.replace(SMALL, augment=dataclasses.replace(STILL, mirror=1))
    mirrored = data(drives, settings)[SampleKey(5, 1)]
    assert torch.allclose(mirrored.frames, plain.frames.flip(-1), atol=1e-5)
    assert torch.allclose(mirrored.angle, 1 - plain.angle)
    assert torch.equal(mirrored.flow[:, 0], -plain.flow[:, 0].flip(-1))
    assert torch.equal(mirrored.flow[:, 1], plain.flow[:, 1].flip(-1))
    assert float(plain.flow[1:, 0].abs().max()) > 0.5


def test_augmentation_is_one_draw_a_clip_and_follows_from_the_key(tmp_path: Path) -> None:
    settings = dataclasses.replace(SMALL, augment=AugmentSettings(shift=0.2, erase=0.5), standardize=False)
    drives = seen(tmp_path)
    clips = data(drives, settings)
    assert torch.equal(clips[SampleKey(2, 9)].frames, clips[SampleKey(2, 9)].frames)
    assert not torch.equal(clips[SampleKey(2, 9)].frames, clips[SampleKey(2, 10)].frames)
    assert torch.equal(clips[SampleKey(2)].frames, to_frames(drives[0].images[[2, 4, 6]], settings))
    still = dataclasses.replace(drives[0], images=np.repeat(drives[0].images[:1], 12, 0))
    clip = data([still], settings)[SampleKey(2, 9)]
    assert all(torch.equal(frame, clip.frames[0]) for frame in clip.frames)


def test_the_flow_says_where_things_go() -> None:
    rng = np.random.default_rng(0)
    wide = np.repeat(rng.integers(0, 255, (12, 26, 1)), 3, 2).repeat(6, 0).repeat(6, 1).astype(np.uint8)
    images = np.stack([wide[:64, 20 - 2 * index : 116 - 2 * index] for index in range(4)])
    drive = read_drives_like(images)
    flows = Flows(SeenDrive(drive, images, 1))
    assert not flows.flow(0).any()
    assert np.median(flows.flow(2)[0]) == pytest.approx(2, abs=0.5)
    assert np.median(flows.flow(2)[1]) == pytest.approx(0, abs=0.5)
    assert np.median(Flows(SeenDrive(drive, images, 2)).flow(3)[0]) == pytest.approx(4, abs=0.8)


def read_drives_like(images: np.ndarray) -> Drive:
    class Frames:
        def __len__(self) -> int:
            return len(images)

        def read(self, index: int) -> np.ndarray:
            return images[index]

        def name(self, index: int) -> str:
            return f"made {index}"

    times = np.arange(len(images)) / 20
    return Drive("made", "made", Path("made"), Frames(), times, np.zeros(len(images)), "normalized")


def test_images_that_cannot_be_read_are_told_or_left_out(tmp_path: Path) -> None:
    tub = write_tub(tmp_path / "tub", {"a": course(120)})
    (tub / "images" / "60_cam_image_array_.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"60_cam_image_array_\.jpg: is empty \(0 bytes\); expected an image"):
        look_at(read_drives(tub, SMALL), SMALL)
    skip = dataclasses.replace(SMALL, on_error="skip")
    assert [len(part) for part in look_at(read_drives(tub, skip), skip)] == [119]
    close = dataclasses.replace(skip, gap_seconds=0.07)
    assert [(part.drive.name, len(part)) for part in look_at(read_drives(tub, close), close)] == [
        ("a", 60),
        ("a+1", 59),
    ]
    (tub / "images" / "61_cam_image_array_.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"tub: 2 of 120 images cannot be used, .* the 1% .*\. The first: .*60_cam"):
        look_at(read_drives(tub, skip), skip)
    with pytest.raises(DataError, match=r"61_cam_image_array_\.jpg: cannot be decoded; expected an image"):
        read_drives(tub)[0].frames.read(61)
