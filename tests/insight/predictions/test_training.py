"""Training tables: who was asked, what was known then, and what came after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.progress import silent
from aimwell.core.text import Text
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.backtest import backtest
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.training import scoring_rows, training_rows
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

Defined = Callable[..., Prediction]
ZONE = ZoneInfo("Asia/Shanghai")

VISITS = query_family(
    "visits",
    "transaction",
    Text("购买", "Visits"),
    needs=("purchase.amount",),
    columns=(
        Column("visits_all", Text("次数", "Visits"), "integer", Text("", ""), empty=0),
        Column("last_day", Text("最近购买日", "Last day"), "day", Text("", "")),
    ),
    sql="SELECT customer_id, count(*) AS visits_all, max(local_date(occurred_at)) AS last_day "
    "FROM purchase GROUP BY customer_id",
)


def shop(tmp_path: Path, purchases: list[tuple[str, str, float, str]], **tables: pa.Table) -> Workshop:
    """A shop with these purchases: customer, day, amount, product; bought at four in the morning UTC."""
    engine = DuckEngine(threads=1)
    bought = {
        "order_id": [f"o{place}" for place in range(len(purchases))],
        "line": ["1"] * len(purchases),
        "customer_id": [customer for customer, _, _, _ in purchases],
        "product_id": [product for _, _, _, product in purchases],
        "occurred_at": pa.array(
            [datetime.fromisoformat(day) + timedelta(hours=4) for _, day, _, _ in purchases], pa.timestamp("us")
        ),
        "amount": pa.array([amount for _, _, amount, _ in purchases], pa.float64()).cast(pa.decimal128(18, 2)),
    }
    engine.write("purchase", pa.table(bought))
    for name, table in tables.items():
        engine.write(name, table)
    return Workshop(Warehouse(engine, ZONE), assemble([VISITS]), tmp_path)


GOLDEN = [
    ("anna", "2023-01-02", 10.0, "tea"),
    ("anna", "2023-02-03", 20.0, "tea"),
    ("anna", "2023-03-04", 30.0, "cup"),
    ("anna", "2023-03-06", -5.0, "cup"),
    ("ben", "2023-01-20", 7.0, "cup"),
    ("cleo", "2023-03-01", 9.0, "tea"),
    ("cleo", "2023-04-30", 9.0, "tea"),
]


def at(rows: Rows, cut_off: str, name: str) -> dict[str, float]:
    """A column, or the truth, of everybody at a cut-off."""
    place = [cut.name for cut in rows.cuts].index(cut_off)
    here = rows.at(place)
    values = here.truth if name == "truth" else here.past if name == "past" else here.values(name)
    return dict(zip(here.customers.tolist(), values.tolist(), strict=True))


def test_features_stop_at_the_cut_off_and_the_answer_starts_there(
    define: Defined, tmp_path: Path, now: datetime
) -> None:
    definition = define(
        """
        kind: how_much
        target: {amount: {purchases: {}}}
        horizon_days: 28
        cut_offs: {every_days: 28, earliest: 2023-02-01, latest: 2023-03-01}
        """
    )
    rows = training_rows(definition, shop(tmp_path, GOLDEN), now, silent)
    assert [cut.name for cut in rows.cuts] == ["2023-02-01", "2023-03-01"]
    assert at(rows, "2023-02-01", "visits_all") == {"anna": 1, "ben": 1}
    assert at(rows, "2023-02-01", "truth") == {"anna": 20, "ben": 0}
    # Cleo's first purchase is on 1 March itself, so she is nobody yet; the return is deducted from Anna's spend.
    assert at(rows, "2023-03-01", "visits_all") == {"anna": 2, "ben": 1}
    assert at(rows, "2023-03-01", "truth") == {"anna": 25, "ben": 0}
    assert at(rows, "2023-03-01", "past") == {"anna": 20, "ben": 0}


def test_days_become_ages_so_that_the_calendar_is_not_learnt(define: Defined, tmp_path: Path, now: datetime) -> None:
    definition = define(
        """
        kind: happens
        target: {happens: {purchases: {}}}
        horizon_days: 28
        cut_offs: {earliest: 2023-03-01, latest: 2023-03-01}
        """
    )
    rows = training_rows(definition, shop(tmp_path, GOLDEN), now, silent)
    assert at(rows, "2023-03-01", "last_day") == {"anna": 26, "ben": 40}
    assert rows.age_days.tolist() == [57, 39]


def test_the_product_filter_and_the_gap_are_kept(define: Defined, tmp_path: Path, now: datetime) -> None:
    products = pa.table({"product_id": ["tea", "cup"], "category": ["drinks", "things"]})
    text = """
        kind: happens
        target: {happens: {purchases: {category: drinks}}}
        horizon_days: 28
        gap_days: GAP
        cut_offs: {earliest: 2023-02-01, latest: 2023-02-01}
        """
    workshop = shop(tmp_path, GOLDEN, product=products)
    without = training_rows(define(text.replace("GAP", "0")), workshop, now, silent)
    assert at(without, "2023-02-01", "truth") == {"anna": 1, "ben": 0}
    # Anna's tea of 3 February falls into the gap, Cleo's of 1 March is Cleo's: nobody is left.
    with pytest.raises(NotEnoughData, match="nobody's answer was yes"):
        training_rows(define(text.replace("GAP", "5")), workshop, now, silent)


def test_the_targets_own_past_describes_each_customer(define: Defined, tmp_path: Path, now: datetime) -> None:
    products = pa.table({"product_id": ["tea", "cup"], "category": ["drinks", "things"]})
    text = """
        kind: happens
        target: {happens: {purchases: {category: drinks, count: {at_least: 1}}}}
        horizon_days: 33
        features: {exclude: [visits_all, EXCLUDED]}
        cut_offs: {earliest: 2023-03-01, latest: 2023-03-29, every_days: 28}
        """
    workshop = shop(tmp_path, GOLDEN, product=products)
    rows = training_rows(define(text.replace("EXCLUDED", "last_day")), workshop, now, silent)
    assert at(rows, "2023-03-29", "target_times_28d") == {"anna": 0, "ben": 0, "cleo": 1}
    assert at(rows, "2023-03-29", "target_times_84d") == {"anna": 1, "ben": 0, "cleo": 1}
    assert at(rows, "2023-03-29", "target_spend_364d") == {"anna": 30, "ben": 0, "cleo": 9}
    since = at(rows, "2023-03-29", "target_days_since")
    assert (since["anna"], since["cleo"]) == (53, 27)
    assert np.isnan(since["ben"])
    left_out = training_rows(define(text.replace("EXCLUDED", "family:target")), workshop, now, silent)
    assert [column.name for column in left_out.columns] == ["last_day"]


def test_balances_are_foretold_by_their_growth(define: Defined, tmp_path: Path, now: datetime) -> None:
    rows = [
        ("anna", "a1", "deposit", "2023-01-05", 100.0),
        ("anna", "a1", "deposit", "2023-02-10", 150.0),
        ("anna", "a2", "fund", "2023-02-10", 40.0),
        ("ben", "b1", "deposit", "2023-01-06", 80.0),
        ("ben", "b1", "deposit", "2023-02-11", 30.0),
        ("ben", "b2", "loan", "2023-02-11", 500.0),
    ]
    balance = pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "account": [row[1] for row in rows],
            "kind": [row[2] for row in rows],
            "day": pa.array([datetime.fromisoformat(row[3]).date() for row in rows], pa.date32()),
            "amount": pa.array([row[4] for row in rows], pa.float64()).cast(pa.decimal128(18, 2)),
        }
    )
    definition = define(
        """
        kind: how_much
        target: {amount: {balances: {kind: [deposit, fund]}}}
        horizon_days: 28
        cut_offs: {earliest: 2023-02-01, latest: 2023-02-01}
        """
    )
    found = training_rows(definition, shop(tmp_path, GOLDEN, balance=balance), now, silent)
    assert at(found, "2023-02-01", "truth") == {"anna": 90, "ben": -50}
    assert found.positives == 1


@pytest.fixture
def responses(tmp_path: Path) -> Workshop:
    """Two campaigns: anna redeems of the second alone, ben of the first after its window."""
    touches = pa.table(
        {
            "touch_id": ["1a", "1b", "2a", "2b"],
            "customer_id": ["anna", "ben", "anna", "ben"],
            "campaign": ["one", "one", "two", "two"],
            "occurred_at": pa.array([datetime(2023, 2, 1)] * 2 + [datetime(2023, 3, 2)] * 2),
        }
    )
    outcomes = pa.table(
        {
            "outcome_id": ["x", "y", "z"],
            "touch_id": ["2a", "1b", "2b"],
            "customer_id": ["anna", "ben", "ben"],
            "kind": ["redeemed", "redeemed", "opened"],
            "occurred_at": pa.array([datetime(2023, 3, 10), datetime(2023, 3, 10), datetime(2023, 3, 10)]),
        }
    )
    return shop(tmp_path, GOLDEN, touch=touches, outcome=outcomes)


def test_only_outcomes_of_the_contact_itself_within_the_campaign_count(
    define: Defined, responses: Workshop, now: datetime
) -> None:
    definition = define(
        "kind: happens\ntarget: {outcome: redeemed}\nhorizon_days: 30\ncut_offs: {by: campaign, count: 9}"
    )
    rows = training_rows(definition, responses, now, silent)
    assert at(rows, "one", "truth") == {"anna": 0, "ben": 0}
    assert at(rows, "two", "truth") == {"anna": 1, "ben": 0}


def test_a_population_narrows_the_contacted(define: Defined, responses: Workshop, now: datetime) -> None:
    definition = define(
        """
        kind: happens
        population: {purchases: {within: 28d}}
        target: {outcome: redeemed}
        horizon_days: 30
        cut_offs: {by: campaign, count: 9}
        """
    )
    rows = training_rows(definition, responses, now, silent)
    assert at(rows, "two", "truth") == {"anna": 1}


def test_what_happens_later_changes_no_earlier_row(churn: Prediction, workshop: Workshop, now: datetime) -> None:
    churn = churn.model_copy(update={"cut_offs": churn.cut_offs.model_copy(update={"count": 2})})
    before = training_rows(churn, workshop, now, silent)
    engine = workshop.warehouse.engine
    more = pa.table(
        {
            "order_id": ["z1", "z2"],
            "line": ["1", "1"],
            "customer_id": ["c0001", "brand_new"],
            "product_id": ["p1", "p1"],
            "occurred_at": pa.array([datetime(2024, 2, 1), datetime(2024, 2, 2)], pa.timestamp("us")),
            "amount": pa.array(["999.00", "999.00"]).cast(pa.decimal128(18, 2)),
        }
    )
    engine.append("purchase", more)
    workshop.warehouse.refresh()
    fresh = Workshop(workshop.warehouse, workshop.library, workshop.folder, version="after")
    after = training_rows(churn, fresh, now, silent)
    assert after.table.equals(before.table)
    assert np.array_equal(after.truth, before.truth)
    assert np.array_equal(after.customers, before.customers)


def test_an_unknown_feature_is_named_with_similar_ones(define: Defined, workshop: Workshop, now: datetime) -> None:
    definition = define(
        """
        kind: how_much
        target: {amount: {purchases: {}}}
        horizon_days: 28
        features: {include: [visit_28d]}
        """
    )
    with pytest.raises(BadQuestion, match="visit_28d.*Did you mean visits_28d"):
        training_rows(definition, workshop, now, silent)


def test_a_population_without_a_single_yes_is_refused_in_words(
    define: Defined, workshop: Workshop, now: datetime
) -> None:
    definition = define(
        """
        kind: happens
        target: {happens: {purchases: {product: unheard_of}}}
        horizon_days: 28
        cut_offs: {count: 1}
        """
    )
    with pytest.raises(NotEnoughData, match="nobody's answer was yes"):
        training_rows(definition, workshop, now, silent)


def test_nobody_in_the_population_is_said(define: Defined, workshop: Workshop, now: datetime) -> None:
    definition = define(
        """
        kind: happens
        population: {purchases: {product: unheard_of}}
        target: {happens: {purchases: {}}}
        horizon_days: 28
        cut_offs: {count: 1}
        """
    )
    with pytest.raises(NotEnoughData, match="nobody was in the population"):
        training_rows(definition, workshop, now, silent)


def test_one_customer_only_is_too_little(define: Defined, tmp_path: Path, now: datetime) -> None:
    days = [(datetime(2023, 1, 1) + timedelta(days=9 * step)).date().isoformat() for step in range(40)]
    workshop = shop(tmp_path, [("anna", day, 10.0, "tea") for day in days])
    definition = define("kind: how_much\ntarget: {amount: {purchases: {}}}\nhorizon_days: 28\ncut_offs: {count: 3}")
    with pytest.raises(NotEnoughData, match="at least 10 rows with each answer"):
        backtest(definition, workshop, now)


@pytest.mark.parametrize(
    ("target", "table"),
    [("{outcome: redeemed}\ncut_offs: {by: campaign}", "touch"), ("{happens: {events: {name: open}}}", "event")],
)
def test_a_missing_optional_table_is_named(
    define: Defined, workshop: Workshop, now: datetime, target: str, table: str
) -> None:
    definition = define(f"kind: happens\nhorizon_days: 28\ntarget: {target}")
    with pytest.raises(BadQuestion, match=table):
        training_rows(definition, workshop, now, silent)


def test_customers_to_be_scored_have_no_answer_yet(churn: Prediction, workshop: Workshop, now: datetime) -> None:
    columns = tuple(workshop.features(now).columns())
    rows = scoring_rows(churn, workshop, now, columns)
    assert len(rows) > 50
    assert np.isnan(rows.truth).all()
    named = scoring_rows(churn, workshop, now, columns, customers=["c0003", "nobody"])
    assert named.customers.tolist() == ["c0003", "nobody"]
