"""All effects of one instant: learnt once, scored, and one that waits or fails stops no other."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tests.insight.effects.conftest import COUPON, EVE, PEOPLE, open_shop, read
from tests.insight.effects.test_effects import QUICK

from aimwell.insight.effects import Effect, effect_key, effects_today
from aimwell.insight.effects.kept import last_scores
from aimwell.insight.predictions import life

_OWN = """
treatment: {decision: autumn, among: [call]}
target: {happens: {purchases: {}}}
horizon_days: 7
"""


def test_what_has_an_outcome_is_learnt_and_scored_and_the_others_wait(tmp_path: Path, coupon: Effect) -> None:
    shop = open_shop(tmp_path, effect=0.5)
    later = read(COUPON.replace("may_*", "june_*"), "later")
    own = read(_OWN, "own")
    now = EVE.replace(tzinfo=shop.warehouse.zone) + timedelta(days=20)
    early = effects_today({"coupon": coupon}, shop, now - timedelta(days=15), growth=QUICK)
    assert "no outcome yet" in early.waiting["coupon"].en
    assert "还没有结果" in early.waiting["coupon"].zh
    assert (early.cards, early.failures) == ({}, {})
    found = effects_today({"coupon": coupon, "later": later, "own": own}, shop, now, top=2, growth=QUICK)
    assert set(found.cards) == set(found.scorings) == {"coupon"}
    assert set(found.waiting) == {"later", "own"}
    assert found.failures == {}
    assert found.scorings["coupon"].people == PEOPLE
    assert len(found.scorings["coupon"].audience) == 2
    assert last_scores(shop, "coupon", "coupon", now).customers.size == PEOPLE
    again = effects_today({"coupon": coupon}, shop, now, growth=QUICK)
    assert again.refits["coupon"].done == "not_due"
    assert again.cards == found.cards
    assert [event.action for event in life(shop, effect_key("coupon"))] == ["trained", "promoted"]
    before = effects_today({"coupon": coupon}, shop, now - timedelta(days=15), growth=QUICK)
    assert before.scorings == {}  # the version was learnt later than that


def test_one_that_fails_is_told_and_the_others_are_made(tmp_path: Path, coupon: Effect, now: datetime) -> None:
    shop = open_shop(tmp_path, effect=0.5)
    gone = read(COUPON.replace("coupon: 0.5", "gift: 0.5"), "gone")
    silent = read(COUPON.replace("  control: hold_out", "  arm: node\n  control: hold_out"), "silent")
    found = effects_today({"gone": gone, "silent": silent, "coupon": coupon}, shop, now, growth=QUICK)
    assert "Nobody got the arm 'gift'" in found.failures["gone"]
    assert "touch.node" in found.failures["silent"]
    assert set(found.scorings) == {"coupon"}
    assert found.waiting == {}
