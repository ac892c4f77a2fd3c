"""A forecast in use: sessions and their state on disk, watched folders, and the files that are written."""
