"""Equations of the documentation are drawn by the browser alone; skipped without what the extra docs installs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"
EQUATION = re.compile(r"\$\$(.+?)\$\$|(?<![\w\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\w)", re.DOTALL)


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    _ = pytest.importorskip("latex2mathml")
    _ = pytest.importorskip("sphinx")
    spec = importlib.util.spec_from_file_location("docs_mathml", DOCS / "mathml.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_equation_of_the_page_on_them_is_drawn(drawing: ModuleType) -> None:
    found = [one[0] or one[1] for one in EQUATION.findall((DOCS / "equations.md").read_text(encoding="utf-8"))]
    assert len(found) > 50
    made = [drawing.mathml(re.sub(r"\\tag\{.*?\}", "", latex), "block") for latex in found]
    assert [one for one in made if "\\" in one or "mathvariant" in one.replace('mathvariant="normal"', "")] == []


def test_letters_of_other_kinds_are_letters_of_their_own(drawing: ModuleType) -> None:
    assert "<mi>\N{MATHEMATICAL SCRIPT CAPITAL T}</mi>" in drawing.mathml(r"\mathcal T", "inline")
    assert "<mi>\N{DOUBLE-STRUCK CAPITAL R}</mi>" in drawing.mathml(r"\mathbb R", "inline")


@pytest.mark.parametrize("latex", [r"\mathfrak g", r"\unheardof{x}"])
def test_what_a_browser_would_not_draw_is_refused(latex: str, drawing: ModuleType) -> None:
    from sphinx.errors import ExtensionError

    with pytest.raises(ExtensionError, match="write it in another way"):
        drawing.mathml(latex, "inline")
