"""The Python client's outlines, against a real server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semicoupled.errors import DataError
from semicoupled.serving.client import Client, OutlineImage, OutlineProject, ServerError, StaleDrawingError

pytest.importorskip("websockets", reason="no websockets: pip install 'semicoupled[serve]'")


@pytest.fixture
def client(real_server: str) -> Iterator[Client]:
    with Client(real_server, timeout=120) as found:
        yield found


@pytest.fixture
def project(client: Client) -> Iterator[OutlineProject]:
    with client.outlines("tiny", root="pictures", path="one.png", name="one") as found:
        yield found
        found.remove()


@pytest.fixture
def image(project: OutlineProject) -> OutlineImage:
    found = project.image("one.png")
    found.box(25, 18, 70, 54, label="leaf")
    return found


def test_points_come_one_by_one_and_are_the_outline(image: OutlineImage) -> None:
    points = list(image.start((30, 45)))
    corners = image.part.corners
    assert corners[0] == (30, 45, 1.0, True, True)
    assert [point.index for point in points] == list(range(1, len(corners)))
    assert [(point.x, point.y) for point in points] == [(corner.x, corner.y) for corner in corners[1:]]
    assert all(0 <= point.confidence <= 1 for point in points)
    assert image.shape.label == "leaf"


def test_a_point_is_moved_and_the_rest_drawn_anew(image: OutlineImage) -> None:
    list(image.start((30, 45)))
    before = image.part.points
    shown = image.preview(1, (60, 20))
    assert image.part.points == before  # a preview changes nothing
    moved = list(image.move(1, (60, 20)))
    after = image.part.points
    assert after[:2] == [before[0], (60, 20)]
    assert [point.index for point in moved] == list(range(2, len(after)))
    assert shown.points == after
    assert image.shape.clicks == 1
    assert image.undo().redo == 1
    assert image.part.points == before
    image.redo()
    assert image.part.points == after


def test_direction_by_the_end_or_by_the_second_point(image: OutlineImage) -> None:
    list(image.start((30, 45), second=(60, 20)))
    assert image.part.points[1] == (60, 20)
    list(image.start((30, 45), end=(40, 65)))
    assert image.part.end == (40, 65)


def test_single_points(image: OutlineImage) -> None:
    list(image.start((30, 45)))
    before = image.part.points
    image.insert(0, (31, 40))
    assert image.part.points == [before[0], (31, 40), *before[1:]]
    image.place(1, (33, 41))
    assert image.part.points[1] == (33, 41)
    image.pin(1, False)
    assert not image.part.corners[1].pinned
    image.pin(1)
    assert image.part.corners[1].pinned
    image.delete(1)
    assert image.part.points == before
    image.end(2)
    assert (len(image.part.points), image.part.closed) == (3, True)
    image.clear()
    assert image.part.points == []


def test_parts_objects_and_accepting(image: OutlineImage) -> None:
    image.draw().drain()
    image.box(2, 2, 20, 20, part=True)
    assert (image.drawing.part, len(image.shape.parts)) == (1, 2)
    image.choose(1, 0)
    image.label("a leaf")
    done = image.accept()
    assert (done.current, done.objects[0].accepted, done.objects[0].label) == (None, True, "a leaf")
    with pytest.raises(DataError, match="no object is chosen"):
        _ = image.shape
    image.choose(1, 1)
    assert len(image.remove(part=True).objects[0].parts) == 1
    assert image.remove().objects == ()


def test_what_nobody_reads_is_done_all_the_same(image: OutlineImage, project: OutlineProject, client: Client) -> None:
    image.start((30, 45))  # its points are not looked at
    assert len(image.part.corners) >= 3
    other = client.outline_project(project.id).image()
    assert other.drawing == image.drawing


def test_an_error_that_nobody_read_comes_with_the_next_command(image: OutlineImage) -> None:
    image.move(99, (1, 1))
    with pytest.raises(ServerError, match="there is no point 99"):
        image.undo()
    assert image.undo().objects == ()  # and then all goes on


def test_a_drawing_that_changed_meanwhile(image: OutlineImage, project: OutlineProject, client: Client) -> None:
    other = client.outline_project(project.id).image(0)
    list(other.start((30, 45)))
    with pytest.raises(StaleDrawingError, match="in another window perhaps"):
        image.clear()
    assert image.drawing == other.drawing  # what there is now; from here it goes on
    assert image.clear().objects[0].parts[0].corners == ()
    assert other.refresh() == image.drawing


def test_exports(image: OutlineImage, project: OutlineProject, tmp_path: Path) -> None:
    list(image.start((30, 45)))
    points = image.part.points
    document = json.loads(project.save(tmp_path / "out" / "coco.json").read_bytes())
    flat = document["annotations"][0]["segmentation"][0]
    assert list(zip(flat[::2], flat[1::2], strict=True)) == points
    assert json.loads(project.export(accepted=True))["annotations"] == []
    image.accept()
    assert len(json.loads(project.export(accepted=True))["annotations"]) == 1
    for form, key, outline in (("labelme", "shapes", "points"), ("cityscapes", "objects", "polygon")):
        with zipfile.ZipFile(io.BytesIO(project.export(form))) as archive:  # type: ignore[arg-type]
            (name,) = archive.namelist()
            found = json.loads(archive.read(name))
        assert [tuple(point) for point in found[key][0][outline]] == points


def test_annotations_are_read_to_go_on_with_or_as_the_truth(
    image: OutlineImage, project: OutlineProject, tmp_path: Path
) -> None:
    image.start((30, 20))
    image.end(0)
    for index, corner in enumerate([(90, 20), (90, 70), (30, 70)]):
        image.insert(index, corner)
    project.save(tmp_path / "mine.json")
    assert project.read([tmp_path / "mine.json"], truth=True)["objects"] == 1
    image.refresh()
    assert image.truth is not None
    assert image.truth[0].parts[0].points == image.part.points
    assert image.place(0, image.part.points[0]).objects
    assert image.score is not None
    assert image.score["iou"] == 1
    assert project.read([tmp_path / "mine.json"])["objects"] == 1
    assert len(image.refresh().objects) == 2


def test_where_the_next_point_is_expected_and_what_each_stream_draws(image: OutlineImage) -> None:
    list(image.start((30, 45)))
    expected = image.expected(1)
    assert expected.shape == (16, 16)
    assert expected.max() == 1
    streams = image.streams()
    assert set(streams) == {"main", "spatial", "temporal"}
    assert all(points[0] == (30, 45) for points in streams.values())


def test_images_that_are_sent_stay_with_their_project(client: Client, image_root: Path) -> None:
    files = [image_root / "one.png", image_root / "more" / "turned.jpg"]
    with client.outlines("tiny", files=files, name="sent") as project:
        assert project.images == ["one.png", "turned.jpg"]
        image = project.image("turned.jpg")
        image.box(10, 10, 60, 80)
        assert len(list(image.draw())) >= 1
        with pytest.raises(DataError, match=r"there is no image 'turned\.png'.*Did you mean 'turned\.jpg'"):
            project.image("turned.png")
        with pytest.raises(ServerError, match="404: there is no image 7"):
            project.image(7)
    assert [one["name"] for one in client.outline_projects()] == ["sent"]
    client.outline_project(project.id).use("tiny")
    client.outline_project(project.id).remove()
    with pytest.raises(ServerError, match="there is no such project any more"):
        client.outline_project(project.id)


def test_what_could_not_be_opened_is_said(client: Client) -> None:
    with client.outlines("tiny", root="pictures") as project:
        assert len(project.problems) == 1
        assert "broken.png" in project.problems[0]
        project.remove()
    with pytest.raises(DataError, match="expected one of sample, files and root"):
        client.outlines("tiny", sample="shapes", root="pictures")
    with pytest.raises(ServerError, match="there is no run 'tin'"):
        client.outlines("tin", sample="shapes")


def test_generated_images_come_with_their_truth(client: Client) -> None:
    with client.outlines("tiny", sample="shapes") as project:
        image = project.image()
        assert image.truth is not None
        image.box(*image.truth[0].parts[0].box)
        image.draw().drain()
        assert image.score is None or 0 <= image.score["iou"] <= 1
        project.remove()


def test_a_token_opens_the_socket_and_a_server_that_goes_is_said(
    small_run: Path, image_root: Path, tmp_path: Path, run_server: Callable[..., AbstractContextManager[Any]]
) -> None:
    with run_server(str(small_run), "--root", str(image_root), "--state", str(tmp_path), "--token") as server:
        address, _, token = server.address.partition("/?token=")
        with Client(address) as nobody, pytest.raises(ServerError, match="401"):
            nobody.outlines("tiny", sample="shapes")
        client = Client(address, token)
        image = client.outlines("tiny", root="pictures", path="one.png").image()
        assert image.box(25, 18, 70, 54).current == 1
    with pytest.raises(ServerError, match="the socket was closed"):
        image.undo()
    client.close()


def test_expected_chances_are_numbers(image: OutlineImage) -> None:
    list(image.start((30, 45)))
    with pytest.raises(ServerError, match="there is no point 99"):
        image.expected(99)
    assert np.isfinite(image.expected(0)).all()
