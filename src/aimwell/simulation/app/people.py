"""The people of the simulated app: what the company can know of them, and what it cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.simulation.app.habits import (
    CHANNELS,
    HABIT_WEIGHTS,
    HABITS,
    PERSUADABLE,
    RECOVERABLE,
    SURE,
    SURE_DAYS,
)
from aimwell.simulation.chance import Booleans, Floats, Integers, happens, stream
from aimwell.simulation.habits import Habits, draw_habits

ZONES = (
    "Asia/Shanghai",
    "Asia/Urumqi",
    "Asia/Singapore",
    "Europe/London",
    "America/New_York",
    "Australia/Sydney",
)
_ZONE_ODDS = (86.0, 3.0, 4.0, 2.0, 3.0, 2.0)
_ABROAD_ENGLISH = 0.6
NEVER = 1 << 30
"""A day that does not come."""

SURNAMES = ("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴")
ENGLISH_NAMES = ("Alex", "Sam", "Kim", "Robin", "Jamie", "Chris", "Taylor", "Morgan")
STRATA = ("never", "sure", "persuadable")
_HAVING = {"push": 0.75, "sms": 0.97, "wechat": 0.55, "email": 0.5}
_CONSENTING = {"push": 0.9, "sms": 0.8, "wechat": 0.95, "email": 0.6}


@dataclass(frozen=True, slots=True)
class AppPeople:
    """Arrays with one entry per person; days count from the world's first day on the person's own calendar.

    has, consents: [people, channels].   stratum: place in STRATA, what it takes to get a first loan.
    limit_day: when a credit limit is granted (NEVER: it is not).   loan_day: of those who take one by themselves.
    """

    zone: Integers
    english: Booleans
    female: Booleans
    name: Integers
    birth: Integers
    has: Booleans
    consents: Booleans
    habit: Integers
    hours: Habits
    pace: Floats
    signup_day: Integers
    leaves_day: Integers
    closes: Booleans
    salary: Integers
    payday: Integers
    deposit: Integers
    term: Integers
    phase: Integers
    stratum: Integers
    limit_day: Integers
    loan_day: Integers
    loan: Integers
    interested: Booleans
    shopping: Floats
    recoverable: Booleans

    def __len__(self) -> int:
        return len(self.zone)


def draw_app_people(seed: int, count: int, first_day: np.datetime64) -> AppPeople:
    """So many people; half have signed up before the first day, the others do in the 180 days after it."""
    chance = stream(seed, "app/people")
    zone = chance.choice(len(ZONES), size=count, p=np.asarray(_ZONE_ODDS) / sum(_ZONE_ODDS))
    english = (zone >= 2) & happens(chance, _ABROAD_ENGLISH, count)
    odds = np.asarray(HABIT_WEIGHTS)
    habit = chance.choice(len(HABITS), size=count, p=odds / odds.sum())
    has, consents = _reachable(chance, habit, count)
    signup = np.where(happens(chance, 0.5, count), -chance.integers(1, 400, count), chance.integers(0, 180, count))
    stays = chance.exponential(500, count).astype(np.int64) + 3
    leaves = np.where(signup < 0, np.maximum(signup + stays, chance.integers(1, 700, count)), signup + stays)
    employed = happens(chance, 0.7, count)
    saving = happens(chance, 0.35, count)
    stratum, limit_day, loan_day = _borrowing(chance, habit, signup, count)
    return AppPeople(
        zone=zone,
        english=english,
        female=happens(chance, 0.5, count),
        name=chance.integers(0, 1 << 16, count),
        birth=_births(chance, count, first_day),
        has=has,
        consents=consents,
        habit=habit,
        hours=draw_habits(chance, count),
        pace=chance.beta(1.2, 6.0, count),
        signup_day=signup,
        leaves_day=leaves,
        closes=happens(chance, 0.3, count),
        salary=np.where(employed, np.round(np.exp(chance.normal(9.15, 0.45, count)), -1), 0).astype(np.int64),
        payday=chance.integers(5, 29, count),
        deposit=np.where(saving, np.round(np.exp(chance.normal(10.3, 0.8, count)), -3), 0).astype(np.int64),
        term=np.asarray([30, 90, 180])[chance.integers(0, 3, count)],
        phase=chance.integers(0, 180, count),
        stratum=stratum,
        limit_day=limit_day,
        loan_day=loan_day,
        loan=np.round(np.exp(chance.normal(9.0, 0.5, count)), -2).astype(np.int64),
        interested=happens(chance, 0.2, count),
        shopping=chance.beta(1.5, 6.0, count),
        recoverable=happens(chance, RECOVERABLE, count),
    )


def _reachable(chance: np.random.Generator, habit: Integers, count: int) -> tuple[Booleans, Booleans]:
    """Which addresses people have and where they let themselves be written to; always where they answer best."""
    has, consents = np.empty((count, len(CHANNELS)), dtype=bool), np.empty((count, len(CHANNELS)), dtype=bool)
    for place, channel in enumerate(CHANNELS):
        likes = habit == HABITS.index(channel)
        has[:, place] = happens(chance, _HAVING[channel], count) | likes
        consents[:, place] = happens(chance, _CONSENTING[channel], count) | likes
    return has, consents


def _borrowing(
    chance: np.random.Generator, habit: Integers, signup: Integers, count: int
) -> tuple[Integers, Integers, Integers]:
    """What it takes to get a first loan from each, when the limit is granted, and when the sure ones take it."""
    draw = chance.random(count)
    stratum = np.select([draw < SURE, draw < SURE + PERSUADABLE[habit]], [1, 2], 0)
    granted = np.where(signup < 0, chance.integers(-30, 60, count), signup + chance.integers(1, 15, count))
    limit_day = np.where(happens(chance, 0.75, count), np.maximum(granted, signup + 1), NEVER)
    wait = chance.exponential(SURE_DAYS, count).astype(np.int64)
    loan_day = np.where((stratum == 1) & (limit_day < NEVER), limit_day + wait, NEVER)
    return stratum, limit_day, loan_day


def _births(chance: np.random.Generator, count: int, first_day: np.datetime64) -> Integers:
    """Days of birth, in days since 1970; people are between 19 and 82 when the world begins."""
    age = np.clip(chance.gamma(9, 4.3, count), 19, 82)
    born: Integers = (first_day.astype("datetime64[D]").astype(np.int64) - (age * 365.25)).astype(np.int64)
    return born
