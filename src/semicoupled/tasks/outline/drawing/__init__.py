"""Outlines drawn: step by step, by a person and a network together, or for many files."""
