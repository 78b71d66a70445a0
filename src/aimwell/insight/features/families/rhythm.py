"""Whether a customer's own visit rhythm still holds, with what is known of everybody's where his visits are few."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.days import DAYS
from aimwell.insight.features.family import Column, query_family
from aimwell.science.arrays import FloatArray
from aimwell.science.rhythm import fit_tempo, gaps, rhythm, stays_away
from aimwell.store.warehouse.history import History

_AHEAD = 56
_FROM = Text(
    "由本人购买间隔推断，间隔少时参考全体",
    "inferred from the own gaps between days with orders, and from everybody's where they are few",
)


def judge(rows: pa.Table, _: History) -> pa.Table:
    """The rhythm of each customer; empty where nobody has come twice, so that there is none."""
    names = [column.name for column in RHYTHM.columns]
    try:
        found = _judged(rows)
    except NotEnoughData:
        found = [np.full(rows.num_rows, np.nan) for _ in names]
    arrays = [rows.column("customer_id"), *(pa.array(values, pa.float64(), from_pandas=True) for values in found)]
    return pa.table(arrays, names=["customer_id", *names])


def _judged(rows: pa.Table) -> list[FloatArray]:
    if not rows.num_rows:
        raise NotEnoughData("Nobody has bought anything, so there is no rhythm")
    known = gaps(*(_floats(rows, name) for name in ("gaps", "days", "log_days")))
    silence = _floats(rows, "silence")
    tempo = fit_tempo(known)
    own = rhythm(known, silence, tempo)
    return [own.cadence, own.regularity, own.overdue, own.holds, stays_away(known, silence, tempo, float(_AHEAD))]


def _floats(rows: pa.Table, name: str) -> FloatArray:
    values: FloatArray = rows.column(name).cast(pa.float64()).to_numpy().astype(np.float64)
    return values


RHYTHM = query_family(
    "rhythm",
    "churn",
    Text("节律是否还在", "Whether the rhythm holds"),
    needs=("purchase.amount",),
    reads=(DAYS,),
    freshness="batch",
    compute=judge,
    columns=(
        Column(
            "cadence_days",
            Text("到访周期", "Cadence"),
            "number",
            Text(f"典型的购买间隔，{_FROM.zh}", f"Usual gap between days with orders, {_FROM.en}"),
            unit=units.DAYS,
            inferred=True,
        ),
        Column(
            "regularity",
            Text("规律程度", "Regularity"),
            "share",
            Text(
                f"0 为成簇到访，0.5 如同随机，接近1如钟表，{_FROM.zh}",
                f"0 in bursts, 0.5 as by chance, near 1 like clockwork, {_FROM.en}",
            ),
            inferred=True,
        ),
        Column(
            "cadences_silent",
            Text("沉默周期数", "Cadences silent"),
            "number",
            Text(
                "距上次购买的天数相当于几个到访周期；大于1为迟到",
                "Days since the last order in cadences; above 1 is late",
            ),
            unit=units.TIMES,
            inferred=True,
        ),
        Column(
            "rhythm_holds",
            Text("节律未破的概率", "Chance that the rhythm holds"),
            "share",
            Text(
                "若节律仍在，沉默这么久的概率；接近0即节律已破",
                "Chance to stay away this long if the rhythm still held; near 0 it has broken",
            ),
            inferred=True,
        ),
        Column(
            f"stays_away_{_AHEAD}d",
            Text(f"按节律{_AHEAD}天内不来的概率", f"Chance to stay away {_AHEAD} days by rhythm"),
            "share",
            Text(
                f"若节律仍在，未来{_AHEAD}天不来的概率",
                f"Chance of no order in the next {_AHEAD} days if the rhythm still holds",
            ),
            inferred=True,
        ),
    ),
    sql="""
    SELECT
        customer_id,
        count(gap) AS gaps,
        coalesce(sum(gap), 0) AS days,
        coalesce(sum(ln(gap)), 0) AS log_days,
        min(age) AS silence
    FROM days
    GROUP BY customer_id
    """,
)
