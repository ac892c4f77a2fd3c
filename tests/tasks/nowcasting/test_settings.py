from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from semicoupled.errors import SettingsError
from semicoupled.settings_file import differences, dump_settings, parse_settings
from semicoupled.tasks.nowcasting import settings as module
from semicoupled.tasks.nowcasting.settings import SETTINGS, NowcastingSettings

PRESETS = sorted((Path(module.__file__).parent / "presets").glob("*.yaml"))


def test_settings_need_no_torch():
    code = "import sys; import semicoupled.tasks.nowcasting.settings; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_every_preset_is_valid_and_comes_back_from_its_file(preset: Path, tmp_path: Path):
    found = parse_settings(SETTINGS, files=[preset])
    (tmp_path / "all.yaml").write_text(dump_settings(found))
    assert differences(found, parse_settings(SETTINGS, files=[tmp_path / "all.yaml"])) == []


def test_the_paper_and_its_plain_form_are_presets():
    names = {preset.stem: parse_settings(SETTINGS, files=[preset]) for preset in PRESETS}
    for name in ("plain", "paper"):
        found = names[name]
        assert (
            found.model.form,
            found.model.kind,
            found.loss.overlap_weight,
            found.predict.match,
            found.predict.trust,
        ) == (
            "plain",
            "semicoupled",
            0,
            0,
            1,
        )
    paper = names["paper"]
    assert (paper.model.layers, paper.data.input_frames, paper.data.output_frames) == (15, 5, 5)
    assert (paper.training.batch, paper.training.learning_rate, paper.switches.method) == (4, 1e-4, "stsgd")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data.input_frames", "1"], "data.input_frames: expected at least 2, got 1"),
        (["--data.kilometers", "0"], "data.kilometers: expected more than 0, or null, got 0"),
        (["--data.coarsen", "2"], "unknown option '--data.coarsen'. It is data.kilometers now"),
        (["--data.step_minutes", "-5"], "data.step_minutes: expected more than 0, or null, got -5"),
        (["--data.z_r.a", "0"], "data.z_r.a: expected more than 0"),
        (["--data.z_r.b", "0.5"], "data.z_r.b: expected 1 to 4, got 0.5"),
        (["--data.files.gain", "0"], "data.files.gain: expected a number other than 0"),
        (["--data.files.kilometers", "0"], "data.files.kilometers: expected more than 0"),
        (["--data.files.quantity", "rain"], "there is no 'rain'"),
        (["--data.dim", "60"], "expected dBZ from 0 to below 60"),
        (["--model.kernel", "4"], "model.kernel: expected an odd number"),
        (
            ["--model.kind", "convlstm", "--switches.method", "stsgd"],
            "has no branches to decouple. Set switches.method to",
        ),
        (["--model.kind", "convlstm", "--goals.spatial", "1"], "has the main stream alone. Set goals.spatial and"),
        (["--model.kind", "predrnn", "--goals.temporal", "1"], "predrnn has the main stream alone. Set goals.spatial"),
        (
            ["--model.kind", "predrnn", "--model.norm", "batch"],
            "expected 'group' or 'none' with model.kind predrnn, got",
        ),
        (["--segments.length", "4"], r"windows of 5 \+ 5 frames are trained whole"),
        (["--predict.minutes", "0"], "predict.minutes: expected more than 0"),
        (["--predict.trust", "-1"], "predict.trust: expected a share from 0 to 1, got -1"),
        (["--predict.match", "2"], "predict.match: expected a share from 0 to 1, got 2"),
        (["--loss.softness", "0"], "loss.softness: expected more than 0 dBZ"),
        (["--evaluation.windows_km", "[0.0]"], "evaluation.windows_km: expected kilometers above 0"),
        (["--evaluation.bands_km", "[8.0, 4.0]"], "evaluation.bands_km: expected rising numbers above 0"),
        (["--evaluation.bands_km", "[8.0]"], "evaluation.bands_km: expected two edges or more, or none"),
        (["--evaluation.thresholds", "[20.0, 15.0]"], "evaluation.thresholds: expected rising numbers, got"),
        (["--evaluation.sprog", "maybe"], "auto"),
        (["--model.form", "advektion"], "advection"),
        (["--data.rot", "x"], "data.root"),
    ],
)
def test_what_makes_no_sense_is_refused(options: list[str], message: str):
    with pytest.raises(SettingsError, match=message):
        parse_settings(SETTINGS, options)


def test_half_an_hour_is_scored_at_five_minutes():
    assert NowcastingSettings().evaluation.leads * 5 == 30


def test_settings_of_an_older_run_say_what_to_write_instead(tmp_path: Path):
    (tmp_path / "settings.yaml").write_text("data:\n  coarsen: 2\n")
    with pytest.raises(SettingsError, match=r"unknown setting 'data\.coarsen'. It is data\.kilometers now"):
        parse_settings(SETTINGS, files=[tmp_path / "settings.yaml"])
