"""Outlines of objects, drawn point by point, with a person in the loop (Sec. 2.2, 5.6)."""
