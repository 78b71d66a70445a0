"""A source is checked as it is read: every mistake at once, each with its line and the nearest word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.store.sources.workbench import ORDERS, source

from aimwell.core.definitions import read_definitions
from aimwell.core.errors import BadDefinition
from aimwell.core.tables import TABLES
from aimwell.store.sources.definition import Source, source_schema
from aimwell.store.sources.reading import readers

FIVE_MISTAKES = """\
read:
  path: orders.csv
  delimeter: ";"
timezone: Asia/Shangai
tables:
  - table: purchase
    columns:
      order_id: order
      customer_id: customer
      occurred_at: at
      amount: {expression: "now()"}
      amont: paid
    were: paid > 0
"""


def test_a_definition_with_five_mistakes_reports_all_five_with_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "orders.yaml").write_text(FIVE_MISTAKES, encoding="utf-8")
    with pytest.raises(BadDefinition) as refused:
        read_definitions(tmp_path, Source)
    problems = {problem.line: problem for problem in refused.value.problems}
    assert set(problems) == {3, 4, 11, 12, 13}
    assert "did you mean 'delimiter'?" in problems[3].message
    assert "Unknown timezone 'Asia/Shangai'" in problems[4].message
    assert "now() is not allowed" in problems[11].message
    assert "did you mean 'amount'?" in problems[12].message
    assert "did you mean 'where'?" in problems[13].message
    assert {problem.file for problem in refused.value.problems} == {"sources/orders.yaml"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"table: purchase": "table: purchases"}, "no canonical table 'purchases' (did you mean 'purchase'?)"),
        ({"amount: paid": "quantity: paid"}, "needs the column 'amount'"),
        ({"amount: paid": "amount: {column: paid, constant: 1}"}, "there are column and constant"),
        ({"amount: paid": "amount: {}"}, "there is none"),
        ({"amount: paid": "amount: {column: paid, cast: text}"}, "amount is of kind money"),
        ({"amount: paid": "amount: {column: paid, format: '%Y'}"}, "amount is of kind money and has no format"),
        ({"occurred_at: at": "occurred_at: {column: at, format: [unix, '%Y']}"}, "stand alone"),
        ({"occurred_at: at": "occurred_at: {column: at, format: ['%Y%z', '%Y']}"}, "cannot be mixed"),
        ({"path: orders.csv": "path: orders.dat"}, "say which format it is"),
        ({"path: orders.csv": "path: orders.csv, decimal: ','"}, "the same sign"),
        ({"path: orders.csv": "path: orders.csv, nulls: [NULL]"}, "write it in quotes, such as 'NULL'"),
        ({"timezone: UTC": "lookup: [{name: staged, read: {path: x.csv}, on: {a: b}}]"}, "must not be called 'staged'"),
        ({"timezone: UTC": "lookup: [{name: c, read: {path: x.csv}, on: {a: b}, by: d}]"}, "say which row counts"),
        ({"path: orders.csv": "path: orders.csv, names: [a]"}, "header: false"),
        ({"path: orders.csv": "format: database, url_env: DB"}, "by `table:` or by `query:`"),
        ({"path: orders.csv": "format: database, url_env: DB, query: drop table x"}, "the query is one SELECT"),
        ({"path: orders.csv": "format: database, url: sqlite://, table: x"}, "did you mean 'url_env'?"),
    ],
)
def test_each_mistake_is_named_with_its_remedy(change: dict[str, str], said: str) -> None:
    yaml = ORDERS
    for old, new in change.items():
        assert old in yaml
        yaml = yaml.replace(old, new)
    with pytest.raises(BadDefinition) as refused:
        source(yaml)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("attributes: {vip: vip}", "only customer and product carry attributes"),
        ("deduplicate: {keep: last, by: changed}", "'changed' is no mapped column"),
        ("deduplicate: {keep: last, key: customer_id}", "is not of the table's key order_id, line"),
        ("reject: {bad: 'paid ='}", "cannot be read as an expression"),
        ("reject: {duplicate: paid = 1}", "is a reason of our own"),
        ("reject: {missing_paid: paid = 1}", "is a reason of our own"),
        ("where: '(SELECT true)'", "is not allowed in a source (Subquery)"),
    ],
)
def test_what_belongs_to_a_table_is_checked_against_it(more: str, said: str) -> None:
    with pytest.raises(BadDefinition) as refused:
        source(ORDERS.rstrip() + f"\n    {more}\n")
    assert said in str(refused.value)


@pytest.mark.parametrize("name", ["order", "Tier", "_x", "city"])
def test_an_attribute_must_have_a_name_that_sql_can_say(name: str) -> None:
    with pytest.raises(BadDefinition, match=r"cannot name an attribute|is a column of customer|shape|match"):
        source(
            f"""
            read: {{path: people.csv}}
            tables:
              - table: customer
                columns: {{customer_id: id}}
                attributes: {{{name}: x}}
            """
        )


def test_the_ending_of_a_path_says_the_format() -> None:
    formats = {
        "a.csv": "csv",
        "a/*.tsv.gz": "csv",
        "a.jsonl": "jsonl",
        "a.parquet": "parquet",
        "a.XLSX": "excel",
    }
    for path, name in formats.items():
        assert source(ORDERS.replace("orders.csv", path)).read.format == name


def test_the_schema_knows_every_reader_and_refuses_unknown_keys() -> None:
    schema = source_schema()
    text = json.dumps(schema)
    for reader in readers().values():
        assert reader.options.__name__ in text
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["name", "read", "tables"]


def test_states_are_kept_by_the_instant_they_became_known() -> None:
    people = source(
        """
        read: {path: people.csv}
        tables: [{table: customer, columns: {customer_id: id}}]
        """
    ).tables[0]
    assert people.key == ("customer_id", "known_at")
    assert source(ORDERS).tables[0].key == TABLES["purchase"].key
