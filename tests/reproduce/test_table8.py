"""Table 8: the presets of the paper's size have the paper's settings, or are known to differ."""

from __future__ import annotations

from semicoupled.reproduce.supplement import network_table
from semicoupled.reproduce.table8 import entries

DIFFERENT = {
    ("outline, SCS", "method"): "the text says ASTSGD",
    ("outline, SCS", "LTSC"): "the text says 6 clips; 25 % of overlap needs as many as it takes",
    ("driving, SCS", "method"): "the text and Table 5 say STSGD",
    ("driving, SCS", "layers"): "the text says the stand-alone network, which has 17",
    ("precipitation, SCS", "method"): "the text and Table 7 say STSGD",
}


def test_presets_agree_with_table_8_but_where_the_text_does_not() -> None:
    found = {(entry.column, entry.line): entry for entry in entries()}
    assert len(found) == 28
    assert {key for key, entry in found.items() if not entry.agrees} == set(DIFFERENT)


def test_the_network_of_table_1_is_counted() -> None:
    rows = [list(row) for row in network_table().rows]
    assert [row[2] for row in rows[:-1]] == [112, 56, 28, 14, 7]
    assert rows[-1][1] == 34_750_848
