"""Every page in a real browser: what it shows, by keyboard, at 360 px, in the dark, and nothing from elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semicoupled.run_folder import PRETRAINED, open_run
from semicoupled.serving.radar_sample import SAMPLES, rain_fields

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

SMALL = PRETRAINED / "nowcasting" / "small"
PAGES = ["", "nowcasting", "toy", "inside", "training", "reference"]
READY = {
    "nowcasting": ".player",
    "toy": ".player",
    "inside": ".player",
    "training": ".uplot",
    "reference": ".op",
    "": ".task",
}
WAIT = 300_000  # a busy machine starts a worker slowly
playwright.expect.set_options(timeout=30_000)
SLOW = pytest.mark.slow
LOG: dict[str, Path] = {}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, run_server: Callable[..., Any]) -> Iterator[str]:
    """The address of a server with something on every page."""
    folder = tmp_path_factory.mktemp("site")
    make_toy(folder / "runs" / "shapes")
    make_training(folder / "runs" / "rain")
    write_radar(folder / "radar" / "evening")
    with run_server(str(folder / "runs"), "--root", str(folder / "radar")) as found:
        LOG[found.address] = folder / "runs" / "rain" / "log.jsonl"
        yield found.address


def make_toy(path: Path) -> None:
    """Make a run of the toys whose network is as it was born."""
    from semicoupled.tasks.toy.model import ToyModel, build_network
    from semicoupled.tasks.toy.settings import ModelSettings, ToySettings
    from semicoupled.training.settings import GoalWeights
    from semicoupled.training.weights import save_weights

    model = ModelSettings(widths=(8, 8), strides=(2, 1))
    settings = ToySettings(model=model, goals=GoalWeights(spatial=1.0, temporal=1.0))
    run = open_run(path, "toy", settings)
    run.write_description({})
    save_weights(run.weights_file, ToyModel(build_network(model), 8, 6, settings.sub_goals), {})


def make_training(path: Path) -> None:
    """Make a run with a log of three losses and switches."""
    shutil.copytree(SMALL, path)
    lines = [
        {
            "kind": "training", "step": step, "seconds": step / 10, "main_loss": 2.0 / step, "spatial_loss": 3.0 / step,
            "temporal_loss": 4.0 / step, "spatial_focus": 1 - step / 400, "stop_spatial": 0.4, "learning_rate": 1e-3,
        }
        for step in range(10, 200, 10)
    ]  # fmt: skip
    lines.append({"kind": "validation", "step": 190, "seconds": 19.0, "score": -0.25})
    (path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_radar(folder: Path) -> None:
    folder.mkdir(parents=True)
    for index, dbz in enumerate(rain_fields(SAMPLES["front"], 9, 2.0, 5.0, 64)):
        clock = f"12{5 * index:02d}"
        times = np.array([f"2020-05-01T{clock[:2]}:{clock[2:]}:00"], "datetime64[s]")
        np.savez(folder / f"rain_20200501T{clock}.npz", dbz=dbz[None], times=times, kilometers=2.0, quantity="dBZ")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


class Visit:
    """A page that remembers what went wrong and what it asked for.

    Args:
        page: of Playwright.
        site: the server's address.
    """

    def __init__(self, page: Any, site: str) -> None:
        self.page, self.site = page, site
        self.problems: list[str] = []
        self.asked: set[str] = set()
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.asked.add(request.url))

    def hear(self, said: Any) -> None:
        if said.type in ("error", "warning") and "willReadFrequently" not in said.text:  # it is the tests that read
            self.problems.append(said.text)

    def open(self, name: str) -> Any:
        self.page.goto(f"{self.site}/#/{name}")
        self.page.wait_for_selector(READY[name.split("?")[0]], timeout=WAIT)
        return self.page


@pytest.fixture
def visit(browser: Any, site: str) -> Iterator[Callable[..., Visit]]:
    contexts: list[Any] = []
    visits: list[Visit] = []

    def make(width: int = 1280, height: int = 800, **options: Any) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height}, **{"reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        visits.append(Visit(context.new_page(), site))
        return visits[-1]

    yield make
    for context in contexts:
        context.close()
    for each in visits:
        assert each.problems == []
        assert all(url.startswith((site, site.replace("http", "ws"))) for url in each.asked), each.asked


def shoot(page: Any, name: str) -> None:
    """Keep a picture for people where SEMICOUPLED_SHOTS names a folder."""
    if "SEMICOUPLED_SHOTS" in os.environ:
        page.screenshot(path=str(Path(os.environ["SEMICOUPLED_SHOTS"]) / f"{name}.png"), full_page=True)


CHECKS = """() => {
  const problems = [];
  const named = (e) => (e.getAttribute("aria-label") || e.innerText || e.title || "").trim()
    || (e.id && document.querySelector(`label[for="${e.id}"]`)?.innerText) || e.closest("label")?.innerText;
  for (const e of document.querySelectorAll("button, select, input, a[href], [role=img]")) {
    if (e.getAttribute("aria-hidden") === "true" || !e.getClientRects().length) continue;
    if (!named(e)) problems.push("no name: " + e.outerHTML.slice(0, 120));
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push("twice: " + id);
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
  for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) problems.push("img without alt");
  const channel = (v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  for (const e of document.querySelectorAll("body *")) {
    const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!text || !e.getClientRects().length || e.closest("svg, script, noscript, option, :disabled")) continue;
    const [one, two] = [luminance(parse(getComputedStyle(e).color)), luminance(behind(e))].sort((a, b) => b - a);
    const ratio = (one + .05) / (two + .05);
    if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)}: ${e.outerHTML.slice(0, 100)}`);
  }
  return problems;
}"""


@SLOW
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_names_and_contrast(visit: Callable[..., Visit], name: str, theme: str) -> None:
    page = visit(color_scheme=theme).open(name)
    page.wait_for_timeout(200)
    shoot(page, f"{name or 'home'}_{theme}")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate(CHECKS) == []


@SLOW
@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_360_pixels(visit: Callable[..., Visit], name: str) -> None:
    page = visit(360, 740, has_touch=True).open(name)
    page.wait_for_timeout(200)
    shoot(page, f"{name or 'home'}_360")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    wide = "[...document.querySelectorAll('main *')].filter((e) => !e.closest('.scroll, pre, svg') && "
    wide += "e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 100))"
    assert page.evaluate(wide) == []


@SLOW
def test_the_first_view_comes_within_a_second(visit: Callable[..., Visit]) -> None:
    page = visit().open("")
    views: list[float] = []
    for _ in range(3):
        page.reload()
        page.wait_for_selector(".task canvas")
        views.append(page.evaluate("performance.now()"))
    assert min(views) < 1000, views


def test_home_shows_tasks_models_and_device(visit: Callable[..., Visit]) -> None:
    page = visit().open("")
    assert page.locator(".task h2").all_inner_texts() == ["Nowcast", "Outline", "Toys"]
    text = page.inner_text("main")
    assert "small" in text
    assert "shipped" in text
    playwright.expect(page.locator("#server")).to_contain_text("CPU", timeout=WAIT)


def pixels(page: Any, title: str) -> list[int]:
    """Give the pixels of a panel."""
    script = "(e) => [...e.getContext('2d').getImageData(0, 0, e.width, e.height).data]"
    return page.locator("figure", has_text=title).locator("canvas").first.evaluate(script)


def test_nowcast_one_scrubber_moves_everything(visit: Callable[..., Visit]) -> None:
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
def test_nowcast_threshold_changes_chance_and_scores(visit: Callable[..., Visit]) -> None:
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
def test_nowcast_the_cross_reads_every_panel(visit: Callable[..., Visit]) -> None:
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
def test_nowcast_of_a_folder_below_a_root(visit: Callable[..., Visit]) -> None:
    page = visit().open("nowcasting")
    page.get_by_label("Folder").check()
    page.get_by_role("button", name="evening").click()
    page.get_by_label("How far ahead").select_option("30")
    page.get_by_role("button", name="Use this folder").click()
    playwright.expect(page.locator(".player output")).to_contain_text("12:", timeout=WAIT)
    page.get_by_text("About this forecast").click()
    playwright.expect(page.locator("main")).to_contain_text("rain_20200501T12")
    page.get_by_label("Forecast from").select_option(label="2020-05-01 12:40 UTC")
    playwright.expect(page.locator("main")).to_contain_text("there are no scores", timeout=WAIT)


@SLOW
def test_nowcast_of_files_that_are_chosen(visit: Callable[..., Visit], tmp_path: Path) -> None:
    write_radar(tmp_path / "mine")
    page = visit().open("nowcasting")
    page.get_by_label("Own files").check()
    page.locator("input[type=file]").set_input_files(sorted((tmp_path / "mine").iterdir()))
    playwright.expect(page.locator("main")).to_contain_text("9 files ready", timeout=WAIT)
    playwright.expect(page.locator(".player output")).to_contain_text("12:", timeout=WAIT)


@SLOW
def test_nowcast_says_what_is_wrong_with_a_file(visit: Callable[..., Visit], tmp_path: Path) -> None:
    (tmp_path / "broken.h5").write_bytes(b"nothing of the kind")
    page = visit().open("nowcasting")
    page.get_by_label("Own files").check()
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.h5")
    playwright.expect(page.get_by_role("alert")).to_contain_text("upload/broken.h5: is no radar file", timeout=WAIT)


@SLOW
def test_toy_answers_and_another_clip(visit: Callable[..., Visit]) -> None:
    page = visit().open("toy")
    said = page.locator(".note").inner_text()
    assert "The model says" in said
    assert page.locator("h3", has_text="space alone").count() == 1
    assert page.locator("h3", has_text="time alone").count() == 1
    before = pixels(page, "Clip")
    page.get_by_role("button", name="Next clip").click()
    page.wait_for_function("(before) => document.querySelector('.note')?.innerText !== before", arg=said, timeout=WAIT)
    assert pixels(page, "Clip") != before


@SLOW
def test_inside_layers_and_time(visit: Callable[..., Visit]) -> None:
    page = visit().open("inside")
    page.get_by_label("Model").select_option(label="nowcasting-small (nowcasting)")
    page.get_by_label("decoder").wait_for(timeout=WAIT)
    first = {kind: pixels(page, kind) for kind in ("Spatial", "Temporal", "Product")}
    layer = page.get_by_label("Layer 1 of 4")
    layer.focus()
    layer.press("ArrowRight")
    playwright.expect(page.get_by_label("Layer 2 of 4")).to_be_focused()
    assert {kind: pixels(page, kind) for kind in first} != first
    ticks = page.locator(".ticks").all_inner_texts()
    slider = page.get_by_role("slider", name="Time")
    before = pixels(page, "Temporal")
    slider.press("End")
    assert pixels(page, "Temporal") != before
    assert page.locator(".ticks").all_inner_texts() == ticks  # one scale for all times
    page.locator(".gates button").nth(3).click()
    playwright.expect(page.get_by_label("Layer 4 of 4")).to_be_visible()
    page.get_by_label("of all layers").check()
    wide = page.locator(".ticks").all_inner_texts()
    page.locator(".gates button").nth(0).click()
    assert page.locator(".ticks").all_inner_texts() == wide  # one scale for all layers


@SLOW
def test_training_shows_what_is_written_meanwhile(visit: Callable[..., Visit], site: str) -> None:
    page = visit().open("training?runs=rain")
    for title in ("Main loss (g)", "Spatial loss (r_s)", "Temporal loss (r_t)", "Switches", "Validation score"):
        playwright.expect(page.locator("h2", has_text=title)).to_be_visible()
    playwright.expect(page.locator(".scroll table")).to_contain_text("190")
    with LOG[site].open("a") as file:
        file.write(json.dumps({"kind": "training", "step": 777, "seconds": 70.0, "main_loss": 0.1}) + "\n")
    playwright.expect(page.locator(".scroll table")).to_contain_text("777", timeout=10_000)
    playwright.expect(page.locator(".scroll table")).to_contain_text("live")


@SLOW
def test_reference_is_the_whole_api(visit: Callable[..., Visit]) -> None:
    page = visit().open("reference")
    text = page.inner_text("main")
    for path in (
        "/api/v1/nowcasting/forecasts",
        "/api/v1/jobs/{job_id}",
        "/api/v1/jobs/{job_id}/events",
        "/api/v1/uploads",
    ):
        assert path in text
    assert "source.sample" not in text
    page.locator(".op", has_text="/api/v1/nowcasting/forecasts").locator("summary").click()
    playwright.expect(page.locator("main")).to_contain_text("source.sample")


@SLOW
def test_the_keyboard_alone_suffices(visit: Callable[..., Visit]) -> None:
    page = visit().open("nowcasting")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    playwright.expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    playwright.expect(page.locator("main")).to_be_focused()
    seen: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        ring = (
            "(e => getComputedStyle(e).outlineStyle !== 'none' || e.closest('label') !== null)(document.activeElement)"
        )
        assert page.evaluate(ring), page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        seen.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText")
        )
    for name in ("Forecast", "Play", "Time", "Speed"):
        assert any(text.startswith(name) for text in seen), (name, seen)


@SLOW
def test_motion_waits_where_it_is_not_wanted(visit: Callable[..., Visit]) -> None:
    still = visit().open("nowcasting")
    assert still.get_by_role("button", name="Play").count() == 1
    moving = visit(reduced_motion="no-preference").open("nowcasting")
    playwright.expect(moving.get_by_role("button", name="Pause")).to_be_visible()


@SLOW
def test_the_theme_is_kept(visit: Callable[..., Visit]) -> None:
    page = visit(color_scheme="light").open("")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    page.wait_for_selector(".task")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
