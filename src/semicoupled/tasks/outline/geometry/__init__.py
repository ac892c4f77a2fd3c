"""Polygons, windows and pixels: what an outline is on a grid and in an image."""
