"""Table 8: the presets of the paper's size have the paper's settings, or are known to differ."""

from __future__ import annotations

from semicoupled.reproduce.supplement import network_table
from semicoupled.reproduce.table8 import entries, table_8

DIFFERENT = {
    ("outline, SCS", "method"): "ASTSGD",
    ("outline, SCS", "LTSC"): "take 9",
    ("driving, SCS", "method"): "STSGD",
    ("driving, SCS", "layers"): "17",
    ("precipitation, SCS", "method"): "STSGD",
}
"""With a part of why."""


def test_presets_agree_with_table_8_but_where_the_text_does_not() -> None:
    found = {(entry.column, entry.line): entry for entry in entries()}
    assert len(found) == 28
    assert {key for key, entry in found.items() if not entry.agrees} == set(DIFFERENT)
    assert {key for key, entry in found.items() if entry.why} == set(DIFFERENT)
    for key, why in DIFFERENT.items():
        assert why in found[key].why


def test_the_table_says_why_the_two_differ() -> None:
    same = {(row[0], row[1]): str(row[4]) for row in table_8().rows}
    assert same["action, stand-alone", "LTSC"] == "yes"
    assert same["driving, SCS", "layers"] == "no: the text has the network of action, 17"


def test_the_network_of_table_1_is_counted() -> None:
    rows = [list(row) for row in network_table().rows]
    assert [row[2] for row in rows[:-1]] == [112, 56, 28, 14, 7]
    assert rows[-1][1] == 34_750_848
