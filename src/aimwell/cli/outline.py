"""What a file of commands offers, read from its text: names and help without running it.

Importing the steps costs seconds, and most of what is asked of a command line (`--help`, the completion of a name, a
verb of one noun) needs none or few of them. So the text of a file is read for the three things that stand in it
literally: `group("noun", "about")`, `@app.command("verb")`, and the docstring below it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Outline:
    """One file of commands: the module, its noun (None: verbs of the top level), and its verbs with their help."""

    module: str
    noun: str | None
    about: str
    verbs: dict[str, str]


def outline_of(module: str) -> Outline:
    """The outline of a module that has not been imported; no verbs if its text does not tell them.

    >>> outline = outline_of("aimwell.cli.commands.segment")
    >>> outline.noun, "overlap" in outline.verbs
    ('segment', True)
    """
    tree = ast.parse(_text(module))
    nouns = [names for node in ast.walk(tree) if (names := _literals(node, "group"))]
    noun, about = (*nouns[0], "")[:2] if nouns else (None, "")
    return Outline(module, noun, about, dict(_verbs(tree)))


def _text(module: str) -> str:
    """The source of a module; empty where there is none, as in a package that ships compiled files alone."""
    spec = find_spec(module)
    source = getattr(spec.loader, "get_source", None) if spec else None
    return (source(module) if source else None) or ""


def _verbs(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                for name in _literals(decorator, "command"):
                    yield name, ast.get_docstring(node) or ""


def _literals(node: ast.AST, called: str) -> tuple[str, ...]:
    """The literal texts with which a function or method of that name is called in this node; empty if it is not."""
    if not isinstance(node, ast.Call):
        return ()
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return tuple(texts) if name == called else ()
