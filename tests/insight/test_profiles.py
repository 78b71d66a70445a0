"""Profiles: everyone's tags in one table, kept as they were when a build fails, and the page of one customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from sqlglot import exp, parse_one
from tests.store.warehouse.shop import AS_OF, instant, purchase, rows, shop

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.insight import profiles
from aimwell.insight.features.build import Features
from aimwell.insight.features.coverage import coverage, uncovered
from aimwell.insight.features.family import Column, Kind, query_family
from aimwell.insight.features.library import assemble, library
from aimwell.insight.profiles.customer import TagValue, Value
from aimwell.insight.profiles.wording import value_in_words
from aimwell.store.warehouse.history import History
from aimwell.store.warehouse.warehouse import Warehouse

NAMELESS = Text("", "")
CHOSEN = assemble(
    [library().families[name] for name in ("spending", "recency", "demographics", "rfm", "credit_score", "promotion")]
)


def at(day: str) -> dict[str, object]:
    return {"occurred_at": instant(day)}


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    opened = shop(
        customer=rows(
            "customer",
            {"customer_id": "ann", "gender": "f"},
            {"customer_id": "bob"},
            {"customer_id": "cat", "gender": "f"},
            {"customer_id": "eve", "created_at": instant("2017-12-01")},
        ),
        purchase=rows(
            "purchase",
            purchase("ann", "2017-10-20T12:00:00", "30", place="s1", order="o1", line="1"),
            purchase("ann", "2017-10-20T12:00:00", "5", place="s1", order="o1", line="2"),
            purchase("ann", "2017-10-25T12:00:00", "-5", order="o2"),
            purchase("ann", "2017-11-02T12:00:00", "99", order="later"),
            purchase("bob", "2017-10-21T12:00:00", "10"),
        ),
        touch=rows(
            "touch", {"touch_id": "t", "customer_id": "ann", "campaign": "18", "channel": "mail"} | at("2017-10-19")
        ),
        outcome=rows(
            "outcome",
            {"outcome_id": "o", "touch_id": "t", "customer_id": "ann", "kind": "redeemed"} | at("2017-10-22"),
        ),
    )
    yield opened
    opened.close()


def features_of(warehouse: Warehouse) -> Features:
    return Features(warehouse.history(AS_OF), CHOSEN)


def stored(warehouse: Warehouse, sql: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = warehouse.engine.to_arrow(parse_one(sql, read="duckdb")).to_pylist()
    return found


def test_everyone_known_at_the_cut_has_a_row_with_his_tags(warehouse: Warehouse) -> None:
    steps: list[tuple[str, float]] = []
    result = profiles.build(features_of(warehouse), progress=lambda what, done: steps.append((what, done)))
    assert (result.customers, result.as_of) == (3, AS_OF)
    found = stored(warehouse, "SELECT customer_id, spend_28d, gender, visits_7d FROM profile ORDER BY customer_id")
    assert [tuple(row.values()) for row in found] == [
        ("ann", Decimal(30), "f", 0),
        ("bob", Decimal(10), None, 0),
        ("cat", Decimal(0), "f", 0),
    ]
    assert stored(warehouse, "SELECT DISTINCT as_of FROM profile") == [{"as_of": instant("2017-11-01T04:00")}]
    assert [done for _, done in steps] == sorted(done for _, done in steps)
    assert steps[-1][1] == 1.0
    assert "profile_people" not in warehouse.engine.tables()


def test_the_catalog_says_what_each_tag_is(warehouse: Warehouse) -> None:
    result = profiles.build(features_of(warehouse))
    told = stored(warehouse, "SELECT * FROM profile_column ORDER BY place")
    assert [row["name"] for row in told] == [column.name for column in result.columns]
    spend = next(row for row in told if row["name"] == "spend_28d")
    assert (spend["family"], spend["tag_family"], spend["kind"]) == ("spending", "transaction", "money")
    assert (spend["label_zh"], spend["label_en"]) == ("消费额（近28天）", "Spend (last 28 days)")
    assert result.meanings < len(result.columns)


def test_what_the_data_cannot_carry_is_said_in_words(warehouse: Warehouse) -> None:
    result = profiles.build(features_of(warehouse))
    assert result.unavailable["credit_score"].en == "not available: needs customer.credit_score"
    assert result.unavailable["promotion"].zh == "不可用：缺 purchase.discount"
    assert "spending" not in result.unavailable
    features = features_of(warehouse)
    recency = next(each for each in coverage(features) if each.family.name == "recency")
    assert recency.without == {"days_since_discount": ("purchase.discount",)}
    assert recency.said.en == "4 tags; the rest need purchase.discount"
    assert uncovered(features)["credit"].en == "not available: needs customer.credit_score"
    assert "transaction" not in uncovered(features)


def test_only_the_tags_asked_for_are_kept(warehouse: Warehouse) -> None:
    result = profiles.build(features_of(warehouse), ["visits_28d", "gender"])
    assert {column.name for column in result.columns} == {"visits_28d", "gender"}
    assert list(warehouse.engine.columns("profile")) == ["customer_id", "as_of", "visits_28d", "gender"]
    with pytest.raises(BadQuestion, match="visits_28d"):
        profiles.build(features_of(warehouse), ["visit_28d"])


def test_a_failed_build_leaves_the_last_good_one(warehouse: Warehouse) -> None:
    profiles.build(features_of(warehouse))

    def broken(rows: pa.Table, history: History) -> pa.Table:
        raise NotEnoughData("The new tag cannot be computed")

    bad = query_family(
        "bad",
        "basic",
        Text("坏", "Bad"),
        needs=("customer.customer_id",),
        columns=(Column("bad", Text("坏", "Bad"), "integer", Text("坏", "Bad")),),
        sql="SELECT customer_id FROM customer",
        compute=broken,
    )
    with pytest.raises(NotEnoughData, match="new tag"):
        profiles.build(Features(warehouse.history(AS_OF + timedelta(days=30)), CHOSEN.with_families(bad)))
    assert stored(warehouse, "SELECT DISTINCT as_of FROM profile") == [{"as_of": instant("2017-11-01T04:00")}]
    assert not any(name.startswith(("basis_", "profile_people")) for name in warehouse.engine.tables())


def test_profiles_without_customers_or_tags_are_refused(warehouse: Warehouse) -> None:
    with pytest.raises(NotEnoughData, match="no customer"):
        profiles.build(
            Features(
                shop(
                    customer=rows(
                        "customer", {"customer_id": "eve", "gender": "f", "created_at": instant("2017-12-01")}
                    )
                ).history(AS_OF),
                CHOSEN,
            )
        )
    with pytest.raises(NotEnoughData, match="none of the tags"):
        profiles.build(Features(shop(customer=rows("customer")).history(AS_OF), CHOSEN))


def test_a_page_shows_tags_by_family_with_their_place_among_all(warehouse: Warehouse) -> None:
    profiles.build(features_of(warehouse))
    page = profiles.explain(warehouse, "bob")
    assert len(page.groups) == 8
    assert [group.name for group in page.groups if not group.tags] == [
        "preference", "credit", "lifetime_value", "latent_demand"
    ]  # fmt: skip
    spend = page.tag("spend_28d")
    # Cat spends less, Bob himself counts half, Ann spends more.
    assert spend.value == Decimal("10.00")
    assert spend.percentile == pytest.approx(0.5)
    assert page.tag("gender").percentile is None
    assert profiles.explain(warehouse, "cat").tag("days_since_order").percentile is None
    with pytest.raises(BadQuestion, match="no tag"):
        page.tag("nothing")


def test_a_page_tells_what_happened_before_the_cut_newest_first(warehouse: Warehouse) -> None:
    profiles.build(features_of(warehouse))
    page = profiles.explain(warehouse, "ann")
    assert [(each.kind, each.what.en, each.amount) for each in page.happenings] == [
        ("purchase", "returned 1 lines", Decimal("-5.00")),
        ("outcome", "answered: redeemed", None),
        ("purchase", "bought 2 lines · s1", Decimal("35.00")),
        ("touch", "contacted 18 · mail", None),
    ]
    assert len(profiles.explain(warehouse, "ann", last=1).happenings) == 1


def test_a_page_shows_scores_and_segments_where_they_exist(warehouse: Warehouse) -> None:
    profiles.build(features_of(warehouse))
    assert profiles.explain(warehouse, "ann").scores == ()
    now, before = instant("2017-11-01T04:00"), instant("2017-10-01T04:00")
    scored = [
        {
            "prediction": "churn",
            "version": "v1",
            "customer_id": who,
            "as_of": at,
            "raw": 0.0,
            "value": value,
            "rank": rank,
        }
        for who, at, value, rank in (("ann", before, 0.9, 1), ("ann", now, 0.25, 2), ("bob", now, 0.5, 1))
    ] + [
        {
            "prediction": "spend",
            "version": "v1",
            "customer_id": "ann",
            "as_of": now,
            "raw": 0.0,
            "value": 0.5,
            "rank": 1,
        }
    ]
    warehouse.engine.write("score", pa.Table.from_pylist(scored))
    warehouse.engine.write("membership", pa.table({"segment": ["loyal"], "customer_id": ["ann"], "since": [before]}))
    page = profiles.explain(warehouse, "ann", labels={"churn": Text("流失", "Churn")}, amounts={"spend"})
    assert [(each.prediction, each.value, each.rank, each.of) for each in page.scores] == [
        ("churn", 0.25, 2, 2),
        ("spend", 0.5, 1, 1),
    ]
    english = profiles.told(page, "en", "USD")
    assert "Churn: 25.0% (rank 2 of 2)" in english
    assert "spend: $0.50 (rank 1 of 1)" in english
    assert "loyal (since 2017-10-01)" in english
    assert "流失：25.0%（第 2 名，共 2 人）" in profiles.told(page, "zh", "USD")


def test_a_page_reads_in_both_languages(warehouse: Warehouse) -> None:
    profiles.build(features_of(warehouse))
    page = profiles.explain(warehouse, "ann")
    english, chinese = profiles.told(page, "en", "CNY"), profiles.told(page, "zh", "CNY")
    assert "Spend (last 28 days): ¥30.00  (83%)" in english
    assert "消费额（近28天）：¥30.00  (83%)" in chinese
    assert "2017-10-25 08:00  returned 1 lines  −¥5.00" in english
    assert "RFM group*: dormant" in english or "RFM group*: " in english
    assert "no tag that the data can carry" in english
    assert "没有数据支持的标签" in chinese
    assert "Days since the last order: 11 days" in english


def test_values_are_written_by_their_kind() -> None:
    def said(kind: Kind, value: Value) -> str:
        return value_in_words(TagValue("x", NAMELESS, kind, Text("天", "days"), NAMELESS, value), "en", "EUR")

    assert said("integer", 1234) == "1,234 days"
    assert said("number", -1.5) == "−1.50 days"
    assert said("share", 0.5) == "50.0%"
    assert said("money", Decimal("-3.5")) == "−€3.50"
    assert said("boolean", True) == "yes"
    assert said("text", "a word") == "a word"
    assert said("text", None) == "—"


def test_pages_need_profiles_and_a_known_customer(warehouse: Warehouse) -> None:
    with pytest.raises(BadQuestion, match="No profiles"):
        profiles.explain(warehouse, "ann")
    profiles.build(features_of(warehouse))
    with pytest.raises(BadQuestion, match="no customer 'eve'"):
        profiles.explain(warehouse, "eve")
    assert warehouse.engine.to_arrow(exp.select("*").from_("profile")).num_rows == 3
