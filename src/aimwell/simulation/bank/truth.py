"""What nobody at the simulated bank knows: inclinations, needs with their periods, and what campaigns really moved."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aimwell.simulation.bank.course import Course
from aimwell.simulation.bank.people import START, WEEKS
from aimwell.simulation.chance import Floats, Integers


def truth_tables(course: Course) -> dict[str, pa.Table]:
    """`customers`, `needs` (half-open periods of days) and `effects` (per campaign and customer)."""
    return {"customers": _customers(course), "needs": _needs(course), "effects": _effects(course)}


def _customers(course: Course) -> pa.Table:
    people = course.customers
    left = np.where(people.leaves < WEEKS, START + (7 * people.leaves).astype("timedelta64[D]"), np.datetime64("NaT"))
    return pa.table(
        {
            "customer_id": pa.array(people.people.ids, pa.string()),
            "prospect": pa.array(people.prospect),
            "quality": pa.array(people.quality),
            "income": pa.array(people.people.income),
            "digital": pa.array(people.people.digital),
            "salaried": pa.array(people.salaried),
            "payday": pa.array(people.payday),
            "favourite_hour": pa.array(people.habits.hour),
            "risk": pa.array(people.risk),
            "term": pa.array(people.term),
            "wants_wealth": pa.array(people.wants_wealth),
            "wants_loan": pa.array(people.wants_loan),
            "stress": pa.array(people.stress),
            "left_on": pa.array(left.astype("datetime64[D]")),
        }
    )


def _needs(course: Course) -> pa.Table:
    needs, met = course.truth.of("need"), course.truth.of("met")
    who, kind, since = needs["who"].astype(np.int64), needs["need"], needs["day"].astype(np.int64)
    until = since + 7 * needs["weeks"].astype(np.int64)
    days_met: dict[tuple[int, str], list[int]] = {}
    if met:
        for person, need, day in zip(met["who"], met["need"], met["day"], strict=True):
            days_met.setdefault((int(person), str(need)), []).append(int(day))
    ended = [
        min([day for day in days_met.get((int(p), str(k)), []) if s <= day < u], default=int(u))
        for p, k, s, u in zip(who, kind, since, until, strict=True)
    ]
    leaves = 7 * course.customers.leaves[who]
    return pa.table(
        {
            "customer_id": pa.array(course.customers.people.ids[who], pa.string()),
            "need": pa.array(kind, pa.string()),
            "since": pa.array(_day(since)),
            "until": pa.array(_day(np.minimum(np.asarray(ended, dtype=np.int64), leaves))),
        }
    )


def _day(days: Integers) -> np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]:
    return np.asarray(START + days.astype("timedelta64[D]"))


def _effects(course: Course) -> pa.Table:
    """The chance of buying within the weeks of effect, without the contact and with it, as needs really stood."""
    effects = course.truth.of("effect")
    parts: list[pa.Table] = []
    for campaign in course.campaigns:
        of_it = effects["campaign"] == campaign.number
        plain, moved = (_ever(course, effects, name, of_it) for name in ("plain", "moved"))
        who = np.flatnonzero(campaign.population)
        parts.append(
            pa.table(
                {
                    "campaign": pa.array([campaign.name] * len(who)),
                    "customer_id": pa.array(course.customers.people.ids[who], pa.string()),
                    "by_lot": pa.array([campaign.share is not None] * len(who)),
                    "contacted": pa.array(campaign.contacted[who]),
                    "chance_without": pa.array(plain[who]),
                    "chance_with": pa.array(moved[who]),
                }
            )
        )
    return pa.concat_tables(parts)


def _ever(
    course: Course,
    effects: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]],
    name: str,
    of_it: np.ndarray[tuple[int, ...], np.dtype[np.generic]],
) -> Floats:
    never = np.ones(len(course.customers))
    np.multiply.at(never, effects["who"][of_it].astype(np.int64), 1 - effects[name][of_it].astype(np.float64))
    return np.asarray(1 - never)
