"""Equations as MathML, which browsers draw by themselves: nothing is fetched, and no script runs.

Sphinx's own way is MathJax from another host: a reader without a network saw the source of the equations, and one
with a network told that host what is read.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

NAME = "mathml"
_TAG = re.compile(r"\\tag\{([^{}]*)\}")
_LETTER = re.compile(r'<mi mathvariant="(script|double-struck)">([A-Za-z])</mi>')
_VARIANT = re.compile(r'mathvariant="(?!normal")[^"]*"')
_KINDS = {"script": ("SCRIPT", "MATHEMATICAL SCRIPT"), "double-struck": ("DOUBLE-STRUCK", "MATHEMATICAL DOUBLE-STRUCK")}


def mathml(latex: str, display: str) -> str:
    r"""Give the MathML of an equation.

    Args:
        latex: without a `\tag`.
        display: `inline` or `block`.

    Returns:
        A `math` element. Script letters are letters of their own there: MathML Core knows no `mathvariant` for them.

    Raises:
        ExtensionError: it cannot be read, or browsers would draw it in another way.
    """
    try:
        made = convert(latex, display=display)
    except Exception as error:
        raise ExtensionError(f"{latex!r} cannot be read as an equation ({error!r}); write it in another way") from error
    made = _LETTER.sub(lambda match: f"<mi>{_letter(match[1], match[2])}</mi>", made)
    unknown = _VARIANT.search(made)
    if unknown is not None or re.search(r"<m[a-z]+>\s*\\[a-z]", made):
        said = unknown[0] if unknown is not None else "a command that is not known"
        raise ExtensionError(f"{latex!r} has {said}, which browsers do not draw; write it in another way")
    return made


def _letter(kind: str, letter: str) -> str:
    """Give a letter of a kind: most stand in one block of Unicode, a few were there before it."""
    case = "CAPITAL" if letter.isupper() else "SMALL"
    for family in _KINDS[kind]:
        try:
            return unicodedata.lookup(f"{family} {case} {letter.upper()}")
        except KeyError:
            continue
    raise ExtensionError(f"no {kind} letter {letter} in Unicode")


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    latex = node.astext()
    tag = _TAG.search(latex)
    number = f'<span class="eqno">({tag[1]})</span>' if tag is not None else ""
    translator.body.append(f'<div class="equation">{mathml(_TAG.sub("", latex).strip(), "block")}{number}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx draw equations in this way."""
    app.add_html_math_renderer(NAME, (_inline, None), (_block, None))  # pyright: ignore[reportArgumentType]
    return {"parallel_read_safe": True, "parallel_write_safe": True}
