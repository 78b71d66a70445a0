"""Words of a rule that the data have never seen: `COFEE` matches nobody, and nobody would be told why."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator

from sqlglot import exp

from aimwell.core.comparisons import Path
from aimwell.core.problems import Problem
from aimwell.core.rules import AttributeIs, InSequence, Leaf, Rule, leaves
from aimwell.insight.rules.context import View

_PRODUCT = ("department", "category", "subcategory", "brand")
# Under which table and column the words of each filter stand, by the key of the leaf.
_PLACES: dict[str, dict[str, tuple[str, str]]] = {
    "purchases": {name: ("product", name) for name in _PRODUCT}
    | {"product": ("purchase", "product_id"), "channel": ("purchase", "channel"), "place": ("purchase", "place")},
    "events": {"name": ("event", "name"), "channel": ("event", "channel")},
    "touches": {"campaign": ("touch", "campaign"), "journey": ("touch", "journey"), "channel": ("touch", "channel")}
    | {"offer": ("touch", "offer_id")},
    "outcomes": {"kind": ("outcome", "kind"), "campaign": ("touch", "campaign"), "journey": ("touch", "journey")}
    | {"channel": ("touch", "channel"), "offer": ("touch", "offer_id")},
}


def unseen_words(
    rule: Rule,
    view: View,
    *,
    file: str = "rule",
    at: Path = (),
    line_of: Callable[[Path], int | None] = lambda path: None,
) -> list[Problem]:
    """Words that a rule compares with and that no row known at the view holds, with similar ones that do occur.

    These are hints, not mistakes: an event may yet happen for the first time. Cost: one pass over each column that is
    spoken of. Columns that are not loaded are left to `check`.
    """
    seen: dict[tuple[str, str], list[str]] = {}
    found: list[Problem] = []
    for path, leaf in leaves(rule):
        for step, (table, column), word in _words(leaf):
            facts = view.catalog.get(table)
            if facts is None or column not in facts.columns:
                continue
            if (table, column) not in seen:
                seen[table, column] = _values(view, table, column)
            if word not in seen[table, column]:
                place = (*at, *path, *step)
                message = f"{word!r} never occurs in {table}.{column}"
                found.append(
                    Problem(file, line_of(place), ".".join(map(str, place)), message, _hint(word, seen[table, column]))
                )
    return found


def _words(leaf: Leaf) -> Iterator[tuple[Path, tuple[str, str], str]]:
    """Every word of a leaf with its place in the leaf, and the table and column that should hold it."""
    if isinstance(leaf, AttributeIs):
        given: list[object] = [leaf.is_, *(leaf.in_ or ())]
        for word in given:
            if isinstance(word, str):
                yield ("attribute",), ("customer", leaf.attribute), word
        return
    parts = [((), leaf)] if not isinstance(leaf, InSequence) else enumerate(leaf.sequence.steps)
    for index, part in parts:
        prefix: Path = ("sequence", "steps", index) if isinstance(index, int) else ()
        for key, places in _PLACES.items():
            body = getattr(part, key, None)
            for name, place in places.items() if body is not None else ():
                for word in getattr(body, name, None) or ():
                    yield (*prefix, key, name), place, word


def _values(view: View, table: str, column: str) -> list[str]:
    name = exp.column(column, quoted=True)
    known = exp.Not(this=exp.Is(this=name.copy(), expression=exp.null()))
    rows = view.to_arrow(exp.select(exp.alias_(name, "word")).distinct().from_(table).where(known).order_by("word"))
    return [str(word) for word in rows.column("word").to_pylist()]


def _hint(word: str, values: list[str]) -> str:
    close = difflib.get_close_matches(word, values, 3, cutoff=0.5)
    if close:
        return f"did you mean {', '.join(map(repr, close))}?"
    few = 8
    return (
        f"there is {', '.join(map(repr, values[:few]))}" + (" …" if len(values) > few else "")
        if values
        else "it is empty"
    )
