"""Reads from a history everything that recommending works with, and has the generators learn from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.time import local_day
from aimwell.insight.predictions.rows import Names
from aimwell.science.arrays import BoolArray
from aimwell.store.warehouse.history import History
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.eligibility import Eligibility
from aimwell.strategy.recommenders.generator import Fitted, Generator, Scene, Triple, generators
from aimwell.strategy.recommenders.past import Past, read_past
from aimwell.strategy.recommenders.people import People, known_customers, read_people
from aimwell.strategy.recommenders.purchases import Purchases, read_purchases
from aimwell.strategy.recommenders.sayings import never_shown
from aimwell.strategy.recommenders.shelf import Shelf, read_shelf


@dataclass(frozen=True)
class Stand:
    """Everything known at one instant, and the generators that have learnt from it."""

    definition: Recommender
    as_of: datetime
    past: Past
    shelf: Shelf
    people: People
    fitted: Mapping[str, Fitted]
    eligibility: Eligibility

    @cached_property
    def cold(self) -> BoolArray:
        """Items that hardly anybody has bought so far [m]."""
        buyers = self.past.by_item(np.ones(self.past.person.size))
        found: BoolArray = buyers < self.definition.cold_buyers
        return found


def chosen_generators(definition: Recommender) -> dict[str, Generator]:
    """The generators that a definition wants; raises BadQuestion for a name that does not exist."""
    known, wanted = generators(), definition.candidates
    strange = [name for name in [*wanted.generators, *wanted.without] if name != "*" and name not in known]
    if strange:
        raise BadQuestion(
            f"{definition.name}: there is no generator {strange[0]!r}", expected=f"some of {', '.join(known)}"
        )
    every = "*" in wanted.generators
    found = {
        name: each
        for name, each in known.items()
        if (every or name in wanted.generators) and name not in wanted.without
    }
    if not found:
        raise BadQuestion(f"{definition.name}: no generator is left", expected=f"some of {', '.join(known)}")
    return found


def stand_at(
    definition: Recommender,
    history: History,
    *,
    customers: Names | None = None,
    purchases: Purchases | None = None,
    heed_say: bool = True,
    seed: int = 0,
) -> Stand:
    """Read the past and the shelf at the cut of the history, and have the generators learn.

    customers: ids that are known beside those in the tables.   purchases: lines read at this cut or a later one, which
    are read where they are not given.   heed_say: whether what the business never wants shown
    is left out.
    Raises NotEnoughData when nothing was bought before it, or nothing is on sale.
    """
    basket = (purchases or read_purchases(history, definition.level)).before(history)
    shelf = read_shelf(history, definition, basket)
    known = known_customers(history)
    known = known if customers is None else np.union1d(known, customers)
    past = read_past(history, definition.level, shelf.items, known, basket)
    if not shelf.on_sale.any():
        raise NotEnoughData(
            f"{definition.name}: nothing is on sale on {history.as_of:%Y-%m-%d}",
            expected=f"items sold within {definition.eligible.sold_within_days} days, or new in the catalogue",
            remedy="Raise eligible.sold_within_days, or load the catalogue.",
        )
    people = read_people(history, past, definition.expert_by)
    never = np.zeros(shelf.items.size, dtype=np.bool_)
    if heed_say:
        never = never_shown(definition, shelf, local_day(history.as_of, history.zone))
    scene = Scene(past, shelf, _relations(history), definition.cold_buyers, seed)
    fitted = {name: each.fit(scene) for name, each in chosen_generators(definition).items() if each.ready(scene)}
    eligibility = Eligibility(definition.eligible, past, shelf, people, never)
    return Stand(definition, history.as_of, past, shelf, people, fitted, eligibility)


def _relations(history: History) -> tuple[Triple, ...]:
    if not history.has("relation"):
        return ()
    weighed = history.has("relation", "weight")
    names = ("head", "relation", "tail", *(["weight"] if weighed else []))
    rows = history.to_arrow(exp.select(*(exp.column(name) for name in names)).from_("relation"))
    heads, kinds, tails = (rows.column(name).to_pylist() for name in names[:3])
    weights = rows.column("weight").to_pylist() if weighed else [None] * len(heads)
    found = zip(heads, kinds, tails, weights, strict=True)
    return tuple(sorted((head, kind, tail, 1.0 if weight is None else weight) for head, kind, tail, weight in found))
