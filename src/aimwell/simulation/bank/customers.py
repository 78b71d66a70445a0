"""The customer master of the simulated bank: what is known of each customer, and each change with its instant."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aimwell.simulation.bank.course import NEVER_TESTED, Course
from aimwell.simulation.bank.people import OFFSET, START, WEEKS
from aimwell.simulation.chance import Floats, Instants, Integers, Texts, some
from aimwell.simulation.records import Records, canonical, utc

TIERS: tuple[tuple[str, float], ...] = (
    ("standard", 0),
    ("gold", 50_000),
    ("platinum", 300_000),
    ("private", 1_000_000),
)
_BANDS: tuple[tuple[str, float], ...] = (
    ("0-5000", 0),
    ("5000-10000", 5_000),
    ("10000-20000", 10_000),
    ("20000-50000", 20_000),
    ("50000+", 50_000),
)
_NIGHT, _BUREAU = 5 * 3600, 4 * 3600  # nightly runs end at five, the credit bureau's file comes at four
_WEEKS_OF_TIER = 12
_WEEKS_OF_SCORE = 26


def customer_table(course: Course, chance: np.random.Generator) -> pa.Table:
    """All versions of all customers: a full row when they become known, later rows with what changed alone."""
    versions = Records()
    _first_rows(course, chance, versions)
    _risk_tests(course, chance, versions)
    _tiers(course, versions)
    _scores(course, chance, versions)
    kinds = ("known", "risk", "tier", "score")
    parts = [canonical("customer", columns) for kind in kinds if (columns := versions.of(kind))]
    joined = pa.concat_tables(parts, promote_options="default")
    names = [*[name for name in parts[0].column_names if name != "known_at"], "tier", "risk_level"]
    ordered = [*names, "risk_tested_at", "credit_score", "known_at"]
    return joined.select(ordered).sort_by([("known_at", "ascending"), ("customer_id", "ascending")])


def _first_rows(course: Course, chance: np.random.Generator, versions: Records) -> None:
    people = course.customers
    inside = people.people
    region = inside.city_texts("region")
    unit = np.asarray(
        [f"{city}第{number}支行" for city, number in zip(region, chance.integers(1, 6, len(people)), strict=True)]
    )
    versions.add(
        "known",
        customer_id=inside.ids,
        created_at=people.known_at,
        birth_date=np.where(chance.random(len(people)) < 0.03, np.datetime64("NaT"), inside.birth_date),
        gender=some(chance, inside.gender, 0.02),
        city=inside.city_texts("name"),
        region=region,
        income_band=some(chance, _banded(inside.income, _BANDS), 0.25),
        occupation=some(chance, inside.occupation, 0.15),
        education=some(chance, inside.education, 0.3),
        unit=unit.astype(object),
        source=people.source,
        known_at=people.known_at,
    )


def _banded(values: Floats, bands: tuple[tuple[str, float], ...]) -> Texts:
    names = np.asarray([name for name, _ in bands], dtype=object)
    place = np.searchsorted([least for _, least in bands], values, side="right") - 1
    return np.asarray(names[np.maximum(place, 0)])


def _risk_tests(course: Course, chance: np.random.Generator, versions: Records) -> None:
    """A test finds the true level, or one beside it."""
    before = course.truth.of("tested_before")
    during = course.records.of("tested")
    for columns in (before, during):
        if columns:
            who = columns["who"].astype(np.int64)
            when = utc(_days(columns["day"].astype(np.int64)), columns["second"], OFFSET)
            when = np.maximum(when, course.customers.known_at[who])
            found = course.customers.risk[who] + chance.choice([-1, 0, 0, 0, 1], size=len(who))
            versions.add(
                "risk",
                customer_id=course.customers.people.ids[who],
                risk_level=np.clip(found, 1, 5),
                risk_tested_at=when,
                known_at=when + np.timedelta64(1, "m"),
            )


def note_old_tests(course: Course) -> None:
    """Keep the risk tests from before the simulation, before new ones overwrite them."""
    who = np.flatnonzero(course.tested > NEVER_TESTED)
    course.truth.add("tested_before", who=who, day=course.tested[who], second=np.full(len(who), 11 * 3600))


def _tiers(course: Course, versions: Records) -> None:
    """The tier follows assets, looked at every twelve weeks; only changes are written."""
    assets = course.records.of("assets")
    last = np.full(len(course.customers), "", dtype=object)
    for day in np.unique(assets["day"]):
        if (int(day) + 1) // 7 % _WEEKS_OF_TIER != 4:
            continue
        amounts = assets["amount"][assets["day"] == day].astype(np.float64)
        tier = _banded(amounts, TIERS)
        holds = course.customers.opens * 7 <= day
        who = np.flatnonzero(holds & (tier != last))
        last[who] = tier[who]
        versions.add(
            "tier",
            customer_id=course.customers.people.ids[who],
            tier=tier[who],
            known_at=utc(_days(np.full(len(who), int(day) + 1)), np.full(len(who), _NIGHT), OFFSET),
        )


def _scores(course: Course, chance: np.random.Generator, versions: Records) -> None:
    """A credit score every half year for those who hold an account: good payers score high, with some noise."""
    people = course.customers
    for week in range(0, WEEKS, _WEEKS_OF_SCORE):
        who = np.flatnonzero(course.active(week))
        score = 780 - 420 * people.stress[who] + chance.normal(0, 25, len(who))
        versions.add(
            "score",
            customer_id=people.people.ids[who],
            credit_score=np.round(np.clip(score, 350, 950)),
            known_at=utc(_days(np.full(len(who), 7 * week)), np.full(len(who), _BUREAU), OFFSET),
        )


def _days(days: Integers) -> Instants:
    return np.asarray(START + days.astype("timedelta64[D]"))
