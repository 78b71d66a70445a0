"""The order in which segments are built: those that others speak of come first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from aimwell.core.definitions import locate
from aimwell.core.errors import BadDefinition
from aimwell.core.problems import Problem
from aimwell.core.rules import MemberOf, Rule, leaves, segments_of
from aimwell.insight.rules.check import check
from aimwell.insight.rules.context import RuleContext
from aimwell.insight.segments.definition import Segment

AT = ("rule",)


def in_order(segments: Mapping[str, Segment], only: Collection[str] | None = None) -> list[str]:
    """The names, each after all that its rule speaks of; with `only`, those and what they speak of.

    Segments that are not defined (a clustering keeps its own) are left out. Ties are in the order of names.
    Raises BadDefinition when segments contain each other, with every circle.
    """
    circles = _circles(segments)
    if circles:
        raise BadDefinition(
            [
                Problem(f"segments/{circle[0]}", None, "rule", f"segments contain each other: {' → '.join(circle)}")
                for circle in circles
            ]
        )
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in segments and name not in found:
            for inner in sorted(segments_of(segments[name].rule)):
                visit(inner)
            found[name] = None

    for name in sorted(segments if only is None else only):
        visit(name)
    return list(found)


def check_segments(
    folder: Path,
    segments: Mapping[str, Segment],
    context: RuleContext,
    *,
    predictions: Collection[str] | None = None,
    recorded: Collection[str] = (),
) -> list[Problem]:
    """Everything wrong with the segments of a workspace, with file and line: unknown names, and circles.

    folder: the workspace, whose files are read again for their lines.   recorded: segments kept by others.
    """
    places = locate(folder, Segment)
    known = RuleContext(context.features, _rules(segments), dict.fromkeys(recorded, ""))
    found: list[Problem] = []
    for name, segment in segments.items():
        file, line_of = places.get(name, (f"segments/{name}", lambda place: None))
        found += check(segment.rule, known, predictions=predictions, file=file, at=AT, line_of=line_of)
    for circle in _circles(segments):
        file, line_of = places.get(circle[0], (f"segments/{circle[0]}", lambda place: None))
        path = (*AT, *next(p for p, leaf in leaves(segments[circle[0]].rule) if _speaks_of(leaf, circle[1])))
        message = f"segments contain each other: {' → '.join(circle)}"
        found.append(Problem(file, line_of(path), ".".join(map(str, path)), message, "break the circle"))
    return sorted(found)


def _speaks_of(leaf: object, name: str) -> bool:
    return isinstance(leaf, MemberOf) and leaf.segment == name


def _rules(segments: Mapping[str, Segment]) -> dict[str, Rule]:
    return {name: segment.rule for name, segment in segments.items()}


def _circles(segments: Mapping[str, Segment]) -> list[list[str]]:
    """Every circle once, beginning with its first name: `[a, b, a]`."""
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> None:
        if name in path:
            circle = path[path.index(name) :]
            start = circle.index(min(circle))
            turned = [*circle[start:], *circle[:start], circle[start]]
            if turned not in found:
                found.append(turned)
        elif name in segments and name not in done:
            for inner in sorted(segments_of(segments[name].rule)):
                visit(inner, [*path, name])
            done.add(name)

    for name in sorted(segments):
        visit(name, [])
    return found
