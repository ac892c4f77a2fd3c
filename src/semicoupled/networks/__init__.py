"""Whole networks: those of the paper, the rivals, and heads."""
