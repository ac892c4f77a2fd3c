"""The function that nuclio calls; see function.yaml."""

from semicoupled.plugins.cvat import handler, init_context

__all__ = ["handler", "init_context"]
