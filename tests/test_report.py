from __future__ import annotations

import base64
import io
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from semicoupled.errors import DataError
from semicoupled.report import Picture, Section, Table, number, render, rows_table, write_report
from semicoupled.rows import Row


def image_bytes(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(buffer, kind)
    return buffer.getvalue()


class Page(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def everything() -> list[Section]:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    return [
        Section(
            "Scores",
            "One.\n\nTwo & <three>.",
            [Table(["model", "value"], [["ours", 0.98765], ["theirs", None]], "of all")],
        ),
        Section("Pictures", parts=[Picture(figure, "a curve"), Picture(image_bytes("GIF"), "a clip", pixelated=True)]),
        Section("Empty"),
    ]


def test_nothing_is_fetched_from_outside() -> None:
    text = render("Run", everything())
    sources = [
        value for _, attributes in Page(text).tags for name, value in attributes.items() if name in ("src", "href")
    ]
    assert sources
    assert all(source is not None and source.startswith(("data:", "#")) for source in sources)
    assert not Page(text).all("script")
    assert re.search(r"https?:|url\(|@import", text) is None


def test_pictures_are_whole_and_say_what_they_show() -> None:
    curve, clip = Page(render("Run", everything())).all("img")
    assert (curve["alt"], clip["alt"]) == ("a curve", "a clip")
    assert clip["class"] == "pixelated"
    assert "class" not in curve
    content = base64.b64decode(str(clip["src"]).removeprefix("data:image/gif;base64,"))
    assert content == image_bytes("GIF")
    picture = Image.open(io.BytesIO(base64.b64decode(str(curve["src"]).removeprefix("data:image/png;base64,"))))
    assert picture.size[0] > 100


def test_a_picture_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(image_bytes("PNG"))
    text = render("Run", [Section("Pictures", parts=[Picture(tmp_path / "a.png", "a file")])])
    assert base64.b64encode(image_bytes("PNG")).decode() in text


def test_text_is_escaped_and_parted_into_paragraphs() -> None:
    text = render("A < B", everything(), summary="x & y")
    assert "<h1>A &lt; B</h1>" in text
    assert "<p>One.</p>\n<p>Two &amp; &lt;three&gt;.</p>" in text
    assert "<p>x &amp; y</p>" in text


def test_tables_show_dashes_for_what_is_undefined() -> None:
    text = render("Run", everything())
    assert '<td>ours</td><td class="number">0.9877</td>' in text
    assert '<td>theirs</td><td class="number">–</td>' in text


def test_contents_lead_to_the_sections() -> None:
    page = Page(render("Run", everything()))
    targets = [str(link["href"]).removeprefix("#") for link in page.all("a")]
    assert targets == [section["id"] for section in page.all("section")]
    assert len(targets) == 3


def test_it_follows_light_and_dark() -> None:
    assert "prefers-color-scheme: dark" in render("Run", [])


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(DataError, match=r"the picture 'a movie' begins with b'RIFF'; expected a PNG, GIF or JPEG"):
        render("Run", [Section("Pictures", parts=[Picture(b"RIFF", "a movie")])])


def test_writing_makes_one_file(tmp_path: Path) -> None:
    write_report(tmp_path / "run" / "report.html", "Run", everything(), "sum")
    assert (tmp_path / "run" / "report.html").read_text(encoding="utf-8") == render("Run", everything(), "sum")
    assert len(list((tmp_path / "run").iterdir())) == 1


def test_rows_become_a_table_with_a_column_for_every_condition() -> None:
    table = rows_table(
        [
            Row("semicoupled", "csi", {"lead_minutes": 30}, 0.5, 12, "1", (0.4, 0.6)),
            Row("persistence", "mse", {"event": "b"}, 13.8, 36, "dBZ^2"),
        ],
        "scores",
    )
    assert table.columns == ["model", "metric", "lead_minutes", "event", "value", "interval", "unit", "count"]
    assert table.rows == [
        ["semicoupled", "csi", 30, "", 0.5, "0.4 – 0.6", "", 12],
        ["persistence", "mse", "", "b", 13.8, "", "dBZ^2", 36],
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(0.98765, "0.9877"), (30272154.55, "3.027e+07"), (math.nan, "–"), (5.0, "5")]
)
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert number(value) == text
