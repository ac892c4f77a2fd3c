"""Which packages are installed that a project asks for, itself or through others."""

from __future__ import annotations

from collections.abc import Collection
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def extras_of(project: str) -> frozenset[str]:
    """Name all extras of an installed project."""
    return frozenset(metadata.metadata(project).get_all("Provides-Extra") or [])


def installed(project: str = "semicoupled", extras: Collection[str] | None = None) -> dict[str, str]:
    """Give name and version of every installed package that a project asks for, and of what those need.

    Args:
        project: its name.
        extras: of the project, whose packages count; all of them by default.

    Raises:
        PackageNotFoundError: the project is not installed here.
    """
    wanted_of_all = extras_of(project) if extras is None else frozenset(extras)
    waiting: list[tuple[str, frozenset[str]]] = [(project, wanted_of_all)]
    seen: set[tuple[str, frozenset[str]]] = set()
    versions: dict[str, str] = {}
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name == project:
                raise
            continue  # an extra that was not asked for
        versions[canonicalize_name(name)] = found.version
        for line in found.requires or []:
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in (*wanted, "")):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    del versions[canonicalize_name(project)]
    return versions
