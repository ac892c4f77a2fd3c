"""The outline page in a real browser: drawn by mouse, by touch, by keys alone; what is drawn outlives both sides."""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

AXE = Path(__file__).parents[1] / "vendor" / "axe-core" / "axe.min.js"
WAIT = 300_000  # a busy machine starts a worker slowly
SLOW = pytest.mark.slow
LISTEN = """window.shifted = 0; new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({ type: "layout-shift", buffered: true });"""
REFUSED = """window.answered = window.fetch; window.fetch = (address, options) =>
  address.endsWith("/images/1") ? Promise.reject(new TypeError("away")) : window.answered(address, options);"""
UNLISTED = """const real = window.fetch; window.fetch = (address, options) =>
  address.endsWith("/outline/projects") ? Promise.reject(new TypeError("away")) : real(address, options);"""
COCO = {
    "images": [{"id": 1, "file_name": "shapes_1.png", "width": 480, "height": 360}],
    "categories": [{"id": 1, "name": "pebble"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[30, 20, 90, 20, 90, 70]]}],
}
playwright.expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def site(
    run_server: Callable[..., Any], small_run: Path, deep_run: Path, image_root: Path, tmp_path_factory: Any
) -> Iterator[str]:
    """The address of a server over two random networks."""
    kept = tmp_path_factory.mktemp("kept")
    notes = tmp_path_factory.mktemp("notes") / "notes"
    (notes / "all").mkdir(parents=True)
    (notes / "all" / "coco.json").write_text(json.dumps(COCO))
    roots = ("--root", str(image_root), "--root", str(notes))
    with run_server(str(small_run), str(deep_run), *roots, "--state", str(kept)) as found:
        yield found.address


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Callable[..., Any]]:
    """Open the page, with a project of its own; whatever the browser complains about fails the test."""
    contexts: list[Any] = []
    problems: list[str] = []
    asked: set[str] = set()

    def make(run: str = "tiny", width: int = 1280, height: int = 860, **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height}, **{"reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: asked.add(request.url))
        page.add_init_script(LISTEN)
        body = {"run": run, "source": {"sample": "shapes"}}
        project = context.request.post(f"{site}/api/v1/outline/projects", data=body).json()["id"]
        page.goto(f"{site}/#/outline?project={project}")
        opened(page)
        return page

    yield make
    for context in contexts:
        context.close()
    assert problems == []
    assert all(url.startswith((site, site.replace("http", "ws"), "blob:")) for url in asked), asked


def opened(page: Any) -> None:
    page.wait_for_selector(".sheet image", timeout=WAIT)
    page.wait_for_selector(".waiting.hidden", state="attached", timeout=WAIT)


def on_screen(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a place of the image is on the screen."""
    script = """([x, y]) => {
      const found = new DOMPoint(x, y).matrixTransform(document.querySelector(".sheet").getScreenCTM());
      return [found.x, found.y];
    }"""
    found = page.evaluate(script, [x, y])
    return found[0], found[1]


def drag(page: Any, start: tuple[float, float], stop: tuple[float, float], steps: int = 6) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*stop, steps=steps)
    page.mouse.up()


def draw(page: Any, box: tuple[float, float, float, float] = (50, 50, 120, 130)) -> int:
    """Draw a box and let the network draw; gives the number of points."""
    x, y, width, height = box
    page.locator("[data-tool=box]").click()
    drag(page, on_screen(page, x, y), on_screen(page, x + width, y + height))
    page.wait_for_selector(".sheet[data-mode=start]", timeout=WAIT)
    page.mouse.click(*on_screen(page, x + 5, y + height / 2))
    page.wait_for_selector(".sheet[data-mode=direction]")
    page.mouse.click(*on_screen(page, x + width / 2, y + 5))
    page.wait_for_selector(".sheet[data-mode=edit]", timeout=WAIT)
    return page.locator("[data-index]").count()


def state(page: Any) -> dict[str, Any]:
    """What the server has."""
    script = """async () => { const id = localStorage.getItem("outline");
      const image = localStorage.getItem(`outline.${id}`) ?? 0;
      return await (await fetch(`/api/v1/outline/projects/${id}/images/${image}`)).json(); }"""
    return page.evaluate(script)["state"]


def shoot(page: Any, name: str) -> None:
    """Keep a picture for people where SEMICOUPLED_SHOTS names a folder."""
    if "SEMICOUPLED_SHOTS" in os.environ:
        page.screenshot(path=str(Path(os.environ["SEMICOUPLED_SHOTS"]) / f"outline_{name}.png"), full_page=True)


def test_a_box_a_start_a_direction_and_a_point_that_is_dragged(visit: Callable[..., Any]) -> None:
    page = visit()
    count = draw(page)
    assert count >= 3
    first = state(page)["things"][0]["pieces"][0]["corners"]
    assert [corner[3] for corner in first[:2]] == [3, 3]  # the two that were clicked
    said = page.locator('[data-index="2"]').get_attribute("aria-label")
    assert said == f"Point 3 of {count}, {round(100 * first[2][2])} % sure"
    x, y = on_screen(page, *first[1][:2])
    drag(page, (x, y), (x + 40, y + 15))
    playwright.expect(page.locator(".score")).to_contain_text("1 click")
    moved = state(page)["things"][0]
    assert moved["clicks"] == 1
    assert moved["pieces"][0]["corners"][0] == first[0]
    assert moved["pieces"][0]["corners"][1][0] > first[1][0] + 5
    page.locator("[data-tool=undo]").click()
    playwright.expect(page.locator("[data-tool=redo]")).to_be_enabled()
    assert state(page)["things"][0]["pieces"][0]["corners"] == first
    playwright.expect(page.locator(".score")).to_contain_text("click")


@SLOW
def test_a_dragged_point_is_answered_in_150_ms(visit: Callable[..., Any]) -> None:
    page = visit("five")
    draw(page)
    page.wait_for_timeout(500)
    for turn in range(6):
        corner = state(page)["things"][0]["pieces"][0]["corners"][1]
        x, y = on_screen(page, *corner[:2])
        drag(page, (x, y), (x + (12 if turn % 2 == 0 else -12), y + 4), steps=8)
        playwright.expect(page.locator(".score")).to_contain_text(f"{turn + 1} click")
    answered = page.evaluate("document.querySelector('.sheet').answered")
    print("first redrawn point on the screen after, ms:", [round(each) for each in answered])
    assert len(answered) >= 6
    assert statistics.median(answered) < 150, answered


@SLOW
def test_the_first_view_comes_within_a_second_and_nothing_jumps(visit: Callable[..., Any]) -> None:
    page = visit()
    views: list[float] = []
    for _ in range(3):
        page.reload()
        page.wait_for_selector(".sheet image")
        views.append(page.evaluate("performance.now()"))
        opened(page)
    assert min(views) < 1000, views
    draw(page)
    page.locator("[data-tool=heat]").click()
    page.wait_for_selector(".heat .cell", state="attached")
    assert page.evaluate("window.shifted") < 0.1


@SLOW
def test_the_keyboard_alone_suffices(visit: Callable[..., Any]) -> None:
    page = visit()
    page.locator(".sheet").focus()
    keys = page.keyboard
    keys.press("b")
    for key in ["ArrowLeft"] * 2 + ["ArrowUp"]:
        keys.press(f"Shift+{key}")
    keys.press("Enter")
    for key in ["ArrowRight", "ArrowDown"] * 2:
        keys.press(f"Shift+{key}")
    keys.press("Enter")
    page.wait_for_selector(".sheet[data-mode=start]", timeout=WAIT)
    keys.press("Shift+ArrowLeft")
    keys.press("Enter")
    page.wait_for_selector(".sheet[data-mode=direction]")
    keys.press("Shift+ArrowUp")
    keys.press("Enter")
    page.wait_for_selector(".sheet[data-mode=edit]", timeout=WAIT)
    before = state(page)["things"][0]["pieces"][0]["corners"]
    keys.press(".")
    keys.press(".")
    playwright.expect(page.locator(".point.chosen")).to_have_attribute("data-index", "1")
    keys.press("Alt+ArrowRight")
    playwright.expect(page.locator(".score")).to_contain_text("1 click")
    after = state(page)["things"][0]["pieces"][0]["corners"]
    assert after[1][0] > before[1][0]
    assert after[2:] == before[2:]  # Alt moves it alone
    keys.press("i")
    playwright.expect(page.locator(".score")).to_contain_text("2 click")
    assert len(state(page)["things"][0]["pieces"][0]["corners"]) == len(before) + 1
    keys.press("Delete")
    playwright.expect(page.locator(".score")).to_contain_text("3 click")
    keys.press("p")
    keys.press("u")
    keys.press("Control+z")
    page.wait_for_timeout(300)
    keys.press("r")
    keys.press("a")
    page.wait_for_selector(".accepted", state="attached")
    assert state(page)["things"][0]["accepted"]
    keys.press("n")
    playwright.expect(page.locator(".said")).to_contain_text("Image 2 of 6")
    keys.press("v")
    playwright.expect(page.locator(".said")).to_contain_text("Image 1 of 6")


@SLOW
def test_an_object_of_two_parts(visit: Callable[..., Any]) -> None:
    page = visit()
    draw(page, (50, 50, 120, 130))
    page.get_by_role("button", name="Add a part").click()
    drag(page, on_screen(page, 250, 60), on_screen(page, 380, 200))
    page.wait_for_selector(".sheet[data-mode=start]", timeout=WAIT)
    page.keyboard.press("Enter")  # the network chooses where to begin
    page.wait_for_selector(".sheet[data-mode=edit]", timeout=WAIT)
    (thing,) = state(page)["things"]
    assert [len(piece["corners"]) >= 3 for piece in thing["pieces"]] == [True, True]
    playwright.expect(page.locator(".right .objects")).to_contain_text("2 parts")
    page.locator(".sheet").focus()
    for part in (0, 1):
        page.keyboard.press("o")
        page.wait_for_selector(f".sheet .part[data-part='{1 - part}']", state="attached")  # the other one is aside
        assert state(page)["piece"] == part
        count = len(thing["pieces"][part]["corners"])
        playwright.expect(page.locator("[data-index]")).to_have_count(count)
    page.keyboard.press("x")
    playwright.expect(page.locator("[data-index]")).to_have_count(0)
    page.keyboard.press("u")
    playwright.expect(page.locator(".right .objects")).to_contain_text("2 parts")


@SLOW
def test_by_touch_at_360_pixels(visit: Callable[..., Any]) -> None:
    page = visit(width=360, height=740, has_touch=True, is_mobile=True)
    page.locator("[data-tool=box]").tap()
    for place in ((60, 60), (200, 220)):  # two taps make a box, too
        page.touchscreen.tap(*on_screen(page, *place))
    page.wait_for_selector(".sheet[data-mode=start]", timeout=WAIT)
    for place in ((65, 150), (130, 65)):
        page.touchscreen.tap(*on_screen(page, *place))
    page.wait_for_selector(".sheet[data-mode=edit]", timeout=WAIT)
    page.touchscreen.tap(*on_screen(page, *state(page)["things"][0]["pieces"][0]["corners"][1][:2]))
    page.wait_for_selector(".point.chosen")
    before = page.locator("[data-index]").count()
    page.get_by_role("button", name="Insert").tap()
    playwright.expect(page.locator("[data-index]")).to_have_count(before + 1)
    shoot(page, "360")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@SLOW
def test_what_is_drawn_comes_into_the_image_that_is_shown(visit: Callable[..., Any]) -> None:
    page = visit()
    held: list[Any] = []
    page.route(re.compile(r"/images/1$"), held.append)
    page.locator(".sheet").focus()
    for _ in range(2):  # quicker than the server, whose first answer then comes last
        page.keyboard.press("n")
    page.wait_for_timeout(500)
    with page.expect_response(re.compile(r"/images/1$")):
        held[0].continue_()
    playwright.expect(page.locator(".said")).to_contain_text("Image 3 of 6")
    page.wait_for_timeout(500)
    page.locator("[data-tool=box]").click()
    drag(page, on_screen(page, 60, 60), on_screen(page, 160, 160))
    page.wait_for_selector(".sheet[data-mode=start]", timeout=WAIT)
    assert len(state(page)["things"]) == 1


@SLOW
def test_an_image_that_cannot_be_opened_leaves_the_one_that_is(visit: Callable[..., Any]) -> None:
    page = visit()
    page.evaluate(REFUSED)
    shown = page.locator(".sheet image").get_attribute("href")
    page.locator("[data-tool=next]").click()
    playwright.expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    assert page.locator(".sheet image").get_attribute("href") == shown
    page.evaluate("window.fetch = window.answered")
    page.locator("[data-tool=next]").click()
    playwright.expect(page.locator(".said")).to_contain_text("Image 2 of 6")


@SLOW
def test_projects_that_cannot_be_listed_are_said(visit: Callable[..., Any]) -> None:
    page = visit()
    page.evaluate(UNLISTED)
    page.get_by_text("Open images").click()
    playwright.expect(page.get_by_role("alert").filter(has_text="does not answer").first).to_be_visible()


@SLOW
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit: Callable[..., Any], theme: str) -> None:
    if not AXE.is_file():
        pytest.skip("no axe-core: it comes with a checkout, not with the package")
    page = visit(color_scheme=theme)
    draw(page)
    page.locator("[data-tool=heat]").click()
    for summary in page.locator("summary").all():
        summary.click()
    page.wait_for_timeout(500)
    shoot(page, theme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags } })", tags)
    assert found["violations"] == [], json.dumps(found["violations"], indent=1)[:3000]
    assert len(found["passes"]) > 10


@SLOW
def test_a_reload_loses_nothing(visit: Callable[..., Any]) -> None:
    page = visit()
    draw(page)
    before = state(page)
    page.reload()
    opened(page)
    page.wait_for_selector(".sheet[data-mode=edit]")
    assert page.locator("[data-index]").count() == len(before["things"][0]["pieces"][0]["corners"])
    page.locator("[data-tool=undo]").click()
    playwright.expect(page.locator("[data-index]")).to_have_count(0)


@SLOW
def test_a_server_that_dies_loses_nothing(
    browser: Any, run_server: Callable[..., Any], small_run: Path, tmp_path: Path
) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    with run_server(str(small_run), "--state", str(tmp_path)) as first:
        page.goto(f"{first.address}/#/outline")
        opened(page)
        draw(page)
        before = state(page)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        playwright.expect(page.locator(".linkup")).to_be_visible()
        port = first.address.rpartition(":")[2]
        with run_server(str(small_run), "--state", str(tmp_path), "--port", port):
            playwright.expect(page.locator(".linkup")).to_be_hidden(timeout=WAIT)
            assert state(page)["things"] == before["things"]
            x, y = on_screen(page, *before["things"][0]["pieces"][0]["corners"][1][:2])
            drag(page, (x, y), (x + 30, y + 10))
            playwright.expect(page.locator(".score")).to_contain_text(
                "1 click", timeout=WAIT
            )  # the network goes on from what was on disk
    page.context.close()


@SLOW
def test_two_windows_do_not_overwrite_each_other(visit: Callable[..., Any], site: str) -> None:
    page = visit()
    draw(page)
    other = page.context.new_page()
    other.goto(page.url)
    opened(other)
    other.wait_for_selector(".sheet[data-mode=edit]")
    other.locator("[data-tool=undo]").click()
    playwright.expect(other.locator("[data-index]")).to_have_count(0)
    page.locator("[data-tool=accept]").click()
    playwright.expect(page.locator(".said")).to_contain_text("another window")
    playwright.expect(page.locator("[data-index]")).to_have_count(0)  # it shows what there is now


@SLOW
def test_the_streams_the_next_point_and_the_truth(visit: Callable[..., Any]) -> None:
    page = visit()
    draw(page)
    assert page.locator(".truth path").count() == 3
    page.locator("[data-tool=truth]").click()
    playwright.expect(page.locator(".truth path")).to_have_count(0)
    page.locator("[data-tool=streams]").click()
    playwright.expect(page.locator(".streams path")).to_have_count(3)
    with page.expect_response("**/streams"):  # asked for once more, for they stay
        page.locator("[data-tool=heat]").click()
    page.wait_for_selector(".heat .cell", state="attached")
    page.wait_for_timeout(300)
    playwright.expect(page.locator(".said")).to_contain_text("expected")  # what was asked for last


@SLOW
def test_import_and_export(visit: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(COCO))
    page = visit()
    page.get_by_text("Import and export").click()
    page.get_by_label("Annotation files").set_input_files(tmp_path / "mine.json")
    playwright.expect(page.locator("main")).to_contain_text("1 objects in 1 images", timeout=WAIT)
    playwright.expect(page.locator(".right .objects")).to_contain_text("pebble")
    zips = [(kind, f"outlines_{kind}.zip") for kind in ("labelme", "cityscapes")]
    for kind, name in (("coco", "outlines.json"), *zips):
        page.get_by_label("Format").select_option(kind)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save to a file").click()
        assert download.value.suggested_filename == name
    written = tmp_path / "out.zip"
    download.value.save_as(written)
    assert written.read_bytes()[:2] == b"PK"


@SLOW
def test_annotations_below_another_root(visit: Callable[..., Any]) -> None:
    page = visit()
    page.get_by_text("Import and export").click()
    page.get_by_label("What for").select_option("truth")
    page.get_by_label("Or a file below a root").select_option("notes")
    place = page.get_by_label("File below it")
    place.press_sequentially("all/")
    page.wait_for_selector("#outline-below option[value='all/coco.json']", state="attached")  # it is offered
    place.press_sequentially("coco.json")
    page.get_by_role("button", name="Read", exact=True).click()
    playwright.expect(page.locator("main")).to_contain_text("1 objects in 1 images", timeout=WAIT)
    playwright.expect(page.locator(".truth path")).to_have_count(1)  # in place of the three that were drawn


@SLOW
def test_images_below_a_root(visit: Callable[..., Any]) -> None:
    page = visit()
    page.get_by_text("Open images").click()
    page.get_by_label("Folder").check()
    page.get_by_role("button", name="Use this folder").click()
    playwright.expect(page.locator(".images")).to_contain_text("turned.jpg", timeout=WAIT)
    playwright.expect(page.locator("main")).to_contain_text("1 files were left out")
    opened(page)
    draw(page, (20, 15, 70, 55))
