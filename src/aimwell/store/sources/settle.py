"""Settling: of typed rows that share a key, among themselves or with what is there, which one stays.

Equal rows are one row. Of unequal ones, the rule of the mapping picks the first or last; without a rule what was there
first stays (in the table, else in the earlier file and row) and the others are rejected as `conflicting_key`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlglot import exp

from aimwell.core.errors import BadSource
from aimwell.store.sources.compile import AWARE, FILES, FILTERED, Target
from aimwell.store.sources.definition import TableMapping
from aimwell.store.sources.localtime import EARLIEST, LATEST, to_utc
from aimwell.store.sources.trees import (
    FILE,
    ORIGIN,
    REASON,
    ROW,
    TYPES,
    add_column,
    call,
    column,
    data_type,
    delete,
    equal,
    exists,
    insert,
    is_null,
    known,
    negated,
    number,
    same,
    table_columns,
    temporary,
    text,
    when,
)
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.engine import Engine

TYPED = "load_typed"
CONTESTED = "load_contested"
CONTENDERS = "load_contenders"
WINNERS = "load_winners"
ACCEPTED = "accepted"
DUPLICATE, SUPERSEDED, CONFLICT = "duplicate", "superseded", "conflicting_key"
_FOR_EVER = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 (naive by contract)
_THERE, _VERDICT, _WINNER, _RANK = "_there", "_verdict", "_winner", "_rank"


@dataclass(frozen=True, slots=True)
class End:
    """How many rows of a file gave way with one verdict, and how many of them to a row of another file.

    there: whether they were in the table before.
    """

    file: int
    verdict: str
    rows: int
    lost: int
    there: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """Which rows gave way to others of their key, if any key was claimed twice."""

    contested: bool = False
    ends: tuple[End, ...] = ()

    @property
    def replaced(self) -> int:
        """Rows of the table that give way."""
        return sum(end.rows for end in self.ends if end.there)


@dataclass(frozen=True)
class Settling:
    """One table's typed rows on their way into the warehouse."""

    engine: Engine
    source: str
    mapping: TableMapping
    targets: tuple[Target, ...]

    def settle(self) -> Settled:
        """Find the winner of every key that several rows claim; says which rows gave way."""
        self.engine.run(temporary(CONTESTED, self._contested()))
        if not _count(self.engine, CONTESTED):
            return Settled()
        self.engine.run(temporary(CONTENDERS, self._contenders()))
        self.engine.run(temporary(WINNERS, self._winners()))
        other = exp.NEQ(this=column(FILE), expression=column(_WINNER))
        grouped = [column(FILE), column(_THERE), column(_VERDICT)]
        lost = exp.Count(this=when((other, number(1))))
        query = (
            exp.select(*grouped, exp.alias_(exp.Count(this=exp.Star()), "n"), exp.alias_(lost, "lost"))
            .from_(self.losers().subquery("l"))
            .group_by(*[each.copy() for each in grouped])
        )
        return Settled(contested=True, ends=tuple(_end(row) for row in self.engine.to_arrow(query).to_pylist()))

    def fresh(self) -> exp.Select:
        """The acceptable typed rows, instants in UTC, columns of the key that are not mapped as NULL."""
        return self._fresh.copy()

    @cached_property
    def _fresh(self) -> exp.Select:
        chosen: list[exp.Expr] = [column(FILE), column(ROW)]
        chosen += [exp.alias_(self._settled(target), target.name, quoted=True) for target in self.targets]
        for name in self._unmapped_key:
            nothing = exp.cast(exp.null(), data_type(TYPES[self.mapping.kind(name)]))
            chosen.append(exp.alias_(nothing, name, quoted=True))
        return exp.select(*chosen).from_(exp.to_table(TYPED)).where(is_null(column(REASON)))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are compared and written."""
        return (*(target.name for target in self.targets), *self._unmapped_key)

    def ensure_table(self) -> None:
        """Make the table, or add what it lacks: all canonical columns, the attributes, and the origin of each row.

        Raises BadSource when an attribute has another kind there.
        """
        name = self.mapping.table
        wanted = [(each.name, TYPES[each.kind]) for each in self.mapping.canonical.columns]
        wanted += [(extra, TYPES[self.mapping.kind(extra)]) for extra in self.mapping.attributes]
        wanted.append((ORIGIN, "BIGINT"))
        present = self.engine.columns(name)
        if not present:
            self.engine.run(table_columns(name, wanted))
            return
        for each, kind in wanted:
            if each not in present:
                self.engine.run(add_column(name, each, kind))
            elif present[each].replace(" ", "") != kind.replace(" ", ""):
                raise BadSource(
                    f"The column {each!r} of {name} is {present[each]} already",
                    seen=f"{kind} in the source {self.source}",
                    remedy="Give it the same cast in every source, or another name.",
                )

    def write(self, settled: Settled) -> None:
        """Put the winners into the table, in the place of what they supersede."""
        name = self.mapping.table
        if settled.replaced:
            came = negated(_winning(_THERE))
            won = exp.select("1").from_(exp.to_table(WINNERS).as_("w")).where(same(self.mapping.key, "w", name), came)
            beaten = exists(won)
            own = self._own(name)
            self.engine.run(delete(name, beaten if own is None else exp.and_(beaten, own)))
        fresh = exp.select(*[column(each, "f") for each in (*self.names, FILE)]).from_(self.fresh().subquery("f"))
        kept: exp.Expr = fresh
        if settled.contested:
            claimed = exp.select("1").from_(exp.to_table(CONTESTED).as_("k")).where(same(self.mapping.key, "k", "f"))
            winners = exp.select(*[_winning(each) for each in (*self.names, FILE)])
            winners = winners.from_(exp.to_table(WINNERS).as_("w")).where(negated(_winning(_THERE)))
            kept = exp.union(fresh.where(negated(exists(claimed))), winners, distinct=False)
        self.engine.run(insert(name, [*self.names, ORIGIN], kept))

    @property
    def _unmapped_key(self) -> list[str]:
        mapped = {target.name for target in self.targets}
        return [name for name in self.mapping.key if name not in mapped]

    def _settled(self, target: Target) -> exp.Expr:
        value = column(target.name)
        if target.zone is None or target.zone.key == "UTC":
            return value
        low_one = exp.Greatest(this=exp.Min(this=value.copy()), expressions=[instant_literal(EARLIEST)])
        high_one = exp.Least(this=exp.Max(this=value.copy()), expressions=[instant_literal(LATEST)])
        bounds = exp.select(exp.alias_(low_one, "low"), exp.alias_(high_one, "high")).from_(TYPED)
        row = self.engine.to_arrow(bounds.where(is_null(column(REASON))))
        low, high = row.column(0)[0].as_py(), row.column(1)[0].as_py()
        if not isinstance(low, datetime) or not isinstance(high, datetime):
            return value
        utc = to_utc(value, target.zone, low, high)
        if high >= LATEST:  # "for ever" (9999-12-31 23:59:59) stays in the last year there is
            utc = exp.Least(this=utc, expressions=[instant_literal(_FOR_EVER)])
        return when((column(AWARE + target.name), value.copy()), otherwise=utc) if target.mixed else utc

    def _contested(self) -> exp.Expr:
        """The keys that more than one row claims."""
        keys = [column(name) for name in self.mapping.key]
        within = (
            exp.select(*keys)
            .from_(self.fresh().subquery("f"))
            .group_by(*[key.copy() for key in keys])
            .having(exp.GT(this=exp.Count(this=exp.Star()), expression=number(1)))
        )
        if not _count(self.engine, self.mapping.table):
            return within
        there = exp.select("1").from_(exp.to_table(self.mapping.table).as_("t")).where(same(self.mapping.key, "t", "f"))
        if (own := self._own("t")) is not None:
            there = there.where(own)
        across = exp.select(*[column(name, "f") for name in self.mapping.key]).from_(self.fresh().subquery("f"))
        return exp.union(within, across.where(exists(there)), distinct=True)

    def _own(self, alias: str) -> exp.Expr | None:
        """For states, of which each source keeps its own rows: that a row there came from this source."""
        if self.mapping.canonical.shape != "state":
            return None
        mine = (
            exp.select(column("origin")).from_(FILES).where(exp.EQ(this=column("source"), expression=text(self.source)))
        )
        return exp.In(this=column(ORIGIN, alias), query=exp.Subquery(this=mine))

    def _contenders(self) -> exp.Expr:
        """All rows that claim a contested key: those that came, and the one that is there."""
        claim = exp.to_table(CONTESTED).as_("k")
        files = exp.to_table(FILES).as_("o")
        came = (
            exp.select(*[column(name, "f") for name in self.names], column(FILE, "f"), column(ROW, "f"))
            .select(exp.alias_(exp.false(), _THERE), exp.alias_(column("rank", "o"), _RANK))
            .from_(self.fresh().subquery("f"))
            .join(claim, on=same(self.mapping.key, "k", "f"))
            .join(files, on=exp.EQ(this=column("origin", "o"), expression=column(FILE, "f")))
        )
        row = exp.cast(exp.null(), data_type("BIGINT"))
        there = (
            exp.select(*[column(name, "t") for name in self.names])
            .select(exp.alias_(column(ORIGIN, "t"), FILE), exp.alias_(row, ROW))
            .select(exp.alias_(exp.true(), _THERE), exp.alias_(column("rank", "o"), _RANK))
            .from_(exp.to_table(self.mapping.table).as_("t"))
            .join(claim.copy(), on=same(self.mapping.key, "k", "t"))
            .join(files.copy(), on=exp.EQ(this=column("origin", "o"), expression=column(ORIGIN, "t")), join_type="left")
        )
        if (own := self._own("t")) is not None:
            there = there.where(own)
        return exp.union(came, there, distinct=False)

    def _winners(self) -> exp.Expr:
        """The winner of every contested key, whole."""
        names = (*self.names, FILE, ROW, _THERE)
        whole = exp.Struct(
            expressions=[exp.PropertyEQ(this=exp.to_identifier(n, quoted=True), expression=column(n)) for n in names]
        )
        best = exp.alias_(call("arg_max" if self._last else "arg_min", whole, self._order()), _WINNER)
        keys = [column(name) for name in self.mapping.key]
        return exp.select(*keys, best).from_(CONTENDERS).group_by(*[key.copy() for key in keys])

    def losers(self) -> exp.Select:
        """Every contender but the winner of its key: its file and row, whether it is there, the verdict, who won."""
        unequal = text(SUPERSEDED if self.mapping.deduplicate else CONFLICT)
        itself = exp.and_(*[exp.NullSafeEQ(this=column(n, "l"), expression=_winning(n)) for n in (FILE, ROW)])
        equal_values = [exp.NullSafeEQ(this=column(n, "l"), expression=_winning(n)) for n in self.names]
        verdict = when((exp.and_(*equal_values), text(DUPLICATE)), otherwise=unequal)
        return (
            exp.select(*[column(name, "l") for name in (FILE, ROW, _THERE)])
            .select(exp.alias_(verdict, _VERDICT), exp.alias_(_winning(FILE), _WINNER))
            .from_(exp.to_table(CONTENDERS).as_("l"))
            .join(exp.to_table(WINNERS).as_("w"), on=same(self.mapping.key, "l", "w"))
            .where(negated(itself))
        )

    @property
    def _last(self) -> bool:
        return self.mapping.deduplicate is not None and self.mapping.deduplicate.keep == "last"

    def _order(self) -> exp.Expr:
        """What is compared to find the winner, as one value: the least wins, or the greatest if the last is kept."""
        rule = self.mapping.deduplicate
        parts: list[exp.Expr] = []
        if rule is None:
            parts.append(when((column(_THERE), number(0)), otherwise=number(1)))
        for name in rule.by if rule else ():
            unknown, known_one = (number(0), number(1)) if self._last else (number(1), number(0))
            parts += [when((is_null(column(name)), unknown), otherwise=known_one), column(name)]
        # rows that no load brought count as the first file; a row that is there has no number any more
        parts += [exp.func("coalesce", column(each), number(0)) for each in (_RANK, ROW)]
        return exp.Struct(
            expressions=[
                exp.PropertyEQ(this=exp.to_identifier(f"o{n}"), expression=each) for n, each in enumerate(parts)
            ]
        )


def _winning(name: str) -> exp.Expr:
    return exp.Dot(this=column(_WINNER, "w"), expression=exp.to_identifier(name, quoted=True))


def _count(engine: Engine, name: str) -> int:
    return int(engine.to_arrow(exp.select(exp.Count(this=exp.Star())).from_(exp.to_table(name))).column(0)[0].as_py())


def _end(row: Mapping[str, object]) -> End:
    count, lost = row["n"], row["lost"]
    file = row[FILE]
    return End(
        file if isinstance(file, int) else 0,
        str(row[_VERDICT]),
        count if isinstance(count, int) else 0,
        lost if isinstance(lost, int) else 0,
        there=bool(row[_THERE]),
    )


def reasons_query() -> exp.Select:
    """How many typed rows of each file are accepted, filtered, or refused for which reason."""
    reason = exp.func("coalesce", column(REASON), text(ACCEPTED))
    query = exp.select(exp.alias_(column(FILE), "file"), exp.alias_(reason, "reason"))
    query = query.select(exp.alias_(exp.Count(this=exp.Star()), "n"))
    return query.from_(exp.to_table(TYPED)).group_by(column(FILE), reason.copy())


def refused_query(raw: exp.Expr, staging: str) -> exp.Select:
    """File, row, reason and raw row of the rows that were refused by themselves (staging rows are `staged`)."""
    filtered = exp.EQ(this=column(REASON, "t"), expression=text(FILTERED))
    refused = exp.and_(known(column(REASON, "t")), negated(filtered))
    return _with_raw(exp.to_table(TYPED).as_("t"), column(REASON, "t"), raw, staging).where(refused)


def conflicts_query(settling: Settling, raw: exp.Expr, staging: str) -> exp.Select:
    """The same of the rows that claim a key with other values than the row that has it."""
    clashing = exp.EQ(this=column(_VERDICT, "t"), expression=text(CONFLICT))
    losers = settling.losers().subquery("t")
    found = _with_raw(losers, text(CONFLICT), raw, staging)
    return found.where(exp.and_(clashing, negated(column(_THERE, "t"))))


def _with_raw(rows: exp.Expr, reason: exp.Expr, raw: exp.Expr, staging: str) -> exp.Select:
    chosen = {"origin": column(FILE, "t"), "row_number": column(ROW, "t"), "reason": reason, "raw": raw}
    query = exp.select(*[exp.alias_(value, name) for name, value in chosen.items()]).from_(rows)
    return query.join(exp.to_table(staging).as_("staged"), on=equal((FILE, ROW), "staged", "t"))
