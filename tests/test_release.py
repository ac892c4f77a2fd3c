"""What is looked for in a wheel and an sdist is found out where it is missing, and minima are read, not typed again."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import math
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def whole_wheel(dist: ModuleType) -> dict[str, bytes]:
    names = [name.replace("dist-info", "semicoupled-0.dist-info") for name in dist.IN_WHEEL]
    return dict.fromkeys([*names, *dist.besides_code()], b"")


def write_wheel(file: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def test_a_wheel_is_looked_into(tmp_path: Path) -> None:
    dist = script("dist")
    whole = whole_wheel(dist)
    assert dist.look_into_wheel(write_wheel(tmp_path / "a.whl", whole)) == []
    del whole["semicoupled/py.typed"], whole["semicoupled/tasks/toy/presets/star.yaml"]
    del whole["semicoupled/weights/outline/made/README.md"], whole["semicoupled/serving/static/vendor/uplot/LICENSE"]
    wrong = dist.look_into_wheel(write_wheel(tmp_path / "b.whl", {**whole, "tests/data.npz": b"", "runs/x": b""}))
    assert wrong == [
        "b.whl: semicoupled/py.typed is missing",
        "b.whl: tests/data.npz should not be there",
        "b.whl: runs/x should not be there",
        "b.whl: semicoupled/serving/static/vendor/uplot/LICENSE is missing",
        "b.whl: semicoupled/tasks/toy/presets/star.yaml is missing",
        "b.whl: semicoupled/weights/outline/made/README.md is missing",
    ]
    heavy = {**whole_wheel(dist), "semicoupled/weights/a/b/model.safetensors": bytes(6 * 2**20)}
    wrong = dist.look_into_wheel(write_wheel(tmp_path / "c.whl", heavy))
    assert wrong == ["c.whl: semicoupled/weights/a/b/model.safetensors has 6291456 bytes; expected at most 5242880"]
    dist.LARGEST = 10
    assert dist.look_into_wheel(tmp_path / "a.whl")[0].endswith("bytes; expected at most 10")


def test_an_sdist_is_looked_into(tmp_path: Path) -> None:
    dist = script("dist")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name in [*dist.IN_SDIST[1:], "tests/serving/vendor/axe.js"]:
            archive.addfile(tarfile.TarInfo(f"semicoupled-0/{name}"), io.BytesIO())
    assert dist.look_into_sdist(tmp_path / "a.tar.gz") == [
        f"a.tar.gz: {dist.IN_SDIST[0]} is missing",
        "a.tar.gz: tests/serving/vendor/axe.js should not be there",
    ]


def test_the_matrix_has_the_promised_pythons_that_are_here() -> None:
    promised = script("dist").promised()
    assert promised[:3] == ["3.11", "3.12", "3.13"]
    command = [sys.executable, str(ROOT / ".ci" / "dist.py"), "--matrix"]
    printed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(printed) <= {f"python{version}" for version in promised}


def test_minima_are_those_of_the_project_and_contradictions_are_refused(tmp_path: Path) -> None:
    lowest = script("lowest")
    found = lowest.lowest(ROOT / "pyproject.toml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"torch>={found['torch']}" in project["dependencies"]
    assert found["jsonargparse"] in project["dependencies"][3]
    assert "types-pyyaml" not in found  # has no minimum
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(
        '[project]\ndependencies = ["a>=1.2"]\n[project.optional-dependencies]\nx = ["A[b]>=1.3"]\n', encoding="utf-8"
    )
    with pytest.raises(ValueError, match=r"a >= 1\.2 here and >= 1\.3 there; expected one minimum"):
        lowest.lowest(pyproject)


def test_both_licenses_and_the_notice_go_into_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license-files"] == ["LICENSE", "NOTICE"]
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    weights = ROOT / "src" / "semicoupled" / "weights"
    shipped = [str(file.parent.relative_to(weights)) for file in weights.rglob("model.safetensors")]
    assert shipped
    assert [name for name in shipped if name not in notice] == []
    cards = (ROOT / "docs" / "cards.md").read_text(encoding="utf-8")
    assert [name for name in shipped if f"weights/{name}/README.md" not in cards] == []


CARDS = sorted((ROOT / "src" / "semicoupled" / "weights").rglob("README.md"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: "/".join(card.parts[-3:-1]))
def test_a_card_is_of_its_file(card: Path) -> None:
    text, file = card.read_text(encoding="utf-8"), card.with_name("model.safetensors")
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + length])
    values = sum(math.prod(each["shape"]) for name, each in head.items() if name != "__metadata__")
    said = re.search(r"^`model.safetensors`: ([\d ]+) bytes, ([\d ]+) values, SHA-256\n\n    (\w{64})$", text, re.M)
    assert said is not None
    assert [int(said[1].replace(" ", "")), int(said[2].replace(" ", ""))] == [len(content), values]
    assert said[3] == hashlib.sha256(content).hexdigest()
    assert len(content) <= 5 * 2**20
    parts = re.findall(r"^## (.+)$", text, re.M)
    assert parts == ["Data", "File", "License", "Scores", "Limits", "How it was made"]
    scores, made = text.partition("## Scores")[2], text.partition("## How it was made")[2]
    assert f"    semicoupled evaluate {card.parts[-3]} " in scores
    assert f"    semicoupled train {card.parts[-3]} " in made
    assert f"{head['__metadata__']['step']} steps" in made


def test_the_version_stands_everywhere() -> None:
    from semicoupled import __version__

    named = re.search(
        r"^version: (\S+)\ndate-released: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.M
    )
    assert named is not None
    newest = re.search(r"^## (\S+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert newest is not None
    assert (named[1], newest[1]) == (__version__, __version__)
    assert newest[2] == named[2]


def test_pages_draw_all_their_figures(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("draw_figures", ROOT / "docs" / "draw_figures.py")
    assert spec is not None
    assert spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert [name for name in drawing.FIGURES if f"(figures/{name}.svg)" not in page] == []
    drawing.FIGURES = {name: drawing.FIGURES[name] for name in ("layer", "gate", "segments")}
    files = drawing.draw_all(tmp_path / "figures")
    assert all(file.read_text(encoding="utf-8").startswith("<?xml") for file in files)
    whole, thinned = drawing.gradients(0.0, draws=1), drawing.gradients(0.5, draws=1)
    assert thinned[0] < whole[0]  # what the page says of the switches
    assert thinned[-1] == whole[-1]
