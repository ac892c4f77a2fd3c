"""Nothing that is read is run: no pickles, no evaluated text, no archive unpacked by its names; told by the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for place in ("src", ".ci", "examples") for path in (ROOT / place).rglob("*.py"))

PICKLES = ("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve")
OF_PICKLE = {"pickle.UnpicklingError"}
"""What may be taken from there: the name of an error."""
NEVER = {
    "eval": "runs text",
    "exec": "runs text",
    "compile": "runs text",
    "__import__": "imports by a name that was read",
    "yaml.load": "makes any object; use yaml.safe_load",
    "yaml.full_load": "makes objects; use yaml.safe_load",
    "yaml.unsafe_load": "makes any object; use yaml.safe_load",
    "yaml.load_all": "makes any object; use yaml.safe_load_all",
    "torch.jit.load": "reads a program",
    "torch.hub.load": "fetches and runs code",
    "torch.package.PackageImporter": "runs code",
    "torch.storage._load_from_bytes": "reads a pickle",
    "os.system": "runs a line of a shell",
    "os.popen": "runs a line of a shell",
    "shutil.unpack_archive": "writes where an archive says",
    "tempfile.mktemp": "names a file that another may make first",
    "xml.etree.ElementTree.parse": "expands entities",
    "xml.dom.minidom.parse": "expands entities",
    "numpy.fromregex": "reads objects",
    "numpy.ctypeslib.load_library": "loads a library by name",
}
NEEDS = {
    "torch.load": ("weights_only", True),
    "numpy.load": ("allow_pickle", False),
    "numpy.save": ("allow_pickle", False),
}
"""Calls that are safe with one argument alone, given as it stands here."""
METHODS = {"extractall": "writes where an archive says", "extract": "writes where an archive says"}
"""Of zipfile and tarfile."""


def complaints(text: str) -> Iterator[str]:
    """Name what is not safe in a source, with its line."""
    tree = ast.parse(text)
    names = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for taken in _taken(node, tree, names):
                if taken.split(".")[0] in PICKLES and taken not in OF_PICKLE:
                    yield f"line {node.lineno}: imports {taken}"
        if not isinstance(node, ast.Call):
            continue
        called = _dotted(node.func, names)
        if called in NEVER:
            yield f"line {node.lineno}: {called} {NEVER[called]}"
        if called in NEEDS:
            name, value = NEEDS[called]
            given = [each.value for each in node.keywords if each.arg == name]
            if not (given and isinstance(given[0], ast.Constant) and given[0].value is value):
                yield f"line {node.lineno}: {called} without {name}={value}"
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS and _archives(names):
            yield f"line {node.lineno}: {node.func.attr} {METHODS[node.func.attr]}"
        for each in node.keywords:
            if each.arg == "shell" and not (isinstance(each.value, ast.Constant) and each.value.value is False):
                yield f"line {node.lineno}: runs a line of a shell"


def _imported(tree: ast.Module) -> dict[str, str]:
    """Give what each name of a module stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(
                {
                    each.asname or each.name.split(".")[0]: (each.asname and each.name) or each.name.split(".")[0]
                    for each in node.names
                }
            )
        if isinstance(node, ast.ImportFrom) and node.module:
            names.update({each.asname or each.name: f"{node.module}.{each.name}" for each in node.names})
    return names


def _taken(node: ast.Import | ast.ImportFrom, tree: ast.Module, names: dict[str, str]) -> list[str]:
    """Give what an import takes: of a module, what is used of it where that is known."""
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{each.name}" for each in node.names]
    used = [_dotted(each, names) for each in ast.walk(tree) if isinstance(each, ast.Attribute)]
    return [
        taken
        for each in node.names
        for taken in [name for name in used if name and name.startswith(f"{each.name}.")] or [each.name]
    ]


def _dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, names)
        return None if before is None else f"{before}.{node.attr}"
    return None


def _archives(names: dict[str, str]) -> bool:
    return any(module.split(".")[0] in ("zipfile", "tarfile") for module in names.values())


def test_nothing_that_is_read_is_run() -> None:
    found = {str(path.relative_to(ROOT)): list(complaints(path.read_text(encoding="utf-8"))) for path in SOURCES}
    assert {path: words for path, words in found.items() if words} == {}


def test_all_sources_are_looked_at() -> None:
    assert len(SOURCES) > 300


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import pickle\npickle.load(f)", "imports pickle.load"),
        ("from joblib import load", "imports joblib.load"),
        ("import torch\ntorch.load(f)", "without weights_only=True"),
        ("import torch\ntorch.load(f, weights_only=False)", "without weights_only=True"),
        ("from torch import load as fetch\nfetch(f, weights_only=anything)", "without weights_only=True"),
        ("import numpy as np\nnp.load(f)", "without allow_pickle=False"),
        ("import yaml\nyaml.load(f, Loader=yaml.SafeLoader)", "use yaml.safe_load"),
        ("eval('1')", "eval runs text"),
        ("import zipfile\nzipfile.ZipFile(f).extractall(d)", "extractall writes where"),
        ("import subprocess\nsubprocess.run('ls', shell=True)", "line of a shell"),
        ("import os\nos.system('ls')", "line of a shell"),
        ("import torch\ntorch.hub.load('a', 'b')", "fetches and runs"),
    ],
)
def test_what_is_not_safe_is_found(text: str, words: str) -> None:
    found = list(complaints(text))
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "import pickle\ntry: pass\nexcept pickle.UnpicklingError: pass",
        "import torch\ntorch.load(f, map_location='cpu', weights_only=True)",
        "import numpy\nnumpy.load(f, allow_pickle=False)",
        "import yaml\nyaml.safe_load(f)",
        "model.eval()",
    ],
)
def test_what_is_safe_is_not(text: str) -> None:
    assert list(complaints(text)) == []
