"""Checks a rule against what there is: every unknown tag, attribute, segment, prediction or table, in one go."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection

from sqlglot import exp

from aimwell.core.comparisons import Path
from aimwell.core.errors import BadQuestion
from aimwell.core.problems import Problem
from aimwell.core.rules import (
    AttributeIs,
    Events,
    InSequence,
    Leaf,
    MemberOf,
    Outcomes,
    Purchases,
    Rule,
    ScoreIs,
    TagIs,
    Touches,
    leaves,
)
from aimwell.insight.rules.comparing import compared, value_kind
from aimwell.insight.rules.compile import attribute_condition
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.rules.facts import rows_of
from aimwell.insight.rules.sequences import sequence_ctes


def check(
    rule: Rule,
    context: RuleContext,
    *,
    predictions: Collection[str] | None = None,
    file: str = "rule",
    at: Path = (),
    line_of: Callable[[Path], int | None] = lambda path: None,
) -> list[Problem]:
    """Everything in a rule that does not exist or does not fit, with its place; nothing is computed.

    predictions: names of the predictions that exist; None if nobody knows, then scores are taken as they are.
    at: the place of the rule in its definition, such as `("rule",)`.   line_of: the line of a place in the file.
    """
    found: list[Problem] = []
    for path, leaf in leaves(rule):
        try:
            _check_leaf(leaf, context, predictions)
        except BadQuestion as bad:
            seen = f", saw {bad.seen}" if bad.seen else ""
            message = f"{bad.what}; expected {bad.expected}{seen}" if bad.expected else f"{bad.what}{seen}"
            place = (*at, *path)
            found.append(Problem(file, line_of(place), ".".join(map(str, place)), message, bad.remedy.rstrip(".")))
    return found


def _check_leaf(leaf: Leaf, context: RuleContext, predictions: Collection[str] | None) -> None:
    view = context.features.history
    if isinstance(leaf, TagIs):
        column = context.features.library.column(leaf.tag)
        compared(exp.null(), value_kind(column.kind), leaf, f"the tag {leaf.tag!r}")
        for value in _values(leaf) if column.words else ():
            if str(value) not in column.words:
                raise BadQuestion(f"The tag {leaf.tag!r} is never {value!r}", remedy=_meant(str(value), column.words))
    elif isinstance(leaf, AttributeIs):
        attribute_condition(leaf, view)
    elif isinstance(leaf, MemberOf):
        known = {*context.segments, *context.members}
        if leaf.segment not in known:
            raise BadQuestion(f"There is no segment {leaf.segment!r}", remedy=_meant(leaf.segment, known))
    elif isinstance(leaf, ScoreIs):
        if predictions is not None and leaf.score not in predictions:
            raise BadQuestion(f"There is no prediction {leaf.score!r}", remedy=_meant(leaf.score, predictions))
    elif isinstance(leaf, InSequence):
        sequence_ctes(leaf.sequence, view, "sequence")
    elif isinstance(leaf, Purchases | Events | Touches | Outcomes):
        rows_of(leaf, view)


def _values(leaf: TagIs) -> list[object]:
    """The values that a tag is compared for equality with."""
    single = [value for value in (leaf.is_, leaf.is_not) if value is not None]
    return [*single, *(leaf.in_ or ()), *(leaf.not_in or ())]


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), 3)
    if close:
        return f"did you mean {', '.join(close)}?"
    return f"there are {', '.join(sorted(known))}" if known else "there are none yet"
