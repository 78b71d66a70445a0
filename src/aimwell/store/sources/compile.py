"""Author → compile: the mapping of one table as a query over the staging table, with the reason against each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlglot import exp

from aimwell.core.errors import BadSource, QueryFailed
from aimwell.core.tables import Kind
from aimwell.core.time import zone
from aimwell.store.sources.casting import Notation, Signs, Typed, cast_value, cleaned, number_of
from aimwell.store.sources.definition import ColumnMapping, Source, TableMapping
from aimwell.store.sources.expression import Scope, parse_expression
from aimwell.store.sources.raw import kind_of
from aimwell.store.sources.reading import RawKind
from aimwell.store.sources.staging import Staging
from aimwell.store.sources.trees import (
    FILE,
    REASON,
    ROW,
    TYPES,
    call,
    column,
    data_type,
    is_null,
    known,
    negated,
    text,
    when,
)
from aimwell.store.warehouse.engine import Engine

FILES = "load_files"
FILTERED = "filtered"
AWARE = "_aware_"
_ALIAS = "staged"


@dataclass(frozen=True, slots=True)
class Target:
    """A typed column: its kind, and for instants the zone of naive values and whether some said their offset."""

    name: str
    kind: Kind
    zone: ZoneInfo | None = None
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """The query that types every staged row, and the columns it yields."""

    query: exp.Select
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """The tree of a mapped value before it is typed, and what it is."""

    tree: exp.Expr
    raw: RawKind
    certain: bool = False


@dataclass(frozen=True)
class Compiler:
    """Compiles the mappings of a source over its staging table and its lookups."""

    engine: Engine
    source: Source
    staging: Staging
    lookups: Mapping[str, Staging]
    default_zone: str

    def compile(self, mapping: TableMapping) -> Compiled:
        """The typing query of one table; raises BadSource with every column that cannot be computed."""
        problems: list[str] = []
        values: dict[str, Value] = {}
        for name, each in mapping.mappings.items():
            try:
                values[name] = self._value(each)
            except BadSource as error:
                problems.append(f"{mapping.table}.{name}: {error}")
        conditions = self._conditions(mapping, problems)
        if problems:
            raise BadSource(
                f"The source {self.source.name} does not fit what was read:\n  " + "\n  ".join(problems) + "\n",
                remedy=f"It has the columns {', '.join(self.staging.kinds)}.",
            )
        typed = {name: self._typed(mapping, name, value) for name, value in values.items()}
        return self._assembled(mapping, values, typed, conditions)

    def _assembled(
        self,
        mapping: TableMapping,
        values: Mapping[str, Value],
        typed: Mapping[str, Typed],
        conditions: Sequence[tuple[exp.Expr, exp.Expr]],
    ) -> Compiled:
        chosen: list[exp.Expr] = [column(FILE, _ALIAS), column(ROW, _ALIAS)]
        targets: list[Target] = []
        for name, each in typed.items():
            kind = mapping.kind(name)
            value = exp.cast(each.value.copy(), data_type(TYPES[kind]))
            chosen.append(exp.alias_(value, name, quoted=True))
            always = isinstance(each.aware, exp.Boolean)
            naive = kind == "instant" and not always
            if naive and each.aware is not None:
                chosen.append(exp.alias_(each.aware.copy(), AWARE + name, quoted=True))
            where = zone(self._zone(mapping.mappings[name])) if naive else None
            targets.append(Target(name, kind, where, naive and each.aware is not None))
        reasons = [*conditions, *_unreadable(mapping, values, typed)]
        reason: exp.Expr = when(*reasons) if reasons else exp.null()
        chosen.append(exp.alias_(exp.cast(reason, data_type("VARCHAR")), REASON))
        return Compiled(self._from(exp.select(*chosen)), tuple(targets))

    def _conditions(self, mapping: TableMapping, problems: list[str]) -> list[tuple[exp.Expr, exp.Expr]]:
        """The filter and the rules, in their order, each with the word that it gives a row."""
        found: list[tuple[exp.Expr, exp.Expr]] = []
        if mapping.where is not None:
            found += [
                (negated(holds), text(FILTERED)) for holds in self._condition(mapping, "where", mapping.where, problems)
            ]
        for rule, expression in mapping.reject.items():
            found += [(holds, text(rule)) for holds in self._condition(mapping, rule, expression, problems)]
        return found

    def _condition(self, mapping: TableMapping, place: str, written: str, problems: list[str]) -> list[exp.Expr]:
        try:
            value = self._expression(written)
        except BadSource as error:
            problems.append(f"{mapping.table}.{place}: {error}")
            return []
        if value.raw != "boolean":
            problems.append(f"{mapping.table}.{place}: {written!r} gives a {value.raw}, not true or false")
            return []
        return [exp.func("coalesce", value.tree, exp.false())]

    def _value(self, mapping: ColumnMapping) -> Value:
        if mapping.column is not None:
            found = self._scope.find(mapping.column)
            if found is None and mapping.optional:
                return Value(exp.cast(exp.null(), data_type("VARCHAR")), "text", certain=True)
            return Value(self._scope.value(mapping.column), self._kinds[found or ""] if found else "text")
        if mapping.constant is not None:
            return Value(exp.convert(mapping.constant), _constant_kind(mapping.constant))
        if mapping.collect:
            pairs = [part for name in mapping.collect for part in (text(name), self._scope.value(name))]
            return Value(exp.cast(call("json_object", *pairs), data_type("VARCHAR")), "text", certain=True)
        return self._expression(mapping.expression or "")

    def _expression(self, written: str) -> Value:
        """The tree of an expression and its kind, found by asking the engine without reading a row."""
        tree = self._scope.bind(parse_expression(written))
        try:
            found = self.engine.to_arrow(self._from(exp.select(exp.alias_(tree.copy(), "v"))).limit(0))
        except QueryFailed as error:
            reason = str(error).split("\n", 1)[0]
            raise BadSource(
                f"the expression {written!r} cannot be computed",
                seen=reason,
                remedy="Texts become numbers by number(x), dates by strptime(x, '…') or a cast.",
            ) from error
        return Value(tree, kind_of(found.schema.field("v").type))

    def _typed(self, mapping: TableMapping, name: str, value: Value) -> Typed:
        how = mapping.mappings[name]
        if value.certain:
            return Typed(value.tree, may_fail=False)
        notation = Notation(self._signs, how.format, self._zone(how))
        return cast_value(value.tree, value.raw, mapping.kind(name), notation)

    def _zone(self, mapping: ColumnMapping) -> str:
        return mapping.timezone or self.source.timezone or self.default_zone

    @property
    def _signs(self) -> Signs:
        return Signs(self.source.read.thousands, self.source.read.decimal)

    @cached_property
    def _scope(self) -> Scope:
        return Scope(dict(self._fields()), lambda value: number_of(value, self._signs))

    def _fields(self) -> Iterator[tuple[str, exp.Expr]]:
        for name, kind in self.staging.kinds.items():
            value = column(self.staging.physical(name), _ALIAS)
            yield name, cleaned(value, self.source.read.nulls) if kind == "text" else value
        for lookup in self.source.lookup:
            staging = self.lookups[lookup.name]
            for name, kind in staging.kinds.items():
                value = column(staging.physical(name), lookup.name)
                yield f"{lookup.name}.{name}", cleaned(value, lookup.read.nulls) if kind == "text" else value

    @cached_property
    def _kinds(self) -> dict[str, RawKind]:
        found = dict(self.staging.kinds)
        for name, staging in self.lookups.items():
            found |= {f"{name}.{each}": kind for each, kind in staging.kinds.items()}
        return found

    def _from(self, query: exp.Select) -> exp.Select:
        """The query over the staged rows, the files they come from, and at most one row of each lookup."""
        query = query.from_(exp.to_table(self.staging.table).as_(_ALIAS))
        if any(each.table == "files" for each in query.find_all(exp.Column)):
            on = exp.EQ(this=column("origin", "files"), expression=column(FILE, _ALIAS))
            query = query.join(exp.to_table(FILES).as_("files"), on=on, join_type="left")
        used = {each.table for each in query.find_all(exp.Column)}
        for lookup in self.source.lookup:
            if lookup.name not in used:
                continue
            equal = [
                exp.EQ(this=self._as_text(mine), expression=self._as_text(f"{lookup.name}.{theirs}"))
                for mine, theirs in lookup.on.items()
            ]
            query = query.join(
                exp.to_table(self.lookups[lookup.name].table).as_(lookup.name), on=exp.and_(*equal), join_type="left"
            )
        return query

    def _as_text(self, name: str) -> exp.Expr:
        found = self._scope.find(name)
        value = self._scope.value(name)
        return cast_value(value, self._kinds[found] if found else "text", "text", Notation()).value


def _unreadable(
    mapping: TableMapping, values: Mapping[str, Value], typed: Mapping[str, Typed]
) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """What speaks against a row by itself: a value that cannot be read, a required one that is missing."""
    for name, each in typed.items():
        if each.may_fail:
            test = exp.and_(known(values[name].tree.copy()), is_null(exp.paren(each.value.copy())))
            yield test, text(f"unreadable_{name}")
    for name in mapping.canonical.required:
        yield is_null(exp.paren(typed[name].value.copy())), text(f"missing_{name}")


def _constant_kind(value: object) -> RawKind:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "integer" if isinstance(value, int) else "number"
