"""What does not go with live frames is said alike by all tasks that have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from semicoupled.errors import SettingsError
from semicoupled.live_options import check_no_inputs
from semicoupled.tasks.action.settings import PredictSettings
from semicoupled.tasks.driving.predict_options import PredictOptions


@pytest.mark.parametrize("options", [PredictSettings, PredictOptions])
def test_what_does_not_go_together_is_named(options: type[PredictSettings | PredictOptions]) -> None:
    assert options(camera="0", frames=3).live
    assert options(stdin="mjpeg").live
    assert not options(devices=2).live
    with pytest.raises(SettingsError, match=r"--camera and --stdin: expected one of them"):
        options(camera="0", stdin="mjpeg")
    with pytest.raises(SettingsError, match=r"--devices 2: live frames go to one process"):
        options(camera="0", devices=2)
    with pytest.raises(SettingsError, match=r"--frames: is of use with --camera or --stdin alone"):
        options(frames=3)
    with pytest.raises(SettingsError, match=r"a\.mp4, b: with --camera or --stdin no inputs are read"):
        check_no_inputs([Path("a.mp4"), Path("b")])
