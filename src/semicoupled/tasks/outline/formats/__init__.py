"""Formats of annotations: one module each, with ``NAME``, ``matches``, ``read`` and ``write``."""
