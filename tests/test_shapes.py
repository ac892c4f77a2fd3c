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


def test_annotated_shapes_hold() -> None:
    environment = os.environ | {"PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "checked_shapes", "-p", "no:cacheprovider", "-p", "no:xdist"]
        # the first two pass wrong shapes on purpose; of clips of 1, 2 and 7 frames those of 2 suffice here
        + ["-k", "not test_errors_help and not test_wrong_shape_is_refused and not -1] and not -7]"]
        + [str(TESTS / file) for file in CHECKED],
        cwd=TESTS.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]


def test_a_wrong_annotation_would_be_seen() -> None:
    """The checker is really on: a wrong shape is refused by it, before any error of ours."""
    program = (
        "import checked_shapes, torch\n"
        "from semicoupled.networks.heads import PooledHead\n"
        "PooledHead(3, 2)(torch.zeros(2, 3, 8, 8))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "jaxtyping" in run.stderr
