"""Writers of small drives in the formats of the real ones: a camera that turns in front of a wall of spots."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import numpy as np

RATE = 20.0
SIZE = (48, 64)


class Made(NamedTuple):
    """A made drive.

    Args:
        frames: N H W 3, uint8, RGB.
        times: N, seconds.
        angles: N, -1..1, positive to the right.
    """

    frames: np.ndarray
    times: np.ndarray
    angles: np.ndarray


def make_drive(
    count: int = 40, *, lag: float = 0.0, seed: int = 0, size: tuple[int, int] = SIZE, turn: float = 3.0
) -> Made:
    """Make a drive: to steer right moves the wall to the left.

    Args:
        count: frames.
        lag: frames by which the camera turns later than the angle says.
        seed: of the wall and the angles.
        size: rows and columns.
        turn: px a frame at the largest angle.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    long = 8 * width
    noise = np.pad(rng.uniform(0, 255, (height, long, 3)).astype(np.float32), ((0, 0), (8, 8), (0, 0)), mode="wrap")
    wall = np.ascontiguousarray(cv2.GaussianBlur(noise, (0, 0), 2.0)[:, 8:-8])
    wall -= wall.mean()
    wall = np.clip(8 * wall.mean(-1, keepdims=True) + wall + (150, 128, 100), 0, 255)  # JPEG and video blur colors
    steps = np.arange(-64, count + 64)
    wave = sum(
        rng.uniform(0.5, 1) * np.sin(2 * np.pi * steps / period + rng.uniform(0, 6.3))
        for period in (23.0, 41.0, 67.0, 97.0)
    )
    wave = wave / np.abs(wave).max()
    angles = wave[64 : 64 + count]
    turned = np.interp(np.arange(count) - lag, steps, wave)
    place = np.cumsum(turn * turned)
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    frames = [
        cv2.remap(
            wall,
            ((columns + offset) % long).astype(np.float32),
            rows.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )
        for offset in place
    ]
    noisy = np.stack(frames) + rng.normal(0, 1, (count, height, width, 1))  # no camera gives a picture twice
    return Made(np.rint(np.clip(noisy, 0, 255)).astype(np.uint8), np.arange(count) / RATE, angles)


def write_image(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1])


def write_tub(folder: Path, runs: dict[str, Made], *, catalog: int = 30, deleted: tuple[int, ...] = ()) -> Path:
    """Write a DonkeyCar tub v2, a session a run; sessions are a minute apart."""
    lines: list[str] = []
    start = 1_700_000_000_000
    for session, made in runs.items():
        for frame, time, angle in zip(*made, strict=True):
            index = len(lines)
            name = f"{index}_cam_image_array_.jpg"
            write_image(folder / "images" / name, frame)
            lines.append(
                json.dumps(
                    {
                        "_index": index,
                        "_session_id": session,
                        "_timestamp_ms": start + round(1000 * time),
                        "cam/image_array": name,
                        "user/angle": float(angle),
                        "user/mode": "user",
                        "user/throttle": 0.4,
                    }
                )
            )
        start += 60_000
    names: list[str] = []
    for first in range(0, len(lines), catalog):
        names.append(f"catalog_{first // catalog}.catalog")
        part = lines[first : first + catalog]
        (folder / names[-1]).write_text("\n".join(part) + "\n")
        manifest = {"created_at": 0, "line_lengths": [len(line) + 1 for line in part], "start_index": first}
        (folder / f"{names[-1]}_manifest").write_text(json.dumps(manifest) + "\n")
    about = {"paths": names, "current_index": len(lines), "max_len": catalog, "deleted_indexes": list(deleted)}
    manifest = [
        ["cam/image_array", "user/angle", "user/throttle", "user/mode"],
        ["image_array", "float", "float", "str"],
        {},
        {"created_at": 0, "sessions": {"all_full_ids": [], "last_id": 0, "last_full_id": "0"}},
        about,
    ]
    (folder / "manifest.json").write_text("\n".join(map(json.dumps, manifest)) + "\n")
    return folder


def write_tub_v1(folder: Path, made: Made, *, times: str = "milliseconds", first: int = 1) -> Path:
    """Write a DonkeyCar tub v1; `times` is ``milliseconds``, ``timestamp`` or ``none``."""
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime(2019, 5, 4, 10, 0, tzinfo=UTC).replace(tzinfo=None)
    for index, (frame, time, angle) in enumerate(zip(*made, strict=True), first):
        name = f"{index}_cam-image_array_.jpg"
        write_image(folder / name, frame)
        record: dict[str, object] = {
            "cam/image_array": name,
            "user/angle": float(angle),
            "user/throttle": 0.3,
            "user/mode": "user",
        }
        if times == "milliseconds":
            record["milliseconds"] = round(1000 * time)
        elif times == "timestamp":
            record["timestamp"] = str(start + timedelta(seconds=float(time)))
        (folder / f"record_{index}.json").write_text(json.dumps(record))
    (folder / "meta.json").write_text(
        json.dumps(
            {"inputs": ["cam/image_array", "user/angle"], "types": ["image_array", "float"], "start": 1556964000.0}
        )
    )
    return folder


def write_table(file: Path, runs: dict[str, Made], *, above: str = "", scale: float = 1.0, extra: bool = False) -> Path:
    """Write our own table with images."""
    lines = ["sequence,frame,time,angle" + (",speed,road" if extra else "")]
    for name, made in runs.items():
        for index, (frame, time, angle) in enumerate(zip(*made, strict=True)):
            write_image(file.parent / "images" / name / f"{index:05d}.png", frame)
            more = f",{5 + index},{'straight' if abs(angle) < 0.5 else 'curve'}" if extra else ""
            lines.append(f"{name},images/{name}/{index:05d}.png,{time:.3f},{scale * angle:.6f}{more}")
    file.write_text(above + "\n".join(lines) + "\n")
    return file


def write_video(path: Path, frames: np.ndarray, rate: float = RATE) -> Path:
    """Write a video without loss of much."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "libx265" if path.suffix == ".hevc" else "libx264"
    quality = {"crf": "8"} if codec == "libx264" else {"x265-params": "crf=8:log-level=none"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=round(rate), options=quality)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_comma(folder: Path, name: str, made: Made, *, tenths: float = 300.0, late: int = 7) -> Path:
    """Write comma.ai's camera file and log; the first `late` lines of the log point to no frame yet."""
    for part in ("camera", "log"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    count = len(made.times)
    with h5py.File(folder / "camera" / f"{name}.h5", "w") as file:
        file["X"] = np.moveaxis(made.frames, -1, 1)
    pointer = np.concatenate([np.full(late, -1.0), np.repeat(np.arange(count), 5)]).astype(np.float64)
    lines = len(pointer)
    times = 100.0 + np.arange(lines) / 100
    with h5py.File(folder / "log" / f"{name}.h5", "w") as file:
        file["cam1_ptr"] = pointer
        file["times"] = times
        file["steering_angle"] = tenths * np.interp((np.arange(lines) - late) / 5, np.arange(count), made.angles)
        file["speed"] = np.full(lines, 20.0)
    return folder


def write_comma2k19(route: Path, segments: list[Made], *, degrees: float = 30.0, speed: str = "speed") -> Path:
    """Write a route of comma2k19; its angles are positive to the left."""
    for number, made in enumerate(segments):
        folder = route / str(number)
        write_video(folder / "video.hevc", made.frames)
        times = 1000.0 + 60 * number + made.times
        at = np.arange(times[0] - 0.1, times[-1] + 0.1, 1 / 83)
        steps = (at - times[0]) * RATE
        inside = np.clip(np.floor(steps).astype(int), 0, len(times) - 2)  # the first and the last line go on
        angles = -degrees * (made.angles[inside] + (steps - inside) * np.diff(made.angles)[inside])
        arrays = {
            "global_pose/frame_times": times,
            "processed_log/CAN/steering_angle/t": at,
            "processed_log/CAN/steering_angle/value": angles,
            f"processed_log/CAN/{speed}/t": at,
            f"processed_log/CAN/{speed}/value": np.full((len(at), 1), 25.0),
        }
        for name, values in arrays.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("wb") as file:
                np.save(file, values)
    return route


def write_dbnet(folder: Path, made: Made, *, degrees: float = 40.0, labels: bool = True) -> Path:
    for index, frame in enumerate(made.frames):
        write_image(folder / "dvr_66x200" / f"{index}.jpg", frame)
    (folder / "points_16384").mkdir()
    if labels:
        lines = [f"{degrees * angle:.4f},{36 + index}" for index, angle in enumerate(made.angles)]
        (folder / "behavior.csv").write_text("\n".join(lines) + "\n")
    return folder


def write_udacity(folder: Path, made: Made, *, head: bool = False, minute: int = 30) -> Path:
    """Write what the simulator writes, with the paths of a Windows machine."""
    start = datetime(2016, 12, 1, 13, minute, 48, 287000, tzinfo=UTC)
    lines = ["center,left,right,steering,throttle,brake,speed"] if head else []
    for frame, time, angle in zip(*made, strict=True):
        stamp = f"{start + timedelta(seconds=float(time)):%Y_%m_%d_%H_%M_%S_%f}"[:-3]
        names = [f"{camera}_{stamp}.jpg" for camera in ("center", "left", "right")]
        for name in names:
            write_image(folder / "IMG" / name, frame)
        paths = ", ".join(rf"C:\Users\me\data\IMG\{name}" for name in names)
        lines.append(f"{paths}, {angle:.6f}, 0.5, 0, 22.1")
    log = folder / "driving_log.csv"
    with log.open("a") as file:
        file.write("\n".join(lines) + "\n")
    return folder


def write_names(folder: Path, made: Made, *, degrees: float = 90.0, times: bool = False, images: str = "") -> Path:
    start = datetime(2018, 7, 1, 17, 9, 44, 912000, tzinfo=UTC)
    lines: list[str] = []
    for index, (frame, time, angle) in enumerate(zip(*made, strict=True)):
        write_image(folder / images / f"{index}.jpg", frame)
        stamp = f",{start + timedelta(seconds=float(time)):%Y-%m-%d %H:%M:%S:%f}"[:-3] if times else ""
        lines.append(f"{index}.jpg {degrees * angle:.4f}{stamp}")
    (folder / "data.txt").write_text("\n".join(lines) + "\n")
    return folder
