"""The pages of the documentation name what can be reproduced, and the list is written by the command."""

from __future__ import annotations

from pathlib import Path

from semicoupled.cli.main import main
from semicoupled.reproduce.registry import NAMES, find_reproduction
from semicoupled.reproduce.reproduction import bullets

DOCS = Path(__file__).parents[2] / "docs"


def test_every_one_is_listed_with_its_title() -> None:
    page = (DOCS / "reproduce.md").read_text(encoding="utf-8")
    for name in NAMES:
        title = find_reproduction(name).title.partition(": ")[2] or find_reproduction(name).title
        assert f"| `{name}` | {title} |" in page, "write it anew: semicoupled reproduce --list --page docs/reproduce.md"


def test_the_list_is_written_by_the_command(tmp_path: Path) -> None:
    page = tmp_path / "reproduce.md"
    assert main(["reproduce", "--list", "--page", str(page)]) == 0
    written = page.read_text(encoding="utf-8")
    assert "| `figure3` | back-propagation chains | 0 | seconds | made |" in written
    assert "as long as its steps take; `--budget` limits it" in written
    assert "| `table6` | how important time is, by kind of road | 3 | about 30 minutes |" in written


def test_options_are_code_on_a_page() -> None:
    assert bullets(["Time: --budget T; `--size paper` has more."]) == "* Time: `--budget` T; `--size paper` has more.\n"
