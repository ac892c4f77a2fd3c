from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semicoupled.data.video import VideoFrame
from semicoupled.data.video_writer import video_writer
from semicoupled.errors import DataError, SettingsError
from semicoupled.run_folder import load
from semicoupled.serving import action_job, film
from semicoupled.serving.action_job import answer
from semicoupled.serving.action_live_job import forget, look
from semicoupled.serving.person_sample import FRAMES, SAMPLES, person_frames
from semicoupled.serving.video_options import LiveFrame, VideoOptions
from semicoupled.serving.work import JobRequest, Result, Source, Work
from semicoupled.tasks.action.operating.live import LiveSession
from semicoupled.tasks.action.operating.video_answer import answer_frames

pytest.importorskip("av", reason="no PyAV: pip install 'semicoupled[video]'")
CLASSES = ["bend", "jack", "wave"]


def array(found: Result, name: str) -> np.ndarray:
    return np.load(io.BytesIO(found.files[f"{name}.npy"]))


@pytest.fixture(scope="module")
def people(make_action_run: Callable[..., Path]) -> Path:
    return make_action_run()


def write_clip(path: Path, name: str = "wave", count: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with video_writer(path, 12.5) as video:
        for frame in person_frames(name, count):
            video.write(frame.image, frame.time)
    return path


def ask(work: Work, run: Path, place: Path, base: Path, part: int = 0) -> Result:
    source = Source(place=place, base=base.resolve())
    return answer(work, JobRequest("", run, source, VideoOptions(part)))


def test_a_drawn_clip_is_answered_as_by_predict(work: Work, people: Path) -> None:
    found = answer(work, JobRequest("", people, Source(sample="jack"), VideoOptions()))
    run = load(people, "cpu")
    expected = list(answer_frames(run.model, person_frames("jack"), run.settings, 7))
    about: Any = found.document
    order = [CLASSES.index(name) for name in about["classes"]]
    assert sorted(order) == [0, 1, 2]
    for stream in ("main", "spatial", "temporal"):
        wanted = np.array([getattr(each, stream)[order] for each in expected])
        np.testing.assert_allclose(array(found, stream), wanted, atol=1e-5)
        so_far = np.cumsum(wanted, 0) / np.arange(1, FRAMES + 1)[:, None]
        np.testing.assert_allclose(array(found, f"{stream}_so_far"), so_far, atol=1e-5)
        assert about["means"][stream] == pytest.approx(wanted.mean(0).tolist(), abs=1e-4)
        best = int(wanted.mean(0).argmax())
        assert about["tops"][stream][0][0] == about["classes"][best]
    assert about["means"]["main"] == sorted(about["means"]["main"], reverse=True)
    np.testing.assert_allclose(array(found, "times"), np.arange(FRAMES) / 12.5)
    assert about["frames"] == len(about["film"]["sizes"]) == FRAMES


def test_gates_are_those_of_one_run_over_the_clip(work: Work, people: Path) -> None:
    from semicoupled.explain.maps import mean_gates, recording

    found = answer(work, JobRequest("", people, Source(sample="bend"), VideoOptions()))
    gates = array(found, "gates")
    assert gates.shape == (FRAMES, 3)
    run = load(people, "cpu")
    with recording(run.model, ("gate",)) as records:  # type: ignore[arg-type]
        list(answer_frames(run.model, person_frames("bend"), run.settings, FRAMES))
    [recorded] = records.values()
    np.testing.assert_allclose(gates.mean(0), list(mean_gates(recorded).values()), atol=1e-5)
    assert np.ptp(gates[:, 0]) > 0


def test_what_is_kept_of_a_long_video_does_not_grow(work: Work, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answer(work, JobRequest("", people, Source(sample="wave"), VideoOptions()))
    monkeypatch.setattr(action_job, "Film", lambda: film.Film(most=10))
    short = answer(work, JobRequest("", people, Source(sample="wave"), VideoOptions()))
    about: Any = short.document
    assert about["film"]["every"] == 8
    assert about["frames"] == FRAMES
    for name in ("main", "spatial", "temporal", "main_so_far", "gates", "times"):
        np.testing.assert_allclose(array(short, name), array(whole, name)[::8], atol=1e-6)
    assert len(about["film"]["sizes"]) == len(array(short, "times")) == 10
    assert about["means"] == whole.document["means"]  # of all frames


def test_the_videos_of_a_folder_are_listed(work: Work, people: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "a" / "one.mp4")
    write_clip(tmp_path / "b" / "two.mp4", "bend", 6)
    found = ask(work, people, tmp_path, tmp_path, 1)
    parts: Any = found.document["parts"]
    assert [part["name"] for part in parts] == ["a/one.mp4", "b/two.mp4"]
    assert found.document["frames"] == 6
    one = ask(work, people, tmp_path / "a" / "one.mp4", tmp_path)
    assert one.document["frames"] == 10
    with pytest.raises(DataError, match="there is no video 2 of 2"):
        ask(work, people, tmp_path, tmp_path, 2)


def test_a_damaged_video_is_answered_as_far_as_it_goes(
    work: Work, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(count: int) -> Callable[..., Iterator[VideoFrame]]:
        def frames(path: Path, **options: object) -> Iterator[VideoFrame]:
            yield from person_frames("jack", count)
            raise DataError(f"{path}: is damaged after {count} frames")

        return frames

    path = write_clip(tmp_path / "a.mp4")
    monkeypatch.setattr(action_job, "iterate_frames", broken(20))
    found = ask(work, people, path, tmp_path)
    assert found.document["frames"] == 20
    assert found.document["problem"] == "…/a.mp4: is damaged after 20 frames"
    assert len(array(found, "main")) == len(array(found, "gates")) == 20
    monkeypatch.setattr(action_job, "iterate_frames", broken(0))
    with pytest.raises(DataError, match="is damaged after 0 frames"):
        ask(work, people, path, tmp_path)


def test_what_is_no_video_is_refused(work: Work, people: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("#EXTM3U\n/etc/passwd\n")
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DataError, match="is no video that is taken here"):
        ask(work, people, tmp_path / "a.mp4", tmp_path)
    with pytest.raises(DataError, match="is no video by its name"):
        ask(work, people, tmp_path / "notes.txt", tmp_path)


def test_a_link_out_of_the_folder_is_refused(work: Work, people: Path, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.mp4").symlink_to(write_clip(tmp_path / "secret.mp4"))
    with pytest.raises(DataError, match="a link in it leads elsewhere"):
        ask(work, people, inside, inside)
    assert ask(work, people, inside, tmp_path).document["frames"] == 10


def test_a_rival_has_one_stream_and_no_gates(work: Work, make_action_run: Callable[..., Path]) -> None:
    run = make_action_run(kind="cnn", widths=(4, 6), strides=(2, 2))
    found = answer(work, JobRequest("", run, Source(sample="wave"), VideoOptions()))
    assert found.document["streams"] == ["main"]
    assert "gates.npy" not in found.files


def jpeg(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def test_a_camera_goes_on_from_its_state(work: Work, people: Path) -> None:
    run = load(people, "cpu")
    session = LiveSession(run.model, run.settings, 3)
    for number, frame in enumerate(person_frames("wave", 6)):
        content = jpeg(frame.image)
        seen = np.asarray(Image.open(io.BytesIO(content)))
        expected = session.update(frame._replace(image=seen))
        live = LiveFrame("one", frame.time, content, 3)
        said: Any = look(work, JobRequest("", people, Source(), live)).document
        assert said["begun"] == (number == 0)
        for name, lately, now in said["top"]:
            assert lately == pytest.approx(float(expected.lately[CLASSES.index(name)]), abs=1e-4)
            assert now == pytest.approx(float(expected.now[CLASSES.index(name)]), abs=1e-4)


def test_cameras_are_apart_and_the_oldest_begins_anew(work: Work, people: Path) -> None:
    [frame] = person_frames("wave", 1)
    live = LiveFrame("0", 0.0, jpeg(frame.image))

    def begun(name: str) -> bool:
        request = JobRequest("", people, Source(), dataclasses.replace(live, session=name))
        return bool(look(work, request).document["begun"])

    assert [begun(name) for name in "0011"] == [True, False, True, False]
    for name in "234":
        assert begun(name)
    assert begun("0")  # five are more than are kept
    assert not begun("4")
    forget(work, JobRequest("", people, Source(), dataclasses.replace(live, session="4")))
    assert begun("4")
    assert len(work.sessions) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"nothing of the kind", "is no whole JPEG image"),
        (jpeg(np.zeros((30, 40, 3), np.uint8))[:300], "is no whole JPEG image"),
        (jpeg(np.zeros((1100, 1000, 3), np.uint8)), "is 1000 x 1100 pixels; expected at most"),
    ],
)
def test_a_camera_sends_whole_small_images(work: Work, people: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        look(work, JobRequest("", people, Source(), LiveFrame("one", 0.0, content)))


def test_a_png_is_no_frame_of_a_camera(work: Work, people: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    with pytest.raises(DataError, match="is no whole JPEG image"):
        look(work, JobRequest("", people, Source(), LiveFrame("one", 0.0, buffer.getvalue())))


def test_a_network_that_sees_a_clip_at_once_follows_no_camera(work: Work, make_action_run: Callable[..., Path]) -> None:
    run = make_action_run(kind="r2plus1d", widths=(4, 6), strides=(2, 2))
    [frame] = person_frames("wave", 1)
    with pytest.raises(SettingsError, match="cannot follow a camera"):
        look(work, JobRequest("", run, Source(), LiveFrame("one", 0.0, jpeg(frame.image))))


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_person_moves_and_is_a_pure_function_of_the_name(name: str) -> None:
    one = np.stack([frame.image for frame in person_frames(name, 12)])
    two = np.stack([frame.image for frame in person_frames(name, 12)])
    np.testing.assert_array_equal(one, two)
    assert (np.abs(np.diff(one.astype(int), axis=0)).max((1, 2, 3)) > 25).all()


def test_an_unknown_person_is_named() -> None:
    with pytest.raises(DataError, match="there is no sample 'run'"):
        list(person_frames("run", 1))
