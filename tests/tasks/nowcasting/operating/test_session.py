from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import semicoupled
from semicoupled.description import Json
from semicoupled.errors import DataError, RunError
from semicoupled.tasks.nowcasting.files.frame import RadarFrame
from semicoupled.tasks.nowcasting.files.reading import read_frames
from semicoupled.tasks.nowcasting.operating.session import NowcastSession, NowcastState
from semicoupled.tasks.nowcasting.operating.state_store import load_state, save_state
from semicoupled.tasks.nowcasting.scores.probability import Calibration
from semicoupled.tasks.nowcasting.task import session as session_of

Make = Callable[..., Path]


def open_session(folder: Path, **known: Json) -> NowcastSession:
    run = semicoupled.load(folder, device="cpu")
    return session_of(run.settings, {**run.description, **known}, run.model)  # pyright: ignore[reportArgumentType]


def frames_of(folder: Path) -> list[RadarFrame]:
    return [frame for path in sorted(folder.iterdir()) for frame in read_frames(path)]


def follow(session: NowcastSession, frames: list[RadarFrame], state: NowcastState | None = None) -> NowcastState:
    for frame in frames:
        state = session.update(state, frame)
    assert state is not None
    return state


@pytest.fixture
def session(make_run: Make) -> NowcastSession:
    return open_session(make_run(spatial=1.0, temporal=1.0))


def test_frame_by_frame_is_what_the_files_together_give(session: NowcastSession, make_folder: Make, tmp_path: Path):
    folder = make_folder(frames=7)
    streamed = session.forecast(follow(session, frames_of(folder)), 3)
    run = semicoupled.load(tmp_path / "run", device="cpu")
    together = run.task.predictor(run.settings, run.description, run.model).session.forecast(
        run.task.predictor(run.settings, run.description, run.model).read([folder]), 3
    )
    np.testing.assert_array_equal(streamed.dbz, together.dbz)
    assert streamed.reference == together.reference
    assert list(streamed.sources) == list(together.sources)
    assert streamed.share is not None
    assert np.nanmax(streamed.share) <= 1


def test_after_a_restart_forecasts_are_the_same_to_the_last_bit(
    session: NowcastSession, make_folder: Make, tmp_path: Path
):
    frames = frames_of(make_folder(frames=8))
    state = follow(session, frames[:6])
    save_state(tmp_path / "state", state, session.fingerprint, {"a": [1]})
    again = open_session(tmp_path / "run")
    stored = load_state(tmp_path / "state", again.fingerprint)
    assert stored.notes == {"a": [1]}
    assert stored.state is not None
    for more in ([], frames[6:]):
        kept, taken = follow(session, more, state), follow(again, more, stored.state)
        assert kept.times == taken.times
        assert kept.grid == taken.grid
        one, two = session.forecast(kept, 4), again.forecast(taken, 4)
        assert one.dbz.tobytes() == two.dbz.tobytes()
        assert one.share is not None
        assert two.share is not None
        assert one.share.tobytes() == two.share.tobytes()


def test_the_order_of_frames_does_not_matter(session: NowcastSession, make_folder: Make):
    frames = frames_of(make_folder(frames=4))
    wanted = session.forecast(follow(session, frames), 2)
    for order in itertools.permutations(frames):
        state = follow(session, [*order, order[0]])  # one of them twice
        assert state.times == tuple(frame.valid for frame in frames)
        np.testing.assert_array_equal(session.forecast(state, 2).dbz, wanted.dbz)


def test_the_state_does_not_grow(session: NowcastSession, make_folder: Make):
    frames = frames_of(make_folder(frames=20))
    state = follow(session, frames)
    assert state.times == tuple(frame.valid for frame in frames[-6:])  # twice the three that go in
    assert session.update(state, frames[0]).times == state.times  # too old to be of use


def test_an_earlier_time_can_be_forecast_from(session: NowcastSession, make_folder: Make):
    frames = frames_of(make_folder(frames=6))
    wanted = session.forecast(follow(session, frames[:4]), 2)
    late = session.forecast(follow(session, frames), 2, at=frames[3].valid)
    np.testing.assert_array_equal(late.dbz, wanted.dbz)
    assert late.reference == wanted.reference


def test_the_step_is_that_of_training_even_among_holes(session: NowcastSession, make_folder: Make):
    frames = frames_of(make_folder(frames=8, leave_out=(1, 3)))
    state = follow(session, frames)
    assert state.step == timedelta(minutes=5)
    assert session.missing(state) == []
    early = follow(session, frames[:3])
    assert early.step == timedelta(minutes=10)  # nothing closer has been seen, and that is refused
    with pytest.raises(DataError, match="every 10 minutes; expected every 5, as in training, or up to 25%"):
        session.forecast(early)


def test_another_grid_is_refused(session: NowcastSession, make_folder: Make, make_knmi: Make, tmp_path: Path):
    state = follow(session, frames_of(make_folder(frames=3)))
    (other,) = read_frames(make_knmi(tmp_path / "other.h5", np.zeros((30, 30)), state.times[-1] + state.step))
    with pytest.raises(DataError, match=r"other\.h5: its grid is 30 x 30 .*; expected 64 x 48 .*Watch one product"):
        session.update(state, other)


def test_a_calibrated_run_says_how_likely_rain_is(make_run: Make, make_folder: Make):
    calibration = Calibration((15.0, 30.0), (5.0,), ((0.0,), (0.0,)), ((1.0,), (1.0,)))
    session = open_session(make_run(), calibration=calibration.to_json())
    forecast = session.forecast(follow(session, frames_of(make_folder(frames=3))), 2)
    assert forecast.exceedance is not None
    assert forecast.exceedance.thresholds == (15.0, 30.0)
    assert forecast.exceedance.probability.shape == (2, *forecast.dbz.shape)
    assert "exceedance" not in session.missing_layers


def test_a_state_of_another_run_or_format_or_a_broken_one_is_refused(
    session: NowcastSession, make_folder: Make, make_run: Make, tmp_path: Path
):
    path = tmp_path / "state"
    save_state(path, follow(session, frames_of(make_folder(frames=2))), session.fingerprint)
    with pytest.raises(RunError, match=r"state: is the state of another run .*--state"):
        load_state(path, "another")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match="state: is broken"):
        load_state(path, session.fingerprint)
    save_file({}, path, {"format": "7", "about": "{}"})
    with pytest.raises(RunError, match="is a state of format '7'; expected 1"):
        load_state(path, session.fingerprint)
    with pytest.raises(RunError, match="nowhere: is broken"):
        load_state(tmp_path / "nowhere", session.fingerprint)


def test_a_state_is_safetensors_with_json_in_its_header(session: NowcastSession, make_folder: Make, tmp_path: Path):
    save_state(tmp_path / "state", follow(session, frames_of(make_folder(frames=2))), session.fingerprint)
    with safe_open(tmp_path / "state", "np") as opened:
        assert set(opened.keys()) == {"frame_0", "frame_1"}
        about = json.loads(opened.metadata()["about"])
    assert about["fingerprint"] == session.fingerprint
    assert about["state"]["times"] == ["2021-02-05T20:00:00+00:00", "2021-02-05T20:05:00+00:00"]
    save_state(tmp_path / "empty", None, session.fingerprint)
    assert load_state(tmp_path / "empty", session.fingerprint).state is None


def test_other_weights_are_another_run(make_run: Make):
    run = make_run()
    one, two = open_session(run), open_session(run)
    assert one.fingerprint == two.fingerprint
    next(two.model.parameters()).data[0] += 1e-3
    assert one.fingerprint != two.fingerprint
