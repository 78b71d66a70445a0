"""What makes a set of customers different from everybody else, over all that is known about them.

Each measure is told once, by the window in which the groups differ most surely. It is told with intervals, only if
effect and figures surely point the same way, and only if that survives being one of many: chances are joined within a
measure by Simes' test (1986) and across measures by the procedure of Benjamini and Hochberg (1995), so that of the
differences told at most 5 % are expected to be due to chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.features.basis import digest
from aimwell.insight.features.build import Features
from aimwell.insight.features.family import Column, Family, Kind
from aimwell.insight.rules.compile import people_query
from aimwell.insight.segments.contrast import Aspect, Size
from aimwell.insight.segments.trials import FALSE_SHARE, INSIDE, Trial, Trials
from aimwell.insight.segments.wording import COMPARED, EPOCH, OTHERS, cautions, certainty, sentence, summary
from aimwell.science.metrics.interval import Estimate
from aimwell.store.warehouse.engine import Engine

_DEFINES = Text("人群就是按它定义的", "the set is defined by it")
_NO_DATA = Text("数据里没有", "the data do not carry it")


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in which members differ from others.

    column: the feature told, the strongest window of its `measure`.   value: the word of a text whose share is told.
    inside, outside: level of the members and of the others: a mean, a median (dates always), or a share (see `aspect`).
    gap: inside minus outside, in the unit, as a fraction, or in days.   ratio: inside over outside, None where that
    means nothing.   effect: on one scale for all kinds, -1 to 1 (see `contrast`).   All with 95 % intervals.
    false_share: expected share of chance findings if everything at least so sure is believed (Benjamini–Hochberg).
    people_inside, people_outside: people whom the figures are about.
    sentence, certainty: what differs, and its interval, in words.
    """

    column: str
    measure: str
    label: Text
    kind: Kind
    aspect: Aspect
    value: str | None
    inside: float | date
    outside: float | date
    gap: Estimate
    ratio: Estimate | None
    effect: Estimate
    size: Size
    strength: float
    false_share: float
    people_inside: int
    people_outside: int
    sentence: Text
    certainty: Text


@dataclass(frozen=True, slots=True)
class Differences:
    """How a set of customers differs from others, what differs most surely first.

    people, others: how many there are.   both: people who stood in both tables; they count as members.
    found: differences beyond chance.   compared: how many measures were compared.
    left_out: features that were not compared, and why.   summary: the result in one sentence.
    cautions: what a reader must know beside it.
    """

    people: int
    others: int
    both: int
    found: tuple[Difference, ...]
    compared: int
    left_out: Mapping[str, Text]
    summary: Text
    cautions: tuple[Text, ...]

    def top(self, count: int) -> tuple[Difference, ...]:
        """The surest differences, at most so many."""
        return self.found[:count]


def differences(
    features: Features,
    members: str,
    others: str | None = None,
    *,
    names: Iterable[str] | None = None,
    leave_out: Iterable[str] = (),
    seed: int = 0,
) -> Differences:
    """What makes a set of customers different from everybody else, or from the customers of another table.

    members, others: physical tables with `customer_id`; everybody else by default. Who stands in both is a member.
    names: features to compare, by default all that the data can carry.
    leave_out: features that define the set, which differ trivially; all windows of their measures are left out.
    Groups of fewer than 30 get no percentages, features known for fewer than 5 in either group are not compared; the
    result says so. Equal tables in any order give equal results.
    Raises NotEnoughData if nobody is in either group; BadQuestion for an unknown table or feature.
    Cost: one read of each family's table, and sorting each column once.
    """
    chosen, trials = _chosen(features, names, leave_out), Trials(seed)
    trials.left_out.update(chosen.left_out)
    with _side_by_side(features, members, others) as groups:
        features.prepare(chosen.columns)
        for family, columns in chosen.columns.items():
            trials.add(columns, _rows(features, groups.table, family, columns))
    return _told(groups, trials, OTHERS if others is None else COMPARED)


def differences_of(
    features: Features,
    sets: Mapping[str, Sequence[str]],
    *,
    leave_out: Mapping[str, Iterable[str]] | None = None,
    seed: int = 0,
) -> dict[str, Differences]:
    """What makes each of several sets of customers different from everybody else: the same as `differences` of each.

    sets: customer ids by name; ids that nobody has are passed over.   leave_out: features that define a set, by name.
    Sets of nobody, and of everybody, are missing.   Cost: one read of each family's table for all sets together.
    """
    engine = features.history.engine
    with _everybody_kept(features) as table:
        everybody = np.asarray(engine.to_arrow(_in_order(table)).column(0).to_pylist(), dtype=np.str_)
        inside = {name: np.isin(everybody, np.asarray(ids, dtype=np.str_)) for name, ids in sets.items()}
        inside = {name: flags for name, flags in inside.items() if flags.any() and not flags.all()}
        chosen = {name: _chosen(features, None, (leave_out or {}).get(name, ())) for name in inside}
        trials = {name: Trials(seed, left_out=dict(each.left_out)) for name, each in chosen.items()}
        families = list({family: None for each in chosen.values() for family in each.columns})
        features.prepare(families)
        for family in families:
            rows = features.to_arrow(table, [column.name for column in features.available(family)])
            for name, flags in inside.items():
                trials[name].add(chosen[name].columns.get(family, ()), rows.append_column(INSIDE, pa.array(flags)))
    sizes = {name: int(flags.sum()) for name, flags in inside.items()}
    return {
        name: _told(_Groups(table, size, everybody.size - size, 0), trials[name], OTHERS)
        for name, size in sizes.items()
    }


def _told(groups: _Groups, trials: Trials, others: Text) -> Differences:
    """What was found, with its summary and cautions."""
    found = tuple(_difference(*each, others) for each in trials.beyond_chance())
    compared, sizes = len(trials.measures), (groups.people, groups.others)
    return Differences(
        groups.people,
        groups.others,
        groups.both,
        found,
        compared,
        trials.left_out,
        summary(sizes, len(found), compared, others=others),
        cautions(sizes, groups.both, compared, false_share=FALSE_SHARE, others=others),
    )


# --- who and what ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Groups:
    """A physical table of customer ids with the flag `aimwell_inside`, and how many people are in it."""

    table: str
    people: int
    others: int
    both: int


@contextmanager
def _side_by_side(features: Features, members: str, others: str | None) -> Iterator[_Groups]:
    """Members and others as one table, for as long as the block lasts."""
    engine = features.history.engine
    for table in (members, *([others] if others else [])):
        if "customer_id" not in engine.columns(table):
            raise BadQuestion(f"There are no customers in the table {table!r}", expected="a column customer_id")
    inside = exp.select("customer_id").from_(exp.to_table(members))
    outside = _everybody(features) if others is None else exp.select("customer_id").from_(exp.to_table(others))
    name = f"people_{digest([members, others or ''])}"
    engine.create_scratch_as(name, _flagged(inside, outside))
    try:
        sizes = _counted(engine, exp.select(INSIDE, _count()).from_(name).group_by(INSIDE))
        both = 0 if others is None else _counted(engine, _shared(inside, outside)).get(True, 0)
        _refuse_nobody(sizes, members, others)
        yield _Groups(name, sizes[True], sizes[False], both)
    finally:
        engine.drop(name)


@contextmanager
def _everybody_kept(features: Features) -> Iterator[str]:
    """A physical table of everyone known at the cut, for as long as the block lasts."""
    engine, name = features.history.engine, f"people_{digest([features.mark])}"
    engine.create_scratch_as(name, _everybody(features))
    try:
        yield name
    finally:
        engine.drop(name)


def _in_order(table: str) -> exp.Select:
    return exp.select("customer_id").from_(exp.to_table(table)).order_by("customer_id")


def _everybody(features: Features) -> exp.Select:
    """Everyone known at the cut."""
    history = features.history
    known = people_query(history, [], {}, None)
    return history.bind(exp.select("customer_id").from_("everyone").with_("everyone", as_=known))


def _flagged(inside: exp.Select, outside: exp.Select) -> exp.Query:
    """Each member once, and each other who is no member once."""
    first = _distinct(inside, "member").select(exp.alias_(exp.true(), INSIDE))
    second = _distinct(outside, "other").where(exp.Not(this=_among("other", inside)))
    return exp.union(first, second.select(exp.alias_(exp.false(), INSIDE)), distinct=False)


def _shared(inside: exp.Select, outside: exp.Select) -> exp.Select:
    found = _distinct(outside, "other").where(_among("other", inside))
    return exp.select(exp.alias_(exp.true(), INSIDE), _count()).from_(found.subquery("shared"))


def _distinct(ids: exp.Select, name: str) -> exp.Select:
    known = exp.Not(this=exp.Is(this=exp.column("customer_id", table=name), expression=exp.null()))
    query = exp.select(exp.column("customer_id", table=name)).distinct()
    return query.from_(ids.copy().subquery(name)).where(known)


def _among(name: str, inside: exp.Select) -> exp.Expr:
    same = exp.EQ(this=exp.column("customer_id", table="mine"), expression=exp.column("customer_id", table=name))
    return exp.Exists(this=exp.select(exp.Literal.number(1)).from_(inside.copy().subquery("mine")).where(same))


def _count() -> exp.Expr:
    return exp.alias_(exp.Count(this=exp.Star()), "people")


def _counted(engine: Engine, query: exp.Select) -> dict[bool, int]:
    return {bool(row[INSIDE]): int(row["people"]) for row in engine.to_arrow(query).to_pylist()}


def _refuse_nobody(sizes: Mapping[bool, int], members: str, others: str | None) -> None:
    if not sizes.get(True):
        raise NotEnoughData(
            f"There is nobody in {members!r}, so nothing sets them apart",
            expected="at least one customer",
            seen="none",
            remedy="Refresh the segment, or widen its rule.",
        )
    if not sizes.get(False):
        where = "" if others is None else f" in {others!r}"
        raise NotEnoughData(
            f"Everybody{where} is in {members!r}, so there is nobody to differ from",
            expected="at least one other customer",
            seen=f"{sizes[True]} members and no other",
            remedy="Compare with another table of customers, or narrow the rule.",
        )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The columns to read of each family, and those that are not compared, with the reason."""

    columns: Mapping[Family, list[Column]]
    left_out: Mapping[str, Text]


def _chosen(features: Features, names: Iterable[str] | None, leave_out: Iterable[str]) -> _Chosen:
    library = features.library
    trivial = _measures(features, leave_out)
    wanted = None if names is None else {library.column(name).name for name in names}
    columns: dict[Family, list[Column]] = {}
    left_out: dict[str, Text] = {}
    for family in library.families.values():
        carried = features.available(family)
        for column in family.columns:
            if wanted is not None and column.name not in wanted:
                continue
            if (column.measure or column.name) in trivial:
                left_out[column.name] = _DEFINES
            elif column in carried:
                columns.setdefault(family, []).append(column)
            elif wanted is not None:
                left_out[column.name] = _NO_DATA
    return _Chosen(columns, left_out)


def _measures(features: Features, names: Iterable[str]) -> set[str]:
    """The measures that some features, or measures, belong to; raises BadQuestion with similar names."""
    columns = [column for family in features.library.families.values() for column in family.columns]
    known = {column.measure for column in columns}
    return {name if name in known else (features.library.column(name).measure or name) for name in names}


def _rows(features: Features, people: str, family: Family, columns: list[Column]) -> pa.Table:
    """The columns of one family beside the flag, in one read; in no order."""
    names = [column.name for column in columns]
    told = features.select(people, names).subquery("told")
    same = exp.EQ(this=exp.column("customer_id", table="told"), expression=exp.column("customer_id", table="people"))
    query = exp.select(exp.column(INSIDE, table="people"), *(exp.column(name, table="told") for name in names))
    return features.history.engine.to_arrow(query.from_(exp.to_table(people).as_("people")).join(told, on=same))


def _difference(trial: Trial, false_share: float, others: Text) -> Difference:
    column, contrast = trial.column, trial.contrast
    inside: float | date = contrast.inside
    outside: float | date = contrast.outside
    if column.kind == "day" and contrast.aspect == "median":
        inside, outside = (EPOCH + timedelta(days=round(each)) for each in (contrast.inside, contrast.outside))
    return Difference(
        column=column.name,
        measure=column.measure or column.name,
        label=column.label,
        kind=column.kind,
        aspect=contrast.aspect,
        value=trial.word,
        inside=inside,
        outside=outside,
        gap=contrast.gap,
        ratio=contrast.ratio,
        effect=contrast.effect,
        size=contrast.size,
        strength=contrast.strength,
        false_share=false_share,
        people_inside=contrast.people_inside,
        people_outside=contrast.people_outside,
        sentence=sentence(column, contrast, word=trial.word, known=trial.known, others=others),
        certainty=certainty(column, contrast),
    )
