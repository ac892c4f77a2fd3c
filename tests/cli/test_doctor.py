from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from semicoupled.cli import doctor
from semicoupled.cli.main import main
from semicoupled.environment import bf16_instructions, extras, requirements


def test_the_doctor_reports_versions_devices_speed_and_extras(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json", str(tmp_path / "doctor.json")]) == 0
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "doctor.json").read_text())
    assert report["packages"]["torch"] == torch.__version__
    assert torch.__version__ in printed
    cpu = next(speed for speed in report["speed_ms"] if speed["device"] == "cpu")
    assert cpu["float32"] > 0
    assert cpu["bf16"] > 0
    known = {
        "audit",
        "dev",
        "docs",
        "export",
        "geotiff",
        "mlcast",
        "netcdf3",
        "imagenet",
        "pysteps",
        "serve",
        "video",
        "zarr",
    }
    assert set(report["missing_extras"]) == known == set(extras())


def test_a_missing_part_is_shown_with_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "measure", lambda device: doctor.Speed(device, 1.0, 2.0))
    monkeypatch.setattr(doctor, "requirements", lambda extra: {"pysteps": None} if extra == "pysteps" else {})
    assert main(["doctor"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "extra pysteps missing: pip install pysteps" in lines
    assert "extra docs complete" in lines


def test_requirements_are_told_apart_by_extra() -> None:
    assert "torch" in requirements()
    assert "pytest" not in requirements()
    assert "pytest" in requirements("dev")


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file(), reason="CPU flags are read from Linux alone")
def test_cpu_flags_are_those_of_linux() -> None:
    text = Path("/proc/cpuinfo").read_text().split()
    assert bf16_instructions() == {flag for flag in ("avx512_bf16", "amx_bf16", "avx_ne_convert") if flag in text}
