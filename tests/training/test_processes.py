from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from fake_task import FakeSettings, FakeTask
from safetensors.torch import load_file

from semicoupled.errors import SettingsError
from semicoupled.training.log import read_log
from semicoupled.training.loop import fit
from semicoupled.training.processes import launch
from semicoupled.training.settings import SegmentSettings, SwitchSettings, TrainingSettings

SETTINGS = FakeSettings(
    norm="none",  # statistics of a batch are not those of its parts, and Adam blows up gradients that a norm makes 0
    training=TrainingSettings(
        steps=5, batch=4, accumulate=2, checkpoint_every=2, log_every=1, learning_rate=0.01, tensorboard=False
    ),
    switches=SwitchSettings("astsgd", classes=3, scope="sample"),
    segments=SegmentSettings(4),
)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(SettingsError, match="there is no device 'tpu'"):
        launch("tpu", "float32")
    with pytest.raises(SettingsError, match="training runs on cpu or cuda"):
        launch(torch.device("meta"), "float32")


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    one = fit(FakeTask(), SETTINGS, tmp_path / "one", device="cpu")
    code = (
        "from pathlib import Path; from fake_task import FakeTask; from test_processes import SETTINGS; "
        "from semicoupled.training.loop import fit; import sys; "
        "fit(FakeTask(), SETTINGS, Path(sys.argv[1]), device='cpu')"
    )
    script = tmp_path / "train.py"
    script.write_text(code)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    subprocess.run([*launcher, str(script), str(tmp_path / "two")], check=True, env={**os.environ, "PYTHONPATH": paths})
    two = load_file(tmp_path / "two/model.safetensors")
    for name, value in one.model.state_dict().items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-5)
    for single, shared in zip(read_log(tmp_path / "one"), read_log(tmp_path / "two"), strict=True):
        assert {k: v for k, v in shared.items() if k != "seconds"} == pytest.approx(
            {k: v for k, v in single.items() if k != "seconds"}, abs=1e-5
        )
