"""The audit finds versions that are known to be bad, and says what it looked at."""

from __future__ import annotations

import importlib.util
import json
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]


def script(name: str) -> ModuleType:
    file = ROOT / ".ci" / f"{name}.py"
    if not file.is_file():
        pytest.skip("no .ci here: it does not come with the source distribution")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent))  # as for a script that is run
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent))
    return module


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    return script("audit")


def known(audit: ModuleType) -> dict:
    return tomllib.loads(audit.LIST.read_text(encoding="utf-8"))


def test_a_bad_version_is_found_whatever_the_name_is_written_like(audit: ModuleType) -> None:
    bad = {"pyyaml": "5.3.1", "lightning-fabric": "2.6.3", "pillow": "12.3.0", "torch": "2.8.0+cpu"}
    found = audit.listed(bad, known(audit))
    assert [line.split()[0] for line in found] == ["lightning-fabric", "torch", "PyYAML", "Pillow"]
    assert audit.listed({"torch": "2.13.0+cpu", "pillow": "13.0.0"}, known(audit)) == []
    assert "cannot be compared" in audit.listed({"torch": "local"}, known(audit))[0]


def test_what_the_database_does_not_know_is_not_counted(audit: ModuleType) -> None:
    answer = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
            {"name": "b", "version": "1", "vulns": []},
            {"name": "c", "skip_reason": "Dependency not found"},
            {"name": "not-ours", "version": "1", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]},
        ]
    }
    assert audit.understood(json.dumps(answer), {"a", "b", "c"}) == (2, ["a 1: PYSEC-1, mended in 2"])
    assert audit.understood("no network", {"a"}) == (0, [])


def test_what_we_ask_for_through_others_is_looked_at(audit: ModuleType) -> None:
    found = audit.installed("pytest")
    assert {"pluggy", "packaging"} <= found.keys()
    assert "pytest" not in found


def test_nothing_that_we_ask_for_may_be_a_bad_version(audit: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(line) for lines in project["optional-dependencies"].values() for line in lines]
    least = {each.name.lower(): each for each in [*map(Requirement, project["dependencies"]), *wanted]}
    for bad in known(audit)["bad"]:
        asked = least.get(bad["name"].lower())
        if asked is None:
            continue
        lowest = next(each.version for each in asked.specifier if each.operator == ">=")
        assert not any(SpecifierSet(one).contains(lowest) for one in bad["versions"]), bad["name"]


def test_the_list_of_components_says_who_needs_each_and_what_comes_with_us(audit: ModuleType) -> None:
    sbom = script("sbom")
    root = {"bom-ref": "root-component", "name": "semicoupled", "type": "application"}
    outside = [{"type": "distribution", "url": "file:///home/me/semicoupled"}, {"type": "website", "url": "https://a"}]
    components = [
        {"type": "library", "bom-ref": name, "name": name, "externalReferences": outside}
        for name in ("torch", "FastAPI", "pytest", "semicoupled")
    ]
    edges = [{"ref": "root-component", "dependsOn": ["torch", "semicoupled"]}, {"ref": "semicoupled"}]
    document = {"components": components, "dependencies": edges, "metadata": {"component": root}}
    found = sbom.complete(document, {"torch"}, {"torch", "fastapi"})
    scopes = {each["name"]: each["scope"] for each in found["components"]}
    assert (scopes["torch"], scopes["FastAPI"], scopes["pytest"]) == ("required", "optional", "excluded")
    assert "semicoupled" not in scopes
    assert "file:" not in json.dumps(found)
    assert found["metadata"]["component"]["version"] == sbom.version()
    models = [each for each in found["components"] if each["type"] == "machine-learning-model"]
    assert len(models) == len(list((ROOT / "src/semicoupled/weights").rglob("model.safetensors")))
    assert next(each for each in found["components"] if each["name"] == "uplot")["version"].startswith("1.")
    (of_root,) = [each["dependsOn"] for each in found["dependencies"] if each["ref"] == "root-component"]
    assert {"torch", "uplot", models[0]["bom-ref"]} <= set(of_root)


def test_scopes_follow_from_who_asks(audit: ModuleType) -> None:
    every, users = audit.installed(), audit.installed(extras=())
    assert users.keys() < every.keys()
    assert "torch" in users
    assert "pytest" not in users
