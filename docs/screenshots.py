"""Draw the pictures of the README: pages of the web app with generated samples and the weights that are shipped.

    semicoupled serve --port 8642 &
    python docs/screenshots.py http://127.0.0.1:8642

It needs the extras dev and serve, and a Chromium (SEMICOUPLED_CHROMIUM, else /usr/bin/chromium).
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from semicoupled.serving.client import Client

IMAGES = Path(__file__).parent / "images"
WIDTH = 960


def keep(page: Page, name: str) -> None:
    """Take what is on the screen, smaller and with few colors."""
    page.wait_for_timeout(2500)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = image.resize((WIDTH, WIDTH * image.height // image.width), Image.Resampling.LANCZOS)
    small.quantize(128).save(IMAGES / f"{name}.png", optimize=True)


def main(address: str) -> None:
    """Draw all of them."""
    with Client(address) as client, client.outlines("outline-made", sample="shapes") as project:
        image = project.image(0)
        for truth in image.truth:
            image.box(*truth.parts[0].box, label=truth.label)
            image.start(truth.parts[0].points[0]).drain()
        identifier = project.id
    with sync_playwright() as play:
        chromium = os.environ.get("SEMICOUPLED_CHROMIUM", "/usr/bin/chromium")
        page = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page(
            viewport={"width": 1280, "height": 860}
        )
        page.set_default_timeout(120_000)
        page.goto(f"{address}/#/outline?project={identifier}")
        page.locator("[data-tool=truth]").click()
        keep(page, "outline")
        page.goto(f"{address}/#/nowcasting")
        page.wait_for_selector("text=minutes ahead")
        time = page.get_by_role("slider", name="Time")
        time.press("End")
        for _ in range(6):
            time.press("ArrowLeft")
        keep(page, "nowcasting")
        page.goto(f"{address}/#/driving")
        page.wait_for_selector("text=Importance of time")
        for _ in range(40):
            page.get_by_role("slider").first.press("ArrowRight")
        keep(page, "driving")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
