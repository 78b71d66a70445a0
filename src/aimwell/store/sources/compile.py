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
_WRITTEN = "_written_"
_TEST = "_test_"
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
            columns, listed = ", ".join(self.staging.kinds), "\n  ".join(problems)
            found = f"what was read (columns {columns})"
            raise BadSource(f"The source {self.source.name} does not fit {found}:\n  {listed}")
        typed = {name: self._typed(mapping, name, value) for name, value in values.items()}
        return self._assembled(mapping, values, typed, conditions)

    def _assembled(
        self,
        mapping: TableMapping,
        values: Mapping[str, Value],
        typed: Mapping[str, Typed],
        conditions: Sequence[tuple[exp.Expr, exp.Expr]],
    ) -> Compiled:
        """Two steps, so that no value is computed twice: values with their tests, then the reason against each row."""
        inner: list[exp.Expr] = [column(FILE, _ALIAS), column(ROW, _ALIAS)]
        reasons: list[tuple[exp.Expr, exp.Expr]] = []
        for number, (test, word) in enumerate(conditions):
            inner.append(exp.alias_(test, f"{_TEST}{number}", quoted=True))
            reasons.append((column(f"{_TEST}{number}"), word))
        targets = [self._target(mapping, name, each) for name, each in typed.items()]
        for target in targets:
            each = typed[target.name]
            value = exp.cast(each.value, data_type(TYPES[target.kind]))
            inner.append(exp.alias_(value, target.name, quoted=True))
            if target.mixed and each.aware is not None:
                inner.append(exp.alias_(each.aware.copy(), AWARE + target.name, quoted=True))
            if each.may_fail:
                written = known(values[target.name].tree.copy())
                inner.append(exp.alias_(written, _WRITTEN + target.name, quoted=True))
                unread = exp.and_(column(_WRITTEN + target.name), is_null(column(target.name)))
                reasons.append((unread, text(f"unreadable_{target.name}")))
        reasons += [(is_null(column(name)), text(f"missing_{name}")) for name in mapping.canonical.required]
        reason = exp.cast(when(*reasons) if reasons else exp.null(), data_type("VARCHAR"))
        kept = [FILE, ROW, *(target.name for target in targets), *(AWARE + t.name for t in targets if t.mixed)]
        outer = exp.select(*[column(name) for name in kept], exp.alias_(reason, REASON))
        return Compiled(outer.from_(self._from(exp.select(*inner)).subquery("typed")), tuple(targets))

    def _target(self, mapping: TableMapping, name: str, typed: Typed) -> Target:
        kind = mapping.kind(name)
        naive = kind == "instant" and not isinstance(typed.aware, exp.Boolean)
        where = zone(self._zone(mapping.mappings[name])) if naive else None
        return Target(name, kind, where, naive and typed.aware is not None)

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
        for name in self.staging.kinds:
            yield name, self.staging.value(name)
        for lookup in self.source.lookup:
            for name in self.lookups[lookup.name].kinds:
                yield f"{lookup.name}.{name}", self.lookups[lookup.name].value(name)

    @cached_property
    def _kinds(self) -> dict[str, RawKind]:
        found = dict(self.staging.kinds)
        for name, staging in self.lookups.items():
            found |= {f"{name}.{each}": kind for each, kind in staging.kinds.items()}
        return found

    def _from(self, query: exp.Select) -> exp.Select:
        """The query over the staged rows, the files they come from, and at most one row of each lookup."""
        query = query.from_(_relation(self.staging, self.source.read.nulls))
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
            relation = _relation(self.lookups[lookup.name], lookup.read.nulls)
            query = query.join(relation, on=exp.and_(*equal), join_type="left")
        return query

    def _as_text(self, name: str) -> exp.Expr:
        found = self._scope.find(name)
        value = self._scope.value(name)
        return cast_value(value, self._kinds[found] if found else "text", "text", Notation()).value


def _relation(staging: Staging, nulls: tuple[str, ...]) -> exp.Subquery:
    """Staged rows under their alias, texts without blanks around them and NULL where they mean nothing."""
    columns: list[exp.Expr] = [column(FILE), column(ROW)]
    for name, kind in staging.kinds.items():
        value = column(staging.physical(name))
        columns.append(exp.alias_(cleaned(value, nulls), value.name, quoted=True) if kind == "text" else value)
    return exp.select(*columns).from_(exp.to_table(staging.table)).subquery(staging.alias)


def _constant_kind(value: object) -> RawKind:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "integer" if isinstance(value, int) else "number"
