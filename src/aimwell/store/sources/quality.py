"""What is odd about loaded tables: figures and dates that a person should look at, and keys that point nowhere.

Future: after the load. Long past: before 1990, birth dates before 1900. Extreme: more than a hundred times the 99th
percentile of the sizes. None of it stops a load.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlglot import exp

from aimwell.core.tables import TABLES, Kind, Table
from aimwell.core.text import Text
from aimwell.core.time import zone as zone_of
from aimwell.store.sources.days import odd_days
from aimwell.store.sources.localtime import from_utc
from aimwell.store.sources.report import Oddity, Orphans, TableQuality
from aimwell.store.sources.trees import TYPES, call, column, data_type, exists, known, negated, number, when
from aimwell.store.warehouse.cut import instant_literal
from aimwell.store.warehouse.engine import Engine

_LONG_PAST = datetime(1990, 1, 1)  # noqa: DTZ001 (naive UTC by contract)
_BORN_BEFORE = datetime(1900, 1, 1)  # noqa: DTZ001
_TIMES = 100
_HIGH = "0.99"
_EXAMPLES = 3
_MAY_LIE_AHEAD = frozenset({"until", "available_until", "matures_on", "available_since", "since"})
_WORDS: Mapping[str, Text] = {
    "future": Text(
        "{column}:{rows:,} 行的时间在将来,如 {examples}",
        "{column}: {rows:,} rows lie in the future, such as {examples}",
    ),
    "long_past": Text(
        "{column}:{rows:,} 行的时间过早,如 {examples}",
        "{column}: {rows:,} rows lie long in the past, such as {examples}",
    ),
    "zero": Text("{column}:{rows:,} 行为 0({share:.1%})", "{column}: {rows:,} rows are zero ({share:.1%})"),
    "negative": Text("{column}:{rows:,} 行为负({share:.1%})", "{column}: {rows:,} rows are negative ({share:.1%})"),
    "extreme": Text(
        "{column}:{rows:,} 行超过第 99 百分位的 100 倍,如 {examples}",
        "{column}: {rows:,} rows exceed 100 times the 99th percentile, such as {examples}",
    ),
    "constant": Text("{column}:所有行的值都是 {examples}", "{column}: every row has the value {examples}"),
    "unknown": Text("{column}:{share:.1%} 没有值", "{column}: no value in {share:.1%}"),
}


def inspect_tables(
    engine: Engine, names: Iterable[str], zone: str, now: datetime, *, given: Collection[tuple[str, str]] = ()
) -> tuple[TableQuality, ...]:
    """What is odd in tables of the warehouse.

    zone: whose days count.   now: naive UTC, what lies after it is the future.   given: columns, as (table, column),
    that are filled with a constant on purpose.
    """
    present = set(engine.tables())
    tables = [TABLES[name] for name in names if name in present]
    return tuple(_inspected(engine, table, zone_of(zone), now, given) for table in tables)


def _inspected(
    engine: Engine, table: Table, where: ZoneInfo, now: datetime, given: Collection[tuple[str, str]]
) -> TableQuality:
    kinds = _kinds(engine, table)
    facts = _Facts.of(engine, table, kinds, now)
    if not facts.rows:
        return TableQuality(table.name, 0)
    oddities = [oddity for name, kind in kinds.items() for oddity in _odd(engine, table.name, name, kind, facts)]
    oddities = [odd for odd in oddities if odd.kind != "constant" or (table.name, odd.column) not in given]
    oddities += _odd_days(engine, table, facts, where, now)
    return TableQuality(table.name, facts.rows, tuple(oddities), tuple(_orphans(engine, table)))


def _kinds(engine: Engine, table: Table) -> dict[str, Kind]:
    """The columns of a table, attributes included, with their kinds."""
    by_type: dict[str, Kind] = {name.replace(" ", ""): kind for kind, name in TYPES.items() if kind != "json"}
    found: dict[str, Kind] = {}
    for name, physical in engine.columns(table.name).items():
        declared = table.column(name)
        if not name.startswith("_"):
            found[name] = declared.kind if declared else by_type.get(physical.replace(" ", ""), "text")
    return found


@dataclass(frozen=True)
class _Facts:
    """Counts and bounds of every column, from one pass over the table.

    things: how many things the rows speak of (states have several rows for one), and of how many each column is known.
    """

    rows: int
    values: Mapping[str, object]
    things: Mapping[str, int]

    @classmethod
    def of(cls, engine: Engine, table: Table, kinds: Mapping[str, Kind], now: datetime) -> _Facts:
        measures = [exp.alias_(exp.Count(this=exp.Star()), "rows")]
        for each, kind in kinds.items():
            # Ids are many by nature: no need to look for a single value among them.
            keyed = kind == "text" and (each in table.key or each in table.references)
            found = [(word, tree) for word, tree in _measured(each, kind, now) if not keyed or word == "known"]
            measures += [exp.alias_(tree, f"{word}:{each}", quoted=True) for word, tree in found]
        row = engine.to_arrow(exp.select(*measures).from_(exp.to_table(table.name))).to_pylist()[0]
        things = {each: int(row[f"known:{each}"]) for each in kinds} | {"": int(row["rows"])}
        if table.shape == "state" and row["rows"]:
            things = _things(engine, table, list(kinds))
        return cls(int(row["rows"]), row, things)

    def count(self, word: str, name: str) -> int:
        value = self.values.get(f"{word}:{name}")
        return value if isinstance(value, int) else 0


def _things(engine: Engine, table: Table, names: Sequence[str]) -> dict[str, int]:
    """How many keys there are (under the empty name), and for how many some row knows each column."""
    keys = [column(part) for part in table.key]
    seen = [exp.alias_(exp.Count(this=column(each)), f"n{at}") for at, each in enumerate(names)]
    by_key = exp.select(*seen).from_(exp.to_table(table.name)).group_by(*keys).subquery("k")
    sums = [
        exp.alias_(exp.Count(this=when((exp.GT(this=column(f"n{at}"), expression=number(0)), number(1)))), f"s{at}")
        for at in range(len(names))
    ]
    query = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n"), *sums).from_(by_key)
    row = engine.to_arrow(query).to_pylist()[0]
    return {"": int(row["n"])} | {each: int(row[f"s{at}"]) for at, each in enumerate(names)}


def _measured(name: str, kind: Kind, now: datetime) -> Iterator[tuple[str, exp.Expr]]:
    value = column(name)
    yield "known", exp.Count(this=value.copy())
    if kind in {"instant", "day", "text", "number", "money", "integer", "boolean"}:
        yield "least", exp.Min(this=value.copy())
        yield "most", exp.Max(this=value.copy())
    if kind in {"number", "money"}:
        yield "zero", _counted(exp.EQ(this=value.copy(), expression=number(0)))
        yield "negative", _counted(exp.LT(this=value.copy(), expression=number(0)))
        size = exp.cast(exp.Abs(this=value.copy()), data_type("DOUBLE"))
        yield "high", call("quantile_cont", size, exp.Literal.number(_HIGH))
    if kind in {"instant", "day"}:
        yield "future", _counted(_ahead(name, now))
        yield "long_past", _counted(_behind(name, kind))


def _ahead(name: str, now: datetime) -> exp.Expr:
    return exp.GT(this=column(name), expression=instant_literal(now))


def _behind(name: str, kind: Kind) -> exp.Expr:
    return exp.LT(this=column(name), expression=instant_literal(_BORN_BEFORE if kind == "day" else _LONG_PAST))


def _counted(test: exp.Expr) -> exp.Expr:
    return exp.Count(this=when((test, number(1))))


def _odd(engine: Engine, table: str, name: str, kind: Kind, facts: _Facts) -> Iterator[Oddity]:
    filled = facts.count("known", name)
    if not filled:
        return
    if unknown := facts.things[""] - facts.things[name]:
        yield _oddity("unknown", name, unknown, facts.things[""])
    least, most = facts.values.get(f"least:{name}"), facts.values.get(f"most:{name}")
    if filled == facts.rows > 1 and least is not None and least == most:
        yield _oddity("constant", name, filled, facts.rows, (str(least),))
    if (count := facts.count("future", name)) and name not in _MAY_LIE_AHEAD:
        yield _oddity("future", name, count, facts.rows, (str(most),))
    if count := facts.count("long_past", name):
        yield _oddity("long_past", name, count, facts.rows, (str(least),))
    for word in ("zero", "negative"):
        if kind == "money" and (count := facts.count(word, name)):
            yield _oddity(word, name, count, facts.rows)
    yield from _extremes(engine, table, name, facts)


def _extremes(engine: Engine, table: str, name: str, facts: _Facts) -> Iterator[Oddity]:
    high, least, most = (facts.values.get(f"{word}:{name}") for word in ("high", "least", "most"))
    if not isinstance(high, float) or high <= 0 or least is None or most is None:
        return
    bound = high * _TIMES
    if max(abs(float(str(least))), abs(float(str(most)))) <= bound:
        return
    beyond = exp.GT(this=exp.Abs(this=column(name)), expression=exp.Literal.number(repr(bound)))
    query = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_(exp.to_table(table)).where(beyond)
    count = int(engine.to_arrow(query).column(0)[0].as_py())
    top = exp.select(column(name)).distinct().from_(exp.to_table(table)).where(beyond.copy())
    order = exp.Ordered(this=exp.Abs(this=column(name)), desc=True)
    # distinct values first, then the largest of them: engines disagree on ordering DISTINCT by an expression
    shown = engine.to_arrow(exp.select(column(name)).from_(top.subquery("t")).order_by(order).limit(_EXAMPLES))
    yield _oddity("extreme", name, count, facts.rows, tuple(str(value) for value in shown.column(0).to_pylist()))


def _oddity(kind: str, name: str, rows: int, of: int, examples: tuple[str, ...] = ()) -> Oddity:
    share = rows / of
    said = _WORDS[kind].format(column=name, rows=rows, share=share, examples=", ".join(examples))
    return Oddity(kind, name, rows, share, said, examples)


def _odd_days(engine: Engine, table: Table, facts: _Facts, where: ZoneInfo, now: datetime) -> list[Oddity]:
    """Days until now without rows, or with far fewer or more than usual, for facts that happen every day."""
    if table.occurred is None or table.shape not in {"fact", "day_fact"}:
        return []
    least, most = facts.values.get(f"least:{table.occurred}"), facts.values.get(f"most:{table.occurred}")
    day: exp.Expr = column(table.occurred)
    if isinstance(least, datetime) and isinstance(most, datetime):
        day = exp.cast(from_utc(day, where, least, most), data_type("DATE"))
    query = exp.select(exp.alias_(day, "day"), exp.alias_(exp.Count(this=exp.Star()), "n"))
    past = exp.LT(this=column(table.occurred), expression=instant_literal(now))
    query = query.from_(exp.to_table(table.name)).where(past).group_by(day.copy())
    counts: dict[date, int] = {row["day"]: row["n"] for row in engine.to_arrow(query).to_pylist()}
    return odd_days(table.occurred, counts)


def _orphans(engine: Engine, table: Table) -> Iterator[Orphans]:
    present = set(engine.tables())
    for name, other in table.references.items():
        if other not in present:
            continue
        key = TABLES[other].key[0] if name not in TABLES[other].key else name
        counted = (
            exp.select(exp.alias_(column(name), "v"), exp.alias_(exp.Count(this=exp.Star()), "n"))
            .from_(exp.to_table(table.name))
            .where(known(column(name)))
            .group_by(column(name))
            .subquery("c")
        )
        there = exp.select("1").from_(exp.to_table(other).as_("o"))
        there = there.where(exp.EQ(this=column(key, "o"), expression=column("v", "c")))
        lone = exp.select(column("v", "c"), column("n", "c")).from_(counted)
        found = engine.to_arrow(lone.where(negated(exists(there))).order_by(column("v", "c"))).to_pylist()
        if found:
            shown = tuple(str(row["v"]) for row in found[:_EXAMPLES])
            yield Orphans(name, other, sum(row["n"] for row in found), len(found), shown)
