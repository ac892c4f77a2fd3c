"""Videos are made small, and damaged as files are damaged."""

from __future__ import annotations

import multiprocessing
import pickle
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from semicoupled.data import video, video_frames
from semicoupled.data.video import check_video, is_video, probe, read_video
from semicoupled.data.video_frames import VideoFrames
from semicoupled.data.video_writer import video_writer
from semicoupled.errors import DataError, MissingExtraError

av = pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]")
HEIGHT, WIDTH, RATE = 48, 64, 10


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Gray that says the frame's number, with a red corner at the top left."""
    image = np.full((height, width, 3), 20 + 4 * (number % 50), np.uint8)
    image[: height // 4, : width // 4] = 230, 20, 20
    return image


def number_of(image: np.ndarray) -> int:
    return round((float(image[image.shape[0] // 2 :].mean()) - 20) / 4)


def write(
    path: Path,
    frames: int = 40,
    codec: str = "libx264",
    stamps: list[int] | None = None,
    gop: int = 10,
    sizes: tuple[tuple[int, int], ...] = (),
    **options: str,
) -> Path:
    """Write numbered pictures; `stamps` are milliseconds."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.height, stream.width = sizes[0] if sizes else (HEIGHT, WIDTH)
        stream.pix_fmt, stream.bit_rate, stream.codec_context.gop_size = "yuv420p", 4_000_000, gop
        if stamps is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            if stamps is not None:
                frame.pts, frame.time_base = stamps[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "mp4": lambda folder: write(folder / "a.mp4"),
    "mkv": lambda folder: write(folder / "a.mkv"),
    "avi": lambda folder: write(folder / "a.avi", codec="mpeg4"),
    "ts": lambda folder: write(folder / "a.ts"),
    "webm": lambda folder: write(folder / "a.webm", codec="libvpx-vp9"),
    "h264": lambda folder: write(folder / "a.h264"),
    "hevc in mp4": lambda folder: write(folder / "b.mp4", codec="libx265"),
    "varying": lambda folder: write(
        folder / "v.mkv", stamps=[40 * n + 7 * (n % 3) + 500 * (n // 20) for n in range(40)]
    ),
}


@pytest.fixture(params=list(FILES))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return FILES[request.param](tmp_path)


def test_every_frame_comes_with_its_time(made: Path):
    frames = list(read_video(made))
    assert [number_of(frame.image) for frame in frames] == list(range(40))
    times = [frame.time for frame in frames]
    if made.stem == "v":
        expected = [(40 * n + 7 * (n % 3) + 500 * (n // 20)) / 1000 for n in range(40)]
    else:
        expected = [n / (25 if made.suffix == ".h264" else RATE) for n in range(40)]  # raw H.264 has no time
    assert times == pytest.approx(expected, abs=2e-3)
    assert frames[0].image.shape == (HEIGHT, WIDTH, 3)
    assert frames[0].image.dtype == np.uint8
    red, green, _ = frames[0].image[2, 2].astype(int)
    assert red > 180 > 80 > green


def test_a_part_is_cut_by_time(tmp_path: Path):
    for path in (write(tmp_path / "a.mp4"), write(tmp_path / "a.mkv"), write(tmp_path / "a.ts")):
        part = list(read_video(path, 2.5, 3.1))
        assert [number_of(frame.image) for frame in part] == [25, 26, 27, 28, 29, 30]
        assert [frame.time for frame in part] == pytest.approx([2.5, 2.6, 2.7, 2.8, 2.9, 3.0], abs=1e-6)
        assert [number_of(frame.image) for frame in read_video(path, 0.1, 0.35)] == [1, 2, 3]


def test_a_part_near_the_end_is_whole_where_few_frames_follow_the_last_key_frame(tmp_path: Path):
    path = write(tmp_path / "a.mkv", frames=10, gop=4, stamps=[1000 * number for number in range(10)])
    for start in (7, 8, 9):  # the decoder holds the last two, and gives both at once
        assert [number_of(frame.image) for frame in read_video(path, start)] == list(range(start, 10))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_slides_that_are_seen_for_minutes_are_whole(tmp_path: Path, count: int):
    for rate in (Fraction(1, 5), Fraction(1, 100)):
        with video_writer(tmp_path / "a.mp4", float(rate)) as video:
            for number in range(count):
                video.write(picture(number))
        assert probe(tmp_path / "a.mp4").seconds == pytest.approx(count / rate)
        frames = list(read_video(tmp_path / "a.mp4"))
        assert [number_of(frame.image) for frame in frames] == list(range(count))


def test_a_part_of_a_file_without_times_is_decoded_from_its_beginning(tmp_path: Path):
    path = write(tmp_path / "a.h264", frames=80)
    assert number_of(next(iter(read_video(path, 2.4))).image) == 60 - 50


def test_a_given_rate_leaves_out_and_repeats(tmp_path: Path):
    path = write(tmp_path / "a.mp4")
    slower = list(read_video(path, 0.5, 1.6, rate=4))
    assert [frame.time for frame in slower] == pytest.approx([0.5, 0.75, 1.0, 1.25, 1.5])
    assert [number_of(frame.image) for frame in slower] == [5, 7, 10, 12, 15]
    faster = list(read_video(path, rate=20, end=0.3))
    assert [number_of(frame.image) for frame in faster] == [0, 0, 1, 1, 2]


def test_what_is_stated_is_a_hint(tmp_path: Path):
    info = probe(write(tmp_path / "a.mp4"))
    assert info == (40, RATE, 4.0, HEIGHT, WIDTH, 0)
    assert probe(write(tmp_path / "a.mkv")).frames is None
    assert check_video(tmp_path / "a.mkv") == (probe(tmp_path / "a.mkv"), 40, pytest.approx(3.9), None)


def rotate(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Put a display matrix into the track header of an MP4, as phones do."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 4 + 4 * 5 + 8 + 8
    a, b, c, d = (value << 16 for value in matrix)
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("matrix", "corner", "degrees"),
    [((0, 1, -1, 0), "top right", 270), ((-1, 0, 0, -1), "bottom right", 180), ((0, -1, 1, 0), "bottom left", 90)],
)
def test_a_rotated_video_stands_upright(tmp_path: Path, matrix: tuple[int, int, int, int], corner: str, degrees: int):
    path = rotate(write(tmp_path / "a.mp4", frames=3), matrix)
    info = probe(path)
    size = (HEIGHT, WIDTH) if degrees == 180 else (WIDTH, HEIGHT)
    assert info[3:] == (*size, degrees)
    for image in (next(iter(read_video(path))).image, VideoFrames(path).read(0)):
        assert image.shape == (*size, 3)
        row, column = (2 if "top" in corner else -3), (2 if "left" in corner else -3)
        assert image[row, column, 0] > 180
        assert image[row, column, 1] < 80


def test_frames_are_read_in_any_order(made: Path):
    frames = VideoFrames(made)
    one_after_the_other = list(read_video(made))
    assert len(frames) == 40
    assert frames.times == pytest.approx([frame.time for frame in one_after_the_other])
    order = [*range(40), *np.random.default_rng(0).permutation(40).tolist(), 5, 5, 6]
    for index in order:
        assert np.array_equal(frames.read(index), one_after_the_other[index].image), (made, index)
    assert frames.name(7) == f"{made}, frame 7"
    with pytest.raises(DataError, match=r"has no frame 40; it has 40, counted from 0"):
        frames.read(40)


def test_frames_in_order_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    decoded = []

    def counting(container: object, path: Path):
        for frame in video.decode(container, path):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(video_frames, "decode", counting)
    frames = VideoFrames(write(tmp_path / "a.mp4", gop=10))
    for index in range(40):
        frames.read(index)
    assert len(decoded) == 40
    decoded.clear()
    frames.read(33)
    assert len(decoded) <= 6, "a jump begins at the key frame before"


def test_frames_go_to_another_process_and_few_files_stay_open(tmp_path: Path):
    path = write(tmp_path / "a.mp4")
    frames = VideoFrames(path)
    frames.read(3)
    again = pickle.loads(pickle.dumps(frames))
    assert number_of(again.read(12)) == 12
    if "fork" in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert [number_of(image) for image in pool.map(frames.read, [30, 4, 17])] == [30, 4, 17]
    assert number_of(frames.read(4)) == 4
    many = [VideoFrames(path) for _ in range(9)]
    assert [number_of(one.read(1)) for one in many] == [1] * 9
    assert len(video_frames._READERS) <= 4
    many[-1].close()
    assert number_of(many[-1].read(2)) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file; expected a video file"),
        (lambda path: path.mkdir(), "is a folder; expected a video file"),
        (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\); expected a video"),
        (lambda path: path.write_bytes(b"words" * 99), r"cannot be opened as a video \(Invalid data"),
    ],
)
def test_what_is_no_video_is_said_so(tmp_path: Path, make: Callable[[Path], object], message: str):
    path = tmp_path / "a.mp4"
    make(path)
    for use in (probe, VideoFrames, lambda path: list(read_video(path))):
        with pytest.raises(DataError, match=rf"a\.mp4: {message}"):
            use(path)
    assert message.split()[0] in (check_video(path).problem or "")
    assert check_video(path).info is None


def test_a_file_of_sound_is_said_so(tmp_path: Path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(DataError, match=r"holds no video stream \(found: audio\)"):
        probe(path)


def test_a_recording_without_its_index_is_said_so(tmp_path: Path):
    path = write(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(DataError, match="A recording that was cut off before its end has no index"):
        list(read_video(path))


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.mp4", "is damaged after"), ("a.mkv", "ends after"), ("a.webm", "ends after")],
)
def test_a_truncated_video_gives_what_it_has_and_then_says_so(tmp_path: Path, name: str, message: str):
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    path = write(tmp_path / name, codec=codec, **({"movflags": "faststart"} if name.endswith("mp4") else {}))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * (0.8 if name == "a.mp4" else 0.6))])
    seen: list[int] = []
    with pytest.raises(DataError, match=message):
        seen += [number_of(frame.image) for frame in _noting(path, seen)]
    assert 3 <= len(seen) < 40
    checked = check_video(path)
    assert message in (checked.problem or "")
    assert checked.frames == len(seen)
    frames = VideoFrames(path)
    assert number_of(frames.read(1)) == 1
    with pytest.raises(DataError, match=r"frame 39: cannot be decoded|has no frame 39"):
        frames.read(39)
    assert number_of(frames.read(2)) == 2, "a broken frame must not spoil the others"


def _noting(path: Path, seen: list[int]):
    for frame in read_video(path):
        seen.append(number_of(frame.image))
    yield from ()


def test_damage_spares_what_lies_behind_the_next_key_frame(tmp_path: Path):
    path = write(tmp_path / "a.mp4", frames=80, movflags="faststart")
    content = bytearray(path.read_bytes())
    middle = content.index(b"mdat") + (len(content) - content.index(b"mdat")) // 2
    content[middle : middle + 40] = np.random.default_rng(0).bytes(40)
    path.write_bytes(content)
    frames = VideoFrames(path)
    good = []
    for index in range(80):
        try:
            good.append(number_of(frames.read(index)) == index % 50)
        except DataError:
            good.append(False)
    assert all(good[:25])
    assert all(good[-25:])


def test_one_frame_is_a_video(tmp_path: Path):
    path = write(tmp_path / "a.mp4", frames=1)
    assert [frame.time for frame in read_video(path)] == [0.0]
    assert [frame.time for frame in read_video(path, rate=30)] == [0.0]
    assert len(VideoFrames(path)) == 1
    assert check_video(path).problem is None


def test_odd_bounds_are_refused(tmp_path: Path):
    path = write(tmp_path / "a.mp4", frames=5)
    with pytest.raises(DataError, match=r"expected 0 <= start < end in seconds, got start 2 and end 1"):
        list(read_video(path, 2, 1))
    with pytest.raises(DataError, match=r"rate: expected frames a second above 0, got 0"):
        list(read_video(path, rate=0))
    with pytest.raises(DataError, match=r"has no frame from 9 s to its end"):
        list(read_video(path, 9))


def test_stamps_that_do_not_rise_are_set_right():
    clock = video.Clock(10)
    base = Fraction(1, 1000)
    stamps = [500, 600, 600, None, 550, 1500]
    assert [clock.time(stamp, base) for stamp in stamps] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 1.0])


def test_names_of_videos(tmp_path: Path):
    path = tmp_path / "A.MP4"
    path.touch()
    assert is_video(path)
    assert not is_video(tmp_path / "b.mp4")
    assert not is_video(tmp_path)


def test_without_pyav_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r'pip install "semicoupled\[video\]"'):
        probe(tmp_path / "a.mp4")
