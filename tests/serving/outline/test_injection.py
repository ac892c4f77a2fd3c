"""Names that are markup, everywhere where a page shows a name: they are text, and nothing of them runs."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semicoupled.run_folder import PRETRAINED

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

SLOW = pytest.mark.slow
EVIL = "<img src=x onerror=hurt()>"
QUOTED = "\"'><svg onload=hurt()>{{7*7}}"
WATCH = """
window.hurt = () => { window.harm = "it ran"; };
document.addEventListener("securitypolicyviolation", (event) => { window.harm = event.violatedDirective; });
"""
HARM = """() => [window.harm, ...[...document.querySelectorAll(
  'main img, main script, main iframe, [onerror], [onload], a[href^="javascript:"]')].map((e) => e.outerHTML)]
  .filter(Boolean)"""


@pytest.fixture(scope="module")
def evil_site(
    tmp_path_factory: pytest.TempPathFactory,
    run_server: Callable[..., Any],
    small_run: Path,
    make_action_run: Callable[..., Path],
) -> Iterator[str]:
    """The address of a server whose every name is markup."""
    folder = tmp_path_factory.mktemp("evil")
    runs = folder / "runs"
    shutil.copytree(make_action_run(), runs / f"people {EVIL}")
    about = json.loads((runs / f"people {EVIL}" / "description.json").read_text())
    classes = json.dumps({**about, "classes": [EVIL, QUOTED, "wave"]})
    (runs / f"people {EVIL}" / "description.json").write_text(classes)
    shutil.copytree(small_run, runs / f"outline {EVIL}")
    shutil.copytree(PRETRAINED / "nowcasting" / "small", runs / f"rain {QUOTED}")
    line = {"kind": "training", "step": 1, "seconds": EVIL, "main_loss": 1.0, EVIL: 1.0}
    (runs / f"rain {QUOTED}" / "log.jsonl").write_text(json.dumps(line) + "\n")
    place = folder / f"root {EVIL}" / QUOTED
    place.mkdir(parents=True)
    generator = np.random.default_rng(1)
    for index in range(12):
        pixels = generator.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{index} {EVIL}.png")
    with run_server(str(runs), "--root", str(place.parent), "--state", str(folder / "state")) as found:
        yield found.address


@pytest.fixture
def page(browser: Any, evil_site: str) -> Iterator[Any]:
    """A page that notes whatever runs, and at whose end nothing has."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.add_init_script(WATCH)
    found = context.new_page()
    said: list[str] = []
    found.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    found.on("pageerror", lambda error: said.append(str(error)))
    found.site, found.said = evil_site, said
    yield found
    assert found.evaluate(HARM) == []
    assert said == []
    context.close()


def open_page(page: Any, name: str, selector: str) -> None:
    page.goto(f"{page.site}/#/{name}")
    page.wait_for_selector(selector, timeout=300_000)


@SLOW
def test_home_and_its_folders(page: Any) -> None:
    open_page(page, "", ".own .browser button")
    assert f"people {EVIL}" in page.inner_text("main")
    page.locator(".own .browser button", has_text=QUOTED).click()
    playwright.expect(page.locator(".own .browser button", has_text=f"11 {EVIL}")).to_be_visible()
    page.get_by_role("button", name="Use this folder").click()
    link = page.locator(".next a", has_text="Action")
    playwright.expect(link).to_be_visible()
    link.click()
    page.wait_for_selector(".stage", timeout=300_000)
    assert EVIL in page.inner_text(".bars")


@SLOW
def test_classes_runs_and_logs(page: Any) -> None:
    open_page(page, "action", ".stage")
    text = page.inner_text("main")
    assert EVIL in text
    assert QUOTED in text
    open_page(page, "training", ".uplot")
    assert QUOTED in page.inner_text(".u-legend")
    open_page(page, "reference", ".op")


@SLOW
def test_addresses(page: Any) -> None:
    for name in (EVIL, "action?run=" + EVIL, f"nowcasting?root={EVIL}&path={QUOTED}", "outline?project=" + EVIL):
        page.goto(f"{page.site}/#/{name}")
        page.wait_for_timeout(300)
        assert page.evaluate(HARM) == []
    page.wait_for_timeout(500)
    page.said[:] = [said for said in page.said if not said.startswith("Failed to load resource")]  # it was refused


@SLOW
def test_labels_images_and_projects(page: Any) -> None:
    open_page(page, "outline", ".images button")
    files = [{"name": f"{EVIL}.png", "mimeType": "image/png", "buffer": _png()}]
    page.get_by_text("Open images").click()
    page.get_by_text("Own files").click()
    page.get_by_label("Files", exact=True).set_input_files(files)
    name = page.locator(".images button", has_text="<img")
    playwright.expect(name).to_be_visible(timeout=60_000)
    page.locator(".canvas .waiting.hidden").wait_for(state="attached", timeout=60_000)
    box = page.locator(".sheet").bounding_box()
    page.keyboard.press("b")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(middle[0] - 60, middle[1] - 60)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] + 60)
    page.mouse.up()
    label = page.get_by_label("Label", exact=True)
    playwright.expect(label).to_be_enabled()
    label.fill(QUOTED)
    label.press("Enter")
    playwright.expect(page.locator(".objects button", has_text=QUOTED)).to_be_visible()
    page.reload()
    playwright.expect(page.locator(".objects button", has_text=QUOTED)).to_be_visible(timeout=60_000)


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), (90, 120, 60)).save(buffer, "PNG")
    return buffer.getvalue()
