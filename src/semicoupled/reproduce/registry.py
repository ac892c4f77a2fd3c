"""All that can be reproduced, by name."""

from __future__ import annotations

from semicoupled.errors import SettingsError, nearest
from semicoupled.reproduce.figure2 import FIGURE_2
from semicoupled.reproduce.figure3 import FIGURE_3
from semicoupled.reproduce.figure4 import FIGURE_4
from semicoupled.reproduce.figure5 import FIGURE_5
from semicoupled.reproduce.reproduction import Reproduction
from semicoupled.reproduce.supplement import SUPPLEMENT
from semicoupled.reproduce.tables import TABLES

FIGURES = (FIGURE_2, FIGURE_3, FIGURE_4, FIGURE_5)
NAMES = (*(table.name for table in TABLES), *(figure.name for figure in FIGURES), SUPPLEMENT.name)


def find_reproduction(name: str) -> Reproduction:
    """Give a reproduction by name.

    Raises:
        SettingsError: there is none of this name.
    """
    for table in TABLES:
        if table.name == name:
            return table.reproduction()
    for other in (*FIGURES, SUPPLEMENT):
        if other.name == name:
            return other
    raise SettingsError(f"there is nothing called {name!r} to reproduce. {nearest(name, NAMES)}")
