"""Frames, flow and shapes: what several tasks need of their data."""
