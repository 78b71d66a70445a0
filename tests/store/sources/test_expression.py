"""Expressions see one row and nothing else: attacks are refused, casts never fail."""

from __future__ import annotations

import pytest
from sqlglot import exp

from aimwell.core.errors import BadSource, Refused
from aimwell.store.sources.expression import Scope, names_in, parse_expression

ATTACKS = [
    "(SELECT 1)",
    "a IN (SELECT a FROM purchase)",
    "EXISTS (SELECT 1)",
    "read_text('/etc/passwd')",
    "getenv('HOME')",
    "now()",
    "current_date",
    "current_timestamp",
    "random()",
    "uuid()",
    "nextval('s')",
    "sum(a)",
    "count(*)",
    "row_number() OVER ()",
    "lag(a) OVER (ORDER BY b)",
    "unnest([1, 2])",
    "columns(*)",
    "*",
    "list_transform([1], x -> x)",
    "a; DROP TABLE purchase",
    "a, b",
    "a FROM 'file.csv'",
    "a WHERE b",
    "a UNION SELECT b",
    "?",
    "$1",
    "a::TIMESTAMPTZ",
    "cast(a AS TIMESTAMP WITH TIME ZONE)",
    "query('SELECT 1')",
    "a AS b",
    "nth()",
    "number(a, b)",
    "hash(a)",
]


@pytest.mark.parametrize("written", ATTACKS)
def test_what_reads_more_than_its_row_is_refused(written: str) -> None:
    with pytest.raises(Refused):
        parse_expression(written)


@pytest.mark.parametrize(
    "written",
    [
        "a * b",
        "number(a) * -1",
        "CASE WHEN a LIKE 'C%' THEN 1 ELSE 0 END",
        "a IN ('x', 'y') AND NOT b IS NULL",
        "cast(a AS DATE) + INTERVAL 1 DAY",
        "strptime(a, '%Y%m%d')",
        "regexp_extract(a, '([0-9]+)', 1)",
        "coalesce(nullif(trim(a), ''), b)",
        "a || '-' || nth(a, b)",
        "split_part(file_name(), '.', 1)",
        "lookup.column = a",
        "properties ->> 'price'",
        'md5("订单 号")',
    ],
)
def test_what_speaks_of_one_row_is_allowed(written: str) -> None:
    assert parse_expression(written).sql("duckdb")


def test_casts_and_date_formats_become_such_that_never_fail() -> None:
    scope = Scope({"a": exp.column("c0")}, lambda value: value)
    bound = scope.bind(parse_expression("cast(strptime(a, '%Y') AS DATE)"))
    assert bound.sql("duckdb") == "TRY_CAST(TRY_STRPTIME(c0, '%Y') AS DATE)"


def test_names_match_as_written_or_apart_from_case_if_only_one_does() -> None:
    scope = Scope({"ID": exp.column("c0"), "Name": exp.column("c1"), "name": exp.column("c2")}, lambda value: value)
    assert scope.find("id") == "ID"
    assert scope.find("name") == "name"
    assert scope.find("NAME") is None
    with pytest.raises(BadSource, match=r"no column 'IDD' \(did you mean 'ID'\?\)"):
        scope.value("IDD")


def test_the_columns_that_an_expression_reads_are_known_without_data() -> None:
    assert names_in(parse_expression('a + "B b" * campaign.day + a')) == ["a", "B b", "campaign.day"]


def test_a_bound_expression_keeps_its_order_of_operations() -> None:
    scope = Scope({"a": parse_expression("1 - 2"), "b": exp.column("c1")}, lambda value: value)
    assert scope.bind(parse_expression("b - a")).sql("duckdb").count("(") >= 1
