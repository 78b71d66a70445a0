"""What the booster sees of a candidate: the customer, the item, and above all what is between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aimwell.science.arrays import FloatArray, IntArray, totals
from aimwell.science.recommend.sparse import places_within, sparse
from aimwell.strategy.recommenders.candidates import Pairs
from aimwell.strategy.recommenders.past import MEASURES, VISITS
from aimwell.strategy.recommenders.stand import Stand

Part = Callable[["Sight", Pairs], Mapping[str, FloatArray]]

OWN, LINE, CROWD, CUSTOMER, SEGMENT, PRICE = "own", "line", "popular", "customer", "segment", "price"
"""What a feature speaks of; those of a generator carry its name."""
NEVER = "own_orders"
"""The column that is NaN for what the customer never bought."""
PLACE = "_in_list"
"""Ends the names of columns that say at which place a generator proposed a pair, NaN where it did not."""


@dataclass(frozen=True)
class Sheet:
    """Features of pairs as numbers, NaN where not known.

    matrix: [n, d].   names: of its columns [d].   groups: what each column speaks of [d].
    """

    matrix: FloatArray
    names: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Sight:
    """What can be said of customers and items at an instant, reckoned once for all their pairs."""

    stand: Stand

    @cached_property
    def items(self) -> Mapping[str, FloatArray]:
        """Measures of each item [m]."""
        past, ones = self.stand.past, np.ones(self.stand.past.person.size)
        measures = past.measures
        buyers = past.by_item(ones)
        orders = past.by_item(measures["orders"])
        recent, lately = (past.by_item((measures[name] > 0).astype(np.float64)) for name in ("orders_7", "orders_28"))
        quarter = past.by_item((measures["orders_84"] > 0).astype(np.float64))
        again = measures["orders"] > 1
        gaps = (measures["first_days"] - measures["last_days"]) / np.maximum(measures["orders"] - 1, 1)
        first = np.zeros(past.width)
        np.maximum.at(first, past.item, measures["first_days"])
        return {
            "buyers_7": recent / past.people,
            "buyers_28": lately / past.people,
            "buyers_84": quarter / past.people,
            "buyers": buyers,
            "trend": _ratio(4 * past.by_item(measures["orders_7"]), past.by_item(measures["orders_28"])),
            "came_again": _ratio(past.by_item(again.astype(np.float64)), buyers),
            "orders_each": _ratio(orders, buyers),
            "gap": _ratio(past.by_item(np.where(again, gaps, 0.0)), past.by_item(again.astype(np.float64))),
            "known_days": first,
            "sold_days": self.stand.shelf.sold_days,
            "weekday": _ratio(past.by_item(measures["same_weekday"]), orders),
            "price": self.price,
        }

    @cached_property
    def price(self) -> FloatArray:
        """What an item costs: its list price, or what is paid for it per order, NaN not known [m]."""
        past = self.stand.past
        paid = _ratio(past.by_item(past.measures["amount"]), past.by_item(past.measures["orders"]))
        listed = self.stand.shelf.price
        return np.where(np.isnan(listed), paid, listed)

    @cached_property
    def usual_price(self) -> FloatArray:
        """What the customer usually pays for an item, NaN not known [people]."""
        past = self.stand.past
        spent = totals(past.person, past.measures["amount"], past.people)
        return _ratio(spent, totals(past.person, past.measures["orders"], past.people))

    @cached_property
    def lines(self) -> Mapping[str, FloatArray]:
        """Measures of each customer and line that he bought from, by key customer × lines + line, in order."""
        past, shelf = self.stand.past, self.stand.shelf
        line = shelf.line[past.item]
        inside = line >= 0
        keys = past.person[inside] * max(shelf.lines.size, 1) + line[inside]
        unique, which = np.unique(keys, return_inverse=True)
        last = np.full(unique.size, np.inf)
        np.minimum.at(last, which, past.measures["last_days"][inside])
        most = np.zeros(unique.size)
        np.maximum.at(most, which, np.nan_to_num(self.price[past.item[inside]]))
        return {
            "keys": unique,
            "orders": totals(which, past.measures["orders"][inside], unique.size),
            "fading": totals(which, past.measures["fading"][inside], unique.size),
            "items": totals(which, np.ones(which.size), unique.size),
            "last_days": last,
            "dearest": most,
        }

    @cached_property
    def fading_total(self) -> FloatArray:
        """All fading orders of each customer [people]."""
        past = self.stand.past
        return totals(past.person, past.measures["fading"], past.people)

    @cached_property
    def distinct(self) -> FloatArray:
        """How many items each customer ever bought [people]."""
        past = self.stand.past
        return totals(past.person, np.ones(past.person.size), past.people)

    @cached_property
    def segment_share(self) -> FloatArray:
        """Share of each segment's customers who bought an item in the last 84 days [segments, items]."""
        past, people = self.stand.past, self.stand.people
        lately = past.measures["orders_84"] > 0
        shape = (people.segments.size, past.width)
        one = np.ones(int(lately.sum()))
        counts = sparse(people.segment[past.person[lately]], past.item[lately], one, shape).toarray()
        sizes = totals(people.segment, np.ones(past.people), shape[0])
        shares: FloatArray = counts / np.maximum(sizes, 1)[:, None]
        return shares

    def line_of(self, measure: str, person: IntArray, item: IntArray) -> FloatArray:
        """A measure of the customer and the item's line, NaN where he never bought from it [n]."""
        line = self.stand.shelf.line[item]
        keys = self.lines["keys"].astype(np.int64)
        if not keys.size:
            return np.full(person.size, np.nan)
        wanted = person * max(self.stand.shelf.lines.size, 1) + line
        at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
        return np.where((line >= 0) & (keys[at] == wanted), self.lines[measure][at], np.nan)


def sheet(sight: Sight, pairs: Pairs) -> Sheet:
    """The features of pairs; the same columns for the same definition, whatever the instant."""
    columns: list[FloatArray] = []
    names: list[str] = []
    groups: list[str] = []
    for group, part in _PARTS:
        for name, values in part(sight, pairs).items():
            names.append(name)
            groups.append(group)
            columns.append(values)
    for name in sorted(pairs.scores):
        names += [f"{name}_score", f"{name}{PLACE}"]
        groups += [name, name]
        columns += [pairs.scores[name], pairs.places[name]]
    matrix = np.column_stack(columns) if len(pairs) else np.empty((0, len(names)))
    return Sheet(matrix, tuple(names), tuple(groups))


def column_names(sight: Sight) -> tuple[str, ...]:
    """The names of the features of pairs, as `sheet` gives them."""
    none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
    generated = dict.fromkeys(sight.stand.fitted, nothing)
    return sheet(sight, Pairs(none, none, np.empty(0, dtype=np.bool_), generated, generated)).names


def _own(sight: Sight, pairs: Pairs) -> Mapping[str, FloatArray]:
    past, person, item = sight.stand.past, pairs.person, pairs.item
    found = {name: past.of(name, person, item) for name in MEASURES if name != "amount"}
    gap = _ratio(found["first_days"] - found["last_days"], found["orders"] - 1)
    known = past.visits["known_days"][person]
    place = places_within(person, np.nan_to_num(found["fading"], nan=-1.0), item).astype(np.float64)
    return {f"own_{name}": values for name, values in found.items()} | {
        "own_gap": gap,
        "own_due": _ratio(found["last_days"], gap),
        "own_due_by_item": _ratio(found["last_days"], sight.items["gap"][item]),
        "own_share": _ratio(found["fading"], sight.fading_total[person]),
        "own_rate": _ratio(found["orders"], past.visits["visits"][person]),
        "own_rate_84": _ratio(found["orders_84"], past.visits["visits_84"][person]),
        "own_rate_28": _ratio(found["orders_28"], past.visits["visits_28"][person]),
        "own_recent": _ratio(found["last_days"], known),
        "own_place": np.where(pairs.held, place, np.nan),
    }


def _line(sight: Sight, pairs: Pairs) -> Mapping[str, FloatArray]:
    found = {
        f"line_{name}": sight.line_of(name, pairs.person, pairs.item)
        for name in ("orders", "fading", "items", "last_days")
    }
    return found | {"line_share": _ratio(found["line_fading"], sight.fading_total[pairs.person])}


def _item(sight: Sight, pairs: Pairs) -> Mapping[str, FloatArray]:
    return {f"item_{name}": values[pairs.item] for name, values in sight.items.items()}


def _customer(sight: Sight, pairs: Pairs) -> Mapping[str, FloatArray]:
    visits = sight.stand.past.visits
    return {f"customer_{name}": visits[name][pairs.person] for name in VISITS} | {
        "customer_items": sight.distinct[pairs.person]
    }


def _segment(sight: Sight, pairs: Pairs) -> Mapping[str, FloatArray]:
    shares = sight.segment_share[sight.stand.people.segment[pairs.person], pairs.item]
    return {"segment_share": shares, "segment_lift": _ratio(shares, sight.items["buyers_84"][pairs.item])}


def _price(sight: Sight, pairs: Pairs) -> Mapping[str, FloatArray]:
    usual = _ratio(sight.price[pairs.item], sight.usual_price[pairs.person])
    return {"price_to_usual": usual}


_PARTS: Sequence[tuple[str, Part]] = (
    (OWN, _own),
    (LINE, _line),
    (CROWD, _item),
    (CUSTOMER, _customer),
    (SEGMENT, _segment),
    (PRICE, _price),
)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """above / below, NaN where that says nothing."""
    found: FloatArray = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return found
