"""How Sphinx builds the documentation."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError

from semicoupled import __version__

sys.path.insert(0, str(Path(__file__).parent))
from draw_figures import draw_all

project = "semicoupled"
author = "The semicoupled developers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml"]
myst_enable_extensions = ["amsmath", "dollarmath", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "results/demo.md"]  # the latter is included by a page

default_role = "code"  # docstrings name code between single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "separated"
napoleon_use_ivar = True
# What is not installed is stood in for: the reference reads the same with the extras and without them.
autodoc_mock_imports = [
    name
    for name in ("httpx", "websockets", "fastapi", "starlette", "uvicorn", "av", "pysteps", "mlcast")
    if not importlib.util.find_spec(name)
]

suppress_warnings = ["ref.python"]  # names of attributes that several classes have are linked to the first of them


def plain_text(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Keep the stars of docstrings: ``N C *size`` is a shape, and no emphasis."""
    lines[:] = [re.sub(r"(?<![\\*])\*(?!\*)(?=\w)", r"\\*", line) for line in lines]


def from_here_alone(app: object, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Fail where a page would fetch scripts or styles from another host: it has to be whole without a network."""
    fetched = [str(file.filename) for file in (*context["script_files"], *context["css_files"]) if file.filename]
    strange = [name for name in fetched if "://" in name or name.startswith("//")]
    if strange:
        raise ExtensionError(f"{page}: fetches {', '.join(strange)}; expected files of the site itself")


def fit_a_column(app: object, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Let pictures open at their own size, as plots are wider than a column; keep short words of code whole."""
    if "body" in context:
        body = re.sub(r'<img\b[^>]*?\bsrc="([^"]+)"[^>]*>', r'<a class="picture" href="\1">\g<0></a>', context["body"])
        context["body"] = re.sub(r'<span class="pre">(?=[^<]{1,28}<)', '<span class="pre whole">', body)


def setup(app: Any) -> None:
    """Tell Sphinx of them; of the stars before Google's sections are read, of other hosts when all else is done."""
    app.connect("html-page-context", fit_a_column)
    app.connect("autodoc-process-docstring", plain_text, priority=100)
    app.connect("html-page-context", from_here_alone, priority=900)


html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "../src/semicoupled/serving/static/icon.svg"
html_title = f"semicoupled {version}"
html_copy_source = False
html_show_copyright = False

_ = draw_all(Path(__file__).parent / "figures")
