"""The binder lets through what can be known, and refuses everything else with the way to say it."""

from __future__ import annotations

import pytest
from tests.store.warehouse.shop import AS_OF, small_shop

from aimwell.core.errors import Refused
from aimwell.store.warehouse.history import History

OUTSIDE = [
    # clocks and randomness
    "SELECT now()",
    "SELECT current_date",
    "SELECT current_timestamp",
    "SELECT today()",
    "SELECT get_current_timestamp()",
    "SELECT transaction_timestamp()",
    "SELECT random()",
    "SELECT uuid()",
    "SELECT gen_random_uuid()",
    "SELECT setseed(0.5)",
    "SELECT customer_id FROM purchase ORDER BY random()",
    "SELECT hash(customer_id) FROM purchase",
    # files, settings and system tables
    "SELECT * FROM 'secrets.csv'",
    "SELECT * FROM read_csv('secrets.csv')",
    "SELECT * FROM read_parquet('*.parquet')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('*')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('purchase')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM main.purchase",
    "SELECT * FROM memory.main.purchase",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT getenv('HOME')",
    "SELECT current_setting('threads')",
    "SELECT nextval('s')",
    # the physical tables behind names
    "SELECT * FROM cut_purchase",
    "SELECT * FROM load_log",
    "WITH purchase AS (SELECT 1 AS customer_id) SELECT * FROM purchase",
    "WITH cut_purchase AS (SELECT 1 AS customer_id) SELECT * FROM cut_purchase",
    "WITH load_log AS (SELECT * FROM load_log) SELECT * FROM load_log",
    "WITH a AS (SELECT * FROM load_log), load_log AS (SELECT 1 AS x) SELECT * FROM a",
    "SELECT * FROM (WITH load_log AS (SELECT 1 AS x) SELECT * FROM load_log) AS q, load_log",
    "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a) SELECT * FROM a",
    # other statements and other shapes
    "DELETE FROM purchase",
    "DROP TABLE purchase",
    "COPY purchase TO 'out.csv'",
    "ATTACH 'other.db'",
    "INSTALL httpfs",
    "PRAGMA database_list",
    "SET threads = 1",
    "SUMMARIZE purchase",
    "DESCRIBE purchase",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE purchase",
    "",
    "SELECT",
    "SELECT customer_id INTO copy FROM purchase",
    "FROM purchase PIVOT (sum(amount) FOR channel IN ('app'))",
    "SELECT * FROM purchase USING SAMPLE 10%",
    "SELECT * FROM purchase TABLESAMPLE RESERVOIR(3)",
    "SELECT * FROM purchase AT (VERSION => 1)",
    "SELECT unnest([1, 2])",
    "SELECT * FROM unnest([1, 2])",
    "SELECT * FROM purchase, LATERAL (SELECT 1) AS l",
    "SELECT * FROM (VALUES (1), (2)) AS v(x)",
    "SELECT columns(*) FROM purchase",
    "SELECT * FROM purchase POSITIONAL JOIN product",
    "SELECT list_transform([1], x -> x + 1)",
    "SELECT sql_auto_complete('SEL')",
    "SELECT $1",
    "SELECT ?",
]

DIFFERENT = {
    "SELECT date_diff('day', occurred_at, as_of()) FROM purchase": "days_between",
    "SELECT datediff('month', occurred_at, as_of()) FROM purchase": "days_between",
    "SELECT date_sub('day', occurred_at, as_of()) FROM purchase": "days_between",
    "SELECT age(occurred_at, as_of()) FROM purchase": "Macros",
    "SELECT log(amount) FROM purchase": "ln",
    "SELECT log10(amount) FROM purchase": "log_ten",
    "SELECT log2(amount) FROM purchase": "ln",
    "SELECT list(product_id ORDER BY occurred_at) FROM purchase": "ordered_list",
    "SELECT array_agg(product_id) FROM purchase": "ordered_list",
    "SELECT mode(product_id) FROM purchase": "row_number",
    "SELECT approx_count_distinct(product_id) FROM purchase": "count",
    "SELECT amount / 2 FROM purchase": "ratio",
    "SELECT quantity // 2 FROM purchase": "ratio",
    "SELECT avg(amount) FROM purchase": "mean",
    "SELECT median(amount) FROM purchase": "quantile_at",
    "SELECT quantile_cont(amount, 0.5) FROM purchase": "quantile_at",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM purchase": "quantile_at",
    "SELECT cast(amount AS INTEGER) FROM purchase": "whole",
    "SELECT amount::BIGINT FROM purchase": "whole",
    "SELECT try_cast(line AS INT) FROM purchase": "whole",
    "SELECT cast(occurred_at AS TIMESTAMPTZ) FROM purchase": "local_time",
    "SELECT occurred_at AT TIME ZONE 'UTC' FROM purchase": "local_time",
    "SELECT dayname(occurred_at) FROM purchase": "weekday",
    "SELECT isodow(occurred_at) FROM purchase": "weekday",
    "SELECT dayofweek(occurred_at) FROM purchase": "weekday",
    "SELECT extract(dow FROM occurred_at) FROM purchase": "weekday",
    "SELECT hour(occurred_at) FROM purchase": "local_hour",
    "SELECT first(product_id ORDER BY occurred_at) FROM purchase": "arg_min",
    "SELECT any_value(product_id) FROM purchase": "min",
    "SELECT occurred_at + to_days(3) FROM purchase": "INTERVAL 7 DAY",
    "SELECT occurred_at + INTERVAL (quantity) DAY FROM purchase": "INTERVAL 7 DAY",
    "SELECT corr(amount, quantity) FROM purchase": "sums",
    "SELECT regr_slope(amount, quantity) FROM purchase": "sums",
    "SELECT var_samp(amount) FROM purchase": "spread",
    "SELECT * FROM purchase ASOF JOIN product ON purchase.occurred_at >= product.known_at": "row_number",
}


@pytest.fixture(scope="module")
def history() -> History:
    warehouse = small_shop()
    warehouse.engine.create_table_as("load_log", warehouse.history(AS_OF).bind("SELECT 'secret' AS x"))
    warehouse.refresh()
    return warehouse.history(AS_OF)


@pytest.mark.parametrize("attack", OUTSIDE)
def test_what_reads_anything_but_the_cut_tables_is_refused(history: History, attack: str) -> None:
    with pytest.raises(Refused):
        history.bind(attack)


@pytest.mark.parametrize("attack", DIFFERENT)
def test_what_differs_between_engines_is_refused_with_the_way_to_say_it(history: History, attack: str) -> None:
    with pytest.raises(Refused) as refused:
        history.bind(attack)
    assert DIFFERENT[attack] in refused.value.remedy


@pytest.mark.parametrize("hidden", ["now()", "random()", "(SELECT max(x) FROM load_log)", "amount / 2"])
@pytest.mark.parametrize(
    "place",
    [
        "SELECT {} FROM purchase",
        "SELECT customer_id FROM purchase WHERE {} IS NOT NULL",
        "SELECT customer_id FROM purchase GROUP BY customer_id HAVING max({}) IS NOT NULL",
        "SELECT customer_id FROM purchase ORDER BY {}",
        "SELECT sum(amount) FILTER (WHERE {} IS NOT NULL) FROM purchase",
        "SELECT row_number() OVER (PARTITION BY {} ORDER BY customer_id) FROM purchase",
        "SELECT CASE WHEN {} IS NULL THEN 1 ELSE 2 END FROM purchase",
        "SELECT mean({}) FROM purchase",
        "SELECT ratio(1, {}) FROM purchase",
        "WITH a AS (SELECT {} AS x FROM purchase) SELECT x FROM a",
        "SELECT p.customer_id FROM purchase AS p JOIN product AS q ON {} IS NOT NULL",
        "SELECT customer_id FROM purchase WHERE EXISTS (SELECT 1 FROM product WHERE {} IS NULL)",
        "SELECT customer_id FROM purchase QUALIFY row_number() OVER (ORDER BY {}) = 1",
    ],
)
def test_an_attack_is_found_wherever_it_hides(history: History, place: str, hidden: str) -> None:
    with pytest.raises(Refused):
        history.bind(place.format(hidden))


def test_an_absent_canonical_table_names_the_remedy(history: History) -> None:
    with pytest.raises(Refused, match="Load a source that fills it"):
        history.bind("SELECT * FROM balance")


def test_aliases_joins_and_ctes_read_the_cut(history: History) -> None:
    found = history.to_arrow(
        "WITH t AS (SELECT p.customer_id, q.category, p.amount FROM purchase AS p "
        "JOIN product AS q ON q.product_id = p.product_id) "
        "SELECT customer_id, category, sum(amount) AS amount FROM t GROUP BY customer_id, category "
        "ORDER BY customer_id, category"
    ).to_pylist()
    assert [(row["customer_id"], row["category"], str(row["amount"])) for row in found] == [
        ("ann", "drinks", "10.00"),
        ("ann", "ware", "20.50"),
        ("bob", "drinks", "5.00"),
    ]


def test_a_relation_is_read_only_by_the_name_it_was_given(history: History) -> None:
    assert history.to_arrow("SELECT x FROM given", {"given": "load_log"}).to_pylist() == [{"x": "secret"}]
    with pytest.raises(Refused):
        history.bind("SELECT x FROM load_log", {"given": "load_log"})


def test_settings_are_values_and_never_sql(history: History) -> None:
    found = history.to_arrow("SELECT setting('word') AS word, setting('high') AS high").to_pylist()
    assert found == [{"word": "it's; DROP TABLE purchase", "high": 100}]
    with pytest.raises(Refused, match="Unknown setting"):
        history.bind("SELECT setting('missing')")


def test_macro_arguments_are_checked(history: History) -> None:
    with pytest.raises(Refused, match="takes 2 argument"):
        history.bind("SELECT ratio(1)")
    with pytest.raises(Refused, match="whole number of days"):
        history.bind("SELECT days_before(quantity) FROM purchase")
