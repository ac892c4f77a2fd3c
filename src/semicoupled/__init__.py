"""The Semi-Coupled Structure: networks that learn space and time apart and use them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semicoupled.run_folder import LoadedRun, load

__version__ = "0.1.0"
__all__ = ["LoadedRun", "__version__", "load"]


def __getattr__(name: str) -> object:
    """Import what needs torch only when it is asked for (PEP 562)."""
    if name in ("load", "LoadedRun"):
        from semicoupled import run_folder

        return getattr(run_folder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    """Name what `__getattr__` can give."""
    return sorted(__all__)
