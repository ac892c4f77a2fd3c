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

from semicoupled.data.damage import DAMAGE
from semicoupled.data.video_frames import VideoFrames
from semicoupled.errors import DataError
from semicoupled.skipping import MOST_SKIPPED
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.timed import interpolate

NAME: str = "comma2k19"

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
        settings: not needed; a segment says everything itself.

    Raises:
        DataError: a part is missing or damaged.
    """
    del settings
    if _is_segment(path):
        return [_drive(path, "")]
    return [_drive(segment, segment.name) for segment in _segments(path)]


class SegmentFrames:
    """Images of a segment's video, which is opened when the first is asked for: there are many, without an index."""

    def __init__(self, path: Path, count: int) -> None:
        """Take the video, and how many frames there are times for."""
        self._path, self._count = path, count
        self._video: VideoFrames | None = None
        self._wrong: str | None = None

    def __len__(self) -> int:
        """The number of frames."""
        return self._count

    def read(self, index: int) -> np.ndarray:
        """Decode a frame: H W 3, uint8, RGB.

        Raises:
            DataError: it cannot be decoded, or the video has another number of frames than there are times.
            MissingExtraError: PyAV is not installed.
        """
        if self._video is None and self._wrong is None:
            video = VideoFrames(self._path)
            if abs(len(video) - self._count) > MOST_SKIPPED * self._count:
                self._wrong = (
                    f"{self._path}: has {len(video)} frames, and {_TIMES} has {self._count} times; expected as many. "
                    "It may be cut off: fetch it again, or take the segment out"
                )
            self._video = video
        if self._video is None or self._wrong is not None:
            raise DataError(str(self._wrong))
        return self._video.read(index)

    def name(self, index: int) -> str:
        """Say where a frame lies."""
        return f"{self._path}, frame {index}"


def _is_segment(path: Path) -> bool:
    return (path / _CAN / "steering_angle").is_dir() and ((path / _VIDEO).is_file() or (path / _TIMES).is_file())


def _segments(path: Path) -> list[Path]:
    """List the segments of a route, in order of their numbers."""
    numbered = [child for child in path.iterdir() if child.name.isdecimal() and _is_segment(child)]
    return sorted(numbered, key=lambda child: int(child.name))


def _drive(path: Path, name: str) -> Drive:
    times = _array(path / _TIMES)
    if not (path / _VIDEO).is_file():
        raise DataError(f"{path / _VIDEO}: no such file; expected the video of the segment. Fetch it again")
    speed = next((name for name in ("speed", "car_speed") if (path / _CAN / name).is_dir()), None)
    return Drive(
        name=name,
        run="",
        source=path,
        frames=SegmentFrames(path / _VIDEO, len(times)),
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
    except DAMAGE as error:
        raise DataError(
            f"{file}: is no whole array of numbers ({error}); expected a numpy file of comma2k19. Fetch it again"
        ) from error
