"""What can be wrong in the mapping of a table, found on the words as they were written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aimwell.core.definitions import NAME_PATTERN
from aimwell.core.errors import Refused
from aimwell.core.tables import TABLES, Table
from aimwell.store.sources.casting import COUNTED
from aimwell.store.sources.expression import parse_expression
from aimwell.store.sources.parts import Mistake, nearest

_ORIGINS = ("column", "expression", "constant", "collect")
_OWN_REASONS = frozenset({"accepted", "filtered", "duplicate", "superseded", "conflicting_key", "malformed_row"})
_WITH_ATTRIBUTES = ("customer", "product")
# Words that SQL reads as its own, so that nobody could name such an attribute without quoting it.
RESERVED = frozenset(
    [
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "at",
        "between",
        "both",
        "by",
        "case",
        "cast",
        "check",
        "collate",
        "column",
        "constraint",
        "create",
        "cross",
        "default",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "exists",
        "false",
        "fetch",
        "filter",
        "for",
        "foreign",
        "from",
        "full",
        "grant",
        "group",
        "having",
        "in",
        "inner",
        "intersect",
        "interval",
        "into",
        "is",
        "join",
        "lateral",
        "left",
        "like",
        "limit",
        "natural",
        "not",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "outer",
        "over",
        "partition",
        "pivot",
        "primary",
        "qualify",
        "references",
        "right",
        "rows",
        "select",
        "set",
        "some",
        "table",
        "then",
        "to",
        "true",
        "union",
        "unique",
        "unpivot",
        "using",
        "values",
        "when",
        "where",
        "window",
        "with",
    ]
)


def column_mistakes(written: Mapping[str, object]) -> Iterator[Mistake]:
    """What is wrong in the mapping of one column."""
    given = [origin for origin in _ORIGINS if written.get(origin) not in (None, (), [])]
    if len(given) != 1:
        seen = f"there are {' and '.join(given)}" if given else "there is none"
        yield Mistake((), f"a value comes from one of {', '.join(_ORIGINS)}; {seen}")
    yield from expression_mistakes(written.get("expression"), ("expression",))
    formats = written.get("format")
    several = [formats] if isinstance(formats, str) else formats if isinstance(formats, list | tuple) else []
    if len(several) > 1 and set(several) & set(COUNTED):
        yield Mistake(("format",), f"{', '.join(COUNTED)} stand alone, without other formats")
    if len({"%z" in str(each) for each in several}) > 1:
        yield Mistake(("format",), "formats with and without an offset (%z) cannot be mixed in one column")


def expression_mistakes(written: object, place: tuple[str | int, ...]) -> Iterator[Mistake]:
    """What is wrong in an expression; nothing if none was written."""
    if not isinstance(written, str):
        return
    try:
        parse_expression(written)
    except Refused as error:
        yield Mistake(place, str(error))


def table_mistakes(written: Mapping[str, object]) -> Iterator[Mistake]:
    """What is wrong in the mapping of one table, beyond its columns' own mistakes."""
    name = written.get("table")
    if isinstance(name, str) and name not in TABLES:
        yield Mistake(("table",), f"there is no canonical table {name!r}{nearest(name, TABLES)}")
    canonical = TABLES.get(name) if isinstance(name, str) else None
    columns, attributes = _mapping(written.get("columns")), _mapping(written.get("attributes"))
    if canonical:
        yield from _canonical_mistakes(canonical, columns, attributes)
        yield from _order_mistakes(canonical, _mapping(written.get("deduplicate")), {*columns, *attributes})
    yield from expression_mistakes(written.get("where"), ("where",))
    for rule, expression in _mapping(written.get("reject")).items():
        if rule in _OWN_REASONS or rule.startswith(("missing_", "unreadable_")):
            yield Mistake(("reject", rule), f"{rule!r} is a reason of our own: give the rule another name")
        yield from expression_mistakes(expression, ("reject", rule))


def _canonical_mistakes(
    canonical: Table, columns: Mapping[str, object], attributes: Mapping[str, object]
) -> Iterator[Mistake]:
    for name, mapping in columns.items():
        declared = canonical.column(name)
        if declared is None:
            hint = " or write it under attributes:" if canonical.name in _WITH_ATTRIBUTES else ""
            yield Mistake(
                ("columns", name),
                f"the table {canonical.name} has no column {name!r}{nearest(name, canonical.names)}{hint}",
            )
            continue
        cast = _mapping(mapping).get("cast")
        if cast is not None and cast != declared.kind:
            yield Mistake(("columns", name, "cast"), f"{name} is of kind {declared.kind}; leave cast out")
        for word in ("format", "timezone"):
            if _mapping(mapping).get(word) and declared.kind not in {"instant", "day"}:
                yield Mistake(("columns", name, word), f"{name} is of kind {declared.kind} and has no {word}")
    for name in canonical.required:
        if name not in columns:
            yield Mistake(("columns",), f"the table {canonical.name} needs the column {name!r}: map it")
    if attributes and canonical.name not in _WITH_ATTRIBUTES:
        yield Mistake(("attributes",), f"only {' and '.join(_WITH_ATTRIBUTES)} carry attributes, not {canonical.name}")
    for name in attributes:
        if canonical.column(name):
            yield Mistake(("attributes", name), f"{name} is a column of {canonical.name}: write it under columns:")
        elif not re.fullmatch(NAME_PATTERN, name) or name in RESERVED:
            yield Mistake(
                ("attributes", name), f"{name!r} cannot name an attribute (write small letters, digits and _)"
            )


def _order_mistakes(canonical: Table, rule: Mapping[str, object], mapped: set[str]) -> Iterator[Mistake]:
    for name in _words(rule.get("by")):
        if name not in mapped:
            yield Mistake(("deduplicate", "by"), f"{name!r} is no mapped column{nearest(name, mapped)}")
    key = (*canonical.key, canonical.known) if canonical.shape == "state" else canonical.key
    for name in _words(rule.get("key")):
        if name not in key:
            yield Mistake(("deduplicate", "key"), f"{name!r} is not of the table's key {', '.join(key)}")


def _mapping(written: object) -> dict[str, object]:
    return {str(key): value for key, value in written.items()} if isinstance(written, Mapping) else {}


def _words(written: object) -> list[str]:
    if isinstance(written, str):
        return [written]
    return [str(each) for each in written] if isinstance(written, list | tuple) else []
