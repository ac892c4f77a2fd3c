"""Every page in a real browser: what it shows, by keyboard, at 360 px, in the dark, and nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

PAGES = ["", "nowcasting", "driving", "action", "toy", "inside", "training", "reference"]
SLOW = pytest.mark.slow
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


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
def test_every_page_has_names_and_contrast(
    visit: Callable[..., Any], name: str, theme: str, shoot: Callable[[Any, str], None]
) -> None:
    page = visit(color_scheme=theme).open(name)
    page.wait_for_timeout(200)
    shoot(page, f"{name or 'home'}_{theme}")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate(CHECKS) == []
    if not AXE.is_file():
        pytest.skip("no axe-core: it comes with a checkout, not with the package")
    for summary in page.locator("main summary").all():
        summary.click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags } })", WCAG)
    assert found["violations"] == [], json.dumps(found["violations"], indent=1)[:3000]
    assert len(found["passes"]) > 10


@SLOW
@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_360_pixels(visit: Callable[..., Any], name: str, shoot: Callable[[Any, str], None]) -> None:
    page = visit(360, 740, has_touch=True).open(name)
    page.wait_for_timeout(200)
    shoot(page, f"{name or 'home'}_360")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    wide = "[...document.querySelectorAll('main *')].filter((e) => !e.closest('.scroll, pre, svg') && "
    wide += "e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 100))"
    assert page.evaluate(wide) == []


LISTEN = """window.shifted = 0; new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({ type: "layout-shift", buffered: true });"""


@SLOW
@pytest.mark.parametrize("size", [(1280, 800), (360, 740)])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_jumps_while_a_page_comes(visit: Callable[..., Any], name: str, size: tuple[int, int]) -> None:
    made = visit(*size)
    made.page.add_init_script(LISTEN)
    page = made.open(name)
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifted") < 0.05  # 0.1 is called good: https://web.dev/articles/cls


@SLOW
def test_the_first_view_comes_within_a_second(visit: Callable[..., Any]) -> None:
    page = visit().open("")
    views: list[float] = []
    for _ in range(3):
        page.reload()
        page.wait_for_selector(".task canvas")
        views.append(page.evaluate("performance.now()"))
    assert min(views) < 1000, views


def test_home_shows_tasks_models_and_device(visit: Callable[..., Any], patience: int) -> None:
    page = visit().open("")
    assert page.locator(".task h2").all_inner_texts() == ["Action", "Driving", "Nowcast", "Outline", "Toys"]
    text = page.inner_text("main")
    assert "small" in text
    assert "shipped" in text
    playwright.expect(page.locator("#server")).to_contain_text("CPU", timeout=patience)


DROP = """(zone, files) => {
  const carried = new DataTransfer();
  for (const name of files) carried.items.add(new File(["no radar"], name));
  const about = { bubbles: true, cancelable: true, dataTransfer: carried };
  for (const kind of ["dragover", "drop"]) zone.dispatchEvent(new DragEvent(kind, about));
}"""


@SLOW
def test_home_opens_a_folder_below_a_root(visit: Callable[..., Any], patience: int) -> None:
    page = visit().open("")
    page.locator(".own .browser button", has_text="evening").click()
    page.get_by_role("button", name="Use this folder").click()
    links = page.locator(".own .next a")
    names = ["Nowcast", "Action", "Driving", "Outline"]  # by the files' names, radar first
    playwright.expect(links).to_have_text(names)
    links.first.click()
    page.wait_for_selector(".player", timeout=patience)
    assert page.url.endswith("#/nowcasting?root=radar&path=evening")
    assert page.get_by_role("radio", name="Folder").is_checked()
    assert "rain_20200501T1200.npz" in page.text_content(".browser")
    page.reload()  # the address says what is looked at
    page.wait_for_selector(".player", timeout=patience)
    page.locator("summary", has_text="About this forecast").click()
    playwright.expect(page.locator("main")).to_contain_text("rain_20200501T1200.npz")


@SLOW
def test_home_takes_files_that_are_dropped(visit: Callable[..., Any]) -> None:
    visited = visit()
    page = visited.open("")
    page.locator(".own").evaluate(DROP, ["holiday film.mp4", "second.mp4"])
    playwright.expect(page.locator(".own [role=status]")).to_have_text("2 files ready")
    playwright.expect(page.locator(".own .next a").first).to_have_text("Action")
    page.locator(".task", has_text="Nowcast").evaluate(DROP, ["a.h5"])
    page.wait_for_url("**/#/nowcasting?upload=*")
    playwright.expect(page.get_by_role("alert")).to_contain_text(
        "a.h5", timeout=120_000
    )  # it is none, and that is said
    assert page.get_by_role("radio", name="Own files").is_checked()


@SLOW
def test_a_folder_can_be_chosen_with_all_that_is_in_it(visit: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "drive" / "images").mkdir(parents=True)
    for name in ("drive/manifest.json", "drive/images/1.jpg", "drive/images/2.jpg"):
        (tmp_path / name).write_bytes(b"x")
    page = visit().open("")
    page.locator(".own").get_by_text("Own files").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(tmp_path / "drive")
    playwright.expect(page.locator(".own [role=status]")).to_have_text("3 files ready")
    playwright.expect(page.locator(".own .next a").first).to_have_text("Driving")


@SLOW
def test_toy_answers_and_another_clip(
    visit: Callable[..., Any], patience: int, pixels: Callable[[Any, str], list[int]]
) -> None:
    page = visit().open("toy")
    said = page.locator(".note").inner_text()
    assert "The model says" in said
    assert page.locator("h3", has_text="space alone").count() == 1
    assert page.locator("h3", has_text="time alone").count() == 1
    before = pixels(page, "Clip")
    page.get_by_role("button", name="Next clip").click()
    page.wait_for_function(
        "(before) => document.querySelector('.note')?.innerText !== before", arg=said, timeout=patience
    )
    assert pixels(page, "Clip") != before


@SLOW
def test_inside_layers_and_time(
    visit: Callable[..., Any], patience: int, pixels: Callable[[Any, str], list[int]]
) -> None:
    page = visit().open("inside")
    page.get_by_label("Model").select_option(label="nowcasting-small (nowcasting)")
    page.get_by_label("decoder").wait_for(timeout=patience)
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
def test_training_shows_what_is_written_meanwhile(visit: Callable[..., Any], site_folder: Path) -> None:
    page = visit().open("training?runs=rain")
    for title in ("Main loss (g)", "Spatial loss (r_s)", "Temporal loss (r_t)", "Switches", "Validation score"):
        playwright.expect(page.locator("h2", has_text=title)).to_be_visible()
    playwright.expect(page.locator(".scroll table")).to_contain_text("190")
    with (site_folder / "runs" / "rain" / "log.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "training", "step": 777, "seconds": 70.0, "main_loss": 0.1}) + "\n")
    playwright.expect(page.locator(".scroll table")).to_contain_text("777", timeout=10_000)
    playwright.expect(page.locator(".scroll table")).to_contain_text("live")


@SLOW
def test_reference_is_the_whole_api(visit: Callable[..., Any]) -> None:
    page = visit().open("reference")
    text = page.inner_text("main")
    for path in (
        "/api/v1/nowcasting/forecasts",
        "/api/v1/jobs/{job_id}",
        "/api/v1/jobs/{job_id}/events",
        "/api/v1/uploads",
    ):
        assert path in text
    for path in ("jobs/{job_id}/events", "runs/{name}/log/events", "action/live", "outline/projects/{project_id}/live"):
        assert f"WS\n/api/v1/{path}" in text
    assert "source.sample" not in text
    page.locator(".op", has_text="/api/v1/nowcasting/forecasts").locator("summary").click()
    playwright.expect(page.locator("main")).to_contain_text("source.sample")


@SLOW
def test_the_example_for_python_works(visit: Callable[..., Any]) -> None:
    page = visit().open("reference")
    example = page.locator("pre").first.inner_text()
    assert all(call in example for call in ("client.forecast(", "client.steer(", "client.act("))
    found: dict[str, Any] = {}
    exec(compile(example, "the page", "exec"), found)
    assert found["dbz"].ndim == 3


@SLOW
def test_the_keyboard_alone_suffices(visit: Callable[..., Any]) -> None:
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
def test_motion_waits_where_it_is_not_wanted(visit: Callable[..., Any]) -> None:
    still = visit().open("nowcasting")
    assert still.get_by_role("button", name="Play").count() == 1
    moving = visit(reduced_motion="no-preference").open("nowcasting")
    playwright.expect(moving.get_by_role("button", name="Pause")).to_be_visible()


@SLOW
def test_the_theme_is_kept(visit: Callable[..., Any]) -> None:
    page = visit(color_scheme="light").open("")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    page.wait_for_selector(".task")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
