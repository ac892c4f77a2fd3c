"""The audit finds versions that are known to be bad, and says what it looked at."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    file = ROOT / ".ci" / "audit.py"
    if not file.is_file():
        pytest.skip("no .ci here: it does not come with the source distribution")
    spec = importlib.util.spec_from_file_location("audit", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def known(audit: ModuleType) -> dict:
    return tomllib.loads(audit.LIST.read_text(encoding="utf-8"))


def test_a_bad_version_is_found_whatever_the_name_is_written_like(audit: ModuleType) -> None:
    bad = {"pyyaml": "5.3.1", "lightning-fabric": "2.6.3", "pillow": "11.2.1", "torch": "2.5.1+cpu"}
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
        lowest = next(iter(asked.specifier)).version
        assert not any(SpecifierSet(one).contains(lowest) for one in bad["versions"]), bad["name"]
