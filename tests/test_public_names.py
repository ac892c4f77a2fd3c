"""Every public name says what it is: a sentence, its arguments or attributes, and the errors that it raises."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "semicoupled"
REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
ERRORS = {
    node.name
    for node in ast.parse((SOURCE / "errors.py").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}
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


def raised(node: ast.AST) -> set[str]:
    """Name the errors of ours that a function raises itself, not in functions within it."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(child, ast.Raise) and child.exc is not None:
            what = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            if isinstance(what, ast.Name) and what.id in ERRORS:
                found.add(what.id)
        found |= raised(child)
    return found


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
    for name, node, method in public(ast.parse(source).body):
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
        unsaid = raised(node) - entries(section(told, "Raises") or "")
        found += [f"{name}: raises {error} and does not say so" for error in sorted(unsaid)]
    return found


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_public_names_say_what_they_are(file: Path) -> None:
    assert gaps(file.read_text(encoding="utf-8")) == []


def test_the_reference_lists_modules_that_are_there() -> None:
    assert len(IN_REFERENCE) > 80
    assert sorted(str(file) for file in IN_REFERENCE if not file.is_file()) == []


def test_what_is_not_said_is_found() -> None:
    source = '''
def bare(): ...
def half(a, b):
    """Do."""
    raise SettingsError("no")
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
        "wrong: the first line is no whole sentence",
        "wrong: Args and the arguments differ in a, b",
        "Pair: the field two is not described",
    ]
