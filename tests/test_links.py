"""Pages beside the code say where things are: their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DRAWING = (ROOT / "docs" / "draw_figures.py").read_text(encoding="utf-8")


def _pages(folder: Path) -> list[Path]:
    return list(folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))


PAGES = sorted(page for folder in (".", "docs", "src", "tests") for page in _pages(ROOT / folder))
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_to_files(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    drawn = {
        f"figures/{name}.svg" for name in re.findall(r'^    "(\w+)": \w+,$', DRAWING, re.M)
    }  # when pages are built
    assert [link for link in links if link not in drawn and not (page.parent / link).exists()] == []
