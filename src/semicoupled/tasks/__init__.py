"""Tasks: one folder each; the directory listing is the registry.

Folders that hold tasks of your own are named by the environment variable ``SEMICOUPLED_TASKS`` (several as in
``PATH``); ``semicoupled train NAME`` then finds them as it finds those that stand here.
"""

from __future__ import annotations

import os
from pathlib import Path

__path__.extend(
    str(Path(folder).resolve()) for folder in os.environ.get("SEMICOUPLED_TASKS", "").split(os.pathsep) if folder
)
