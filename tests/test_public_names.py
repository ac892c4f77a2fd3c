"""Every public name says what it is: a sentence, its arguments or attributes, shapes of arrays, the errors it raises.

Errors are those that a function raises itself, and those that private functions of its module raise for it. A shape
stands in the annotation (``Float[Tensor, "B T C H W"]``) or in the docstring.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "semicoupled"
REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
ERRORS = {
    node.name
    for node in ast.parse((SOURCE / "errors.py").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}
OF_PYTHON = {
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)
} - {"AssertionError", "NotImplementedError", "StopIteration"}
"""What a caller could meet; the rest ends an iteration, or says that a line cannot be reached."""
ARRAY = re.compile(r"(^|\| ?)(torch\.)?(Tensor|np\.ndarray|NDArray\[.*\])( ?\||$)")
SHAPE = re.compile(
    r"(?<![\w.`'])[BCDFHKLMNPSTW]\d?(?![\w'`(]|\.\w)|T\*B|\w\)? x [\w(]"
    r"|any shape|scalar|one number|number of|[Ss]ee `|likewise",
    re.ASCII,
)
"""Letters of the legend alone, or a sentence on the shape, or a reference to where it stands."""
FLOORS = ("nn", "networks", "training", "data", "explain", "export", "plugins")
"""Packages that a program of others builds on: the reference has every module of theirs."""
INNER = {
    "nn": {"convolution", "fold", "gather", "onednn", "packed_convolution", "per_layer", "shapes", "shortcut"},
    "training": {"clock", "description", "position", "processes"},
    "data": {"video_container"},
    "explain": {"chains_plot", "samples"},
    "export": {"onnx_program", "readme", "reduced"},
}
"""But for these, which only modules beside them use."""
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MODULES = sorted(file for file in SOURCE.rglob("*.py") if not any(part.startswith("_") for part in file.parts[:-1]))
IN_REFERENCE = {
    SOURCE.parent / (name.replace(".", "/") + ".py")
    for page in REFERENCE.glob("*.md")
    for name in re.findall(r"^\.\. automodule:: (\S+)$", page.read_text(encoding="utf-8"), re.M)
}


def public(body: list[ast.stmt], inside: str = "") -> Iterator[tuple[str, Documented, bool]]:
    """Give the public names of a module or class, with whether each is a method."""
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("_") and not overload(node):
            yield inside + node.name, node, bool(inside)
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{inside}{node.name}.")


def overload(node: Documented) -> bool:
    """Whether it is one of several signatures, and the name is described where its body is."""
    return any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list)


def section(docstring: str, title: str) -> str | None:
    """Give a section of a docstring in Google's form; None where it has none."""
    found = re.search(rf"^( *){title}:\n((?:\1 +.*\n?|\n)*)", docstring + "\n", re.M)
    return found[2] if found else None


def entries(text: str) -> set[str]:
    """Name the entries of a section: those that stand at its own indent."""
    lines = [line for line in text.splitlines() if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    named = [re.match(r"\*{0,2}(\w+)", line[indent:]) for line in lines if not line[indent:].startswith(" ")]
    return {match[1] for match in named if match}


def arguments(node: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> set[str]:
    """Name what a function is given; a method less itself."""
    given = node.args
    several = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return {one.arg for one in several if one is not None} - ({"self", "cls"} if method else set())


def raised(node: ast.AST, private: Mapping[str, ast.AST], seen: frozenset[str] = frozenset()) -> set[str]:
    """Name the errors that a function raises itself, not in functions within it, or through private functions.

    Args:
        node: the function.
        private: those of its module, by name.
        seen: private ones that were looked at.
    """
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(child, ast.Raise) and child.exc is not None:
            what = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            if isinstance(what, ast.Name) and what.id in ERRORS | OF_PYTHON:
                found.add(what.id)
        if isinstance(child, ast.Call) and (name := called(child)) in private and name not in seen:
            found |= raised(private[name], private, seen | {name}) & ERRORS
        found |= raised(child, private, seen)
    return found


def called(node: ast.Call) -> str:
    """Name the function, or the method of itself, that is called; nothing of others."""
    if isinstance(node.func, ast.Name):
        return node.func.id
    own = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    return node.func.attr if own and node.func.value.id in ("self", "cls") else ""


def caught(node: ast.AST) -> set[str]:
    """Name the errors that a function catches, with those below them."""
    handled = [one.type for one in ast.walk(node) if isinstance(one, ast.ExceptHandler) and one.type is not None]
    names = {name.id for kinds in handled for name in ast.walk(kinds) if isinstance(name, ast.Name)}
    return names | (ERRORS if names & {"SemicoupledError", "Exception", "BaseException"} else set())


def unshaped(node: ast.FunctionDef | ast.AsyncFunctionDef, told: str) -> set[str]:
    """Name the arrays that a function is given without a word on their shape."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    arrays = {one.arg for one in given if one.annotation and ARRAY.search(ast.unparse(one.annotation))}
    return set() if SHAPE.search(told) else arrays


def fields(node: ast.ClassDef) -> set[str]:
    """Name the public fields of a NamedTuple or a dataclass; of another class none."""
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    decorated = {ast.unparse(one).partition("(")[0] for one in node.decorator_list}
    if "NamedTuple" not in bases and "dataclass" not in decorated:
        return set()
    annotated = [
        one for one in node.body if isinstance(one, ast.AnnAssign) and "ClassVar" not in ast.unparse(one.annotation)
    ]
    names = {one.target.id for one in annotated if isinstance(one.target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def gaps(source: str) -> list[str]:
    """Say what the public names of a module do not say."""
    found: list[str] = []
    tree = ast.parse(source)
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    private = {node.name: node for node in functions if re.match("_[^_]", node.name)}
    for name, node, method in public(tree.body):
        told = ast.get_docstring(node)
        if not told:
            found.append(f"{name}: no docstring")
            continue
        if told.splitlines()[0][-1] not in ".?!:":
            found.append(f"{name}: the first line is no whole sentence")
        if isinstance(node, ast.ClassDef):
            named = set[str]().union(*(entries(section(told, title) or "") for title in ("Args", "Attributes")))
            below = {
                one.target.id
                for one, text in zip(node.body, node.body[1:], strict=False)
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(text, ast.Expr)
            }
            inline = {field for field in fields(node) if re.search(rf"`{field}`", told)}
            missing = fields(node) - named - below - inline
            found += [f"{name}: the field {field} is not described" for field in sorted(missing)]
            continue
        if (text := section(told, "Args")) is not None and entries(text) != arguments(node, method):
            off = sorted(entries(text) ^ arguments(node, method))
            found.append(f"{name}: Args and the arguments differ in {', '.join(off)}")
        found += [f"{name}: says nothing of the shape of {array}" for array in sorted(unshaped(node, told))]
        unsaid = raised(node, private) - caught(node) - entries(section(told, "Raises") or "")
        found += [f"{name}: raises {error} and does not say so" for error in sorted(unsaid)]
    return found


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_public_names_say_what_they_are(file: Path) -> None:
    assert gaps(file.read_text(encoding="utf-8")) == []


def test_the_reference_lists_modules_that_are_there() -> None:
    assert len(IN_REFERENCE) > 80
    assert sorted(str(file) for file in IN_REFERENCE if not file.is_file()) == []


def test_the_reference_is_whole() -> None:
    there = {SOURCE / floor / f"{name}.py" for floor in FLOORS for name in _modules(SOURCE / floor)}
    inner = {SOURCE / floor / f"{name}.py" for floor, names in INNER.items() for name in names}
    assert sorted(str(file.relative_to(SOURCE)) for file in there - inner - IN_REFERENCE) == []
    assert sorted(str(file.relative_to(SOURCE)) for file in inner - there | inner & IN_REFERENCE) == []


def _modules(folder: Path) -> list[str]:
    return [file.stem for file in folder.glob("*.py") if not file.stem.startswith("_")]


IMPORTED = re.compile(r"^(?:from (semicoupled[\w.]*) import|import (semicoupled[\w.]*))", re.M)


def test_whatever_a_page_imports_is_in_the_reference() -> None:
    root = SOURCE.parents[1]
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    named = {(a or b, page.name) for page in pages for a, b in IMPORTED.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 10
    folders = {file.parent for file in IN_REFERENCE}
    places = {(SOURCE.parent / name.replace(".", "/"), name, page) for name, page in named}
    missing = {
        f"{page}: {name}"
        for place, name, page in places
        if place.with_suffix(".py") not in IN_REFERENCE and place not in folders
    }
    assert sorted(missing) == []


def test_what_is_not_said_is_found() -> None:
    source = '''
def bare(): ...
def half(a, b):
    """Do."""
    raise SettingsError("no")
def through(a):
    """Do."""
    return _refuse(a)
def _refuse(a):
    if a:
        raise DataError("no")
    raise ValueError("not of ours: its own affair")
def caught(a):
    """Do."""
    try:
        raise ValueError("no")
    except ValueError:
        return _refuse(a) if a else 0
def array(frames: Tensor | None, weight: Float[Tensor, "D C"], count: int):
    """Do."""
def shaped(frames: np.ndarray):
    """Do with frames, T H W."""
def wrong(a):
    """Do

    Args:
        b: what.
    """
class Pair(NamedTuple):
    """Two.

    Attributes:
        one: the first.
    """
    one: int
    two: int
'''
    assert gaps(source) == [
        "bare: no docstring",
        "half: raises SettingsError and does not say so",
        "through: raises DataError and does not say so",
        "caught: raises DataError and does not say so",
        "array: says nothing of the shape of frames",
        "wrong: the first line is no whole sentence",
        "wrong: Args and the arguments differ in a, b",
        "Pair: the field two is not described",
    ]
