"""A three-clause behavioural segment: the compiled rule beside SQL written by hand, in one run.

    python bench/segment_rule.py --customers 100000 --rows 2000000

Builds the market (bench/market_rows.py) in memory, checks that both give the same customers, then times them in turn
and prints the medians and their ratio. The peer is the faster of two hand-written statements: one pass per table with
filtered aggregates, and one EXISTS per clause.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlglot import exp, parse_one

sys.path.insert(0, str(Path(__file__).parent))
from aimwell.core.rules import parse_rule
from aimwell.core.time import parse_instant, zone
from aimwell.insight.features.build import Features
from aimwell.insight.features.library import assemble
from aimwell.insight.rules.compile import matching
from aimwell.insight.rules.context import RuleContext
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from market_rows import AS_OF, MarketSize, write_market

SEGMENTS = {
    "events": {
        "all": [
            {"events": {"name": "visit", "within": "30d", "count": {"at_least": 2}}},
            {"events": {"name": "add_to_cart", "within": "90d"}},
            {"events": {"name": "open_email", "within": "7d", "count": {"is": 0}}},
        ]
    },
    "events, attribute and purchases": {
        "all": [
            {"attribute": "city", "in": ["北京", "上海"]},
            {"purchases": {"within": "56d", "count": {"at_least": 2}}},
            {"events": {"name": "open_email", "within": "28d", "count": {"is": 0}}},
        ]
    },
    "sequence": {
        "sequence": {"steps": [{"events": {"name": "open_email"}}, {"purchases": {}}], "within": "56d", "span": "7d"}
    },
}

BY_HAND = {
    "events": [
        """
        SELECT customer_id FROM customer WHERE created_at < {t} AND customer_id IN (
            SELECT customer_id FROM event WHERE occurred_at >= {t} - INTERVAL 90 DAY AND occurred_at < {t}
              AND name IN ('visit', 'add_to_cart', 'open_email')
            GROUP BY customer_id
            HAVING count(*) FILTER (name = 'visit' AND occurred_at >= {t} - INTERVAL 30 DAY) >= 2
               AND count(*) FILTER (name = 'add_to_cart') >= 1
               AND count(*) FILTER (name = 'open_email' AND occurred_at >= {t} - INTERVAL 7 DAY) = 0)""",
        """
        SELECT customer_id FROM customer c WHERE created_at < {t}
        AND customer_id IN (SELECT customer_id FROM event WHERE name = 'visit'
            AND occurred_at >= {t} - INTERVAL 30 DAY AND occurred_at < {t} GROUP BY customer_id HAVING count(*) >= 2)
        AND EXISTS (SELECT 1 FROM event e WHERE e.customer_id = c.customer_id AND name = 'add_to_cart'
            AND occurred_at >= {t} - INTERVAL 90 DAY AND occurred_at < {t})
        AND NOT EXISTS (SELECT 1 FROM event e WHERE e.customer_id = c.customer_id AND name = 'open_email'
            AND occurred_at >= {t} - INTERVAL 7 DAY AND occurred_at < {t})""",
    ],
    "events, attribute and purchases": [
        """
        SELECT customer_id FROM customer c WHERE created_at < {t} AND city IN ('北京', '上海')
        AND customer_id IN (SELECT customer_id FROM purchase WHERE occurred_at >= {t} - INTERVAL 56 DAY
            AND occurred_at < {t} GROUP BY customer_id HAVING count(DISTINCT order_id) >= 2)
        AND NOT EXISTS (SELECT 1 FROM event e WHERE e.customer_id = c.customer_id AND name = 'open_email'
            AND occurred_at >= {t} - INTERVAL 28 DAY AND occurred_at < {t})""",
    ],
    "sequence": [
        """
        SELECT customer_id FROM customer c WHERE created_at < {t} AND EXISTS (
            SELECT 1 FROM event e JOIN purchase p ON p.customer_id = e.customer_id
            WHERE e.customer_id = c.customer_id AND e.name = 'open_email'
              AND e.occurred_at >= {t} - INTERVAL 56 DAY AND e.occurred_at < {t}
              AND p.occurred_at >= {t} - INTERVAL 56 DAY AND p.occurred_at < {t}
              AND p.occurred_at > e.occurred_at AND p.occurred_at <= e.occurred_at + INTERVAL 7 DAY)""",
    ],
}


def main() -> None:
    """Build, compare, time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=20_000_000, help="purchases, and as many events")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    engine = DuckEngine(threads=given.threads)
    write_market(engine._connection, MarketSize(given.customers, given.rows, given.rows))
    for name in SEGMENTS:
        _compare(name, engine, given.repeats)


def _compare(name: str, engine: DuckEngine, repeats: int) -> None:
    history = Warehouse(engine, zone("UTC")).history(parse_instant(AS_OF, zone("UTC")))
    context = RuleContext(Features(history, assemble([])))
    rule = parse_rule(SEGMENTS[name])
    compiled = matching(rule, context, history)
    moment = f"TIMESTAMP '{AS_OF[:10]}'"
    written = [parse_one(sql.format(t=moment), read="duckdb") for sql in BY_HAND[name]]
    found = [engine.to_arrow(query).column(0).to_pylist() for query in (compiled, *written)]
    assert all(sorted(ids) == sorted(found[0]) for ids in found), f"{name}: the statements disagree"
    times: dict[str, list[tuple[float, float]]] = {
        "compiled": [],
        **{f"by hand {i + 1}": [] for i in range(len(written))},
    }
    for _ in range(repeats):
        # Compiling the rule is part of what is timed.
        times["compiled"].append(_seconds(engine, lambda: matching(rule, context, history)))
        for index, query in enumerate(written):
            times[f"by hand {index + 1}"].append(_seconds(engine, query.copy))
    _print(name, len(found[0]), times)


def _print(name: str, members: int, times: dict[str, list[tuple[float, float]]]) -> None:
    """Medians by the clock, and by processor time, which a busy machine disturbs less."""
    for number, clock in enumerate(("clock", "processor")):
        medians = {key: statistics.median(each[number] for each in values) for key, values in times.items()}
        best = min(value for key, value in medians.items() if key != "compiled")
        shown = ", ".join(f"{key} {value * 1000:.0f} ms" for key, value in medians.items())
        print(f"{name} ({members} customers), {clock}: {shown}; ratio {medians['compiled'] / best:.2f}")


def _seconds(engine: DuckEngine, write: Callable[[], exp.Expr]) -> tuple[float, float]:
    """Seconds by the clock and of the processors to keep the ids as a table, as a segment does."""
    began, busy = time.perf_counter(), time.process_time()
    engine.create_table_as("members", write())
    return time.perf_counter() - began, time.process_time() - busy


if __name__ == "__main__":
    main()
