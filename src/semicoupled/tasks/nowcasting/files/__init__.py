"""Radar files: which there are, what they hold, and the sequences and windows of fields that come of them."""
