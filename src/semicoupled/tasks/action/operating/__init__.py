"""Answers in use: videos of any length, many at once, by several processes, and live."""
