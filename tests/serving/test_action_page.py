"""The page of action in a real browser, with a camera that the browser makes up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semicoupled.data.video_writer import video_writer
from semicoupled.serving.person_sample import person_frames

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")

SLOW = pytest.mark.slow
SLOW_TO_ALLOW = """const allow = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.asked = true;
  await new Promise((resolve) => { window.allow = resolve; });
  return (window.given = await allow(wanted));
};"""
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A browser that has a camera, and lets every page use it."""
    playwright.expect.set_options(timeout=30_000)
    with playwright.sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", *CAMERA])
        yield found
        found.close()


def slider_of(page: Any) -> Any:
    return page.get_by_role("slider", name="Time")


def live(page: Any) -> Any:
    page.get_by_label("A camera, live").check()
    page.get_by_role("button", name="Start the camera").click()
    return page.locator(".speedline")


def answered(page: Any) -> int:
    found = re.search(r"(\d+) answered", page.locator(".speedline").inner_text())
    return int(found[1]) if found else 0


def test_one_playhead_moves_everything(visit: Callable[..., Any]) -> None:
    page = visit().open("action")
    bars, gates = page.locator(".streams"), page.locator(".gates")
    assert bars.locator("h3").all_inner_texts() == ["Both branches", "Space alone", "Time alone"]
    first, opened = bars.inner_text(), gates.inner_html()
    picture = page.locator(".stage canvas").evaluate("(e) => e.toDataURL()")
    slider_of(page).focus()
    slider_of(page).press("End")
    playwright.expect(page.locator(".stage")).to_have_attribute("data-shown", "74")
    assert bars.inner_text() != first
    assert gates.inner_html() != opened
    assert page.locator(".stage canvas").evaluate("(e) => e.toDataURL()") != picture
    assert gates.locator("[role=img]").count() == 3
    now = bars.inner_text()
    page.get_by_label("up to this frame").check()
    assert bars.inner_text() != now
    # at the end, what was said so far is what the table says of the whole
    whole = page.locator(".whole tr").first.locator("td").all_inner_texts()
    assert page.locator(".verdict b").inner_text() == whole[0]
    assert page.locator(".verdict .share").inner_text() == whole[1]


@SLOW
def test_keys_step_and_branches_have_lines_of_their_own(visit: Callable[..., Any]) -> None:
    page = visit().open("action")
    page.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert slider_of(page).input_value() == "13"
    lines = page.locator(".chart canvas").evaluate("(e) => e.toDataURL()")
    page.get_by_label("time alone").check()
    page.wait_for_timeout(200)
    assert page.locator(".chart canvas").evaluate("(e) => e.toDataURL()") != lines


@SLOW
def test_videos_that_are_chosen(visit: Callable[..., Any], tmp_path: Path, patience: int) -> None:
    for name, count in (("jack", 20), ("bend", 9)):
        with video_writer(tmp_path / f"{name}.mp4", 12.5) as video:
            for frame in person_frames(name, count):
                video.write(frame.image, frame.time)
    page = visit().open("action")
    page.get_by_label("Own files").check()
    page.locator("input[type=file]").set_input_files(sorted(tmp_path.glob("*.mp4")))
    video = page.locator("form").get_by_label("Video", exact=True)
    playwright.expect(video).to_be_visible(timeout=patience)
    assert video.locator("option").all_inner_texts() == ["bend.mp4", "jack.mp4"]
    playwright.expect(slider_of(page)).to_have_attribute("max", "8")
    video.select_option("1")
    playwright.expect(slider_of(page)).to_have_attribute("max", "19", timeout=patience)


@SLOW
def test_a_playlist_is_refused_in_words(visit: Callable[..., Any], tmp_path: Path, patience: int) -> None:
    (tmp_path / "a.mp4").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    page = visit().open("action")
    page.get_by_label("Own files").check()
    page.locator("input[type=file]").set_input_files(tmp_path / "a.mp4")
    alert = page.get_by_role("alert")
    playwright.expect(alert).to_contain_text("upload/a.mp4: is no video that is taken here", timeout=patience)


def test_a_camera_is_answered_frame_by_frame(visit: Callable[..., Any], shoot: Callable[[Any, str], None]) -> None:
    page = visit().open("action")
    speed = live(page)
    playwright.expect(speed).to_contain_text(re.compile(r"\d ms a frame in the network · \d+ frames a second"))
    begun = answered(page)
    playwright.expect(page.locator(".verdict b")).to_have_text(re.compile("bend|jack|wave"))
    page.wait_for_timeout(1500)
    shoot(page, "camera")
    assert answered(page) > begun
    page.get_by_role("button", name="Stop the camera").click()
    page.wait_for_timeout(300)
    ended = answered(page)
    page.wait_for_timeout(500)
    assert answered(page) == ended
    assert page.evaluate("document.querySelector('video').srcObject") is None


@SLOW
def test_who_leaves_the_page_turns_the_camera_off(visit: Callable[..., Any]) -> None:
    page = visit().open("action")
    playwright.expect(live(page)).to_contain_text("answered")
    track = page.evaluate_handle("document.querySelector('video').srcObject.getTracks()[0]")
    assert track.evaluate("(e) => e.readyState") == "live"
    page.get_by_role("link", name="Home").click()
    page.wait_for_selector(".task")
    assert track.evaluate("(e) => e.readyState") == "ended"


@SLOW
def test_a_video_takes_its_turn_after_a_camera(visit: Callable[..., Any]) -> None:
    page = visit().open("action")
    playwright.expect(live(page)).to_contain_text("answered")
    page.get_by_label("A video").check()
    playwright.expect(page.locator(".stage canvas")).to_be_visible()
    assert page.locator("video").count() == 0


@SLOW
def test_a_camera_that_is_not_allowed_is_said(visit: Callable[..., Any]) -> None:
    made = visit()
    made.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));"
    )
    page = made.open("action")
    live(page)
    playwright.expect(page.get_by_role("alert")).to_contain_text("was not allowed to use the camera")
    playwright.expect(page.get_by_role("button", name="Start the camera")).to_be_visible()


@SLOW
def test_the_camera_fits_360_pixels(visit: Callable[..., Any], shoot: Callable[[Any, str], None]) -> None:
    page = visit(360, 740, has_touch=True).open("action")
    playwright.expect(live(page)).to_contain_text("answered")
    shoot(page, "camera_360")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@SLOW
def test_a_camera_that_is_allowed_once_nobody_wants_it_stays_off(visit: Callable[..., Any]) -> None:
    visited = visit()
    visited.page.add_init_script(SLOW_TO_ALLOW)
    page = visited.open("action")
    page.get_by_label("A camera, live").check()
    page.get_by_role("button", name="Start the camera").click()
    page.wait_for_function("window.asked")
    page.get_by_role("link", name="Home").click()
    page.wait_for_selector(".task")
    page.evaluate("window.allow()")
    page.wait_for_function("window.given?.getTracks().every((track) => track.readyState === 'ended')")
