"""A whole decision for a million customers: from the warehouse to the rows that journeys read, seconds and memory.

    python bench/decide.py [--customers 1000000]

A warehouse of n customers with five tags and the scores of one prediction; an audience of everyone, five treatments on
three channels with a budget, two capacities, a minimum, eligibility by rule, a price of fatigue, lots for 5 % and 10 %
held out, and a written table. Then `decide` by its parts (audience, gains and costs, choice, rows, plan), and whole a
day later, with the rows of the first there. Tags of the profile are built beforehand, as `aimwell run` leaves them.

Seconds are of the processor, all threads (`time.process_time`), and of the clock in brackets; memory is the most that
the process ever held (`ru_maxrss`). Seeded.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.family import Column, Kind, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.decisions.choosing import choose
from aimwell.strategy.decisions.deciding import decide
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.people import people_of
from aimwell.strategy.decisions.plan import plan_of
from aimwell.strategy.decisions.rows import decision_rows, keep

NOW = datetime(2025, 6, 1, tzinfo=UTC)
T = TypeVar("T")


def _column(name: str, kind: Kind = "number") -> Column:
    return Column(name, Text(name, name), kind, Text(name, name), empty="-" if kind == "text" else 0)


MADE = query_family(
    "made",
    "transaction",
    Text("造", "Made"),
    needs=("customer.worth",),
    columns=(
        *(_column(name) for name in ("worth", "taste", "recent")),
        _column("stage", "text"),
        _column("tier", "text"),
    ),
    sql="SELECT customer_id, worth, taste, recent, stage, tier FROM customer",
)


def warehouse(folder: Path, customers: int) -> DuckEngine:
    """A million customers with what the definition asks for."""
    chance = np.random.default_rng(0)
    ids = pa.array(np.char.mod("customer-%07d", np.arange(customers)).tolist(), pa.string())
    engine = DuckEngine(folder / "warehouse.duckdb", threads=2)
    stages = np.array(["young", "willing", "fading", "lost"])[chance.integers(0, 4, customers)]
    tiers = np.array(["low", "high"])[chance.integers(0, 2, customers)]
    engine.write(
        "customer",
        pa.table(
            {
                "customer_id": ids,
                "created_at": pa.array([to_store(NOW - timedelta(days=300))] * customers, pa.timestamp("us")),
                "worth": chance.gamma(1.0, 3.0, customers).round(6),
                "taste": chance.normal(0, 1, customers).round(6),
                "recent": chance.poisson(1.5, customers),
                "stage": stages,
                "tier": tiers,
                "city": np.array(["York", "Bath"])[chance.integers(0, 2, customers)],
            }
        ),
    )
    engine.write(
        "score",
        pa.table(
            {
                "prediction": ["liking"] * customers,
                "version": ["v1"] * customers,
                "customer_id": ids,
                "as_of": pa.array([to_store(NOW)] * customers, pa.timestamp("us")),
                "raw": chance.random(customers),
                "value": chance.random(customers),
                "rank": np.arange(1, customers + 1),
            }
        ),
    )
    return engine


def definition(customers: int) -> Decision:
    """Five treatments on three channels."""
    return Decision.model_validate(
        {
            "name": "autumn",
            "audience": {"attribute": "city", "known": True},
            "budget": 0.3 * customers,
            "explore": 0.05,
            "hold_out": 0.1,
            "fatigue": {"recent": "recent", "price": 0.1, "cap": 5},
            "channels": {"phone": customers // 50, "sms": customers // 5},
            "treatments": {
                "note": {"channel": "push", "cost": 0.05, "gain": {"tag": "worth", "times": 0.1}},
                "text": {"channel": "sms", "cost": 0.2, "gain": {"prediction": "liking", "times": 1.5}},
                "coupon": {"channel": "sms", "cost": 1.0, "gain": {"tag": "worth", "times": 0.4}},
                "gift": {
                    "channel": "push",
                    "cost": 2.0,
                    "gain": {"tag": "taste", "times": 2.5},
                    "who": {"attribute": "city", "is": "York"},
                    "at_least": customers // 50,
                },
                "call": {"channel": "phone", "cost": 5.0, "gain": {"tag": "worth", "times": 1.2}},
            },
            "cells": {"stage": "stage", "value": "tier", "give": {"fading": {"high": "coupon"}, "*": {"*": "nothing"}}},
        }
    )


def timed(name: str, what: Callable[[], T]) -> T:
    """A result; says how long it took, and the most memory so far."""
    processor, wall = time.process_time(), time.perf_counter()
    found = what()
    spent, passed = time.process_time() - processor, time.perf_counter() - wall
    print(f"  {name:<34} {spent:7.2f} s ({passed:.2f} s)   most memory so far {memory():,.0f} MiB")
    return found


def memory() -> float:
    """The most that the process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(folder: Path, customers: int) -> None:
    """Each part of a decision, then the whole a day later."""
    decision = definition(customers)
    with Warehouse(warehouse(folder, customers), ZoneInfo("UTC")) as opened:
        workshop = Workshop(opened, assemble([MADE]), folder)
        for day in (NOW, NOW + timedelta(days=1)):
            workshop.described(day).prepare([MADE])
        print(f"{customers:,} customers × {len(decision.treatments)} treatments; memory before {memory():,.0f} MiB")
        in_parts(decision, workshop)
        tomorrow = NOW + timedelta(days=1)
        timed("whole, a day later", lambda: decide(decision, workshop, tomorrow, currency="GBP"))


def in_parts(decision: Decision, workshop: Workshop) -> None:
    """One decision, each of its parts timed."""
    people = timed("audience, gains, costs, rules", lambda: people_of(decision, workshop, NOW))
    chosen = timed("choice", lambda: choose(decision, people, NOW.isoformat()))
    rows = timed("rows", lambda: decision_rows(decision, people, chosen, NOW))
    timed("written", lambda: keep(workshop, rows, decision.name, NOW))
    plan = timed("plan", lambda: plan_of(decision, people, chosen, NOW, "GBP"))
    print(f"  {plan.total.customers:,} get something for {plan.total.cost:,.0f}; net gain {plan.net:,.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory() as place:
        measure(Path(place), parser.parse_args().customers)
