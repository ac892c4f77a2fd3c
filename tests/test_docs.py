"""What the documentation promises is there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from semicoupled.cli.bench import KINDS
from semicoupled.cli.main import HELP

ROOT = Path(__file__).parents[1]


def test_every_test_named_in_the_deviations_exists() -> None:
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", (ROOT / "docs" / "deviations.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or (name and f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_source_files_named_in_the_equations_exist() -> None:
    named = re.findall(
        r"`((?:nn|training|explain|tasks|networks|data)/[\w/]+\.py)`", (ROOT / "docs" / "equations.md").read_text()
    )
    assert named
    assert [name for name in named if not (ROOT / "src" / "semicoupled" / name).is_file()] == []


def test_the_readme_and_the_command_list_the_same_exit_codes() -> None:
    codes = {
        name: set(re.findall(r"^\| (\d+) \|", (ROOT / name).read_text(encoding="utf-8"), re.M))
        for name in ("README.md", "docs/cli.md")
    }
    assert codes["README.md"] == codes["docs/cli.md"] == {"0", "1", "2", "3", "4", "5", "6", "7", "130"}


def test_a_broken_example_fails_the_check(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text("```python\nx = 1\n```\n\ntext\n\n```python\nassert x == 1\n```\n\n```bash\nexit 1\n```\n")
    bad.write_text("```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n")
    script = [sys.executable, str(ROOT / ".ci" / "snippets.py")]
    passed = subprocess.run([*script, str(good)], capture_output=True, text=True, check=False)
    assert passed.returncode == 0, passed.stderr
    assert "2 examples ran" in passed.stdout
    failed = subprocess.run([*script, str(bad)], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert f'File "{bad}", line 6' in failed.stderr


def test_the_page_of_installing_names_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page, re.M)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(extras)


def test_help_and_pages_name_every_bench() -> None:
    named = f"bench {{{','.join(KINDS)}}}"
    assert named in HELP
    assert [
        page for page in ("README.md", "docs/cli.md") if named not in (ROOT / page).read_text(encoding="utf-8")
    ] == []
