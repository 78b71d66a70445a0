"""How segments overlap: how many customers are in each, in each two, and how alike two are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlglot import exp

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.insight.segments.wording import PERCENT_FROM
from aimwell.store.warehouse.engine import Engine

MEMBERSHIP = "membership"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two segments: their sizes, how many customers are in both, and what that is of each and of the two together.

    first_in_second: share of the first's customers who are in the second too; None where the first is empty.
    jaccard: customers in both over customers in either, 0 (strangers) to 1 (the same); None where both are empty.
    """

    first: str
    second: str
    first_size: int
    second_size: int
    both: int

    @property
    def jaccard(self) -> float | None:
        return _share(self.both, self.first_size + self.second_size - self.both)

    @property
    def first_in_second(self) -> float | None:
        return _share(self.both, self.first_size)

    @property
    def second_in_first(self) -> float | None:
        return _share(self.both, self.second_size)

    @property
    def sentence(self) -> Text:
        """The overlap in words, seen from both sides; of fewer than 30 people their number, never a percentage."""
        one, two = _of(self.both, self.first_size), _of(self.both, self.second_size)
        return Text(
            f"{self.first} 与 {self.second}：重合 {self.both:,} 人（前者 {one.zh}，后者 {two.zh}）",
            f"{self.first} and {self.second}: {self.both:,} in both ({one.en} of the first, {two.en} of the second)",
        )


@dataclass(frozen=True, slots=True)
class Overlap:
    """Several segments side by side.

    names: in the order asked for.   sizes: customers in each.   pairs: every two, the most alike first (by Jaccard,
    then by the order of names); empty for one segment alone.
    """

    names: tuple[str, ...]
    sizes: Mapping[str, int]
    pairs: tuple[Pair, ...]

    def pair(self, first: str, second: str) -> Pair:
        """Two of the segments, in the order asked for; raises BadQuestion for a segment that was not compared."""
        for name in (first, second):
            if name not in self.sizes:
                raise BadQuestion(f"The segment {name!r} was not compared", expected=f"one of {', '.join(self.names)}")
        if first == second:
            return Pair(first, first, *[self.sizes[first]] * 3)
        found = next(each for each in self.pairs if {each.first, each.second} == {first, second})
        return Pair(first, second, self.sizes[first], self.sizes[second], found.both)

    def share(self, first: str, second: str) -> float | None:
        """Which share of the first's customers is in the second too; None where the first is empty."""
        return self.pair(first, second).first_in_second


def overlap(engine: Engine, tables: str | Sequence[str] = MEMBERSHIP, names: Sequence[str] | None = None) -> Overlap:
    """How many customers each segment has, and each two share.

    tables: one table of memberships (`segment`, `customer_id`), or several tables of ids (`customer_id`).
    names: which segments of the one table (by default all of them; one without members is empty), or what to call the
    several tables (by default their own names).
    Ids that stand twice count once, unknown ids do not count. These are counts of everybody: they have no interval.
    Raises BadQuestion for a missing table or column, for names that repeat or do not fit the tables, and when nothing
    is named.   Cost: one statement, which joins the memberships to themselves.
    """
    if isinstance(tables, str):
        _require(engine, tables, "segment", "customer_id")
        wanted = None if names is None else _named_once(names)
        members = _memberships(tables, wanted)
    else:
        wanted = _named_once(tables if names is None else names)
        if len(tables) != len(wanted):
            raise BadQuestion("Every table of ids needs a name", expected=f"{len(tables)}", seen=f"{len(wanted)}")
        for table in tables:
            _require(engine, table, "customer_id")
        members = _stacked(tables, wanted)
    found = {
        (str(row["one_segment"]), str(row["two_segment"])): int(row["people"])
        for row in engine.to_arrow(_pairs(members)).to_pylist()
    }
    listed = sorted({first for first, _ in found}) if wanted is None else wanted
    return _overlap(listed, found)


def _overlap(names: Sequence[str], found: Mapping[tuple[str, str], int]) -> Overlap:
    sizes = {name: found.get((name, name), 0) for name in names}
    pairs = [
        Pair(one, two, sizes[one], sizes[two], found.get((min(one, two), max(one, two)), 0))
        for one, two in combinations(names, 2)
    ]
    # Sorting is stable: equals stay in the order of names.
    return Overlap(tuple(names), sizes, tuple(sorted(pairs, key=lambda pair: -(pair.jaccard or 0.0))))


def _pairs(members: exp.Query) -> exp.Select:
    """Customers in each two segments, and in each one with itself."""
    one, two = (exp.to_table("members").as_(name) for name in ("one", "two"))
    same = exp.EQ(this=_column("customer_id", "one"), expression=_column("customer_id", "two"))
    ordered = exp.LTE(this=_column("segment", "one"), expression=_column("segment", "two"))
    return (
        exp.select(
            exp.alias_(_column("segment", "one"), "one_segment"),
            exp.alias_(_column("segment", "two"), "two_segment"),
            exp.alias_(exp.Count(this=exp.Star()), "people"),
        )
        .from_(one)
        .join(two, on=exp.and_(same, ordered))
        .group_by(_column("segment", "one"), _column("segment", "two"))
        .with_("members", as_=members)
    )


def _memberships(table: str, names: Sequence[str] | None) -> exp.Query:
    query = exp.select("segment", "customer_id").distinct().from_(exp.to_table(table)).where(_known("customer_id"))
    if names is None:
        return query.where(_known("segment"))
    wanted: list[exp.Expr] = [exp.Literal.string(name) for name in names]
    return query.where(exp.In(this=exp.column("segment"), expressions=wanted))


def _stacked(tables: Sequence[str], names: Sequence[str]) -> exp.Query:
    parts = [
        exp.select(exp.alias_(exp.Literal.string(name), "segment"), "customer_id")
        .distinct()
        .from_(exp.to_table(table))
        .where(_known("customer_id"))
        for table, name in zip(tables, names, strict=True)
    ]
    query: exp.Query = parts[0]
    for part in parts[1:]:
        query = exp.union(query, part, distinct=False)
    return query


def _known(name: str) -> exp.Expr:
    return exp.Not(this=exp.Is(this=exp.column(name), expression=exp.null()))


def _column(name: str, table: str) -> exp.Column:
    return exp.column(name, table=table)


def _require(engine: Engine, table: str, *columns: str) -> None:
    there = engine.columns(table)
    if any(column not in there for column in columns):
        raise BadQuestion(
            f"The table {table!r} does not hold members",
            expected=f"columns {' and '.join(columns)}",
            seen=", ".join(there) or "no such table",
            remedy="Refresh the segments first.",
        )


def _named_once(names: Sequence[str]) -> list[str]:
    if not names or len(set(names)) < len(names):
        raise BadQuestion("Every segment is named once", seen=", ".join(names) or "no name")
    return list(names)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _of(part: int, whole: int) -> Text:
    if whole < PERCENT_FROM:
        return Text(f"{whole} 人中 {part} 人", f"{part} out of {whole}")
    return Text(f"{part / whole:.1%}", f"{part / whole:.1%}")
