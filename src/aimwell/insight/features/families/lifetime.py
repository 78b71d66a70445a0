"""What a customer may still bring: is he alive, how often will he buy, how much will that be worth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.days import DAYS
from aimwell.insight.features.family import Column, Threshold, query_family
from aimwell.science.arrays import FloatArray
from aimwell.science.btyd.gamma_gamma import fit_gamma_gamma
from aimwell.science.btyd.histories import group
from aimwell.science.btyd.mbg_nbd import MbgNbd, fit_mbg_nbd
from aimwell.science.btyd.value import Horizon, discounted_purchases, per_unit
from aimwell.store.warehouse.history import History

_HORIZONS = (28, 84, 364)
_SILENT = 56
_MOST_ODDS = 30.0
_LIFE = 1092
_DISCOUNT = Threshold(
    "lifetime_discount_percent",
    10.0,
    Text("终身价值的年折现率（%）", "yearly discount of the lifetime value, per cent"),
)
_KEPT = Threshold(
    "lifetime_margin_percent",
    100.0,
    Text("终身价值按消费额的百分之几计（毛利率）", "per cent of the spend that counts as lifetime value (the margin)"),
)
_FROM = Text(
    "由购买日的次数、最近一次和时长用 MBG/NBD 模型推断",
    "inferred by the MBG/NBD model from the number of days with orders, the last one and the time since the first",
)


def _orders(days: int) -> Column:
    return Column(
        f"expected_orders_{days}d",
        Text(f"预期购买日数（未来{days}天）", f"Days with orders expected (next {days} days)"),
        "number",
        Text(
            f"未来{days}天预期有购买的天数，{_FROM.zh}",
            f"Days with an order expected in the next {days} days, {_FROM.en}",
        ),
        unit=units.DAYS,
        measure="expected_orders",
        inferred=True,
    )


def _spend(days: int) -> Column:
    return Column(
        f"expected_spend_{days}d",
        Text(f"预期消费额（未来{days}天）", f"Spend expected (next {days} days)"),
        "money",
        Text(
            f"未来{days}天预期购买日数乘以预期每次消费（Gamma-Gamma 模型）",
            f"Days with orders expected in the next {days} days times the spend expected on each (Gamma-Gamma model)",
        ),
        measure="expected_spend",
        inferred=True,
    )


def foretell(rows: pa.Table, history: History) -> pa.Table:
    """The columns of each customer from his history; empty where nobody has bought twice, so that nothing is known."""
    names = [column.name for column in LIFETIME.columns]
    try:
        discount, kept = (float(history.settings[each.name]) for each in LIFETIME.thresholds)
        found = _foretold(rows, per_unit(discount / 100), kept / 100)
    except NotEnoughData:
        found = {name: np.full(rows.num_rows, np.nan) for name in names}
    arrays = [rows.column("customer_id"), *(pa.array(found[name], pa.float64(), from_pandas=True) for name in names)]
    return pa.table(arrays, names=["customer_id", *names])


def _foretold(rows: pa.Table, discount: float, kept: float) -> dict[str, FloatArray]:
    x, t_x, T = (_floats(rows, name) for name in ("repeats", "active_days", "known_days"))
    model = fit_mbg_nbd(group(x, t_x, T))
    alive = model.probability_alive(x, t_x, T)
    orders = {days: model.expected_purchases(days, x, t_x, T) for days in _HORIZONS}
    value = _values(_floats(rows, "paid_days"), _floats(rows, "mean_amount"))
    with np.errstate(divide="ignore"):
        odds = np.clip(np.log(alive) - np.log1p(-alive), -_MOST_ODDS, _MOST_ODDS)
    return {
        "alive_chance": alive,
        "alive_odds": odds,
        f"silent_chance_{_SILENT}d": _silence(model, alive, x, T),
        "expected_order_value": value,
        **{f"expected_orders_{days}d": orders[days] for days in _HORIZONS},
        **{f"expected_spend_{days}d": orders[days] * value for days in _HORIZONS},
        "lifetime_value": discounted_purchases(model, x, t_x, T, Horizon(_LIFE, 6, discount)) * value * kept,
    }


def _silence(model: MbgNbd, alive: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
    """Chance of no purchase in the days to come: gone already, or alive and not coming (λ is Gamma(r + x, α + T))."""
    waits = np.exp((model.r + x) * (np.log(model.alpha + T) - np.log(model.alpha + T + _SILENT)))
    silent: FloatArray = 1 - alive * (1 - waits)
    return silent


def _values(count: FloatArray, mean: FloatArray) -> FloatArray:
    """Expected spend on a day with orders; unknown for everyone if nobody ever paid anything."""
    try:
        return fit_gamma_gamma(count, mean).expected_value(count, mean)
    except NotEnoughData:
        return np.full(count.size, np.nan)


def _floats(rows: pa.Table, name: str) -> FloatArray:
    values: FloatArray = rows.column(name).cast(pa.float64()).to_numpy().astype(np.float64)
    return values


LIFETIME = query_family(
    "lifetime",
    "lifetime_value",
    Text("未来价值", "Value to come"),
    needs=("purchase.amount",),
    reads=(DAYS,),
    freshness="batch",
    compute=foretell,
    columns=(
        Column(
            "alive_chance",
            Text("仍活跃的概率", "Chance to be active still"),
            "share",
            Text(f"客户没有悄然离开的概率，{_FROM.zh}", f"Chance that the customer has not left for good, {_FROM.en}"),
            inferred=True,
        ),
        Column(
            "alive_odds",
            Text("仍活跃的对数几率", "Log-odds to be active still"),
            "number",
            Text(f"仍活跃概率的对数几率（限于±{_MOST_ODDS:g}）", f"Log-odds of that chance, within ±{_MOST_ODDS:g}"),
            inferred=True,
        ),
        Column(
            f"silent_chance_{_SILENT}d",
            Text(f"未来{_SILENT}天不来的概率", f"Chance of no order in {_SILENT} days"),
            "share",
            Text(
                f"未来{_SILENT}天没有购买的概率，{_FROM.zh}",
                f"Chance of no order in the next {_SILENT} days, {_FROM.en}",
            ),
            inferred=True,
        ),
        *map(_orders, _HORIZONS),
        Column(
            "expected_order_value",
            Text("预期每次消费", "Spend expected per day with orders"),
            "money",
            Text(
                "预期每个购买日的消费额：本人平均向全体收缩（Gamma-Gamma 模型）",
                "Spend expected on a day with orders: the customer's own mean, drawn towards everybody's (Gamma-Gamma)",
            ),
            inferred=True,
        ),
        *map(_spend, _HORIZONS),
        Column(
            "lifetime_value",
            Text("客户终身价值（未来三年）", "Lifetime value (next three years)"),
            "money",
            Text(
                f"未来{_LIFE}天预期消费额的今日价值：按 lifetime_discount_percent 折现，乘以 lifetime_margin_percent",
                f"Spend expected in the next {_LIFE} days in today's money: discounted by `lifetime_discount_percent` "
                "a year, times `lifetime_margin_percent`",
            ),
            inferred=True,
        ),
    ),
    thresholds=(_DISCOUNT, _KEPT),
    sql="""
    SELECT
        customer_id,
        count(*) - 1 AS repeats,
        days_between(min(day), max(day)) AS active_days,
        days_between(min(day), as_of_day()) AS known_days,
        sum(flag(amount > 0)) AS paid_days,
        coalesce(mean(CASE WHEN amount > 0 THEN amount END), 0) AS mean_amount
    FROM days
    GROUP BY customer_id
    """,
)
