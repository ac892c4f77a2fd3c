"""The page of forecasts in a real browser: one scrubber, thresholds, the cross, folders and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

SLOW = pytest.mark.slow


def test_nowcast_one_scrubber_moves_everything(
    visit: Callable[..., Any], pixels: Callable[[Any, str], list[int]]
) -> None:
    page = visit().open("nowcasting")
    slider = page.get_by_role("slider", name="Time")
    playwright.expect(slider).to_have_attribute("aria-valuetext", "13:30 UTC, +5 min")
    early = pixels(page, "Forecast")
    slider.focus()
    slider.press("End")
    playwright.expect(slider).to_have_attribute("aria-valuetext", "14:25 UTC, +60 min")
    late = pixels(page, "Forecast")
    assert early != late
    assert pixels(page, "What came") != late
    slider.press("Home")
    playwright.expect(page.locator("figure", has_text="Forecast").first).to_contain_text("Begins with the forecast")
    page.get_by_role("button", name="Play").click()
    playwright.expect(slider).not_to_have_value("0")
    page.get_by_role("button", name="Pause").click()
    held = slider.input_value()
    page.wait_for_timeout(600)
    assert slider.input_value() == held
    page.get_by_label("Speed").select_option("4")
    assert page.locator(".line").count() >= 8  # lines of longitude and latitude
    assert page.locator("svg text", has_text="50°N").count() >= 1


@SLOW
def test_nowcast_threshold_changes_chance_and_scores(
    visit: Callable[..., Any], pixels: Callable[[Any, str], list[int]]
) -> None:
    page = visit().open("nowcasting")
    page.get_by_text("The same as a table").click()
    table = page.locator("details table").first
    low, chance = table.inner_text(), pixels(page, "Chance of rain")
    slider = page.get_by_label("Rain of at least")
    slider.focus()
    slider.press("ArrowRight")
    playwright.expect(slider).to_have_attribute("aria-valuetext", "20 dBZ")
    assert table.inner_text() != low
    assert pixels(page, "Chance of rain") != chance
    page.get_by_text("Squared error").click()
    playwright.expect(table).to_contain_text("MSE, dBZ²")
    for name in ("this model", "advection", "persistence"):
        playwright.expect(table.locator("th", has_text=name).first).to_be_visible()


@SLOW
def test_nowcast_the_cross_reads_every_panel(visit: Callable[..., Any]) -> None:
    page = visit().open("nowcasting")
    view = page.locator("figure", has_text="Observed").locator(".view")
    view.focus()
    for _ in range(3):
        view.press("ArrowDown")
    for title in ("Observed", "Forecast", "What came", "Error"):
        playwright.expect(page.locator("figure", has_text=title).first.locator("figcaption span")).to_contain_text(
            "dBZ"
        )
    playwright.expect(page.locator("figure", has_text="Chance of rain").locator("figcaption span")).to_contain_text("%")


@SLOW
def test_nowcast_of_a_folder_below_a_root(visit: Callable[..., Any], patience: int) -> None:
    page = visit().open("nowcasting")
    page.get_by_label("Folder").check()
    page.get_by_role("button", name="evening").click()
    page.get_by_label("How far ahead").select_option("30")
    page.get_by_role("button", name="Use this folder").click()
    playwright.expect(page.locator(".player output")).to_contain_text("12:", timeout=patience)
    page.get_by_text("About this forecast").click()
    playwright.expect(page.locator("main")).to_contain_text("rain_20200501T12")
    page.get_by_label("Forecast from").select_option(label="2020-05-01 12:40 UTC")
    playwright.expect(page.locator("main")).to_contain_text("there are no scores", timeout=patience)


@SLOW
def test_nowcast_of_files_that_are_chosen(
    visit: Callable[..., Any], tmp_path: Path, patience: int, write_radar: Callable[[Path], None]
) -> None:
    write_radar(tmp_path / "mine")
    page = visit().open("nowcasting")
    page.get_by_label("Own files").check()
    page.locator("input[type=file]").set_input_files(sorted((tmp_path / "mine").iterdir()))
    playwright.expect(page.locator("main")).to_contain_text("9 files ready", timeout=patience)
    playwright.expect(page.locator(".player output")).to_contain_text("12:", timeout=patience)


@SLOW
def test_nowcast_says_what_is_wrong_with_a_file(visit: Callable[..., Any], tmp_path: Path, patience: int) -> None:
    (tmp_path / "broken.h5").write_bytes(b"nothing of the kind")
    page = visit().open("nowcasting")
    page.get_by_label("Own files").check()
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.h5")
    playwright.expect(page.get_by_role("alert")).to_contain_text("upload/broken.h5: is no radar file", timeout=patience)
