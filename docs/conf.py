"""How Sphinx builds the documentation."""

from __future__ import annotations

from semicoupled import __version__

project = "semicoupled"
author = "The semicoupled developers"
release = version = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["amsmath", "dollarmath", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "results/demo.md"]  # the latter is included by a page

html_theme = "furo"
html_title = f"semicoupled {version}"
html_copy_source = False
