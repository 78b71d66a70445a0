"""The contract of feature families: every family that is found keeps it, and so does each that will be added."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache

import pyarrow as pa
import pytest
from sqlglot import exp
from tests.insight.features.worlds import AS_OF, NEW_YORK, World, full_world, give, warehouse_of

from aimwell.insight.features.basis import closure
from aimwell.insight.features.build import Features
from aimwell.insight.features.family import TAG_FAMILIES, Family
from aimwell.insight.features.library import library
from aimwell.store.warehouse.warehouse import Warehouse

FAMILIES = list(library().families.values())
ARROW = {
    "number": pa.float64(),
    "share": pa.float64(),
    "integer": pa.int64(),
    "money": pa.decimal128(18, 2),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "day": pa.date32(),
}
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


@cache
def world() -> World:
    return full_world()


@pytest.fixture(scope="module")
def built() -> Iterator[Features]:
    """All families at once over the full world."""
    with warehouse_of(world()) as warehouse:
        features = Features(warehouse.history(AS_OF), library(), given=give(warehouse.engine))
        features.prepare(FAMILIES)
        yield features


def rows_of(features: Features, family: Family) -> pa.Table:
    table = features.table(family)
    assert table is not None
    return features.history.engine.to_arrow(exp.select("*").from_(table).order_by("customer_id"))


@each_family
def test_what_a_family_declares_is_what_it_yields(built: Features, family: Family) -> None:
    rows = rows_of(built, family)
    assert rows.column_names == ["customer_id", *(column.name for column in family.columns)]
    for column in family.columns:
        assert rows.schema.field(column.name).type == ARROW[column.kind], column.name


@each_family
def test_a_customer_has_at_most_one_row(built: Features, family: Family) -> None:
    customers = rows_of(built, family).column("customer_id").to_pylist()
    assert len(customers) == len(set(customers))
    assert None not in customers


@each_family
def test_shares_lie_between_nothing_and_all(built: Features, family: Family) -> None:
    rows = rows_of(built, family)
    for column in family.columns:
        if column.kind == "share":
            values = [value for value in rows.column(column.name).to_pylist() if value is not None]
            assert all(0 <= value <= 1 for value in values), (column.name, values)


@each_family
def test_codes_have_words_in_both_languages(built: Features, family: Family) -> None:
    rows = rows_of(built, family)
    for column in family.columns:
        if column.words:
            assert {value for value in rows.column(column.name).to_pylist() if value is not None} <= set(column.words)
            assert all(word.zh and word.en for word in column.words.values())


@each_family
def test_every_column_says_what_it_is_in_both_languages(family: Family) -> None:
    assert family.tag_family in TAG_FAMILIES
    assert family.columns
    for text in [family.label, *(said for column in family.columns for said in (column.label, column.meaning))]:
        assert text.zh.strip()
        assert text.en.strip()
        assert "{" not in text.zh + text.en
    for column in family.columns:
        assert column.name.isidentifier()
        assert column.name == column.name.lower()
        assert bool(column.unit.zh) == bool(column.unit.en)
    for threshold in family.thresholds:
        assert threshold.meaning.zh
        assert threshold.meaning.en


def test_labels_and_names_are_each_used_once() -> None:
    columns = [column for family in FAMILIES for column in family.columns]
    for told in (
        [column.name for column in columns],
        [column.label.zh for column in columns],
        [column.label.en for column in columns],
    ):
        assert sorted({each for each in told if told.count(each) > 1}) == []


def test_families_that_share_a_threshold_give_it_one_default() -> None:
    defaults: dict[str, object] = {}
    for family in FAMILIES:
        for threshold in family.thresholds:
            assert defaults.setdefault(threshold.name, threshold.default) == threshold.default, threshold.name


def test_every_column_has_a_value_for_someone(built: Features) -> None:
    """A column that stays empty in every world with rows of everything is a mistake in its query."""
    empty = [column for family in FAMILIES for column in _empty(built, family)]
    for seed in range(10, 15):
        if empty:
            families = {family.name: family for family in map(library().owner, empty)}.values()
            with warehouse_of(full_world(seed)) as warehouse:
                features = Features(warehouse.history(AS_OF), library(), given=give(warehouse.engine))
                features.prepare(families)
                empty = [name for family in families for name in _empty(features, family) if name in empty]
    assert empty == []


def _empty(features: Features, family: Family) -> list[str]:
    rows = rows_of(features, family)
    return [name for name in rows.column_names[1:] if rows.column(name).null_count == rows.num_rows]


def test_a_family_reads_only_what_it_declares(built: Features) -> None:
    """With nothing loaded but what it declares, a family yields the same values."""
    for declared, families in _grouped(_declared).items():
        with warehouse_of(world(), only=declared) as warehouse:
            alone = Features(warehouse.history(AS_OF), library(), given=give(warehouse.engine))
            alone.prepare(families)
            changed = [family.name for family in families if not rows_of(alone, family).equals(rows_of(built, family))]
            assert changed == []


def test_a_family_does_without_what_only_some_columns_need() -> None:
    """Families that have such columns yield the others without them."""
    for declared, families in _grouped(_needs).items():
        partly = [family for family in families if _declared(family) != set(family.needs)]
        if partly:
            with warehouse_of(world(), only=declared) as warehouse:
                features = Features(warehouse.history(AS_OF), library(), given=give(warehouse.engine))
                features.prepare(partly)
                for family in partly:
                    expected = [column for column in family.columns if set(column.needs) <= _given(warehouse)]
                    assert list(features.available(family)) == expected
                    if expected:
                        assert rows_of(features, family).column_names[1:] == [column.name for column in expected]


def _grouped(needs: Callable[[Family], set[str]]) -> dict[frozenset[str], list[Family]]:
    """Families that need the same are tried in one warehouse."""
    found: dict[frozenset[str], list[Family]] = {}
    for family in FAMILIES:
        found.setdefault(frozenset(needs(family)), []).append(family)
    return found


def _declared(family: Family) -> set[str]:
    """All that a family says it reads."""
    optional = {need for basis in closure(family.reads) for column in basis.columns for need in column.needs}
    return _needs(family) | {need for column in family.columns for need in column.needs} | optional | set(family.uses)


def _needs(family: Family) -> set[str]:
    return set(family.needs)


def _given(warehouse: Warehouse) -> set[str]:
    return {f"{name}.{column}" for name, facts in warehouse.catalog.items() for column in facts.filled} | set(
        warehouse.catalog
    )


def test_without_a_past_families_yield_no_rows() -> None:
    """Everything in this world happens later: families run and find nobody."""
    with warehouse_of(world()) as warehouse:
        features = Features(
            warehouse.history(datetime(1990, 1, 1, tzinfo=NEW_YORK)), library(), given=give(warehouse.engine)
        )
        features.prepare(FAMILIES)
        found = {family.name: rows_of(features, family).num_rows for family in FAMILIES}
    timeless = {"demographics", "given_tier", "value_course"}  # the last: whoever gives the relation vouches for it
    assert {name for name, rows in found.items() if rows} <= timeless


def test_without_any_data_no_family_has_columns() -> None:
    with warehouse_of({name: [] for name in world()}) as warehouse:
        given = {name: table for name, table in give(warehouse.engine).items() if name != "expected_value"}
        features = Features(warehouse.history(AS_OF), library(), given=given)  # nobody to score: nothing is expected
        assert features.columns() == []
        assert all(features.table(family) is None for family in FAMILIES)


GROCER = [
    "customer.created_at",
    "customer.age_band",
    "customer.income_band",
    "customer.household_size",
    "customer.household_kind",
    "customer.children",
    "customer.home_ownership",
    "customer.marital_status",
    "purchase.product_id",
    "purchase.quantity",
    "purchase.amount",
    "purchase.discount",
    "purchase.coupon_discount",
    "purchase.place",
    "product.department",
    "product.category",
    "product.subcategory",
    "product.brand",
    "product.own_brand",
    "touch.campaign",
    "touch.offer_id",
    "outcome.touch_id",
    "coupon.campaign",
    "offer.kind",
]
"""What a grocer's panel such as Complete Journey holds: no channels, events, balances, margins or weather."""


def test_a_grocers_data_carry_at_least_sixty_meanings() -> None:
    with warehouse_of(world(), only=GROCER) as warehouse:
        columns = Features(warehouse.history(AS_OF), library()).columns()
    meanings = {column.measure or column.name for column in columns}
    families = {library().owner(column.name).tag_family for column in columns}
    assert len(meanings) >= 60
    assert families == set(TAG_FAMILIES) - {"credit"}


def test_equal_data_give_equal_values(built: Features) -> None:
    with warehouse_of(world()) as warehouse:
        again = Features(warehouse.history(AS_OF), library(), given=give(warehouse.engine))
        again.prepare(FAMILIES)
        assert [name for name in FAMILIES if not rows_of(again, name).equals(rows_of(built, name))] == []
