"""Loading: all or nothing, the same again adds nothing, keys are unique, and every refused row is kept."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from tests.store.sources.workbench import NOW, ORDERS, load, rows, source, tally, write

from aimwell.core.errors import AimwellError, BadQuestion, BadSource, Unavailable
from aimwell.core.tables import TABLES
from aimwell.store.sources.load import load as load_workspace
from aimwell.store.sources.load import load_sources
from aimwell.store.sources.log import data_version, read_log
from aimwell.store.sources.planning import UnreadableSources
from aimwell.store.sources.rejects import rejects
from aimwell.store.sources.steps import LoadStep
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.workspace import open_workspace

PAID = """
    order,line,customer,at,paid
    1,1,ann,2024-05-01 08:00,10.00
    1,2,ann,2024-05-01 08:00,5.50
    2,1,bob,2024-05-02 09:30,-3.00
"""


def test_rows_become_canonical_with_every_column_and_type(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "orders.csv", PAID)
    report = load(engine, tmp_path, source(ORDERS))
    assert tally(report).kept == 3
    assert rows(engine, "purchase", "order_id", "line", "occurred_at", "amount")[2] == (
        "2",
        "1",
        datetime(2024, 5, 2, 9, 30),
        Decimal("-3.00"),
    )
    types = engine.columns("purchase")
    assert list(types)[:-1] == list(TABLES["purchase"].names)
    assert (types["order_id"], types["amount"], types["quantity"]) == ("VARCHAR", "DECIMAL(18,2)", "DOUBLE")
    assert (types["occurred_at"], types["known_at"]) == ("TIMESTAMP", "TIMESTAMP")
    assert rows(engine, "purchase", "discount")[0] == (None,)


def test_the_same_again_adds_nothing(tmp_path: Path) -> None:
    engine = DuckEngine()
    path = write(tmp_path, "orders.csv", PAID)
    first = load(engine, tmp_path, source(ORDERS))
    again = load(engine, tmp_path, source(ORDERS))
    assert first.changed
    assert not again.changed
    assert again.version == first.version
    assert again.sources[0].unchanged == ("orders.csv",)
    assert again.sources[0].tables == ()
    path.touch()  # written again with the same content
    assert load(engine, tmp_path, source(ORDERS)).sources[0].unchanged == ("orders.csv",)
    assert read_log(engine)[0].modified == path.stat().st_mtime_ns
    assert len(rows(engine, "purchase", "line")) == 3


def test_a_changed_file_takes_the_place_of_what_it_brought_before(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "orders.csv", PAID)
    first = load(engine, tmp_path, source(ORDERS))
    write(tmp_path, "orders.csv", "order,line,customer,at,paid\n1,1,ann,2024-05-01,11\n9,1,cid,x,1\n")
    second = load(engine, tmp_path, source(ORDERS))
    assert second.sources[0].changed == ("orders.csv",)
    assert rows(engine, "purchase", "order_id", "amount") == [("1", Decimal("11.00"))]
    assert [each.reason for each in rejects(engine)] == ["unreadable_occurred_at"]
    write(tmp_path, "orders.csv", PAID)
    third = load(engine, tmp_path, source(ORDERS))
    assert rejects(engine) == []
    assert third.version == first.version != second.version


def test_a_changed_mapping_maps_everything_again(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "orders.csv", PAID)
    before = load(engine, tmp_path, source(ORDERS))
    labelled = "label: {zh: 订单, en: Orders}\n" + ORDERS.lstrip()
    assert not load(engine, tmp_path, source(labelled)).changed
    later = load(engine, tmp_path, source(ORDERS.replace("timezone: UTC", "timezone: Asia/Shanghai")))
    assert later.version != before.version
    assert rows(engine, "purchase", "occurred_at")[0] == (datetime(2024, 5, 1, 0, 0),)


def test_naive_times_are_of_the_workspace_unless_said_and_offsets_win(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "orders.csv", "order,line,customer,at,paid\n1,1,a,2024-05-01 08:00,1\n2,1,a,2024-05-01T08:00Z,1\n")
    load(engine, tmp_path, source(ORDERS.replace("timezone: UTC", "")))
    assert rows(engine, "purchase", "order_id", "occurred_at") == [
        ("1", datetime(2024, 5, 1, 0, 0)),
        ("2", datetime(2024, 5, 1, 8, 0)),
    ]


def test_rows_are_refused_for_one_reason_each_and_kept_with_their_text(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(
        tmp_path,
        "orders.csv",
        """
        order,line,customer,at,paid
        1,1,ann,2024-05-01,10
        2,1,,2024-05-01,10
        3,1,bob,yesterday,10
        4,1,bob,2024-05-01,ten
        5,1,bob,2024-05-01
        POST,1,bob,2024-05-01,4
        6,1,test,2024-05-01,4
        """,
    )
    orders = source(
        ORDERS.rstrip()
        + "\n    where: customer <> 'test' OR customer IS NULL\n    reject: {no_product: order = 'POST'}\n"
    )
    report = load(engine, tmp_path, orders)
    assert tally(report).rejected == {
        "malformed_row": 1,
        "missing_customer_id": 1,
        "no_product": 1,
        "unreadable_amount": 1,
        "unreadable_occurred_at": 1,
    }
    assert (tally(report).kept, tally(report).filtered) == (1, 1)
    kept = {each.reason: each for each in rejects(engine)}
    assert kept["unreadable_amount"].row_number == 4
    assert json.loads(kept["unreadable_amount"].raw) == {
        "order": "4",
        "line": "1",
        "customer": "bob",
        "at": "2024-05-01",
        "paid": "ten",
    }
    assert json.loads(kept["malformed_row"].raw) == {"text": "5,1,bob,2024-05-01"}
    assert kept["malformed_row"].row_number == 5
    samples = report.sources[0].tables[0].samples
    assert {reason: len(found) for reason, found in samples.items()} == dict.fromkeys(tally(report).rejected, 1)


def test_equal_rows_are_one_and_unequal_ones_of_one_key_are_refused_but_the_first(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(
        tmp_path,
        "orders.csv",
        """
        order,line,customer,at,paid
        1,1,ann,2024-05-01,10
        1,1,ann,2024-05-01,10.0
        1,1,ann,2024-05-01,12
        2,,bob,2024-05-01,1
        2,,bob,2024-05-01,1
        """,
    )
    report = load(engine, tmp_path, source(ORDERS))
    assert (tally(report).kept, tally(report).duplicates, tally(report).superseded) == (2, 2, 0)
    assert tally(report).rejected == {"conflicting_key": 1}
    assert rows(engine, "purchase", "order_id", "amount") == [("1", Decimal("10.00")), ("2", Decimal("1.00"))]
    assert [each.row_number for each in rejects(engine)] == [3]


@pytest.mark.parametrize(
    ("rule", "amount"),
    [
        ("{keep: last}", 9),
        ("{keep: first}", 10),
        ("{keep: last, by: occurred_at}", 12),
        ("{keep: first, by: occurred_at}", 9),
        ("{keep: last, by: [customer_id, occurred_at]}", 7),
    ],
)
def test_a_rule_says_which_row_of_a_key_stays(tmp_path: Path, rule: str, amount: int) -> None:
    engine = DuckEngine()
    write(
        tmp_path,
        "orders.csv",
        """
        order,line,customer,at,paid
        1,1,ann,2024-05-02,10
        1,1,ann,2024-05-03,12
        1,1,bob,2024-05-02,7
        1,1,ann,2024-05-01,9
        """,
    )
    report = load(engine, tmp_path, source(ORDERS.rstrip() + f"\n    deduplicate: {rule}\n"))
    assert rows(engine, "purchase", "amount") == [(Decimal(amount),)]
    assert (tally(report).kept, tally(report).duplicates, tally(report).superseded) == (1, 3, 3)


def test_a_rule_decides_against_what_earlier_loads_brought(tmp_path: Path) -> None:
    engine = DuckEngine()
    yaml = ORDERS.replace("orders.csv", "d/*.csv").rstrip() + "\n    deduplicate: {keep: last, by: occurred_at}\n"
    head = "order,line,customer,at,paid\n"
    write(tmp_path, "d/1.csv", head + "1,1,a,2024-05-02,1\n2,1,a,2024-05-01,1\n3,1,a,2024-05-01,1\n")
    load(engine, tmp_path, source(yaml))
    write(tmp_path, "d/2.csv", head + "1,1,a,2024-05-01,2\n2,1,a,2024-05-02,2\n3,1,a,2024-05-01,1\n")
    report = load(engine, tmp_path, source(yaml))
    assert rows(engine, "purchase", "order_id", "amount") == [("1", 1), ("2", 2), ("3", 1)]
    assert (tally(report).kept, tally(report).superseded, tally(report).replaced) == (2, 1, 2)


def test_rows_of_several_sources_stay_side_by_side_in_states_and_clash_in_facts(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "crm.csv", "id,city\n1,Berlin\n")
    write(tmp_path, "shop.csv", "id,tier\n1,gold\n")
    crm = source("""
        read: {path: crm.csv}
        tables: [{table: customer, columns: {customer_id: id, city: city}}]
        """, "crm")  # fmt: skip
    shop = source("""
        read: {path: shop.csv}
        tables:
          - table: customer
            columns: {customer_id: id, tier: tier}
            attributes: {vip: {expression: "tier = 'gold'", cast: boolean}}
        """, "shop")  # fmt: skip
    load(engine, tmp_path, crm, shop)
    assert rows(engine, "customer", "customer_id", "city", "tier", "vip") == [
        ("1", "Berlin", None, None),
        ("1", None, "gold", True),
    ]
    write(tmp_path, "orders.csv", PAID)
    write(tmp_path, "old.csv", "order,line,customer,at,paid\n1,1,ann,2024-05-01 08:00,10\n1,2,zoe,2024-05-01,1\n")
    old = source(ORDERS.replace("orders.csv", "old.csv"), "z_old")
    report = load(engine, tmp_path, source(ORDERS), old)
    assert (tally(report, source="z_old").duplicates, tally(report, source="z_old").rejected) == (
        1,
        {"conflicting_key": 1},
    )
    assert len(rows(engine, "purchase", "order_id")) == 3


def test_versions_of_a_state_differ_by_when_they_became_known(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "p.csv", "sku,price,since\n1,10,2024-01-01\n1,12,2024-02-01\n1,12,2024-02-01\n1,13,2024-02-01\n")
    yaml = """
        read: {path: p.csv}
        timezone: UTC
        tables: [{table: price, columns: {product_id: sku, price: price, known_at: since}}]
        """
    report = load(engine, tmp_path, source(yaml))
    assert (tally(report, "price").kept, tally(report, "price").duplicates) == (2, 1)
    assert tally(report, "price").rejected == {"conflicting_key": 1}
    rule = "deduplicate: {keep: last, by: known_at, key: [product_id, place]}"
    newest = yaml.replace("known_at: since}", f"known_at: since}}, {rule}")
    load(engine, tmp_path, source(newest))
    assert rows(engine, "price", "product_id", "price") == [("1", Decimal("13.00"))]


def test_several_tables_come_from_one_file_and_texts_from_expressions_constants_and_objects(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "log.csv", "id,user,page,price,at\n1,ann,home,,2024-05-01\n2,ann,cart,9,2024-05-02\n")
    load(
        engine,
        tmp_path,
        source("""
        read: {path: log.csv}
        timezone: UTC
        tables:
          - table: event
            columns:
              event_id: {expression: "concat(file_name(), '-', row_in_file())"}
              customer_id: user
              name: {constant: view}
              occurred_at: at
              session_id: {expression: "user || '-' || cast(nth(user) AS text)"}
              properties: {collect: [page, price]}
          - table: customer
            columns: {customer_id: user, created_at: at}
            deduplicate: {keep: first, by: created_at}
        """),
    )
    assert rows(engine, "event", "event_id", "name", "session_id", "properties") == [
        ("log.csv-1", "view", "ann-1", '{"page":"home","price":null}'),
        ("log.csv-2", "view", "ann-2", '{"page":"cart","price":"9"}'),
    ]
    assert rows(engine, "customer", "customer_id", "created_at") == [("ann", datetime(2024, 5, 1))]


def test_a_lookup_brings_columns_of_another_file(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "mail.csv", "campaign,customer\n01,a\n2,b\n3,c\n")
    write(tmp_path, "campaign.csv", "id,starts\n01,2024-05-01\n2,2024-06-01\n2,2024-05-30\n")
    yaml = """
        read: {path: mail.csv}
        timezone: America/New_York
        lookup: [{name: c, read: {path: campaign.csv}, on: {campaign: id}, keep: first, by: starts}]
        tables:
          - table: touch
            columns:
              touch_id: {expression: "campaign || '-' || customer"}
              customer_id: customer
              occurred_at: c.starts
        """
    report = load(engine, tmp_path, source(yaml))
    assert rows(engine, "touch", "touch_id", "occurred_at") == [
        ("01-a", datetime(2024, 5, 1, 4)),
        ("2-b", datetime(2024, 5, 30, 4)),
    ]
    assert tally(report, "touch").rejected == {"missing_occurred_at": 1}
    with pytest.raises(BadSource, match=r"lookup c has several rows for one id; saw 2"):
        load(engine, tmp_path, source(yaml.replace(", keep: first, by: starts", "")))
    write(tmp_path, "campaign.csv", "id,starts\n01,2024-05-02\n")
    assert load(engine, tmp_path, source(yaml)).sources[0].changed == ("mail.csv",)


def test_nothing_changes_when_any_part_of_a_load_fails(tmp_path: Path) -> None:
    engine = DuckEngine(tmp_path / "w.duckdb")
    write(tmp_path, "orders.csv", PAID)
    load(engine, tmp_path, source(ORDERS))
    before = (data_version(engine), rows(engine, "purchase", "order_id"), read_log(engine), engine.tables())
    write(tmp_path, "orders.csv", PAID.replace("bob", "eve"))
    write(tmp_path, "z.csv", "order,line,customer,at,paid\n7,1,a,2024-05-01,0\n")
    too_large = "amount: {expression: row_in_file() * 9223372036854775807 * 2}"
    failing = source(ORDERS.replace("orders.csv", "z.csv").replace("amount: paid", too_large), "z")
    with pytest.raises(BadSource, match="cannot be mapped to purchase"):
        load_sources(engine, [source(ORDERS), failing], tmp_path, "UTC", at=NOW)

    def stop(step: LoadStep) -> None:
        if step.phase == "map":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_sources(engine, [source(ORDERS)], tmp_path, "UTC", at=NOW, progress=stop)
    assert before == (data_version(engine), rows(engine, "purchase", "order_id"), read_log(engine), engine.tables())


def test_expressions_that_cannot_be_computed_are_all_named_with_the_columns_there_are(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", PAID)
    yaml = ORDERS.replace("amount: paid", "amount: {expression: paid * 2}, quantity: {expression: number(paid) + at}")
    yaml = yaml.rstrip() + "\n    where: paid\n"
    with pytest.raises(BadSource) as refused:
        load(DuckEngine(), tmp_path, source(yaml))
    message = str(refused.value)
    assert "purchase.amount" in message
    assert "purchase.quantity" in message
    assert "number(x)" in message
    assert "'paid' gives a text, not true or false" in message


def test_an_attribute_must_have_one_kind_everywhere(tmp_path: Path) -> None:
    engine = DuckEngine()
    write(tmp_path, "p.csv", "id,n\n1,2\n")
    yaml = """
        read: {path: p.csv}
        tables: [{table: customer, columns: {customer_id: id}, attributes: {points: {column: n, cast: integer}}}]
        """
    load(engine, tmp_path, source(yaml, "a"))
    with pytest.raises(BadSource, match="The column 'points' of customer is BIGINT already; saw VARCHAR"):
        load(engine, tmp_path, source(yaml.replace("cast: integer", "cast: text"), "b"))


def test_tables_that_no_load_made_are_added_to(tmp_path: Path) -> None:
    engine = DuckEngine()
    engine.write("purchase", pa.table({"order_id": ["1"], "line": ["1"], "customer_id": ["old"]}))
    write(tmp_path, "orders.csv", PAID)
    report = load(engine, tmp_path, source(ORDERS))
    assert tally(report).rejected == {"conflicting_key": 1}
    assert len(rows(engine, "purchase", "order_id")) == 3


def test_a_workspace_is_loaded_by_name_with_progress(tmp_path: Path) -> None:
    settings = 'name = "t"\ncurrency = "CNY"\ntimezone = "Asia/Shanghai"\n'
    (tmp_path / "aimwell.toml").write_text(settings, encoding="utf-8")
    write(tmp_path, "sources/orders.yaml", ORDERS)
    write(tmp_path, "orders.csv", PAID)
    workspace = open_workspace(tmp_path)
    steps: list[LoadStep] = []
    with workspace.warehouse() as warehouse:
        assert not warehouse.catalog
        report = load_workspace(workspace, warehouse, ["orders"], progress=steps.append)
        assert warehouse.catalog["purchase"].rows == 3
        assert "_origin" not in warehouse.catalog["purchase"].columns
        seen = warehouse.history(NOW + timedelta(days=1)).to_arrow("SELECT * FROM purchase")
        assert set(seen.column_names) == set(TABLES["purchase"].names)
        with pytest.raises(BadQuestion, match=r"no source 'order' \(did you mean 'orders'\?\)"):
            load_workspace(workspace, warehouse, ["order"])
    assert report.balanced
    assert [step.phase for step in steps] == ["look", "read", "read", "map", "map", "check", "check"]
    assert json.loads(report.to_json())["sources"][0]["tables"][0]["tally"]["kept"] == 3


def test_another_engine_than_duckdb_is_told_so(tmp_path: Path) -> None:
    class Elsewhere(DuckEngine):
        dialect = "spark"

    with pytest.raises(Unavailable, match="loaded by DuckDB"):
        load(Elsewhere(), tmp_path, source(ORDERS))


def test_all_problems_of_all_sources_are_reported_together(tmp_path: Path) -> None:
    write(tmp_path, "orders.csv", "order,lines,customer,at,paid\n")
    with pytest.raises(UnreadableSources) as refused:
        load(DuckEngine(), tmp_path, source(ORDERS), source(ORDERS.replace("orders.csv", "order.csv"), "other"))
    assert [problem.file for problem in refused.value.problems] == ["sources/orders", "sources/other"]
    assert "did you mean 'lines'?" in str(refused.value)
    assert "Did you mean orders.csv?" in str(refused.value)
    assert isinstance(refused.value, AimwellError)
