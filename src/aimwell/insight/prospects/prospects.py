"""Prospects: is each customer still there, how often will he buy, what is that worth, and how sure is the total."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.arrays import FloatArray
from aimwell.science.btyd.gamma_gamma import fit_gamma_gamma
from aimwell.science.btyd.histories import Columns, Histories, group
from aimwell.science.btyd.intervals import Outlook, Spending, foresee, parameter_spread
from aimwell.science.btyd.learnt import foretell_value
from aimwell.science.btyd.pareto_nbd import ParetoNbd, fit_pareto_nbd
from aimwell.science.btyd.purchases import LookBack, Purchases, look_back, merge_purchases
from aimwell.science.btyd.value import Horizon, discounted_purchases, per_unit
from aimwell.science.metrics.interval import Estimate
from aimwell.store.warehouse.history import History

LIFE = 1092
"""Days that a lifetime value looks ahead, as in the tag `lifetime_value`."""
LEVEL = 0.8
_DRAWS = 200
_STEPS = 6
_CELL = "rfm_group"
_BOUGHT = """
WITH bought AS (
    SELECT customer_id, order_id, local_date(min(occurred_at)) AS day, sum(amount) AS amount
    FROM purchase GROUP BY customer_id, order_id
)
SELECT customer_id, days_between(day, as_of_day()) AS age, sum(amount) AS amount
FROM bought WHERE amount >= 0
GROUP BY customer_id, days_between(day, as_of_day())
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One RFM group: customers, their mean chance to be active still, their value in all, its share of all value."""

    name: str
    label: Text
    people: int
    alive: float
    value: float
    held: float


@dataclass(frozen=True, slots=True, eq=False)
class Prospects:
    """What all who have bought may still bring, in the currency of the workspace.

    rows: customer_id, place (1 is worth most), alive_chance, buying_chance (within `days`), orders (days with one) and
    spend expected within `days`, lifetime_value with `value_low` and `value_high`, which hold a share `level` of the
    possible futures, rfm_group; the most valuable first, ties by id.
    orders, spend: expected of all within `days`.   value: of all, with its interval.   kept: per cent of the spend that
    counts as value.   learnt: whether there was enough to learn a correction.   cells: the one with most value first.
    """

    as_of: datetime
    days: int
    level: float
    rows: pa.Table
    orders: float
    spend: float
    value: Estimate
    kept: float
    learnt: bool
    cells: tuple[Cell, ...]

    def of(self, customer: str) -> dict[str, object]:
        """The row of one customer; raises BadQuestion for one who never bought."""
        found = self.rows.filter(pc.equal(self.rows.column("customer_id"), customer)).to_pylist()
        if not found:
            raise BadQuestion(
                f"Nothing is known of what {customer!r} may bring",
                expected=f"one of the {self.rows.num_rows:,} customers who have bought",
                remedy="`aimwell value --out FILE` lists them.",
            )
        row: dict[str, object] = found[0]
        return row


def foretell_prospects(workshop: Workshop, as_of: datetime, *, days: int = 364, seed: int = 0) -> Prospects:
    """What everyone who has bought may still bring after an instant.

    Purchases and spend within `days` are those of `foretell_value`. The lifetime value is the spend of three years by
    Pareto/NBD and Gamma-Gamma, discounted and with the margin as the workspace's settings say, times what the learnt
    correction made of the spend within `days`. Its ranges are those of `foresee`, moved with it.
    Raises NotEnoughData when nobody has bought twice, BadQuestion for a horizon of 0.   Equal seeds give equal numbers.
    Cost: that of `foretell_value`, and some 40 µs for each customer's range.
    """
    if days < 1:
        raise BadQuestion("The time to look ahead has at least one day", seen=str(days))
    history = workshop.history(as_of)
    purchases, now = _bought(history)
    settings = workshop.library.settings(history.settings)
    discount, kept = (float(settings[f"lifetime_{name}_percent"]) for name in ("discount", "margin"))
    foretold = foretell_value(purchases, now, days, seed=seed)
    book = _book(look_back(purchases, now, days))
    ahead = Horizon(LIFE, _STEPS, per_unit(discount / 100))
    value = book.worth(ahead) * _ratio(foretold.revenue, foretold.model_revenue) * kept / 100
    outlook = book.outlook(seed)
    moved = _ratio(value, outlook.expected)
    columns = {
        "alive_chance": book.buying.probability_alive(*book.histories),
        "buying_chance": foretold.chance,
        "orders": foretold.purchases,
        "spend": foretold.revenue,
        "lifetime_value": value,
        "value_low": outlook.low * moved,
        "value_high": outlook.high * moved,
    }
    rows = _ranked(purchases.ids[foretold.customers].tolist(), columns)
    rows = rows.append_column(_CELL, _cells_of(workshop, as_of, rows))
    total, model = float(value.sum()), max(outlook.total, 1e-300)
    whole = Estimate(total, outlook.total_low * total / model, outlook.total_high * total / model, LEVEL)
    orders, spend = float(foretold.purchases.sum()), float(foretold.revenue.sum())
    cells = _summed(workshop, rows)
    return Prospects(as_of, days, LEVEL, rows, orders, spend, whole, kept, foretold.learnt, cells)


@dataclass(frozen=True, slots=True, eq=False)
class _Book:
    """The models of purchases and amounts, and what they were fitted on."""

    buying: ParetoNbd
    spending: Spending
    histories: Columns
    grouped: Histories

    def worth(self, ahead: Horizon) -> FloatArray:
        """Discounted spend of each customer by the models alone."""
        each = self.spending.model.expected_value(self.spending.frequency, self.spending.mean_value)
        found: FloatArray = discounted_purchases(self.buying, *self.histories, ahead) * each
        return found

    def outlook(self, seed: int) -> Outlook:
        """Undiscounted spend of a lifetime with ranges, by the models alone."""
        spread = parameter_spread(self.buying, self.grouped)
        return foresee(
            self.buying,
            self.histories,
            LIFE,
            spread,
            spending=self.spending,
            level=LEVEL,
            draws=_DRAWS,
            seed=seed,
        )


def _book(seen: LookBack) -> _Book:
    grouped, paid = group(*seen.histories), np.where(seen.mean > 0, seen.count, 0)
    spending = Spending(fit_gamma_gamma(paid, seen.mean), paid, seen.mean)
    return _Book(fit_pareto_nbd(grouped), spending, seen.histories, grouped)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """One over the other, 1 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.ones(part.size), where=whole > 0)


def _bought(history: History) -> tuple[Purchases, float]:
    """Purchases by customer and day, counted from the first of all, and the day of the cut."""
    if not history.has("purchase", "amount"):
        raise NotEnoughData(
            "Without purchases nothing is known of what customers may bring",
            expected="purchase.amount",
            seen="nothing in it",
            remedy="Load purchases with their amounts.",
        )
    rows = history.to_arrow(_BOUGHT)
    if not rows.num_rows:
        raise NotEnoughData("Nobody had bought anything yet", expected="purchases before the instant", seen="none")
    age, amount = (rows.column(name).cast(pa.float64()).to_numpy() for name in ("age", "amount"))
    now = float(age.max())
    return merge_purchases(np.array(rows.column("customer_id").to_pylist(), dtype=np.str_), now - age, amount), now


def _ranked(customers: list[str], columns: dict[str, FloatArray]) -> pa.Table:
    """One row per customer, the most valuable first, with money rounded to cents."""
    table = pa.table({"customer_id": pa.array(customers, pa.string()), **columns})
    table = table.sort_by([("lifetime_value", "descending"), ("customer_id", "ascending")])
    for name in ("spend", "lifetime_value", "value_low", "value_high"):
        place = table.column_names.index(name)
        table = table.set_column(place, name, pc.round(table.column(name), 2))
    return table.add_column(1, "place", pa.array(np.arange(1, table.num_rows + 1)))


def _cells_of(workshop: Workshop, as_of: datetime, rows: pa.Table) -> pa.Array:
    """The RFM group of each row; empty where the data cannot carry it."""
    features = workshop.features(as_of)
    customers = rows.column("customer_id").to_pylist()
    if not features.columns([_CELL]):
        return pa.array([None] * len(customers), pa.string())
    with workshop.passing("valued") as table:
        workshop.warehouse.engine.write(table, rows.select(["customer_id"]))
        found = features.to_arrow(table, [_CELL])
    groups = dict(zip(found.column("customer_id").to_pylist(), found.column(_CELL).to_pylist(), strict=True))
    return pa.array([groups.get(each) for each in customers], pa.string())


def _summed(workshop: Workshop, rows: pa.Table) -> tuple[Cell, ...]:
    """The RFM groups, the one that holds most value first."""
    known = rows.filter(pc.is_valid(rows.column(_CELL)))
    if not known.num_rows:
        return ()
    words = workshop.library.column(_CELL).words
    whole = float(pc.sum(rows.column("lifetime_value")).as_py()) or 1.0
    sums = known.group_by(_CELL).aggregate(
        [("customer_id", "count"), ("alive_chance", "mean"), ("lifetime_value", "sum")]
    )
    found = [
        Cell(
            row[_CELL],
            words.get(row[_CELL], Text(row[_CELL], row[_CELL])),
            row["customer_id_count"],
            row["alive_chance_mean"],
            row["lifetime_value_sum"],
            row["lifetime_value_sum"] / whole,
        )
        for row in sums.to_pylist()
    ]
    return tuple(sorted(found, key=lambda each: (-each.value, each.name)))
