"""Run the examples of Markdown files, so that what a reader copies works.

Python blocks of one file run in order in one process, sharing their names. Of the shell blocks only those
run that follow a line ``<!-- run -->``. A Python block after ``<!-- shown, not run: why -->`` is skipped.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"(?P<mark><!--[^\n]*-->\n+)?^```(?P<language>python|bash)\n(?P<code>.*?)^```$", re.M | re.S)


ROOT = Path(__file__).parents[1]


class Block(NamedTuple):
    """One fenced block and where it stands."""

    line: int
    language: str
    mark: str
    code: str


def blocks(file: Path) -> list[Block]:
    """Find the Python and shell blocks of a Markdown file."""
    text = file.read_text(encoding="utf-8")
    return [
        Block(text.count("\n", 0, found.start("code")), found["language"], (found["mark"] or "").strip(), found["code"])
        for found in BLOCK.finditer(text)
    ]


def run(file: Path) -> int:
    """Run the blocks of a file beside the examples alone, and give their number; stop at the first that fails."""
    # a block's lines keep their numbers, so that a traceback points into the Markdown file
    python = [block for block in blocks(file) if block.language == "python" and "not run" not in block.mark]
    shell = [block for block in blocks(file) if block.language == "bash" and block.mark == "<!-- run -->"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "examples").symlink_to(ROOT / "examples")  # what pages refer to of a clone
        if python:
            program = "\n".join(
                f"exec(compile({chr(10) * block.line + block.code!r}, {str(file.resolve())!r}, 'exec'), globals())"
                for block in python
            )
            subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, check=True)
        for block in shell:
            subprocess.run(["bash", "-euo", "pipefail", "-c", block.code], cwd=folder, env=environment, check=True)
    return len(python) + len(shell)


def main(arguments: list[str]) -> int:
    """Run the examples of the files and folders that are named."""
    files = [file for name in arguments for file in ([Path(name)] if Path(name).is_file() else markdown(Path(name)))]
    for file in files:
        start = time.monotonic()
        try:
            count = run(file)
        except subprocess.CalledProcessError as error:
            print(f"{file}: an example failed (exit code {error.returncode}), see above", file=sys.stderr)
            return 1
        if count:
            print(f"{file}: {count} examples ran in {time.monotonic() - start:.1f} s")
    return 0


def markdown(folder: Path) -> list[Path]:
    """List the Markdown files below a folder, without what was built there."""
    return sorted(file for file in folder.rglob("*.md") if "_build" not in file.parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
