"""Driving frame by frame with a state: the same as a drive at once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.tasks.driving.operating.using import predictor

import semicoupled
from semicoupled.errors import DataError
from semicoupled.run_folder import LoadedRun
from semicoupled.tasks.driving.formats.reading import read_drives
from semicoupled.tasks.driving.operating.session import DriveSession

pytest.importorskip("av", reason="needs PyAV: pip install semicoupled[video]")


@pytest.mark.parametrize("kind", ["semicoupled", "convlstm", "cnn", "cnn_lstm"])
def test_frame_by_frame_says_what_the_whole_drive_says(make_driving_run: Callable[..., Path], tub: Path, kind: str):
    loaded = semicoupled.load(make_driving_run(kind=kind), device="cpu")
    answering = predictor(loaded)
    for drive in read_drives(tub, loaded.settings.data):
        whole = answering.answer(drive)
        by_count = answering.session(every=2)
        by_time = answering.session()
        assert (by_count.packed is not None) == (kind == "semicoupled")
        for index in range(len(drive)):
            image = drive.frames.read(index)
            assert by_count.update(image).angle == pytest.approx(whole.main[index], abs=1e-5)
            assert by_time.update(image, drive.times[index]).angle == pytest.approx(whole.main[index], abs=1e-5)
        assert np.ptp(whole.main) > 1e-3


def test_all_streams_are_answered_when_they_are_asked_for(loaded: LoadedRun, tub: Path):
    answering = predictor(loaded)
    drive = read_drives(tub, loaded.settings.data)[0]
    whole, session = answering.answer(drive), answering.session(all_streams=True, every=2)
    for index in range(6):
        said = session.update(drive.frames.read(index))
        assert whole.spatial is not None
        assert whole.temporal is not None
        assert said[:3] == pytest.approx((whole.main[index], whole.spatial[index], whole.temporal[index]), abs=1e-5)
    plain = answering.session()
    assert plain.update(drive.frames.read(0)).temporal is None


def test_a_gap_begins_anew_and_a_slow_camera_does_not(loaded: LoadedRun, samples: ModuleType):
    answering = predictor(loaded)
    images = samples.make_drive(6).frames
    session, fresh = answering.session(), answering.session()
    for index in range(3):
        session.update(images[index], index / 10)
    other = session.update(images[3], 0.3).angle
    session.update(images[4], 9.0)
    assert session.update(images[5], 9.1).angle == pytest.approx(_after(fresh, images[4:6], 0.1), abs=1e-6)
    slow = answering.session()
    said = [slow.update(images[index], float(index)).angle for index in range(4)]
    assert said[0] != said[3]
    first = answering.session().update(images[3], 0.0).angle
    assert other != pytest.approx(first, abs=1e-6), "the state must matter, or this test says nothing"


def test_a_fast_camera_has_its_state_from_an_interval_ago(loaded: LoadedRun, samples: ModuleType):
    answering = predictor(loaded)
    images = samples.make_drive(5).frames
    fast, plain, fresh = answering.session(), answering.session(), answering.session()
    for index in range(97):  # 240 a second, of which the model sees 10
        fast.update(images[(index + 12) // 24], index / 240)
    for index in range(5):
        plain.update(images[index], index / 10)
    fresh.update(images[4], 0.0)
    assert np.allclose(_gate(fast), _gate(plain), atol=1e-5)
    assert not np.allclose(_gate(fresh), _gate(plain), atol=1e-2)


def _gate(session: DriveSession) -> np.ndarray:
    return session._kept[-1].state.main[0].gate.numpy()


def _after(session: DriveSession, images: np.ndarray, interval: float) -> float:
    return [session.update(image, index * interval).angle for index, image in enumerate(images)][-1]


def test_a_session_keeps_no_more_after_many_frames(loaded: LoadedRun, samples: ModuleType):
    images = samples.make_drive(8).frames
    session = predictor(loaded).session()
    for index in range(100):
        session.update(images[index % 8], index / 30)
    tracemalloc.start()
    before = _bytes_kept(session)
    for index in range(100, 400):
        session.update(images[index % 8], index / 30)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert _bytes_kept(session) == before
    assert grown < 100_000


def _bytes_kept(session: DriveSession) -> int:
    return sum(cell.gate.untyped_storage().nbytes() for kept in session._kept for cell in kept.state.main)


def test_what_is_no_frame_is_refused(loaded: LoadedRun):
    session = predictor(loaded).session()
    with pytest.raises(DataError, match=r"a frame: expected H W 3, uint8, RGB, got \(4, 4\), float64"):
        session.update(np.zeros((4, 4)))
