"""Formats of drives, one module each; `reading` asks them in turn."""
