"""Makes the lists: learns from the last days, scores everybody's candidates, and keeps who is recommended what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Language, Text
from aimwell.core.time import local_day, to_store
from aimwell.insight.predictions.plain import Result
from aimwell.insight.predictions.workshop import Workshop
from aimwell.insight.rules.compile import matching
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.store.warehouse.cut import instant_literal
from aimwell.strategy.recommenders.candidates import BLOCK, Pairs
from aimwell.strategy.recommenders.days import busy_days, day_to_learn, seen
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.features import Sheet, Sight, column_names
from aimwell.strategy.recommenders.learning import Booster, learn, probability
from aimwell.strategy.recommenders.lists import arrange
from aimwell.strategy.recommenders.models import card_of, load, save, version_of
from aimwell.strategy.recommenders.purchases import Purchases, read_purchases
from aimwell.strategy.recommenders.reasons import told
from aimwell.strategy.recommenders.sayings import pins
from aimwell.strategy.recommenders.stand import stand_at
from aimwell.strategy.recommenders.traits import KINDS, kinds

TABLE = "recommendation"
_SAID = Text("业务置顶：{why}", "pinned by the business: {why}")


@dataclass(frozen=True, slots=True)
class Recommendation(Result):
    """One item recommended to one customer.

    place: from 1.   kind: again, upsell, same_line or cross_sell.   probability: that a customer who comes within the
    horizon buys it.   reasons: why, the weightiest first; empty where they were not asked for.
    """

    customer_id: str
    place: int
    item: str
    name: str
    kind: str
    kind_label: Text
    probability: float
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Recommending(Result):
    """What was recommended.

    people: customers with a list.   empty: customers for whom nothing is eligible.   recommended: places filled.
    violations: recommendations that a limit forbids, counted once more before they are kept; always 0.
    kinds: recommendations by kind.   generators: those that took part.   shown: the lists that were asked for.
    version: the kept booster, empty where the data have no mark.   learnt: whether it was learnt just now.
    """

    recommender: str
    as_of: datetime
    people: int
    empty: int
    recommended: int
    violations: int
    kinds: dict[str, int]
    generators: tuple[str, ...]
    shown: tuple[Recommendation, ...]
    version: str = ""
    learnt: bool = True

    def to_arrow(self, language: Language) -> pa.Table:
        """The lists that were asked for as a table, the reasons in words."""
        rows = self.shown
        return pa.table(
            {
                "customer_id": [each.customer_id for each in rows],
                "place": [each.place for each in rows],
                "item": [each.item for each in rows],
                "name": [each.name for each in rows],
                "kind": [each.kind_label.said(language) for each in rows],
                "probability": [each.probability for each in rows],
                "reasons": ["; ".join(text.said(language) for text in each.reasons) for each in rows],
            }
        )


@dataclass(frozen=True)
class _Listed:
    """The places of a block of customers that are filled."""

    pairs: Pairs
    features: Sheet
    place: IntArray
    probability: FloatArray
    kind: IntArray

    def take(self, rows: IntArray) -> _Listed:
        pairs = replace(
            self.pairs,
            person=self.pairs.person[rows],
            item=self.pairs.item[rows],
            held=self.pairs.held[rows],
            scores={},
            places={},
        )
        features = replace(self.features, matrix=self.features.matrix[rows])
        return _Listed(pairs, features, self.place[rows], self.probability[rows], self.kind[rows])


def recommend(
    definition: Recommender,
    workshop: Workshop,
    as_of: datetime,
    *,
    customers: Sequence[str] = (),
    show: int = 3,
    seed: int = 0,
    progress: Progress = silent,
) -> Recommending:
    """Make the list of everybody in the population as of the instant, and keep them in the table `recommendation`.

    customers: whose lists to show with reasons; by default the first `show` of the population. Only customers who are
    asked for by name and are not in the population raise BadQuestion.
    Making the lists of the same instant again replaces them; if it fails, those before stay.
    The booster is kept with a card; the same data, definition, instant and seed find it again.
    Raises NotEnoughData when nobody bought anything, too few days have buyers, or nobody is in the population.
    """
    purchases = read_purchases(workshop.history(as_of), definition.level)
    sight = Sight(stand_at(definition, workshop.history(as_of), purchases=purchases, seed=seed))
    version = version_of(definition, workshop, as_of, seed)
    kept_booster = _fits(load(workshop.folder, definition.name, version), sight) if version else None
    booster = kept_booster or _learnt(definition, workshop, as_of, purchases, seed, progress)
    people = _population(definition, workshop, as_of, sight)
    wanted = _wanted(definition, sight, people, customers, show)
    today = local_day(as_of, workshop.warehouse.zone)
    counts = np.zeros(len(KINDS), dtype=np.int64)
    shown: list[Recommendation] = []
    kept: list[pa.Table] = []
    violations = served = 0
    for number, block in enumerate(_lists(definition, sight, booster, people, today)):
        progress("lists", 0.6 + 0.4 * min(1.0, number * BLOCK / people.size))
        allowed = sight.stand.eligibility.allows(block.pairs.person, block.pairs.item)
        violations += int((~allowed).sum())
        served += np.unique(block.pairs.person).size
        counts += np.bincount(block.kind, minlength=len(KINDS))
        kept.append(_rows(definition, as_of, sight, block))
        rows = np.flatnonzero(np.isin(block.pairs.person, wanted))
        if rows.size:
            shown += _told(definition, sight, booster, block.take(rows), today)
    _keep(workshop, definition.name, as_of, pa.concat_tables(kept))
    by_kind = dict(zip(KINDS, counts.tolist(), strict=True))
    return Recommending(
        definition.name,
        as_of,
        served,
        people.size - served,
        int(counts.sum()),
        violations,
        by_kind,
        tuple(sight.stand.fitted),
        tuple(shown),
        version or "",
        kept_booster is None,
    )


def _learnt(
    definition: Recommender, workshop: Workshop, as_of: datetime, purchases: Purchases, seed: int, progress: Progress
) -> Booster:
    days, _ = busy_days(definition, workshop, as_of, definition.learn.days)
    named = [str(local_day(begin, workshop.warehouse.zone)) for begin in days]
    lessons = []
    for number, begin in enumerate(days):
        progress(named[number], 0.55 * number / len(days))
        day = day_to_learn(definition, workshop, begin, purchases, seed)
        lessons.append(day.lesson(definition.learn.others, seed + number))
    booster = learn(lessons, definition.learn, seed=seed)
    if workshop.version:
        save(workshop.folder, booster, card_of(definition, workshop, as_of, named, lessons, booster, seed))
    return booster


def _fits(booster: Booster | None, sight: Sight) -> Booster | None:
    """The kept booster if it reads the features that there are now, None where some part of Aimwell has changed."""
    return booster if booster is not None and booster.names == column_names(sight) else None


def _population(definition: Recommender, workshop: Workshop, as_of: datetime, sight: Sight) -> IntArray:
    """The places of those for whom lists are made, in order."""
    past = sight.stand.past
    if definition.population is None:
        return np.arange(past.people)
    history = workshop.history(as_of)
    found = workshop.warehouse.engine.to_arrow(matching(definition.population, workshop.rules(as_of), history))
    ids = np.asarray(found.column("customer_id").to_pylist(), dtype=np.str_)
    people = np.flatnonzero(np.isin(past.customers, ids))
    if not people.size:
        raise NotEnoughData(
            f"{definition.name}: nobody is in the population as of {as_of.date()}", remedy="Widen the population."
        )
    return people


def _wanted(definition: Recommender, sight: Sight, people: IntArray, customers: Sequence[str], show: int) -> IntArray:
    ids = sight.stand.past.customers[people]
    strange = [each for each in customers if each not in set(ids.tolist())]
    if strange:
        raise BadQuestion(f"{definition.name}: no list is made for {strange[0]!r}", expected="ids in the population")
    return people[np.isin(ids, list(customers))] if customers else people[:show]


def _lists(definition: Recommender, sight: Sight, booster: Booster, people: IntArray, today: date) -> Iterator[_Listed]:
    """The lists of all customers, a block at a time."""
    pinned = np.array(sorted(pins(definition, sight.stand.shelf, today)), dtype=np.int64)
    for begin in range(0, people.size, BLOCK):
        pairs, features = seen(sight, people[begin : begin + BLOCK], pinned)
        if not len(pairs):
            continue
        score = booster.raw(features.matrix)
        place = arrange(definition, sight.stand.shelf, today, pairs.person, pairs.item, score)
        kind = kinds(sight, pairs.person, pairs.item)
        block = _Listed(pairs, features, place, probability(score), kind)
        rows = np.flatnonzero(place < definition.list_size)
        yield block.take(rows[np.lexsort((place[rows], pairs.person[rows]))])


def _told(definition: Recommender, sight: Sight, booster: Booster, block: _Listed, today: date) -> list[Recommendation]:
    past, shelf = sight.stand.past, sight.stand.shelf
    person, item = block.pairs.person, block.pairs.item
    why: dict[int, Text] = {}
    for say in definition.say:
        if say.action == "pin" and say.holds(today):
            alone = definition.model_copy(update={"say": [say]})
            why |= dict.fromkeys(pins(alone, shelf, today), _SAID.format(why=say.why))
    names = list(KINDS)
    return [
        Recommendation(
            str(past.customers[person[row]]),
            int(block.place[row]) + 1,
            str(shelf.items[item[row]]),
            shelf.name(int(item[row])),
            names[block.kind[row]],
            KINDS[names[block.kind[row]]],
            float(block.probability[row]),
            (why[int(item[row])], *reasons[:1]) if int(item[row]) in why else reasons,
        )
        for row, reasons in enumerate(told(sight, booster, block.features.matrix, person, item))
    ]


def _rows(definition: Recommender, as_of: datetime, sight: Sight, block: _Listed) -> pa.Table:
    past, shelf, size = sight.stand.past, sight.stand.shelf, block.place.size
    names = np.array(list(KINDS), dtype=np.str_)
    return pa.table(
        {
            "recommender": pa.array([definition.name] * size, pa.string()),
            "as_of": pa.array([to_store(as_of)] * size, pa.timestamp("us")),
            "customer_id": pa.array(past.customers[block.pairs.person].tolist(), pa.string()),
            "place": pa.array(block.place + 1, pa.int64()),
            "item": pa.array(shelf.items[block.pairs.item].tolist(), pa.string()),
            "kind": pa.array(names[block.kind].tolist(), pa.string()),
            "probability": pa.array(block.probability, pa.float64()),
        }
    )


def _keep(workshop: Workshop, name: str, as_of: datetime, fresh: pa.Table) -> None:
    """Write the lists; those of the same recommender and instant give way to them."""
    engine = workshop.warehouse.engine
    if TABLE not in engine.tables():
        engine.write(TABLE, fresh)
        return
    same = exp.and_(
        exp.EQ(this=exp.column("recommender"), expression=exp.Literal.string(name)),
        exp.EQ(this=exp.column("as_of"), expression=instant_literal(to_store(as_of))),
    )
    with engine.transaction():
        with workshop.passing(f"of_{TABLE}") as others:
            engine.create_table_as(others, exp.select("*").from_(TABLE).where(exp.Not(this=exp.paren(same))))
            engine.create_table_as(TABLE, exp.select("*").from_(others))
        engine.append(TABLE, fresh)
