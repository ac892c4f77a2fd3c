"""comma2k19: folders of a minute with ``video.hevc``, ``processed_log`` and ``global_pose``, gathered by route.

Arrays are numpy files without a suffix: ``processed_log/CAN/steering_angle/{t,value}`` in seconds and degrees of the
steering wheel, ``processed_log/CAN/speed`` (or ``car_speed``) in m/s, and ``global_pose/frame_times``, the time of each
frame of the video on the same clock: https://github.com/commaai/comma2k19. Angles are positive to the left there, as
``steeringAngleDeg`` of openpilot is (its driven curvature, positive to the right, is minus the curvature of that
angle); here they are positive to the right. The angle of a frame lies on the line between the CAN messages around it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semicoupled.data.video_frames import VideoFrames
from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.parts import SomeFrames
from semicoupled.tasks.driving.formats.timed import interpolate
from semicoupled.tasks.driving.skipping import Skipped

NAME = "comma2k19"

_VIDEO = "video.hevc"
_TIMES = Path("global_pose/frame_times")
_CAN = Path("processed_log/CAN")
_SILENCE = 0.25
"""Seconds without a CAN message after which an angle is not known."""


def recognizes(path: Path) -> bool:
    """Whether a folder is a segment, or a route of such."""
    return path.is_dir() and (_is_segment(path) or bool(_segments(path)))


def read(path: Path, settings: DataSettings) -> list[Drive]:
    """Read a segment, or all of a route; a route is a run.

    Args:
        path: the folder.
        settings: whether a video that ends early ends it all.

    Raises:
        DataError: a part is missing or damaged.
        MissingExtraError: PyAV is not installed.
    """
    if _is_segment(path):
        return [_drive(path, "", "", settings)]
    return [_drive(segment, segment.name, "", settings) for segment in _segments(path)]


def _is_segment(path: Path) -> bool:
    return (path / _CAN / "steering_angle").is_dir() and ((path / _VIDEO).is_file() or (path / _TIMES).is_file())


def _segments(path: Path) -> list[Path]:
    """List the segments of a route, in order of their numbers."""
    numbered = [child for child in path.iterdir() if child.name.isdecimal() and _is_segment(child)]
    return sorted(numbered, key=lambda child: int(child.name))


def _drive(path: Path, name: str, run: str, settings: DataSettings) -> Drive:
    times = _array(path / _TIMES)
    video = VideoFrames(path / _VIDEO)
    kept = min(len(times), len(video))
    if len(times) != len(video):
        skipped = Skipped(settings.on_error, str(path))
        skipped.add(
            DataError(
                f"{path / _VIDEO}: has {len(video)} frames, and {_TIMES} has {len(times)} times; expected as many. It "
                "may be cut off: fetch it again, or leave the rest out with --data.on_error skip"
            ),
            abs(len(times) - len(video)),
        )
        skipped.close(max(len(times), len(video)))
    times = times[:kept]
    speed = next((name for name in ("speed", "car_speed") if (path / _CAN / name).is_dir()), None)
    return Drive(
        name=name,
        run=run,
        source=path,
        frames=SomeFrames(video, np.arange(kept)),
        times=times,
        angles=-_at(path / _CAN / "steering_angle", times),
        unit="degrees",
        speeds=None if speed is None else _at(path / _CAN / speed, times),
    )


def _at(folder: Path, times: np.ndarray) -> np.ndarray:
    """Give what CAN messages say at the times of the frames."""
    at, values = _array(folder / "t"), _array(folder / "value")
    if len(at) != len(values) or not len(at):
        raise DataError(f"{folder}: has {len(at)} times and {len(values)} values; expected as many, and some")
    order = np.argsort(at, kind="stable")  # messages of one moment may lie in any order
    return interpolate(at[order], values[order], times, _SILENCE)


def _array(file: Path) -> np.ndarray:
    """Read the first column of a numpy file."""
    try:
        found = np.load(file, allow_pickle=False)
        return np.asarray(found, np.float64).reshape(len(found), -1)[:, 0]
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise DataError(
            f"{file}: is no whole array of numbers ({error}); expected a numpy file of comma2k19. Fetch it again"
        ) from error
