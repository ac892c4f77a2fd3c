"""Doors to other libraries: `pysteps` (both ways) and `mlcast`. None of them is needed by anything else here."""
