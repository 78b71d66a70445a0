"""Gathers what the report says about lifetime value: who holds it, who is still there, was it right before."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from aimwell.core.text import Text
from aimwell.core.time import add_days
from aimwell.insight.predictions import Workshop
from aimwell.science.arrays import BoolArray, FloatArray
from aimwell.science.metrics.interval import Estimate, normal_interval, standard_error
from aimwell.science.metrics.order import best_first
from aimwell.store.warehouse.history import History
from aimwell.web.report.sections.lifetime_value import AliveBand, Check, RfmCell, ValueStory, ValueTenth

_DAYS = 84
"""How far back the same models are asked again, to see what they were worth."""
_TENTH = 0.1
_POINTS = 101
_BANDS = ((0.9, 1.0), (0.7, 0.9), (0.5, 0.7), (0.3, 0.5), (0.0, 0.3))
_WANTED = ("lifetime_value", "alive_chance", "expected_spend_364d")
_BESIDE = ("spend_364d", "rfm_group")
_FORECAST, _BEFORE = f"expected_spend_{_DAYS}d", f"spend_{_DAYS}d"
_KEPT = "lifetime_margin_percent"
_BUYERS = "SELECT DISTINCT customer_id FROM purchase"
_SPENT = "SELECT customer_id, sum(amount) AS amount FROM purchase GROUP BY customer_id"


def value_story(workshop: Workshop, as_of: datetime) -> ValueStory | None:
    """What the profiles say of the value to come, checked at an earlier date; None where they say nothing.

    Nothing is said where profiles lack the tags, or where nobody has a value above 0.
    """
    engine = workshop.warehouse.engine
    carried = set(engine.columns("profile")) if "profile" in engine.tables() else set()
    if not carried >= set(_WANTED):
        return None
    names = [*_WANTED, *(name for name in _BESIDE if name in carried)]
    rows = engine.to_arrow(exp.select("customer_id", *names).from_("profile").order_by("customer_id"))
    value = _floats(rows, "lifetime_value")
    known = np.isfinite(value)
    if not (value[known] > 0).any():
        return None
    rows, value = rows.filter(pa.array(known)), value[known]
    alive = _floats(rows, "alive_chance")
    spent = _floats(rows, "spend_364d") if "spend_364d" in carried else None
    return ValueStory(
        people=value.size,
        unknown=int((~known).sum()),
        total=float(value.sum()),
        median=float(np.median(value)),
        next_year=float(np.nansum(_floats(rows, "expected_spend_364d"))),
        last_year=float(np.nansum(spent)) if spent is not None else None,
        gone=float((1 - alive).sum()),
        held=_held(value),
        spent=_held(np.nan_to_num(spent)) if spent is not None and np.nansum(spent) > 0 else (),
        top=_top(value),
        tenths=_tenths(value),
        kept=float(workshop.history(as_of).settings.get(_KEPT, 100.0)),
        bands=tuple(_band(low, high, alive, value) for low, high in _BANDS),
        cells=_cells(workshop, rows, alive, value) if "rfm_group" in carried else (),
        check=_check(workshop, as_of),
    )


def _held(value: FloatArray) -> tuple[tuple[float, float], ...]:
    """Share of the customers, the most valuable first, and the share of all value that they hold."""
    ordered = np.concatenate([[0.0], np.cumsum(np.sort(np.maximum(value, 0.0))[::-1])])
    people = np.linspace(0.0, 1.0, value.size + 1)
    shares = np.linspace(0.0, 1.0, _POINTS)
    return tuple(zip(shares.tolist(), np.interp(shares, people, ordered / ordered[-1]).tolist(), strict=True))


def _top(value: FloatArray) -> float:
    """The share of all value that the best tenth holds, the tenth rounded up to whole customers."""
    first = np.sort(value)[::-1][: _tenth(value.size)]
    return float(first.sum() / value.sum())


def _tenths(value: FloatArray) -> tuple[ValueTenth, ...]:
    """Tenths by value, the most valuable first; fewer parts than ten where there are fewer customers."""
    parts = np.array_split(np.sort(value)[::-1], min(10, value.size))
    return tuple(
        ValueTenth(place, part.size, float(part[-1]), float(part.mean()), float(part.sum() / value.sum()))
        for place, part in enumerate(parts, start=1)
    )


def _tenth(people: int) -> int:
    return int(np.ceil(_TENTH * people - 1e-9))


def _band(low: float, high: float, alive: FloatArray, value: FloatArray) -> AliveBand:
    inside: BoolArray = (alive >= low) & ((alive < high) | (high == 1.0))
    return AliveBand(low, high, int(inside.sum()), float(value[inside].sum() / value.sum()))


def _cells(workshop: Workshop, rows: pa.Table, alive: FloatArray, value: FloatArray) -> tuple[RfmCell, ...]:
    """The eight RFM groups, the one that holds most value first."""
    words = workshop.library.column("rfm_group").words
    groups = np.array(pc.fill_null(rows.column("rfm_group"), "").to_pylist(), dtype=np.str_)
    found = []
    for name in np.unique(groups[groups != ""]).tolist():
        here = groups == name
        found.append(
            RfmCell(
                name,
                words.get(name, Text(name, name)),
                int(here.sum()),
                float(value[here].mean()),
                float(value[here].sum() / value.sum()),
                float(alive[here].mean()),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.held, each.name)))


def _check(workshop: Workshop, as_of: datetime) -> Check | None:
    """The same models, asked so many days ago about those who had bought by then, beside what they really spent."""
    since = add_days(as_of, -_DAYS, workshop.warehouse.zone)
    features, history = workshop.features(since), workshop.history(since)
    if not history.has("purchase", "amount") or {each.name for each in features.columns([_FORECAST, _BEFORE])} != {
        _FORECAST,
        _BEFORE,
    }:
        return None
    with workshop.passing("valued_then") as table:
        history.create_table_as(table, _BUYERS)
        rows = features.to_arrow(table, [_FORECAST, _BEFORE])
    forecast, before = _floats(rows, _FORECAST), np.nan_to_num(_floats(rows, _BEFORE))
    seen = _spent(history, rows)
    if not np.isfinite(forecast).all() or forecast.size < 2 or seen.sum() <= 0:
        return None
    return Check(
        since=since,
        days=_DAYS,
        people=forecast.size,
        foretold=float(forecast.sum()),
        happened=float(seen.sum()),
        bias=_less_one(_ratio(forecast, seen)),
        last_period=_less_one(_ratio(before, seen)),
        captured=_captured(forecast, seen),
        captured_before=_captured(before, seen),
        ahead=_ahead(forecast, before, seen),
        oracle=_captured(seen, seen).value,
    )


def _spent(history: History, rows: pa.Table) -> FloatArray:
    """What each customer spent in the days after the cut, in the order of the rows; 0 for those who did not come."""
    later = history.horizon(_DAYS).to_arrow(_SPENT)
    amounts = dict(zip(later.column("customer_id").to_pylist(), _floats(later, "amount").tolist(), strict=True))
    return np.array([amounts.get(each, 0.0) for each in rows.column("customer_id").to_pylist()], dtype=np.float64)


def _captured(order: FloatArray, seen: FloatArray) -> Estimate:
    """The share of the money that the tenth which is first in the order really spent."""
    return _ratio(_first(order) * seen, seen)


def _ahead(order: FloatArray, other: FloatArray, seen: FloatArray) -> Estimate:
    return _ratio((_first(order) - _first(other)) * seen, seen)


def _first(order: FloatArray) -> FloatArray:
    found = np.zeros(order.size)
    found[best_first(order)[: _tenth(order.size)]] = 1.0
    return found


def _ratio(part: FloatArray, whole: FloatArray) -> Estimate:
    """A ratio of two totals over the same customers with its normal interval (delta method)."""
    value = float(part.sum() / whole.sum())
    return normal_interval(value, standard_error((part - value * whole) / whole.sum()))


def _less_one(ratio: Estimate) -> Estimate:
    return Estimate(ratio.value - 1, ratio.low - 1, ratio.high - 1, ratio.level)


def _floats(rows: pa.Table, name: str) -> FloatArray:
    column = pc.fill_null(rows.column(name).cast(pa.float64()), float("nan"))
    values: FloatArray = column.to_numpy().astype(np.float64)
    return values
