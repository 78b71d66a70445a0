"""Features of many customers: the shipped families beside one SQL statement written by hand, in one run.

    python bench/features_scale.py --customers 100000 --rows 2000000

Builds the market (bench/market_rows.py) in memory. Both sides fill wide tables with the same columns, in turn; every
value is compared, and the medians and their ratio are printed: for each set of families by itself, and for all of them
built together beside all statements. The peer knows nothing of cuts on two clocks, bases or families: it is what a
careful analyst would write for one date, every aggregate of a level in one GROUP BY.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from aimwell.core.time import parse_instant, zone
from aimwell.insight.features.build import Features, forget
from aimwell.insight.features.library import library
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from market_rows import AS_OF, MarketSize, write_market

UTC = zone("UTC")
WINDOWS = (7, 14, 28, 56, 84, 112, 182, 364)
SETS = {
    "spend, visits, trends, recency": ("spending", "recency", "recent", "trend", "stretches"),
    "visit rhythm": ("visit_rhythm",),
    "categories": ("favourite_category", "category_breadth"),
}


def hand_written(name: str) -> str:
    """The statement that a careful analyst would write for the columns of a set."""
    return {
        "spend, visits, trends, recency": _orders_by_hand(),
        "visit rhythm": _rhythm_by_hand(),
        "categories": _categories_by_hand(),
    }[name]


def _moment(days: int = 0) -> str:
    return f"TIMESTAMP '{AS_OF[:10]}'" + (f" - INTERVAL {days} DAY" if days else "")


def _orders_by_hand() -> str:
    sums = [f"coalesce(sum(amount) FILTER (at_ >= {_moment(d)}), 0) AS spend_{d}d" for d in WINDOWS]
    sums += ["sum(amount) AS spend_ever"]
    sums += [f"count(*) FILTER (at_ >= {_moment(d)}) AS visits_{d}d" for d in WINDOWS] + ["count(*) AS visits_ever"]
    sums += [f"avg(amount) FILTER (at_ >= {_moment(d)}) AS basket_{d}d" for d in (28, 84, 364)]
    sums += [
        "avg(amount) AS basket_ever",
        f"stddev_samp(amount::DOUBLE) FILTER (at_ >= {_moment(364)}) AS basket_spread_364d",
        *[f"max(amount) FILTER (at_ >= {_moment(d)}) AS largest_order_{d}d" for d in (84, 364)],
        *[f"sum(pow(0.5, age / {h}.0)) AS recent_visits_{h}h" for h in (14, 28, 56, 112)],
        *[f"sum(amount::DOUBLE * pow(0.5, age / {h}.0)) AS recent_spend_{h}h" for h in (14, 28, 56, 112)],
        *[
            f"coalesce(sum(amount) FILTER (at_ >= {_moment(d)} AND at_ < {_moment(d - 28)}), 0) AS s{d}"
            for d in (56, 84, 112)
        ],
        f"coalesce(sum(amount) FILTER (at_ >= {_moment(168)} AND at_ < {_moment(84)}), 0) AS s168",
        f"coalesce(sum(amount) FILTER (at_ >= {_moment(448)} AND at_ < {_moment(364)}), 0) AS s448",
        f"count(*) FILTER (at_ >= {_moment(168)}) AS v168",
        "min(at_) AS began_at",
        "min(age) AS days_since_order",
        "min(CASE WHEN 2 * n * amount >= total THEN age END) AS days_since_usual_order",
        "arg_max(amount, (at_, order_id)) AS last_order_amount",
        "sum(amount) / count(*) AS usual",
        "min(CASE WHEN discount > 0 THEN age END) AS days_since_discount",
    ]
    return f"""
        WITH orders AS (
            SELECT customer_id, order_id, min(occurred_at) AS at_, sum(amount) AS amount, sum(discount) AS discount,
                   floor(date_diff('microsecond', min(occurred_at), {_moment()}) / 86400000000)::BIGINT AS age
            FROM purchase WHERE occurred_at < {_moment()} GROUP BY ALL
        ),
        means AS (
            SELECT *, sum(amount) OVER (PARTITION BY customer_id) AS total,
                   count(*) OVER (PARTITION BY customer_id) AS n
            FROM orders
        ),
        sums AS (SELECT customer_id, {", ".join(sums)} FROM means GROUP BY customer_id),
        named AS (
            SELECT *, spend_28d AS a, s56 AS b, s84 AS c, s112 AS d FROM sums
        )
        SELECT people.customer_id,
               * EXCLUDE (customer_id, s56, s84, s112, s168, s448, v168, began_at, usual, a, b, c, d),
               last_order_amount / usual AS last_order_against_mean,
               (a - b) / nullif(a + b, 0) AS spend_trend_28d,
               (spend_84d - s168) / nullif(spend_84d + s168, 0) AS spend_trend_84d,
               (2 * visits_28d - visits_56d) / nullif(visits_56d, 0) AS visit_trend_28d,
               (2 * visits_84d - v168) / nullif(v168, 0) AS visit_trend_84d,
               (4 * a - spend_112d) / nullif(4 * a + spend_112d, 0) AS spend_pace,
               (4 * visits_14d - visits_56d) / nullif(4 * visits_14d + visits_56d, 0) AS visit_pace_14d,
               (4 * visits_28d - visits_112d) / nullif(4 * visits_28d + visits_112d, 0) AS visit_pace_28d,
               CASE WHEN began_at < {_moment(448)} THEN (spend_84d - s448) / nullif(spend_84d + s448, 0) END
                   AS spend_year_on_year,
               (a + b + c + d - greatest(a, b, c, d) - least(a, b, c, d)) / 2 AS usual_28d_spend,
               least(a, b, c, d) AS worst_28d_spend, greatest(a, b, c, d) AS best_28d_spend,
               sqrt(greatest((a * a + b * b + c * c + d * d)::DOUBLE / 4 - pow((a + b + c + d)::DOUBLE / 4, 2), 0))
                   AS spread_28d_spend,
               coalesce((a = 0)::BIGINT + (b = 0)::BIGINT + (c = 0)::BIGINT + (d = 0)::BIGINT, 4) AS empty_28d
        FROM people LEFT JOIN named ON named.customer_id = people.customer_id"""


def _rhythm_by_hand() -> str:
    return f"""
        WITH days AS (
            SELECT DISTINCT customer_id, occurred_at::DATE AS day FROM purchase WHERE occurred_at < {_moment()}
        ),
        gaps AS (
            SELECT customer_id, DATE '{AS_OF[:10]}' - day AS age,
                   day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap,
                   DATE '{AS_OF[:10]}' - max(day) OVER (PARTITION BY customer_id) AS silence,
                   row_number() OVER (PARTITION BY customer_id ORDER BY day DESC) AS place
            FROM days
        ),
        sums AS (
            SELECT customer_id, min(silence) AS silence, count(gap) AS gaps, avg(gap) AS gap_mean,
                   quantile_cont(gap, 0.5) AS gap_median, avg(gap) FILTER (place <= 5) AS gap_recent,
                   quantile_cont(gap, 0.9) AS gap_long, max(gap) AS gap_longest,
                   max(gap) FILTER (age <= 112) AS gap_longest_112d, stddev_samp(gap) AS gap_spread,
                   count(*) FILTER (gap >= silence) AS outlasted, count(*) FILTER (gap > 14) AS gaps_over_14d,
                   count(*) FILTER (gap > 28) AS gaps_over_28d, count(*) FILTER (age <= 28) AS visit_days_28d,
                   count(*) FILTER (age <= 112) AS visit_days_112d
            FROM gaps GROUP BY customer_id
        )
        SELECT people.customer_id, * EXCLUDE (customer_id, silence, gaps, gap_spread, outlasted),
               gap_spread / gap_mean AS gap_variation, silence / gap_mean AS silence_against_mean,
               silence / gap_longest AS silence_against_longest, silence / nullif(gap_long, 0) AS silence_against_long,
               (silence - gap_mean) / nullif(gap_spread, 0) AS silence_in_spreads,
               (outlasted + 1) / (gaps + 1) AS silence_outlasted_share, silence - gap_mean AS days_overdue
        FROM people LEFT JOIN sums ON sums.customer_id = people.customer_id"""


def _categories_by_hand() -> str:
    return f"""
        WITH carts AS (
            SELECT customer_id, category, order_id, min(occurred_at) AS at_, sum(amount) AS amount
            FROM purchase JOIN product USING (product_id)
            WHERE occurred_at < {_moment()} AND amount >= 0 AND category IS NOT NULL GROUP BY ALL
        ),
        categories AS (
            SELECT customer_id, category, min(at_) AS first_at, max(at_) AS last_at,
                   count(*) FILTER (at_ >= {_moment(84)}) AS orders_84,
                   coalesce(sum(amount) FILTER (at_ >= {_moment(364)}), 0) AS year
            FROM carts GROUP BY ALL
        ),
        sums AS (
            SELECT customer_id, arg_max(category, (year, category)) FILTER (year > 0) AS top_category,
                   max(year) / nullif(sum(year), 0) AS top_category_share,
                   count(*) FILTER (last_at >= {_moment(28)}) AS categories_28d,
                   count(*) FILTER (last_at >= {_moment(112)}) AS categories_112d,
                   count(*) FILTER (last_at >= {_moment(364)}) AS categories_364d,
                   pow(sum(year)::DOUBLE, 2) / nullif(sum(year * year), 0) AS category_variety,
                   count(*) FILTER (orders_84 >= 3) AS regular_categories,
                   count(*) FILTER (first_at >= {_moment(84)}) AS new_categories_84d
            FROM categories GROUP BY customer_id
        )
        SELECT people.customer_id, * EXCLUDE (customer_id)
        FROM people LEFT JOIN sums ON sums.customer_id = people.customer_id"""


def main() -> None:
    """Build, compare, time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=20_000_000, help="lines of purchases")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--together", action="store_true", help="only all sets together")
    given = parser.parse_args()
    engine = DuckEngine(threads=given.threads)
    write_market(engine._connection, MarketSize(given.customers, given.rows, 1))
    engine._connection.execute("CREATE TABLE people AS SELECT customer_id FROM customer")
    for name in () if given.together else SETS:
        _compare(name, [name], engine, given.repeats)
    _compare("all together", list(SETS), engine, given.repeats)


def _compare(title: str, sets: list[str], engine: DuckEngine, repeats: int) -> None:
    """Time both sides in turn, check that they agree, and print the medians."""
    history = Warehouse(engine, UTC).history(parse_instant(AS_OF, UTC))
    families = [library().families[family] for name in sets for family in SETS[name]]
    names = {name: [c.name for f in SETS[name] for c in library().families[f].available(history)] for name in sets}

    def by_family() -> None:
        features = Features(history, library())
        features.prepare(families)
        for place, name in enumerate(sets):
            engine.create_table_as(f"by_family_{place}", features.select("people", names[name]))

    def by_hand() -> None:
        for place, name in enumerate(sets):
            engine._connection.execute(f"CREATE OR REPLACE TABLE by_hand_{place} AS {hand_written(name)}")

    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(repeats):
        ours.append(_seconds(by_family))
        forget(engine)
        theirs.append(_seconds(by_hand))
    for place, name in enumerate(sets):
        _check(engine, place, names[name])
    mine, hand = statistics.median(ours), statistics.median(theirs)
    columns = sum(len(each) for each in names.values())
    print(f"{title}: {columns} columns, families {mine:.2f} s, by hand {hand:.2f} s, ratio {mine / hand:.2f}")


def _check(engine: DuckEngine, place: int, names: list[str]) -> None:
    """Every value of every column agrees: text exactly, numbers to a cent's rounding or one part in a million."""
    kinds = engine.columns(f"by_family_{place}")
    for name in names:
        if kinds[name] == "VARCHAR":
            unlike = f"f.{name} IS DISTINCT FROM h.{name}"
        else:
            near = f"abs(f.{name}::DOUBLE - h.{name}::DOUBLE) <= 0.006 + 1e-6 * abs(h.{name}::DOUBLE)"
            unlike = f"NOT coalesce({near}, coalesce(f.{name}, 0) = 0 AND coalesce(h.{name}, 0) = 0)"
        sql = f"SELECT count(*) FROM by_family_{place} f JOIN by_hand_{place} h USING (customer_id) WHERE {unlike}"
        wrong = engine._connection.execute(sql).fetchall()[0][0]
        assert wrong == 0, f"{name}: {wrong} customers differ"


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
