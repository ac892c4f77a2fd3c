"""The weights that come with the package: small, and of use without any training."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from semicoupled.cli.main import main
from semicoupled.run_folder import PRETRAINED, load

WEIGHTS = PRETRAINED / "nowcasting" / "small"
LARGEST = 5_000_000


def test_they_are_small_and_say_nothing_of_where_they_were_made() -> None:
    assert (WEIGHTS / "model.safetensors").stat().st_size <= LARGEST
    texts = [path.read_text(encoding="utf-8") for path in WEIGHTS.iterdir() if path.suffix != ".safetensors"]
    assert not [found for text in texts for found in re.findall(r"(?<![\w.$])/(?:work|home|root|tmp)/", text)]
    assert load("pretrained", "cpu", "nowcasting").settings.data.root == ""


@pytest.mark.parametrize("section", ["Data", "License", "Scores", "Limits", "How it was made"])
def test_their_card_has_what_a_user_must_know(section: str) -> None:
    card = (WEIGHTS / "README.md").read_text(encoding="utf-8")
    assert f"\n## {section}\n" in card
    assert "CC BY 4.0" in card


def test_they_forecast_without_any_training(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(frames=6)
    out = tmp_path / "f.nc"
    assert (
        main(["predict", "nowcasting", "pretrained", str(folder), "--lead", "60", "--out", str(out), "--device=cpu"])
        == 0
    )
    with xr.open_dataset(out) as forecast:
        assert forecast["reflectivity"].shape[0] == 12
        assert np.isfinite(forecast["reflectivity"]).any()
        chances = forecast["exceedance_probability"]
        assert chances.dims[:2] == ("threshold", "time")
        assert 0 <= float(chances.min()) <= float(chances.max()) <= 1


def test_they_are_scored_beside_the_baselines(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(frames=13)
    scores = tmp_path / "scores.json"
    command = ["evaluate", "nowcasting", "pretrained", "--data.root", str(folder), "--json", str(scores)]
    assert main([*command, "--device=cpu", "--evaluation.sprog=off"]) == 0
    rows = json.loads(scores.read_text())["rows"]
    assert {"semicoupled", "persistence", "advection", "advection_blur"} <= {row["model"] for row in rows}
