"""What nobody at the simulated shop knows: true habits and answers, and the needs with their periods."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aimwell.simulation.shop.people import CATEGORIES, DAYS, START
from aimwell.simulation.shop.visits import Year


def truth_tables(year: Year) -> dict[str, pa.Table]:
    """`customers` and `needs` (category and half-open period of days)."""
    return {"customers": _customers(year), "needs": _needs(year)}


def _customers(year: Year) -> pa.Table:
    people = year.shoppers
    left = np.where(people.leaves < DAYS, START + people.leaves.astype("timedelta64[D]"), np.datetime64("NaT"))
    tastes = {f"taste_{name}": pa.array(people.taste[:, place]) for place, name in enumerate(CATEGORIES)}
    return pa.table(
        {
            "customer_id": pa.array(people.people.ids, pa.string()),
            "favourite_hour": pa.array(people.habits.hour),
            "weekend": pa.array(people.habits.weekend),
            "pace": pa.array(people.pace),
            "thrift": pa.array(people.thrift),
            "opens_mail": pa.array(people.opens_mail),
            "opens_push": pa.array(people.opens_push),
            "rainy": pa.array(people.rainy),
            "festive": pa.array(people.festive),
            "motive": pa.array(people.motive, pa.string()),
            "hobby": pa.array(people.hobby, pa.string()),
            "parent": pa.array(people.parent),
            "left_on": pa.array(left.astype("datetime64[D]")),
        }
        | tastes
    )


def _needs(year: Year) -> pa.Table:
    needs, met = year.truth.of("need"), year.truth.of("met")
    days_met: dict[tuple[int, int], list[int]] = {}
    if met:
        for person, need, day in zip(met["who"], met["need"], met["day"], strict=True):
            days_met.setdefault((int(person), int(need)), []).append(int(day))
    who, kind, since = (needs[name].astype(np.int64) for name in ("who", "need", "day"))
    until = [
        min([day for day in days_met.get((int(p), int(k)), []) if s <= day < s + n], default=int(s + n))
        for p, k, s, n in zip(who, kind, since, needs["days"].astype(np.int64), strict=True)
    ]
    ends = np.minimum(np.asarray(until, dtype=np.int64), year.shoppers.leaves[who])
    return pa.table(
        {
            "customer_id": pa.array(year.shoppers.people.ids[who], pa.string()),
            "need": pa.array(np.asarray(CATEGORIES, dtype=object)[kind], pa.string()),
            "since": pa.array(START + since.astype("timedelta64[D]")),
            "until": pa.array(START + ends.astype("timedelta64[D]")),
        }
    )
