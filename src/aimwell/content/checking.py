"""What is wrong with a template before anybody gets it, and which of a person's values it asks for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.logical import BooleanExpression
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.static_analysis import TemplateAnalysis

from aimwell.content.sandbox import MOST_TURNS, TAGS, Sandbox
from aimwell.core.problems import Problem

LONGEST_SOURCE = 200_000
_MOST_PROBLEMS = 20
_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Use:
    """A value of a person that a template asks for: the name, whether the text can do without, and the first line."""

    name: str
    has_default: bool
    line: int


def parse(source: str, part: str, sandbox: Sandbox, file: str) -> tuple[BoundTemplate | None, list[Problem]]:
    """The template, if it can be read, and everything that is wrong with it, by line.

    After a mistake in an output (`{{ … }}`) reading goes on behind it, so that all of them are told at once.
    """
    if len(source) > LONGEST_SOURCE:
        return None, [Problem(file, None, part, f"is longer than {LONGEST_SOURCE:,} characters", "shorten it")]
    problems: list[Problem] = []
    text = source
    while len(problems) < _MOST_PROBLEMS:
        try:
            template = sandbox.from_string(text)
        except LiquidError as error:
            problems.append(_told(error, text, part, file))
            shorter = _without(text, _place(error))
            if shorter is None:
                return None, problems
            text = shorter
            continue
        problems += _mistakes(template, text, part, sandbox, file)
        return (template if not problems else None), sorted(problems, key=lambda each: each.line or 0)
    return None, problems


def uses(template: BoundTemplate, source: str) -> list[Use]:
    """The values that a template asks a person for, sorted by name; those that it assigns itself are not among them."""
    seen: TemplateAnalysis = template.analyze(include_partials=False)
    spared = {
        path.token.start_index
        for node in _nodes(template.nodes)
        for given in node.expressions()
        for path in _spared(given)
    }
    return [
        Use(name, all(index in spared for index in indexes), line_of(source, min(indexes)))
        for name, places in sorted(seen.globals.items())
        if (indexes := [one.span.index for one in places])
    ]


def line_of(source: str, index: int) -> int:
    """The line on which a character stands, from 1."""
    return source.count("\n", 0, max(index, 0)) + 1


def _mistakes(template: BoundTemplate, source: str, part: str, sandbox: Sandbox, file: str) -> Iterator[Problem]:
    for name, spans in template.analyze(include_partials=False).filters.items():
        if name not in sandbox.filters:
            close = difflib.get_close_matches(name, sandbox.filters, 1)
            remedy = f"did you mean {close[0]!r}?" if close else "see the list of filters in docs/content.md"
            for span in spans:
                yield Problem(file, line_of(source, span.index), part, f"there is no filter {name!r}", remedy)
    for node in _nodes(template.nodes):
        for expression in node.expressions():
            for inner in _expressions(expression):
                yield from _forbidden(inner, source, part, file)
    for stray in _stray(template.nodes):
        line = line_of(source, stray.token.start_index)
        yield Problem(file, line, part, f"{stray} stands outside of a loop", "take it out")


def _forbidden(expression: Expression, source: str, part: str, file: str) -> Iterator[Problem]:
    line = line_of(source, expression.token.start_index)
    if isinstance(expression, RangeLiteral):
        ends = (expression.start, expression.stop)
        if not all(isinstance(end, IntegerLiteral) and abs(end.value) <= MOST_TURNS for end in ends):
            remedy = f"write numbers up to {MOST_TURNS:,} and `limit`: for i in (1..5) limit: stars"
            yield Problem(file, line, part, "the ends of a range are not plain numbers", remedy)
    if isinstance(expression, FilteredExpression) and _asks_the_clock(expression):
        remedy = "give the day as a value of the person or of the journey"
        yield Problem(file, line, part, "a message has no clock of its own", remedy)


def _asks_the_clock(expression: FilteredExpression) -> bool:
    said = expression.left.value if isinstance(expression.left, StringLiteral) else None
    return said in {"now", "today"} and any(each.name == "date" for each in expression.filters or ())


def _nodes(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _nodes(list(node.children(None, include_partials=False)))  # type: ignore[arg-type] # it is not looked at


def _stray(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node, BreakNode | ContinueNode):
            yield node
        elif not isinstance(node, ForNode):
            yield from _stray(list(node.children(None, include_partials=False)))  # type: ignore[arg-type] # as above


def _expressions(expression: Expression) -> Iterator[Expression]:
    yield expression
    for inner in expression.children():
        yield from _expressions(inner)


def _spared(expression: Expression) -> Iterator[Path]:
    """The paths that may be missing: before a `default`, and in conditions, where what is missing is false."""
    if isinstance(expression, FilteredExpression):
        if expression.filters and any(each.name == "default" for each in expression.filters[:1]):
            yield from (path for path in [expression.left] if isinstance(path, Path))
    elif isinstance(expression, BooleanExpression):
        yield from (inner for inner in _expressions(expression) if isinstance(inner, Path))


def _place(error: LiquidError) -> int:
    return error.token.start_index if error.token is not None else -1


def _told(error: LiquidError, text: str, part: str, file: str) -> Problem:
    place = _place(error)
    message = str(error.message or "cannot be read")
    named = re.search(r"unexpected tag '?(\w+)|unknown tag '?(\w+)", message)
    remedy = f"tags are {', '.join(sorted(TAGS - {'#'}))}" if named else ""
    return Problem(file, line_of(text, place) if place >= 0 else None, part, message, remedy)


def _without(text: str, place: int) -> str | None:
    """The text with the output that stands at a place blanked, its line breaks kept; None if it is not an output."""
    for found in _MARKUP.finditer(text):
        if found.start() <= place < found.end() and found[0].startswith("{{"):
            return text[: found.start()] + re.sub(r"[^\n]", " ", found[0]) + text[found.end() :]
    return None
