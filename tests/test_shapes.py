"""The shape annotations of public signatures are true: jaxtyping checks them in each call of the tests below."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
CHECKED = [
    "nn/test_reference.py",
    "nn/test_switch.py",
    "nn/test_parameter_counts.py",
    "networks/test_table1.py",
    "networks/test_heads.py",
]
WRONG = """
import jaxtyping, pytest, torch
from semicoupled.networks.heads import PooledHead

def test_a_wrong_annotation_would_be_seen() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        PooledHead(3, 2)(torch.zeros(2, 3, 8, 8))
"""
"""The checker is really on: it refuses a wrong shape, before any error of ours."""


def test_annotated_shapes_hold(tmp_path: Path) -> None:
    wrong = tmp_path / "test_wrong.py"
    wrong.write_text(WRONG, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    options = ["-q", "-x", "-p", "checked_shapes", "-p", "no:cacheprovider", "-p", "no:xdist"]
    # the first two pass wrong shapes on purpose; of clips of 1, 2 and 7 frames those of 2 suffice here
    chosen = "not test_errors_help and not test_wrong_shape_is_refused and not -1] and not -7]"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-k", chosen, str(wrong), *(str(TESTS / file) for file in CHECKED)],
        cwd=TESTS.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
