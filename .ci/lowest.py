"""Print the lowest versions that pyproject.toml allows, as constraints for pip.

``make lowest`` installs them and runs the tests, so that a minimum that is too low is found out.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

LOWER = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*(?P<version>[0-9][0-9a-z.]*)")


def lowest(pyproject: Path) -> dict[str, str]:
    """Give the lowest version of every package that is asked for with a minimum, by name.

    Args:
        pyproject: the file that lists them, those of all extras included.

    Raises:
        ValueError: two lists name different minima for one package.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    found: dict[str, str] = {}
    for requirement in (requirement for one in lists for requirement in one):
        match = LOWER.match(requirement)
        if match is None:
            continue
        name, version = match["name"].lower(), match["version"]
        if found.setdefault(name, version) != version:
            raise ValueError(f"{pyproject}: {name} >= {found[name]} here and >= {version} there; expected one minimum")
    return found


def main(arguments: list[str]) -> int:
    """Print a line for each package; ``--without A,B`` leaves some out."""
    without = set(arguments[1].split(",")) if arguments[:1] == ["--without"] else set[str]()
    for name, version in sorted(lowest(Path(__file__).parents[1] / "pyproject.toml").items()):
        if name not in without:
            print(f"{name} == {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
