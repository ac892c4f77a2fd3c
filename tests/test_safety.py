"""Nothing that is read is run: no pickles, no evaluated text, no archive unpacked by its names; told by the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for place in ("src", ".ci", "examples") for path in (ROOT / place).rglob("*.py"))

PICKLES = ("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "zipimport", "runpy")
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
    "yaml.full_load_all": "makes objects; use yaml.safe_load_all",
    "yaml.unsafe_load_all": "makes any object; use yaml.safe_load_all",
    "yaml.Loader": "makes any object; use yaml.SafeLoader",
    "yaml.FullLoader": "makes objects; use yaml.SafeLoader",
    "yaml.UnsafeLoader": "makes any object; use yaml.SafeLoader",
    "yaml.CLoader": "makes any object; use yaml.CSafeLoader",
    "torch.jit.load": "reads a program",
    "torch.hub": "fetches and runs code",
    "torch.utils.model_zoo": "fetches a pickle",
    "torch.package": "runs code",
    "torch.serialization": "reads a pickle; use torch.load",
    "torch.storage._load_from_bytes": "reads a pickle",
    "torch.ops.load_library": "loads a library by name",
    "torch.classes.load_library": "loads a library by name",
    "os.system": "runs a line of a shell",
    "os.popen": "runs a line of a shell",
    "subprocess.getoutput": "runs a line of a shell",
    "subprocess.getstatusoutput": "runs a line of a shell",
    "asyncio.create_subprocess_shell": "runs a line of a shell",
    "pty.spawn": "runs a program beside subprocess",
    "shutil.unpack_archive": "writes where an archive says",
    "tempfile.mktemp": "names a file that another may make first",
    "xml.dom": "expands entities",
    "xml.sax": "expands entities",
    "xml.etree.ElementTree.parse": "expands entities",
    "xml.etree.ElementTree.iterparse": "expands entities",
    "xml.etree.ElementTree.XML": "expands entities",
    "xml.etree.ElementTree.XMLParser": "expands entities",
    "xml.etree.ElementTree.XMLPullParser": "expands entities",
    "lxml": "expands entities and fetches them",
    "plistlib": "expands entities",
    "xmlrpc": "expands entities",
    "logging.config": "evaluates what a file says",
    "multiprocessing.connection.Client": "reads pickles from an address",
    "multiprocessing.connection.Listener": "reads pickles from an address",
    "multiprocessing.managers": "reads pickles from an address",
    "numpy.fromregex": "reads objects",
    "numpy.ctypeslib": "loads a library by name",
    "numpy.lib.format": "may read a pickle; use numpy.load",
    "numpy.lib.npyio": "may read a pickle; use numpy.load",
    "pandas.read_pickle": "reads a pickle",
    "pandas.read_hdf": "reads a pickle",
    "pandas.eval": "runs text",
    "urllib.request": "reads files and follows redirects; use httpx",
}
"""Names that are not to be spoken of, nor what is below them."""
NEEDS: dict[str, tuple[str, object]] = {
    "torch.load": ("weights_only", True),
    "numpy.load": ("allow_pickle", False),
    "numpy.save": ("allow_pickle", False),
    "PIL.Image.open": ("formats", ...),
    "xarray.open_dataset": ("engine", ...),
}
"""Calls that are safe with one argument alone, given as it stands here, or, with ..., given at all."""
ONCE = {
    "xml.etree.ElementTree.fromstring": "src/semicoupled/serving/label_studio_config.py",
    "ctypes.CDLL": "src/semicoupled/devices.py",
    "importlib.util.spec_from_file_location": "",
    "importlib.machinery": "",
    "os.execv": "",
}
"""What is done in one place, looked at by hand, and nowhere else: a document type is refused before; the C library."""
METHODS = {
    "extractall": "writes where an archive says",
    "extract": "writes where an archive says",
    "read_pickle": "reads a pickle",
    "to_pickle": "writes a pickle",
}
"""Whatever they are of."""
WORDS = {"allow_pickle": False, "shell": False, "weights_only": True}
"""What an argument of this name has to be, whatever it is given to."""
MODULES = re.compile(r"semicoupled\.|rasterio\.")
"""How names of modules begin that are put together while the program runs."""


def complaints(text: str, place: str = "") -> Iterator[str]:
    """Name what is not safe in a source, with its line. Speaking of a name counts as calling it."""
    tree = ast.parse(text)
    names = _imported(tree)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        for what in _wrong(node, tree, names, place, called):
            yield f"line {getattr(node, 'lineno', 0)}: {what}"


def _wrong(node: ast.AST, tree: ast.Module, names: dict[str, str], place: str, called: set[int]) -> Iterator[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        for taken in _taken(node, tree, names):
            if taken.split(".")[0] in PICKLES and taken not in OF_PICKLE:
                yield f"imports {taken}"
    if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
        yield from _spoken(_dotted(node, names), place, id(node) in called)
    if isinstance(node, ast.Attribute) and node.attr in METHODS:
        yield f"{node.attr} {METHODS[node.attr]}"
    if isinstance(node, ast.Dict):  # options that are given on with two stars
        pairs = zip(node.keys, node.values, strict=True)
        yield from _words(
            (key.value, value)
            for key, value in pairs
            if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
        )
    if isinstance(node, ast.Call):
        yield from _words((each.arg, each.value) for each in node.keywords)
        yield from _call(node, _dotted(node.func, names), names)


def _call(node: ast.Call, name: str | None, names: dict[str, str]) -> Iterator[str]:
    if name in NEEDS:
        word, value = NEEDS[name]
        given = [each.value for each in node.keywords if each.arg == word]
        if not given or (value is not ... and not (isinstance(given[0], ast.Constant) and given[0].value is value)):
            yield f"{name} without {word}={'...' if value is ... else value}"
    if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        whole = f"{_dotted(node.args[0], names)}.{node.args[1].value}"
        if whole in NEEDS or any(_within(whole, each) for each in NEVER):
            yield f"takes {whole} by its name"
    if name == "importlib.import_module" and node.args:
        named = node.args[0]
        if isinstance(named, ast.Constant) and str(named.value).split(".")[0] in PICKLES:
            yield f"imports {named.value}"
        if isinstance(named, ast.JoinedStr):
            first = named.values[0]
            if not (isinstance(first, ast.Constant) and MODULES.match(str(first.value))):
                yield "imports by a name that was read"


def _words(given: Iterable[tuple[object, ast.expr]]) -> Iterator[str]:
    for word, value in given:
        if word in WORDS and not (isinstance(value, ast.Constant) and value.value is WORDS[word]):
            yield "runs a line of a shell" if word == "shell" else f"{word} is not {WORDS[word]}"


def _spoken(name: str | None, place: str, calls: bool) -> Iterator[str]:
    if name is None:
        return
    name = name.removeprefix("builtins.")
    yield from (f"{name} {why}" for each, why in NEVER.items() if _within(name, each))
    if name in NEEDS and not calls:
        yield f"{name} under another name"
    if name in ONCE and place != ONCE[name]:
        yield f"{name} is used in {ONCE[name] or 'no place'} alone"


def _within(name: str, outer: str) -> bool:
    return name == outer or name.startswith(f"{outer}.")


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


def test_nothing_that_is_read_is_run() -> None:
    found = {
        str(path.relative_to(ROOT)): list(
            complaints(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
        )
        for path in SOURCES
    }
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
        ("run = eval\nrun('1')", "eval runs text"),
        ("import builtins\nbuiltins.exec('1')", "exec runs text"),
        ("import torch\nread = torch.load", "torch.load under another name"),
        ("import torch\ngetattr(torch, 'load')(f)", "takes torch.load by its name"),
        ("import os\ngetattr(os, 'system')('ls')", "takes os.system by its name"),
        ("import importlib\nimportlib.import_module('pickle')", "imports pickle"),
        ("import importlib\nimportlib.import_module(f'{name}.settings')", "by a name that was read"),
        ("import numpy\nnumpy.savez(f, a, allow_pickle=True)", "allow_pickle is not False"),
        ("import numpy\nnumpy.load(f, **{'allow_pickle': True})", "numpy.load without"),
        ("from numpy.lib import format\nformat.read_array(f)", "use numpy.load"),
        ("import yaml\nyaml.UnsafeLoader(f).get_single_data()", "makes any object"),
        ("import subprocess\nsubprocess.run('ls', **{'shell': True})", "line of a shell"),
        ("import subprocess\nsubprocess.getoutput('ls')", "line of a shell"),
        ("def unpack(archive):\n    archive.extractall()", "extractall writes where"),
        ("from xml.etree import ElementTree\nElementTree.fromstring(t)", "label_studio_config.py alone"),
        ("from xml.dom import minidom\nminidom.parseString(t)", "expands entities"),
        ("from multiprocessing.managers import BaseManager\nBaseManager()", "pickles from an address"),
        ("from PIL import Image\nImage.open(f)", "PIL.Image.open without formats"),
        ("import xarray as xr\nxr.open_dataset(f)", "xarray.open_dataset without engine"),
        ("import pandas as pd\npd.read_pickle(f)", "reads a pickle"),
        ("import zipfile\nzipfile.ZipFile(f).extractall(d)", "extractall writes where"),
        ("import subprocess\nsubprocess.run('ls', shell=True)", "line of a shell"),
        ("import os\nos.system('ls')", "line of a shell"),
        ("import torch\ntorch.hub.load('a', 'b')", "fetches and runs"),
    ],
)
def test_what_is_not_safe_is_found(text: str, words: str) -> None:
    found = list(complaints(text))
    assert found
    assert any(words in each for each in found), found


@pytest.mark.parametrize(
    "text",
    [
        "import pickle\ntry: pass\nexcept pickle.UnpicklingError: pass",
        "import torch\ntorch.load(f, map_location='cpu', weights_only=True)",
        "import numpy\nnumpy.load(f, allow_pickle=False)",
        "import yaml\nyaml.safe_load(f)",
        "model.eval()",
        "from PIL import Image\nImage.open(f, formats=('PNG',))",
        "import importlib\nimportlib.import_module(f'semicoupled.tasks.{name}')",
        "import re\nre.compile('a')",
    ],
)
def test_what_is_safe_is_not(text: str) -> None:
    assert list(complaints(text)) == []


NOT_IN_PAGES = re.compile(
    r"\beval\(|new Function\(|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|srcdoc"
    r"|set(?:Timeout|Interval)\([\"'`]"
)
"""What would make of text of others a program or markup."""


def test_pages_make_no_program_and_no_markup_of_text() -> None:
    pages = ROOT / "src" / "semicoupled" / "serving" / "static"
    ours = [file for file in pages.rglob("*") if file.suffix in (".js", ".html") and "vendor" not in file.parts]
    assert len(ours) > 20
    assert [file.name for file in ours if NOT_IN_PAGES.search(file.read_text(encoding="utf-8"))] == []
    assert NOT_IN_PAGES.search("box.innerHTML = name")
    assert NOT_IN_PAGES.search("setTimeout('go()', 5)")
