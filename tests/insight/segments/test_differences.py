"""What makes a segment different, on small shops in which the truth is known by construction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.text import Text
from aimwell.core.time import zone
from aimwell.insight.features import units
from aimwell.insight.features.build import Features
from aimwell.insight.features.family import Column, Family, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.segments.differences import Difference, Differences, differences, differences_of
from aimwell.insight.segments.trials import INSIDE, Trials
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.engine import Engine
from aimwell.store.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHANGHAI = zone("Asia/Shanghai")
AS_OF = datetime(2024, 1, 1, tzinfo=SHANGHAI)
PEOPLE, MEMBERS = 400, 100

VISITS = tuple(
    Column(
        f"visits_{days}d",
        Text(f"近{days}天购买次数", f"Orders in the last {days} days"),
        "integer",
        Text("订单数", "Orders"),
        unit=units.ORDERS,
        measure="visits",
    )
    for days in (28, 84)
)
SPEND = Column("spend", Text("消费额", "Spend"), "money", Text("金额", "Amount"))
CALM = Column("calm", Text("平静指数", "Calm"), "number", Text("与分群无关", "Nothing to do with segments"))
AGE = Column("age", Text("年龄", "Age"), "integer", Text("周岁", "Years of age"), unit=units.YEARS)
OFFERS = Column("offers", Text("优惠占比", "Share of offers"), "share", Text("占比", "Share"))
CITY = Column("city", Text("城市", "City"), "text", Text("城市", "City"), words={"sh": Text("上海", "Shanghai")})
RETURNED = Column("returned", Text("退过货", "Brought back"), "boolean", Text("退过货", "Brought something back"))
FIRST_DAY = Column("first_day", Text("首购日", "First order"), "day", Text("首购日", "Day of the first order"))
COLUMNS = (*VISITS, SPEND, CALM, AGE, OFFERS, CITY, RETURNED, FIRST_DAY)
_ARROW = {
    "number": pa.float64(),
    "share": pa.float64(),
    "integer": pa.int64(),
    "money": pa.decimal128(18, 2),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "day": pa.date32(),
}
Values = Mapping[str, Sequence[Any]]


def family(columns: Sequence[Column] = COLUMNS, name: str = "facts") -> Family:
    selected = ", ".join(["customer_id", *(column.name for column in columns)])
    needs = ("customer.customer_id",)
    return query_family(
        name,
        "basic",
        Text("事实", "Facts"),
        needs=needs,
        columns=tuple(columns),
        sql=f"SELECT {selected} FROM customer",
    )


def ids(count: int) -> list[str]:
    return [f"c{number:05d}" for number in range(count)]


def shop(
    values: Values, *, members: Sequence[str], families: Sequence[Family] = (), engine: Engine | None = None
) -> Features:
    """Customers with such values in the columns of `COLUMNS`, those left out unknown, and the table `chosen`."""
    engine = engine or DuckEngine(threads=1)
    people = values.get("customer_id") or ids(len(next(iter(values.values()))))
    found = {"customer_id": pa.array(people, pa.string())}
    for column in COLUMNS:
        found[column.name] = pa.array(values.get(column.name, [None] * len(people)), _ARROW[column.kind])
    engine.write("customer", pa.table(found))
    engine.write("chosen", pa.table({"customer_id": pa.array(members, pa.string())}))
    history = Warehouse(engine, SHANGHAI).history(AS_OF)
    return Features(history, assemble(list(families or [family()])))


def planted(seed: int = 0) -> dict[str, list[Any]]:
    """The first 100 of 400 visit three times as often, live in Shanghai and returned goods more, and came later."""
    chance = np.random.default_rng(seed)
    inside = np.arange(PEOPLE) < MEMBERS
    visits = chance.poisson(np.where(inside, 9, 3))
    days = [date(2023, 1, 1) + timedelta(days=int(day)) for day in chance.integers(0, 100, PEOPLE) + 120 * inside]
    return {
        "visits_28d": visits.tolist(),
        "visits_84d": (visits + chance.poisson(6, PEOPLE)).tolist(),
        "spend": [Decimal(f"{amount:.2f}") for amount in chance.lognormal(3, 1, PEOPLE) * (1 + inside)],
        "calm": chance.normal(0, 1, PEOPLE).tolist(),
        "age": chance.integers(20, 60, PEOPLE).tolist(),
        "offers": np.clip(chance.normal(np.where(inside, 0.5, 0.2), 0.1), 0, 1).tolist(),
        "city": np.where(chance.random(PEOPLE) < np.where(inside, 0.8, 0.3), "sh", "bj").tolist(),
        "returned": (chance.random(PEOPLE) < np.where(inside, 0.5, 0.1)).tolist(),
        "first_day": days,
    }


def by_measure(found: Differences) -> dict[str, Difference]:
    return {each.measure: each for each in found.found}


def constant(inside: Any, outside: Any, members: int, others: int) -> list[Any]:
    return [inside] * members + [outside] * others


@pytest.fixture(scope="module")
def found() -> Differences:
    """What is found of the planted differences."""
    return differences(shop(planted(), members=ids(MEMBERS)), "chosen")


# --- truth by construction -------------------------------------------------------------------------------------------


def test_planted_differences_are_found_and_noise_is_not(found: Differences) -> None:
    assert (found.people, found.others, found.both, found.compared) == (100, 300, 0, 8)
    assert set(by_measure(found)) == {"visits", "spend", "offers", "city", "returned", "first_day"}
    visits = by_measure(found)["visits"]
    assert visits.ratio is not None
    assert visits.ratio.low < 3 < visits.ratio.high
    city = by_measure(found)["city"]
    assert (city.value, city.aspect) == ("sh", "share")
    assert city.gap.low < 0.5 < city.gap.high
    assert by_measure(found)["returned"].gap.low < 0.4 < by_measure(found)["returned"].gap.high
    first = by_measure(found)["first_day"]
    assert isinstance(first.inside, date)
    assert first.gap.low < 120 < first.gap.high


def test_the_surest_difference_comes_first(found: Differences) -> None:
    strengths = [each.strength for each in found.found]
    assert strengths == sorted(strengths, reverse=True)
    # Days that do not overlap at all are the clearest; spend that is twice as much among wide spreads is the faintest.
    assert (found.found[0].measure, found.found[-1].measure) == ("first_day", "spend")
    assert found.top(2) == found.found[:2]


def test_a_measure_is_told_once_by_its_surest_window(found: Differences) -> None:
    told = [each.column for each in found.found if each.measure == "visits"]
    assert told == ["visits_28d"]


def test_sentences_read_as_a_marketer_would_write_them() -> None:
    values = {
        "visits_28d": [9] * 45 + [10] * 5 + [2] * 70 + [3] * 30,
        "city": constant("sh", "bj", 30, 0) + ["bj"] * 20 + ["sh"] * 10 + ["bj"] * 90,
        "offers": [0.4, 0.5] * 25 + [0.2, 0.3] * 50,
        "age": [40, 50] * 25 + [30, 20] * 50,
        "first_day": [date(2023, 5, 1)] * 50 + [date(2023, 4, 1)] * 100,
        "returned": [True] * 25 + [False] * 25 + [True] * 10 + [False] * 90,
    }
    found = by_measure(differences(shop(values, members=ids(50)), "chosen"))
    assert found["visits"].sentence == Text(
        "近28天购买次数 9.1 次，其他人 2.3 次（4.0×）", "Orders in the last 28 days: 9.1 orders, others 2.3 (4.0×)"
    )
    assert found["city"].sentence == Text(
        "城市为“上海”：60.0%，其他人 10.0%（6.0×，+50.0 个百分点）",
        "City “Shanghai”: 60.0%, others 10.0% (6.0×, +50.0 points)",
    )
    assert found["offers"].sentence == Text(
        "优惠占比 45.0%，其他人 25.0%（1.80×，+20.0 个百分点）",
        "Share of offers: 45.0%, others 25.0% (1.80×, +20.0 points)",
    )
    # Nobody is "1.8 times as old".
    assert found["age"].sentence == Text(
        "年龄 45.0 岁，其他人 25.0 岁（+20.0 岁）", "Age: 45.0 years, others 25.0 (+20.0 years)"
    )
    assert found["age"].ratio is None
    assert found["first_day"].sentence == Text(
        "首购日（中位数） 2023-05-01，其他人 2023-04-01（晚 30 天）",
        "First order, median: 2023-05-01, others 2023-04-01 (30 days later)",
    )
    assert found["returned"].sentence == Text(
        "退过货（是）：50.0%，其他人 10.0%（5.0×，+40.0 个百分点）",
        "Brought back (yes): 50.0%, others 10.0% (5.0×, +40.0 points)",
    )


def test_every_difference_comes_with_its_interval_in_both_languages(found: Differences) -> None:
    for each in found.found:
        assert each.gap.low <= each.gap.value <= each.gap.high
        assert each.effect.low <= each.effect.value <= each.effect.high
        assert each.ratio is None or each.ratio.low <= each.ratio.value <= each.ratio.high
        assert "95% 区间" in each.certainty.zh
        assert "95% interval" in each.certainty.en
        assert each.sentence.zh.startswith(each.label.zh)
        assert each.sentence.en.startswith(each.label.en)


def test_random_splits_show_differences_no_more_often_than_stated() -> None:
    values = planted()
    rows = pa.table({name: pa.array(values[name]) for name in ("visits_28d", "visits_84d", "spend", "offers", "city")})
    columns = [column for column in COLUMNS if column.name in rows.column_names]
    chance, surprised = np.random.default_rng(5), 0
    for _ in range(60):
        inside = pa.array(chance.permutation(PEOPLE) < MEMBERS)
        trials = Trials(0)
        trials.add(columns, rows.append_column(INSIDE, inside))
        surprised += bool(trials.beyond_chance())
    # At most 3 of 60 are expected; more than 7 would be seen once in 80 such tests.
    assert surprised <= 7


# --- few people ------------------------------------------------------------------------------------------------------


def test_a_dozen_members_get_counts_instead_of_percentages() -> None:
    values = planted()
    inside = [number in range(12) for number in range(PEOPLE)]
    values["city"] = ["sh" if each else "bj" for each in inside]
    values["offers"] = [0.9 if each else 0.1 + number / 4000 for number, each in enumerate(inside)]
    found = differences(shop(values, members=ids(12)), "chosen")
    city, offers = by_measure(found)["city"], by_measure(found)["offers"]
    assert city.sentence == Text("城市为“上海”：12 人中 12 人，其他人 0%", "City “Shanghai”: 12 of 12, others 0%")
    assert "%" not in offers.sentence.zh + offers.sentence.en
    assert "不给百分比" in city.certainty.zh
    assert "no percentages" in city.certainty.en
    assert "12 人" in found.cautions[0].zh
    assert "12 members" in found.cautions[0].en


def test_few_others_are_said_too() -> None:
    found = differences(shop(planted(), members=ids(PEOPLE - 20)), "chosen")
    assert "20 others" in found.cautions[0].en


def test_of_four_members_nothing_is_told() -> None:
    found = differences(shop(planted(), members=ids(4)), "chosen")
    assert found.found == ()
    assert "没有发现可靠的差异" in found.summary.zh
    assert "No reliable difference" in found.summary.en
    assert any("no measure that could be compared" in caution.en for caution in found.cautions)
    assert found.compared == 0
    assert set(found.left_out) == {column.name for column in COLUMNS}
    assert "4 人" in found.cautions[0].zh


def test_an_empty_segment_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="nobody in 'chosen'.*Refresh the segment"):
        differences(shop(planted(), members=[]), "chosen")


def test_a_segment_of_everybody_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="Everybody is in 'chosen'"):
        differences(shop(planted(), members=ids(PEOPLE)), "chosen")


def test_several_segments_at_once_differ_as_each_by_itself() -> None:
    shapes = {"first": ids(MEMBERS), "even": ids(PEOPLE)[::2], "few": ids(12)}
    features = shop(planted(), members=[])
    together = differences_of(
        features,
        {**shapes, "nobody": [], "everybody": ids(PEOPLE), "strangers": ["x1"]},
        leave_out={"first": ["city"]},
    )
    assert set(together) == set(shapes)
    for name, members in shapes.items():
        alone = differences(shop(planted(), members=members), "chosen", leave_out=["city"] if name == "first" else [])
        assert together[name] == alone
        assert together[name].found or name == "even"


def test_a_missing_table_is_named() -> None:
    with pytest.raises(BadQuestion, match="no customers in the table 'gone'"):
        differences(shop(planted(), members=ids(9)), "gone")


# --- robustness ------------------------------------------------------------------------------------------------------


def test_one_very_large_customer_does_not_turn_the_story() -> None:
    spend = [Decimal(20 + number % 10) for number in range(50)] + [Decimal(10 + number % 5) for number in range(100)]
    spend[-1] = Decimal(1_000_000)
    found = by_measure(differences(shop({"spend": spend}, members=ids(50)), "chosen"))["spend"]
    assert (found.aspect, found.inside, found.outside) == ("median", 24.5, 12.0)
    assert found.effect.low > 0
    assert "中位数" in found.sentence.zh


def test_a_difference_of_which_no_figure_is_sure_is_not_told() -> None:
    """Members are lower by rank, but their middle is the same and their mean is anybody's guess."""
    calm = [*[4.0] * 40, *[5.0] * 59, 1e6, *[5.0] * 250, *[6.0] * 50]
    assert differences(shop({"calm": calm}, members=ids(100)), "chosen").found == ()


def test_where_most_have_nothing_those_above_zero_are_told() -> None:
    spend = [Decimal(0)] * 60 + [Decimal(10)] * 40 + [Decimal(0)] * 298 + [Decimal(10), Decimal(50_000)]
    found = by_measure(differences(shop({"spend": spend}, members=ids(100)), "chosen"))["spend"]
    assert (found.aspect, found.inside) == ("positive", 0.4)
    assert found.sentence.zh.startswith("消费额大于 0：40.0%，其他人 0.67%")
    assert found.sentence.en.startswith("Spend above 0: 40.0%, others 0.67%")


def test_unknown_values_are_left_out_and_their_share_is_told() -> None:
    age: list[int | None] = [50] * 40 + [51] * 20 + [None] * 40 + [30] * 80 + [31] * 20 + [None] * 200
    found = by_measure(differences(shop({"age": age}, members=ids(100)), "chosen"))["age"]
    assert (found.people_inside, found.people_outside) == (60, 100)
    assert "有记录的占 60% 与 33%" in found.sentence.zh
    assert "known for 60% and 33%" in found.sentence.en


def test_values_that_differ_are_told_rather_than_for_whom_they_are_known() -> None:
    age: list[int | None] = [*([30, 40, 50] * 30), *[None] * 10, *([28, 38, 48, 29, 39] * 12), *[None] * 240]
    values: dict[str, list[Any]] = {
        "age": [each + 6 if each and number < 100 else each for number, each in enumerate(age)]
    }
    found = differences(shop(values, members=ids(100)), "chosen").found
    assert [(each.column, each.aspect) for each in found] == [("age", "mean")]
    assert "有记录的占 90% 与 20%" in found[0].sentence.zh


def test_being_known_is_a_difference_and_told_once_for_columns_known_together() -> None:
    known = [True] * 80 + [False] * 20 + [True] * 30 + [False] * 270
    values: dict[str, list[Any]] = {
        "age": [20 + number % 7 if each else None for number, each in enumerate(known)],
        "offers": [number % 9 / 10 if each else None for number, each in enumerate(known)],
    }
    found = differences(shop(values, members=ids(100)), "chosen").found
    assert [(each.column, each.aspect, each.inside, each.outside) for each in found] == [("age", "known", 0.8, 0.1)]
    assert found[0].sentence.zh == "年龄有记录：80.0%，其他人 10.0%（8.0×，+70.0 个百分点）"


def test_infinite_numbers_count_as_unknown() -> None:
    calm = [float("nan"), float("inf"), *np.linspace(0, 1, 98), *np.linspace(2, 3, 300)]
    found = by_measure(differences(shop({"calm": calm}, members=ids(100)), "chosen"))["calm"]
    assert found.people_inside == 98
    assert found.gap.value == pytest.approx(-2)


def test_what_cannot_be_compared_says_why() -> None:
    values: dict[str, list[Any]] = {
        "spend": [Decimal(5)] * PEOPLE,
        "returned": [True] * PEOPLE,
        "city": [f"city {number}" for number in range(PEOPLE)],
        "age": [30, 40, 50, None] + [None] * (PEOPLE - 4),
    }
    left_out = differences(shop(values, members=ids(MEMBERS)), "chosen").left_out
    assert left_out["spend"].en == left_out["returned"].en == "the same for everybody"
    assert "no value is shared" in left_out["city"].en
    assert "known for fewer than 5" in left_out["age"].en
    assert all(reason.zh and reason.en for reason in left_out.values())


def test_ten_thousand_words_are_compared_quickly_and_the_planted_one_is_found() -> None:
    people = 12_000
    city = [f"city {number % 10_000}" for number in range(people)]
    city[:300] = ["sh"] * 300
    found = differences(shop({"city": city}, members=ids(1000)), "chosen").found
    assert [each.value for each in found] == ["sh"]


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_what_defines_the_segment_is_left_out_with_all_its_windows() -> None:
    found = differences(shop(planted(), members=ids(MEMBERS)), "chosen", leave_out=["visits_28d", "city"])
    assert not {"visits", "city"} & set(by_measure(found))
    assert {"visits_28d", "visits_84d", "city"} <= set(found.left_out)
    assert (
        found.left_out
        == differences(shop(planted(), members=ids(MEMBERS)), "chosen", leave_out=["visits", "city"]).left_out
    )


def test_only_named_features_are_compared() -> None:
    found = differences(shop(planted(), members=ids(MEMBERS)), "chosen", names=["spend", "calm"])
    assert (found.compared, set(by_measure(found))) == (2, {"spend"})


@pytest.mark.parametrize("asked", ["names", "leave_out"])
def test_an_unknown_feature_is_refused_with_similar_names(asked: str) -> None:
    features = shop(planted(), members=ids(MEMBERS))
    with pytest.raises(BadQuestion, match="Did you mean .*spend"):
        differences(features, "chosen", names=["spnd"] if asked == "names" else None, leave_out=["spnd"])


def test_a_named_feature_without_data_says_so() -> None:
    lacking = Column("points", Text("积分", "Points"), "integer", Text("积分", "Points"), needs=("purchase.amount",))
    features = shop(planted(), members=ids(MEMBERS), families=[family((*COLUMNS, lacking))])
    assert "points" not in differences(features, "chosen").left_out
    assert (
        differences(features, "chosen", names=["points", "spend"]).left_out["points"].en == "the data do not carry it"
    )


def test_another_table_may_stand_for_the_others() -> None:
    features = shop(planted(), members=[*ids(MEMBERS), *ids(MEMBERS)])
    engine = features.history.engine
    engine.write("compared", pa.table({"customer_id": [*ids(150), None]}))
    found = differences(features, "chosen", "compared")
    assert (found.people, found.others, found.both) == (100, 50, 100)
    assert "对比人群" in found.found[0].sentence.zh
    assert "100 人只算作成员" in found.cautions[-1].zh
    engine.write("compared", pa.table({"customer_id": ids(MEMBERS)}))
    with pytest.raises(NotEnoughData, match="Everybody in 'compared' is in 'chosen'"):
        differences(features, "chosen", "compared")


def test_cautions_stand_in_both_languages(found: Differences) -> None:
    assert any("8 measures were compared" in caution.en and "5%" in caution.en for caution in found.cautions)
    assert found.summary.zh == "成员 100 人与其他人 300 人相比，8 项指标中有 6 项可靠地不同。"
    assert found.summary.en == "The 100 members differ reliably from the 300 of the others in 6 of 8 measures."
    assert any("不说为什么" in caution.zh for caution in found.cautions)
    assert all(caution.zh and caution.en for caution in found.cautions)


# --- the same question, the same answer ------------------------------------------------------------------------------


def test_the_order_and_the_names_of_customers_do_not_matter() -> None:
    values, chance = planted(), np.random.default_rng(1)
    plain = differences(shop(values, members=ids(MEMBERS)), "chosen")
    order = chance.permutation(PEOPLE)
    renamed = [f"x{number}" for number in chance.permutation(PEOPLE)]
    moved = {name: [column[place] for place in order] for name, column in (values | {"customer_id": renamed}).items()}
    members = [renamed[number] for number in chance.permutation(MEMBERS)]
    assert differences(shop(moved, members=members), "chosen") == plain


def test_equal_seeds_give_equal_results_and_the_seed_moves_bootstrapped_bounds_alone() -> None:
    features = shop(planted(), members=ids(MEMBERS))
    first, again, other = (differences(features, "chosen", names=["first_day"], seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert (first.found[0].effect, first.found[0].inside) == (other.found[0].effect, other.found[0].inside)


class _Counting(DuckEngine):
    reads = 0

    def to_arrow(self, query: Any) -> pa.Table:
        self.reads += 1
        return super().to_arrow(query)


def test_each_family_is_read_once_and_nothing_is_left_behind() -> None:
    engine = _Counting(threads=1)
    families = [family(VISITS, "visits"), family((SPEND, CITY), "rest")]
    features = shop(planted(), members=ids(MEMBERS), families=families, engine=engine)
    features.prepare(families)
    before, engine.reads = engine.tables(), 0
    differences(features, "chosen")
    # One read counts the people.
    assert engine.reads == 3
    assert engine.tables() == before


@pytest.mark.spark
def test_spark_finds_the_same(spark: SparkSession, tmp_path: Path) -> None:
    from aimwell.store.warehouse.spark import SparkEngine

    engine = SparkEngine(tmp_path / "tables", spark)
    both = [shop(planted(), members=ids(MEMBERS), engine=each) for each in (engine, DuckEngine(threads=1))]
    assert differences(both[0], "chosen") == differences(both[1], "chosen")
