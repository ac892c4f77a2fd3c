"""Lines of lists, with their numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from semicoupled.data import lines
from semicoupled.data.lines import Line, numbered_lines
from semicoupled.errors import DataError


def test_empty_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbfone \r\n\r\n  \n two\n")
    assert numbered_lines(tmp_path / "list", "a list") == [Line(1, "one "), Line(4, " two")]


def test_what_is_no_list_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"gone: cannot be read \(No such file or directory\); expected a list"):
        numbered_lines(tmp_path / "gone", "a list")
    (tmp_path / "bytes").write_bytes(b"ab\xff")
    with pytest.raises(DataError, match=r"bytes: is no text \(byte 2\); expected a list in UTF-8"):
        numbered_lines(tmp_path / "bytes", "a list")
    monkeypatch.setattr(lines, "MOST_BYTES", 2)
    with pytest.raises(DataError, match=r"bytes: has 3 bytes; expected a list of at most 2"):
        numbered_lines(tmp_path / "bytes", "a list")
