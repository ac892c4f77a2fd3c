"""The page of driving in a real browser: one playhead, keys, charts, folders, files, and what cannot be read."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

SLOW = pytest.mark.slow
SHIFTS = """() => {
  window.shifts = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) window.shifts += each.value; })
    .observe({ type: "layout-shift" });
}"""


def tubs() -> ModuleType:
    """The makers of small tubs of the tests of driving."""
    path = Path(__file__).parents[1] / "tasks" / "driving" / "tubs.py"
    spec = importlib.util.spec_from_file_location("driving_tubs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a tub of two drives, and one that is damaged."""
    folder = tmp_path_factory.mktemp("drives")
    angles = tubs().course(60)
    tubs().write_tub(folder / "tub", {"1": angles, "2": -angles[:45]})
    (folder / "damaged").mkdir()
    (folder / "damaged" / "manifest.json").write_text("nothing of the kind")
    return folder


@pytest.fixture(scope="module")
def site(
    drives: Path, make_driving_run: Callable[..., Path], run_server: Callable[..., AbstractContextManager[Any]]
) -> Iterator[str]:
    """A server of a small steering model (and of the shipped one) with the drives as its root."""
    with run_server(str(make_driving_run()), "--root", str(drives)) as found:
        yield found.address


def slider_of(page: Any) -> Any:
    return page.get_by_role("slider", name="Time")


def shown(page: Any) -> bytes:
    """Give the picture on the stage, as PNG."""
    return page.locator(".stage canvas").evaluate("(e) => e.toDataURL()").encode()


def test_one_playhead_moves_everything(visit: Callable[..., Any]) -> None:
    page = visit().open("driving")
    slider = slider_of(page)
    playwright.expect(page.locator(".stage")).to_have_attribute("data-shown", "0")
    first, said = shown(page), page.locator(".readout").inner_text()
    turned = page.locator(".wheel .turning").get_attribute("transform")
    slider.focus()
    slider.press("End")
    playwright.expect(page.locator(".stage")).to_have_attribute("data-shown", "319")
    playwright.expect(slider).to_have_attribute("aria-valuetext", "15.9 s, frame 320 of 320")
    assert shown(page) != first
    assert page.locator(".readout").inner_text() != said
    assert page.locator(".wheel .turning").get_attribute("transform") != turned
    assert page.locator(".wheel .driver").get_attribute("transform") is not None
    assert page.locator(".card h2").all_inner_texts() == [
        "Angle",
        "Error",
        "Importance of time",
        "Scores by kind of road",
    ]
    assert "drawn by code" in page.locator(".result .note").inner_text()


@SLOW
def test_keys_play_and_step(visit: Callable[..., Any]) -> None:
    page = visit().open("driving")
    slider = slider_of(page)
    page.locator(".stage").focus()
    for key, frame in (
        ("ArrowRight", "1"),
        ("ArrowRight", "2"),
        ("ArrowLeft", "1"),
        ("Shift+ArrowRight", "21"),
        ("Shift+ArrowLeft", "1"),
        ("End", "319"),
        ("ArrowRight", "319"),
        ("Home", "0"),
        ("ArrowLeft", "0"),
    ):
        page.keyboard.press(key)
        assert slider.input_value() == frame, key
    page.keyboard.press(" ")
    playwright.expect(page.get_by_role("button", name="Pause")).to_be_visible()
    playwright.expect(slider).not_to_have_value("0")
    page.keyboard.press(" ")
    playwright.expect(page.get_by_role("button", name="Play")).to_be_visible()
    held = slider.input_value()
    page.wait_for_timeout(400)
    assert slider.input_value() == held
    page.get_by_label("Sample").focus()  # who has the focus keeps its keys
    page.keyboard.press("ArrowLeft")
    assert slider.input_value() == held


@SLOW
def test_it_plays_at_the_speed_of_the_drive(visit: Callable[..., Any]) -> None:
    page = visit().open("driving")
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    playwright.expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=60_000)  # it ends by itself
    assert slider_of(page).input_value() == "319"


@SLOW
def test_a_click_on_a_chart_goes_there(visit: Callable[..., Any]) -> None:
    page = visit().open("driving")
    over = page.locator(".chart .u-over").first
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    over.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    assert 140 <= int(slider_of(page).input_value()) <= 180


@SLOW
def test_nothing_jumps_while_it_plays(visit: Callable[..., Any]) -> None:
    page = visit().open("driving")
    page.wait_for_timeout(500)
    page.evaluate(SHIFTS)
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(3000)
    assert page.evaluate("window.shifts") < 0.005


@SLOW
def test_motion_waits_where_it_is_not_wanted(visit: Callable[..., Any]) -> None:
    page = visit().open("driving")
    page.wait_for_timeout(500)
    assert slider_of(page).input_value() == "0"
    moving = visit(reduced_motion="no-preference").open("driving")
    playwright.expect(slider_of(moving)).not_to_have_value("0")


@SLOW
def test_a_tub_below_a_root_and_its_second_drive(visit: Callable[..., Any], patience: int) -> None:
    page = visit().open("driving")
    page.get_by_label("Folder", exact=True).check()
    page.get_by_role("button", name="tub").click()
    page.get_by_role("button", name="Use this folder").click()
    drive = page.locator("form").get_by_label("Drive")
    playwright.expect(drive).to_be_visible(timeout=patience)
    assert drive.locator("option").all_inner_texts() == ["1 · 3 s", "2 · 2 s"]
    drive.select_option("1")
    playwright.expect(slider_of(page)).to_have_attribute("max", "44", timeout=patience)
    page.get_by_text("About this drive").click()
    playwright.expect(page.locator("main")).to_contain_text("2, from tub")


@SLOW
def test_a_tub_that_is_dropped(visit: Callable[..., Any], drives: Path, patience: int) -> None:
    page = visit().open("driving")
    page.get_by_label("Own files").check()
    files = [file for file in (drives / "tub").rglob("*") if file.is_file()]
    page.locator("input[type=file]").set_input_files(files)
    playwright.expect(slider_of(page)).to_have_attribute("max", "59", timeout=patience)


@SLOW
def test_what_cannot_be_read_is_said(visit: Callable[..., Any], patience: int) -> None:
    page = visit().open("driving")
    page.get_by_label("Folder", exact=True).check()
    page.get_by_role("button", name="damaged").click()
    page.get_by_role("button", name="Use this folder").click()
    playwright.expect(page.get_by_role("alert")).to_contain_text(
        re.compile("damaged/manifest.json: expected the five lines"), timeout=patience
    )


@SLOW
def test_the_table_follows_score_and_label(visit: Callable[..., Any]) -> None:
    page = visit().open("driving")
    table = page.locator("table[aria-label]")
    playwright.expect(table).to_have_attribute("aria-label", "Mean error by kind of road")
    mean = table.inner_text()
    assert table.locator("thead th").all_inner_texts()[2:] == [
        "model",
        "space alone",
        "time alone",
        "always the mean",
        "always straight",
    ]
    for row in table.locator("tbody tr").all():
        texts = row.locator("td").all_inner_texts()[1:]
        values = np.array([float(text) for text in texts])
        best = {float(text) for text in row.locator("b").all_inner_texts()}
        assert best == {values.min()}
    page.get_by_label("Accuracy (24)").check()
    soft = table.inner_text()
    assert soft != mean
    page.get_by_label("as recorded").check()
    assert table.inner_text() != soft


STOP_AT_ONCE = """() => new MutationObserver((_, watch) => {
    const stop = [...document.querySelectorAll("form button")].find((one) => one.textContent === "Stop");
    if (stop?.checkVisibility()) { watch.disconnect(); stop.click(); }
}).observe(document.body, { subtree: true, childList: true, attributes: true })"""
"""Clicks as soon as it can: the drive is short, and over before a slow browser would have clicked."""


@SLOW
def test_a_job_can_be_stopped(visit: Callable[..., Any]) -> None:
    page = visit().open("driving")
    page.evaluate(STOP_AT_ONCE)
    page.get_by_role("button", name="Steer").click()
    playwright.expect(page.locator("form")).to_contain_text("Stopped.")
    assert page.locator(".stage").count() == 1  # what was there stays
