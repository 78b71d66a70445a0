"""Contribution: margin less incentives less contacts, by customer, product and segment, adding up to the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aimwell.core.errors import BadQuestion
from aimwell.insight.contribution.ledgers import Books, cents
from aimwell.science.arrays import IntArray
from aimwell.science.sharing import share_out

NOBODY = ""
"""The customer of campaign spend that reached nobody, the product of contacts with those who bought nothing, and the
segment of those who are in none."""
_CENT = pa.scalar(Decimal("0.01"), pa.decimal128(3, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What each customer brought with each product, in cents; every view of it has the totals of the books.

    customers, products: names of each cell [n].   parts: margin, incentives and contacts of each cell [3, n].
    """

    customers: tuple[str, ...]
    products: tuple[str, ...]
    parts: IntArray

    def by_customer(self) -> pa.Table:
        """One row per customer; who bought nothing and was contacted brought less than nothing."""
        return _grouped("customer_id", self.customers, self.parts)

    def by_product(self) -> pa.Table:
        """One row per product; contacts are shared by what each customer bought."""
        return _grouped("product_id", self.products, self.parts)

    def by_segment(self, members: Mapping[str, Sequence[str]]) -> pa.Table:
        """One row per segment; who is in several is shared alike among them, to the cent.

        members: the customers of each segment.
        """
        of: dict[str, list[str]] = {}
        for segment in sorted(members):
            for customer in sorted(set(members[segment])):
                of.setdefault(customer, []).append(segment)
        names, inverse = _coded(self.customers)
        rows = [(place, segment) for place, name in enumerate(names) for segment in of.get(name, [NOBODY])]
        owner = np.array([place for place, _ in rows], dtype=np.int64)
        alike = np.ones(owner.size, dtype=np.int64)
        shared = [share_out(_summed(part, inverse, len(names)), owner, alike) for part in self.parts]
        return _grouped("segment", tuple(segment for _, segment in rows), np.array(shared, dtype=np.int64))


def contribution(books: Books) -> Contribution:
    """Shares the books out over customers and products.

    Margin and incentives lie with the customer and product of their line. Campaign spend is shared among the customers
    of the campaign by their touches (with nobody touched it stays with nobody). What contacts cost of a customer is
    shared over the products that he bought by their margin, alike if they have none; if he bought nothing it belongs to
    no product. All shares are whole cents by largest remainder (`share_out`).
    """
    contacts = _contacts(books)
    customers = books.lines.column("customer_id").to_pylist()
    products = books.lines.column("product_id").to_pylist()
    without = sorted(set(contacts) - set(customers))
    customers, products = [*customers, *without], [*products, *[NOBODY] * len(without)]
    empty = np.zeros(len(without), dtype=np.int64)
    margin, incentives = (np.concatenate([cents(books.lines, name), empty]) for name in ("margin", "incentives"))
    names, owner = _coded(customers)
    cost = np.array([contacts.get(name, 0) for name in names], dtype=np.int64)
    shared = share_out(cost, owner, np.maximum(margin, 0))
    return Contribution(tuple(customers), tuple(products), np.array([margin, incentives, shared], dtype=np.int64))


def _contacts(books: Books) -> dict[str, int]:
    """What contacts with each customer cost, campaign spend included, in cents; only where it is not 0."""
    who, campaign = books.touches.column("customer_id").to_pylist(), books.touches.column("campaign").to_pylist()
    spent = dict(zip(books.spend.column("campaign").to_pylist(), cents(books.spend, "cost").tolist(), strict=True))
    found: dict[str, int] = {NOBODY: sum(amount for name, amount in spent.items() if name not in set(campaign))}
    names, owner = _coded(campaign)
    touches = np.asarray(books.touches.column("touches").to_pylist(), dtype=np.int64)
    shared = share_out(np.array([spent.get(name, 0) for name in names], dtype=np.int64), owner, touches)
    for customer, own, of_campaign in zip(who, cents(books.touches, "cost").tolist(), shared.tolist(), strict=True):
        found[customer] = found.get(customer, 0) + own + of_campaign
    return {customer: cost for customer, cost in found.items() if cost}


def _coded(names: Sequence[str]) -> tuple[list[str], IntArray]:
    """The different names in order, and the place of each."""
    listed = sorted(set(names))
    places = {name: place for place, name in enumerate(listed)}
    return listed, np.array([places[name] for name in names], dtype=np.int64)


def _summed(values: IntArray, owner: IntArray, size: int) -> IntArray:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, owner, values)
    return total


def _grouped(key: str, names: Sequence[str], parts: IntArray) -> pa.Table:
    """Margin, incentives, contacts and contribution of each name, as money, in order of the names."""
    listed, owner = _coded(names)
    margin, incentives, contacts = (_summed(part, owner, len(listed)) for part in parts)
    columns = {
        "margin": margin,
        "incentives": incentives,
        "contacts": contacts,
        "contribution": margin - incentives - contacts,
    }
    return pa.table({key: pa.array(listed, pa.string()), **{name: _money(part) for name, part in columns.items()}})


def _money(amounts: IntArray) -> pa.Array:
    whole = pa.array(amounts, pa.int64()).cast(pa.decimal128(19, 0))
    return pc.multiply(whole, _CENT).cast(pa.decimal128(18, 2))


def verify_contribution(found: pa.Table, books: Books) -> None:
    """Raises BadQuestion unless a view adds up to the books to the cent."""
    seen = tuple(int(cents(found, name).sum()) for name in ("margin", "incentives", "contacts"))
    if seen != books.total:
        raise BadQuestion("A contribution does not add up to the books", expected=str(books.total), seen=str(seen))
