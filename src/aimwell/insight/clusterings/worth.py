"""Judges groups by what they explain: later spend and the mix of categories, beside RFM cells of equal number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.core.time import from_store
from aimwell.insight.clusterings.result import Worth, WorthRow
from aimwell.science.arrays import FloatArray, IntArray, totals
from aimwell.science.cluster.explains import compare, rfm_cells
from aimwell.science.cluster.method import sample_rows
from aimwell.store.warehouse.history import History, Horizon

HORIZONS = (28, 84)
RESAMPLES = 500
JUDGED = 20_000
"""The worth is judged on so many customers at most."""
MOST_CATEGORIES = 40
"""The mix is told for so many categories, by later spend; the rest counts as one."""
_SLACK = timedelta(days=2)
"""A horizon counts as known when something was bought in its last two days."""

RFM = Text("RFM 分格", "RFM cells")
NO_PURCHASES = Text(
    "没有购买记录，无法判断分群对以后消费的解释力",
    "No purchases are loaded: what the groups explain later is not judged",
)
NOT_YET = Text(
    "数据还不够长，无法判断分群对以后消费的解释力", "The data are too short to judge what the groups explain later"
)
_SPEND = "SELECT customer_id, sum(amount) AS amount FROM purchase GROUP BY customer_id"
_MIX = """
SELECT purchase.customer_id, product.category AS category, sum(purchase.amount) AS amount
FROM purchase JOIN product ON product.product_id = purchase.product_id
WHERE product.category IS NOT NULL
GROUP BY purchase.customer_id, product.category
"""
_RFM = """
SELECT
    customer_id,
    days_between(max(occurred_at), as_of()) AS recency,
    count(DISTINCT order_id) AS frequency,
    sum(amount) AS money
FROM purchase
GROUP BY customer_id
"""


@dataclass(frozen=True, eq=False)
class _Outcome:
    """Something later: amounts [n] or a mix [n, categories] of some of the customers (by their rows)."""

    name: str
    label: Text
    rows: IntArray
    amounts: FloatArray


def known_horizons(history: History) -> list[int]:
    """The horizons after the cut of which everything is known already."""
    found = []
    for days in HORIZONS:
        horizon = history.horizon(days)
        last = horizon.to_arrow("SELECT max(occurred_at) AS last FROM purchase").column("last")[0].as_py()
        if last is not None and from_store(last) >= horizon.until - _SLACK:
            found.append(days)
    return found


def judge_worth(
    history: History,
    ids: Sequence[str],
    groupings: Mapping[str, tuple[Text, IntArray]],
    horizons: Sequence[int],
    *,
    again: bool,
    seed: int = 0,
) -> tuple[Worth | None, tuple[Text, ...]]:
    """What each way of grouping explains of the time after the cut, and what could not be judged.

    ids: customers, sorted [n].   groupings: label and groups [n] of each, the first the one in question.
    RFM cells are cut to as many as each grouping has groups (those who belong to none are one).
    Later spend is judged in money and, since a few spend very much, as log(1 + money); the mix as shares of spend per
    customer among those who bought. Every r2 is out of sample, with a bootstrap interval over customers.
    """
    rows = sample_rows(len(ids), JUDGED, seed)
    known = {ids[row]: place for place, row in enumerate(rows.tolist())}
    rfm = _rfm(history, known)
    found: list[WorthRow] = []
    notes: list[Text] = []
    for outcome in _outcomes(history, known, horizons):
        for name, (label, labels) in groupings.items():
            try:
                found += _judged(outcome, name, label, labels[rows], rfm, seed)
            except NotEnoughData as error:
                notes.append(
                    Text(
                        f"{outcome.label.zh}无法判断：{error.what}",
                        f"{outcome.label.en} cannot be judged: {error.what}",
                    )
                )
    unique = tuple({(row.outcome, row.grouping, row.groups): row for row in found}.values())
    return (Worth(history.as_of.isoformat(), again, unique) if unique else None), tuple(dict.fromkeys(notes))


def anything_bought(history: History) -> bool:
    """Whether anything was bought before the cut, so that groups can be found there."""
    rows = history.to_arrow("SELECT count(*) AS n FROM purchase")
    return bool(rows.column("n")[0].as_py())


def _judged(outcome: _Outcome, name: str, label: Text, labels: IntArray, rfm: FloatArray, seed: int) -> list[WorthRow]:
    groups = labels[outcome.rows]
    number = int(np.unique(groups).size)
    recency, frequency, money = rfm[outcome.rows].T
    cells = rfm_cells(recency, frequency, money, number)
    people = int(outcome.rows.size)
    against = compare(groups, cells, outcome.amounts, resamples=RESAMPLES, seed=seed)
    beside = WorthRow(
        outcome.name, outcome.label, "rfm", RFM, number, people, r2=against.second, ahead=None, better=None
    )
    mine = WorthRow(
        outcome.name, outcome.label, name, label, number, people, against.first, against.difference, against.better
    )
    return [mine, beside]


def _outcomes(history: History, known: Mapping[str, int], horizons: Sequence[int]) -> list[_Outcome]:
    everybody = np.arange(len(known), dtype=np.int64)
    found: list[_Outcome] = []
    for days in horizons:
        spend = _amounts(history.horizon(days).to_arrow(_SPEND), known)
        zh, en = f"之后 {days} 天消费", f"Spend in the next {days} days"
        found.append(_Outcome(f"spend_{days}d", Text(zh, en), everybody, spend))
        logged = np.sign(spend) * np.log1p(np.abs(spend))
        found.append(_Outcome(f"log_spend_{days}d", Text(f"{zh}（对数）", f"{en} (log)"), everybody, logged))
    if horizons and history.has("product", "category") and history.has("purchase", "product_id"):
        mix = _mix(history.horizon(max(horizons)), known, max(horizons))
        found += [mix] if mix is not None else []
    return found


def _mix(horizon: Horizon, known: Mapping[str, int], days: int) -> _Outcome | None:
    """Shares of the categories in each buyer's later spend; None when there are not two categories."""
    rows = horizon.to_arrow(_MIX)
    places = _places(rows.column("customer_id"), known)
    coded = rows.column("category").combine_chunks().dictionary_encode()
    words = np.array(coded.dictionary.to_pylist(), dtype=str)
    # Numbered in the order of the words, so that nothing depends on the order of the rows.
    codes = np.argsort(np.argsort(words, kind="stable"), kind="stable")[np.asarray(coded.indices)]
    amounts = np.maximum(_numbers(rows.column("amount")), 0.0)
    inside = places >= 0
    if words.size < 2 or not inside.any():
        return None
    kept = np.argsort(-totals(codes[inside], amounts[inside], words.size), kind="stable")[:MOST_CATEGORIES]
    columns = np.full(words.size, kept.size)
    columns[kept] = np.arange(kept.size)
    width = kept.size + 1
    spots = places[inside] * width + columns[codes[inside]]
    table = totals(spots, amounts[inside], len(known) * width).reshape(len(known), width)
    buyers = np.flatnonzero(table.sum(axis=1) > 0)
    shares = table[buyers] / table[buyers].sum(axis=1, keepdims=True)
    label = Text(f"之后 {days} 天品类构成", f"Mix of categories in the next {days} days")
    return _Outcome(f"mix_{days}d", label, buyers, shares)


def _amounts(rows: pa.Table, known: Mapping[str, int]) -> FloatArray:
    """Amount of each customer, 0 for those without a row [n]."""
    places = _places(rows.column("customer_id"), known)
    inside = places >= 0
    return totals(places[inside], _numbers(rows.column("amount"))[inside], len(known))


def _places(customers: pa.ChunkedArray, known: Mapping[str, int]) -> IntArray:
    """The row of each customer, -1 for those who are not looked at."""
    places: IntArray = np.array([known.get(customer, -1) for customer in customers.to_pylist()], dtype=np.int64)
    return places


def _numbers(column: pa.ChunkedArray) -> FloatArray:
    """Amounts as numbers, nothing as 0."""
    found: FloatArray = np.nan_to_num(pc.cast(column, pa.float64()).to_numpy().astype(np.float64, copy=False))
    return found


def _rfm(history: History, known: Mapping[str, int]) -> FloatArray:
    """Recency, frequency and money of each customer [n, 3]; who never bought was here longest ago."""
    rows = history.to_arrow(_RFM)
    found = np.full((len(known), 3), np.nan)
    places = _places(rows.column("customer_id"), known)
    inside = places >= 0
    for column, name in enumerate(("recency", "frequency", "money")):
        found[places[inside], column] = _numbers(rows.column(name))[inside]
    never = np.isnan(found[:, 0])
    longest = np.nanmax(found[:, 0]) + 1 if not never.all() else 0.0
    found[never] = [longest, 0.0, 0.0]
    return found
