"""Imports what all readers need, once, in the process that the others are forked from."""

from __future__ import annotations

from fire_readers import module, readers

_ = readers()
for task, name in (
    ("nowcasting", "samples"),
    ("nowcasting", "conftest"),
    ("driving", "samples"),
    ("outline", "outline_samples"),
    ("action", "samples"),
    ("action", "test_listing"),
):
    _ = module(task, name)
