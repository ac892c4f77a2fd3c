"""``python -m semicoupled`` is the same as ``semicoupled``."""

from __future__ import annotations

from semicoupled.cli.main import run

if __name__ == "__main__":
    run()
