"""The truth behind the simulated app, for comparison alone: it is never loaded, and no channel tells it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aimwell.simulation.app.addresses import addresser
from aimwell.simulation.app.days import Life
from aimwell.simulation.app.habits import (
    ANSWERS,
    BASKETS,
    CHANNELS,
    FATIGUE,
    HABITS,
    PERSUADABLE,
    RECOVERABLE,
    SURE,
    SURE_DAYS,
)
from aimwell.simulation.app.people import NEVER, STRATA
from aimwell.simulation.chance import Integers


def truth_tables(life: Life) -> dict[str, pa.Table]:
    """`customers` (latent habits, what each would do) and `effects` (the true rates, each by its name and habit)."""
    return {"customers": _customers(life), "effects": _effects()}


def _customers(life: Life) -> pa.Table:
    people = life.people
    user = addresser("user_id")
    answers = {f"answers_{name}": pa.array(ANSWERS[people.habit, i]) for i, name in enumerate(CHANNELS)}
    reachable = {
        f"reachable_{name}": pa.array(people.has[:, i] & people.consents[:, i]) for i, name in enumerate(CHANNELS)
    }
    return pa.table(
        {
            "customer_id": pa.array([user(who) for who in range(len(people))], pa.string()),
            "habit": pa.array(np.asarray(HABITS, dtype=object)[people.habit], pa.string()),
            "favourite_hour": pa.array(people.hours.hour),
            "pace": pa.array(people.pace),
            "first_loan": pa.array(np.asarray(STRATA, dtype=object)[people.stratum], pa.string()),
            "signed_up_on": _dates(life, people.signup_day),
            "left_on": _dates(life, people.leaves_day),
            "limit_on": _dates(life, people.limit_day),
            "loan_on": _dates(life, people.loan_day),
            "recoverable": pa.array(people.recoverable),
            "interested_in_wealth": pa.array(people.interested),
            **answers,
            **reachable,
        }
    )


def _dates(life: Life, days: Integers) -> pa.Array:
    first = life.calendar.first_day.astype("datetime64[D]")
    known = np.where(days < NEVER, days, 0)
    return pa.array(np.where(days < NEVER, first + known.astype("timedelta64[D]"), np.datetime64("NaT")))


def _effects() -> pa.Table:
    """The base rate of a first loan in 30 days after the limit, what opening a benefit adds, and the other rates."""
    base = SURE * (1 - np.exp(-30 / SURE_DAYS))
    rows = [("first_loan_base_30_days", habit, base) for habit in HABITS]
    rows += [("first_loan_added_by_opening", habit, PERSUADABLE[i]) for i, habit in enumerate(HABITS)]
    rows += [
        (f"answers_{channel}", habit, ANSWERS[i, j])
        for i, habit in enumerate(HABITS)
        for j, channel in enumerate(CHANNELS)
    ]
    rows += [(f"basket_{outcome}", "", share) for outcome, share in BASKETS.items()]
    rows += [("win_back_recoverable", "", RECOVERABLE), ("fatigue_per_message", "", FATIGUE)]
    names, habits, values = zip(*rows, strict=True)
    return pa.table(
        {"effect": pa.array(names), "habit": pa.array(habits), "value": pa.array([float(v) for v in values])}
    )
