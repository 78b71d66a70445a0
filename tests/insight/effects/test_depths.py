"""How deep a discount: by person from lots where that is proven to pay, by segment and category from the past."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from tests.insight.effects.conftest import COUPON, read
from tests.insight.effects.test_effects import QUICK

from aimwell.core.errors import BadDefinition, BadQuestion
from aimwell.core.text import Text
from aimwell.insight.effects import depth_list, score_effect, stored_effect_card, train_effect
from aimwell.insight.effects.past_depths import past_depths
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

EVE = datetime(2023, 6, 1)
NOW = datetime(2023, 9, 1, tzinfo=ZoneInfo("UTC"))
PEOPLE = 3000
KEEN = np.arange(PEOPLE) % 2 == 0
DEPTHS = """
treatment:
  campaigns: may
  control: none
  arms: {none: 0.34, ten_off: 0.33, thirty_off: 0.33}
target: {happens: {purchases: {}}}
horizon_days: 14
depths: {off: {none: 0, ten_off: 0.1, thirty_off: 0.3}, margin: 0.4, price: 100}
"""
_ONE = Text("一", "One")
KINDS = query_family(
    "kinds",
    "basic",
    _ONE,
    needs=("customer.keen",),
    columns=(
        Column("keen", _ONE, "integer", _ONE),
        Column("basket", _ONE, "number", _ONE),
        Column("side", _ONE, "text", _ONE),
    ),
    sql="SELECT customer_id, keen, basket, side FROM customer",
)


def open_shop(folder: Path, answers: np.ndarray, seed: int = 2) -> Workshop:
    """A shop that drew depths by lot. answers: chance to buy by kind (not keen, keen) and arm [2, 3]."""
    chance = np.random.default_rng(seed)
    arms = chance.choice(3, PEOPLE, p=[0.34, 0.33, 0.33])
    bought = np.flatnonzero(chance.random(PEOPLE) < answers[KEEN.astype(int), arms])
    names = [f"c{number:04d}" for number in range(PEOPLE)]
    off = np.array([0.0, 0.1, 0.3])[arms[bought]]
    engine = DuckEngine(threads=1)
    engine.write(
        "customer",
        pa.table(
            {
                "customer_id": names,
                "created_at": pa.array([datetime(2022, 1, 1)] * PEOPLE, pa.timestamp("us")),
                "keen": KEEN.astype(np.int64),
                "basket": np.where(KEEN, 100.0, 50.0),
                "side": ["east" if keen else "west" for keen in KEEN],
            }
        ),
    )
    money = pa.decimal128(18, 2)
    engine.write(
        "purchase",
        pa.table(
            {
                "order_id": [*(f"o{place}" for place in range(bought.size)), "last"],
                "line": ["1"] * (bought.size + 1),
                "customer_id": [*(names[who] for who in bought), names[0]],
                "product_id": ["tea"] * (bought.size + 1),
                "occurred_at": pa.array([EVE + timedelta(days=3)] * bought.size + [datetime(2023, 8, 30)]),
                "amount": pa.array([*np.round(100 * (1 - off), 2), 1.0]).cast(money),
                "discount": pa.array([*np.round(100 * off, 2), 0.0]).cast(money),
            }
        ),
    )
    engine.write("product", pa.table({"product_id": ["tea"], "category": ["drinks"]}))
    engine.write(
        "touch",
        pa.table(
            {
                "touch_id": [f"t{place}" for place in range(PEOPLE)],
                "customer_id": names,
                "campaign": ["may"] * PEOPLE,
                "offer_id": [("none", "ten_off", "thirty_off")[arm] for arm in arms],
                "occurred_at": pa.array([EVE + timedelta(hours=9)] * PEOPLE, pa.timestamp("us")),
            }
        ),
    )
    return Workshop(Warehouse(engine, ZoneInfo("UTC")), assemble([KINDS]), folder)


@pytest.fixture(scope="module")
def differing(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The keen buy anyway; the others need ten per cent off, and not more."""
    return open_shop(tmp_path_factory.mktemp("differing"), np.array([[0.1, 0.6, 0.65], [0.7, 0.72, 0.75]]))


def test_the_depth_is_personal_where_that_is_proven_to_pay(differing: Workshop) -> None:
    definition = read(DEPTHS, "depth")
    card = train_effect(definition, differing, NOW, growth=QUICK).card
    report = card.depths
    assert report is not None
    assert report.personal
    # Ten off for all: (.6 + .72) / 2 × 30; by person the keen get none: (.6 × 30 + .7 × 40) / 2.
    assert report.single == "ten_off"
    assert report.ahead.low < 23.0 - 19.8 < report.ahead.high
    assert [row.share for row in report.shares] == pytest.approx([0.5, 0.5, 0.0], abs=0.05)
    assert "Depth of the coupon" in card.markdown("en")
    assert "标价不可以" in card.markdown("zh")
    assert stored_effect_card(differing.folder, "depth", card.version) == card
    scores = score_effect(definition, differing, NOW)
    listed = depth_list(definition, scores, report)
    who = {int(name[1:]) for name in listed.column("customer_id").to_pylist()}
    assert len(who) == pytest.approx(PEOPLE / 2, rel=0.05)
    assert np.mean([not KEEN[place] for place in who]) > 0.95
    assert set(listed.column("depth").to_pylist()) == {0.1}
    assert np.mean(listed.column("gain").to_pylist()) == pytest.approx(0.6 * 30 - 0.1 * 40, abs=2.5)


def test_everybody_gets_the_same_where_personal_depths_are_not_proven_to_pay(tmp_path: Path) -> None:
    shop = open_shop(tmp_path, np.array([[0.2, 0.5, 0.55]] * 2))
    definition = read(DEPTHS, "depth")
    report = train_effect(definition, shop, NOW, growth=QUICK).card.depths
    assert report is not None
    assert not report.personal
    assert "not proven" in report.said.en
    listed = depth_list(definition, score_effect(definition, shop, NOW), report)
    assert set(listed.column("arm").to_pylist()) == {"ten_off"}
    assert listed.num_rows == PEOPLE


def test_the_price_may_be_a_tag_of_each_customer(differing: Workshop) -> None:
    definition = read(DEPTHS.replace("price: 100", "price_tag: basket, contact: 3"), "basket")
    found = train_effect(definition, differing, NOW, growth=QUICK)
    scores = score_effect(definition, differing, NOW)
    listed = depth_list(definition, scores, found.card.depths)
    # The not keen pay 50: ten off earns them .6 × 15 - 3 beside .1 × 20 without. For all it would earn less than none.
    assert found.card.depths is not None
    assert found.card.depths.single == "none"
    assert np.mean(listed.column("gain").to_pylist()) == pytest.approx(0.6 * 15 - 3 - 0.1 * 20, abs=1)


def test_the_past_is_told_by_segment_and_category_with_its_warning_and_never_by_person(differing: Workshop) -> None:
    text = DEPTHS.replace("price: 100", "price: 100, history: may, by: side")
    found = past_depths(read(text, "past"), differing, NOW)
    assert found is not None
    assert {row.group for row in found.rows} == {"east × drinks", "west × drinks"}
    means = {(row.group, row.depth): row.profit for row in found.rows}
    for (group, depth), chance in {("west × drinks", 0.1): 0.6, ("east × drinks", 0.0): 0.7}.items():
        estimate = means[group, depth]
        assert estimate.low < chance * 100 * (0.4 - depth) < estimate.high
    assert "not from an experiment" in found.warning.en
    card = train_effect(read(text, "past"), differing, NOW, growth=QUICK).card
    assert "Depths in the past" in card.markdown("en")
    assert "不可用于个人" in card.markdown("zh")
    assert past_depths(read(DEPTHS, "past"), differing, NOW) is None


def test_without_depths_there_is_no_list(differing: Workshop) -> None:
    plain = read(DEPTHS[: DEPTHS.index("depths:")], "plain")
    found = train_effect(plain, differing, NOW, growth=QUICK)
    with pytest.raises(BadQuestion, match="speaks of no depths"):
        depth_list(plain, score_effect(plain, differing, NOW), found.card.depths)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("margin: 0.4", "kind: list_price, margin: 0.4", "may not differ between people; only a coupon"),
        (", thirty_off: 0.3}", "}", "depth of each arm"),
        ("{none: 0,", "{none: 0.05,", "gets no discount"),
        ("thirty_off: 0.3}", "thirty_off: 30}", "not a share from 0 to below 1"),
        (", price: 100", "", "exactly one of: price, price_tag"),
        ("{happens: {purchases: {}}}", "{amount: {purchases: {}}}", "the target is `happens`"),
    ],
)
def test_depths_that_make_no_sense_are_refused(before: str, after: str, said: str) -> None:
    with pytest.raises(BadDefinition, match=said):
        read(DEPTHS.replace(before, after), "depth")
    assert read(COUPON).depths is None
