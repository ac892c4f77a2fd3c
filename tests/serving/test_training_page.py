"""The page of trainings in a real browser: runs that begin later, and a server that goes away and comes back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semicoupled.run_folder import PRETRAINED

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

SLOW = pytest.mark.slow
AWAY = """window.away = true; const real = window.fetch; window.fetch = (address, options) =>
  window.away && address.includes("/log?") ? Promise.reject(new TypeError("away")) : real(address, options);"""


def begin(run: Path) -> None:
    """Make a run whose log has one line."""
    shutil.copytree(PRETRAINED / "nowcasting" / "small", run)
    (run / "log.jsonl").unlink(missing_ok=True)
    write(run, 10)


def write(run: Path, step: int) -> None:
    """Write what a training says after some steps."""
    line = {"kind": "training", "step": step, "seconds": step / 10, "main_loss": 2.0 / step}
    with (run / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@SLOW
def test_a_training_that_begins_later_is_offered(
    browser: Any, run_server: Callable[..., Any], tmp_path: Path, patience: int
) -> None:
    shutil.copytree(PRETRAINED / "nowcasting" / "small", tmp_path / "runs" / "old")  # what is served must hold a run
    (tmp_path / "runs" / "old" / "log.jsonl").unlink(missing_ok=True)
    page = browser.new_context(reduced_motion="reduce").new_page()
    with run_server(str(tmp_path / "runs")) as server:
        page.goto(f"{server.address}/#/training")
        playwright.expect(page.locator("h2")).to_have_text("No training to show", timeout=patience)
        begin(tmp_path / "runs" / "rain")
        table = page.locator(".scroll table")
        playwright.expect(table).to_contain_text("rain", timeout=patience)
        begin(tmp_path / "runs" / "snow")
        page.get_by_label("snow").check(timeout=patience)
        playwright.expect(table.locator("tbody tr")).to_have_count(2)
        page.goto(f"{server.address}/#/training?runs=rain,hail")
        playwright.expect(table.locator("tbody tr")).to_have_count(1, timeout=patience)
        begin(tmp_path / "runs" / "hail")
        playwright.expect(page.get_by_label("hail")).to_be_checked(timeout=patience)
        playwright.expect(table.locator("tbody tr")).to_have_count(2)  # what is checked is shown
        page.context.close()


@SLOW
def test_a_server_that_goes_away_is_said_and_followed_again(
    browser: Any, run_server: Callable[..., Any], tmp_path: Path, patience: int
) -> None:
    run = tmp_path / "runs" / "rain"
    begin(run)
    page = browser.new_context(reduced_motion="reduce").new_page()
    with run_server(str(tmp_path / "runs")) as first:
        page.goto(f"{first.address}/#/training")
        table = page.locator(".scroll table")
        # the line that makes it live comes after those that are read first, which a busy machine does slowly
        playwright.expect(table.get_by_role("cell", name="10", exact=True)).to_be_visible(timeout=patience)
        write(run, 20)
        playwright.expect(table).to_contain_text("live", timeout=patience)
    playwright.expect(table).to_contain_text("no connection", timeout=patience)
    playwright.expect(table).not_to_contain_text("live")
    write(run, 333)
    with run_server(str(tmp_path / "runs"), "--port", first.address.rpartition(":")[2]):
        playwright.expect(table).to_contain_text("333", timeout=patience)
        playwright.expect(table).not_to_contain_text("no connection")
    page.context.close()


@SLOW
def test_a_log_that_cannot_be_read_at_first_is_asked_for_again(
    browser: Any, run_server: Callable[..., Any], tmp_path: Path, patience: int
) -> None:
    begin(tmp_path / "runs" / "rain")
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.add_init_script(AWAY)
    with run_server(str(tmp_path / "runs")) as server:
        page.goto(f"{server.address}/#/training")
        table = page.locator(".scroll table")
        playwright.expect(table).to_contain_text("does not answer", timeout=patience)
        page.evaluate("window.away = false")
        playwright.expect(table.get_by_role("cell", name="10", exact=True)).to_be_visible(timeout=patience)
        playwright.expect(table).not_to_contain_text("does not answer")
        page.context.close()


@SLOW
def test_a_run_whose_name_has_a_comma_is_shown_by_its_link(
    browser: Any, run_server: Callable[..., Any], tmp_path: Path, patience: int
) -> None:
    for name in ("rain, heavy", "rain", "snow"):
        begin(tmp_path / "runs" / name)
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.set_default_timeout(patience)
    with run_server(str(tmp_path / "runs")) as server:

        def chosen() -> list[str]:
            playwright.expect(page.locator(".scroll table tbody th").first).to_be_visible(timeout=patience)
            return sorted(page.locator(".scroll table tbody th").all_inner_texts())

        page.goto(f"{server.address}/#/")
        page.get_by_role("row").filter(has_text="rain, heavy").get_by_role("link", name="training").click()
        assert chosen() == ["rain, heavy"]
        for query in ("runs=rain&runs=rain%2C%20heavy", "runs=rain,snow"):
            page.goto("about:blank")
            page.goto(f"{server.address}/#/training?{query}")
            assert chosen() == (["rain", "rain, heavy"] if "heavy" in query else ["rain", "snow"])
        page.context.close()
