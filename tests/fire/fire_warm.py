"""Imports what all readers need, once, in the process that the others are forked from."""

from __future__ import annotations

from fire_readers import module, readers

_ = readers()
for names in (
    ("tasks", "nowcasting", "samples"),
    ("tasks", "nowcasting", "conftest"),
    ("tasks", "driving", "samples"),
    ("tasks", "outline", "outline_samples"),
    ("tasks", "action", "samples"),
    ("tasks", "action", "test_listing"),
    ("tars",),
):
    _ = module(*names)
