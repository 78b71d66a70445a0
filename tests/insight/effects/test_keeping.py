"""Versions of an effect, their scores in the warehouse, and reasons for those on a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlglot import exp
from tests.insight.effects.conftest import COUPON, PEOPLE, open_shop, read
from tests.insight.effects.test_effects import QUICK

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.effects import (
    Effect,
    audience_rows,
    effect_key,
    explain_effect,
    refit_effects,
    score_effect,
    score_key,
    stored_effect,
    stored_effect_card,
    told,
    train_effect,
)
from aimwell.insight.effects.kept import TABLE, last_scores, scored_treatments
from aimwell.insight.predictions import champion, life, promote, roll_back
from aimwell.insight.predictions.score import TABLE as SCORE
from aimwell.insight.predictions.workshop import Workshop

EVE = datetime(2023, 6, 1)


@pytest.fixture(scope="module")
def shop(moved: Workshop, coupon: Effect, now: datetime) -> Workshop:
    train_effect(coupon, moved, now, growth=QUICK)
    score_effect(coupon, moved, eve(moved))
    return moved


def eve(shop: Workshop) -> datetime:
    return EVE.replace(tzinfo=shop.warehouse.zone)


def test_scores_are_kept_beside_those_of_predictions_with_version_bounds_and_regions(
    shop: Workshop, coupon: Effect
) -> None:
    engine, version = shop.warehouse.engine, champion(shop, effect_key("coupon"))
    scores = engine.to_arrow(exp.select("*").from_(SCORE).order_by("rank")).to_pylist()
    assert len(scores) == PEOPLE
    assert {row["prediction"] for row in scores} == {"effects/coupon/coupon"} == {score_key("coupon", "coupon")}
    assert {row["version"] for row in scores} == {version}
    assert [row["rank"] for row in scores] == list(range(1, PEOPLE + 1))
    assert [row["value"] for row in scores] == sorted((row["value"] for row in scores), reverse=True)
    kept = last_scores(shop, "coupon", "coupon", eve(shop))
    assert kept.differs
    assert not kept.money
    assert kept.run.version == version
    assert np.all(kept.low < kept.value)
    assert np.all(kept.value < kept.high)
    value = {row["customer_id"]: row["value"] for row in scores}
    assert [value[who] for who in kept.customers.tolist()] == kept.value.tolist()
    assert scored_treatments(shop, "coupon", eve(shop)) == ["coupon"]
    score_effect(coupon, shop, eve(shop))
    assert engine.to_arrow(exp.select("customer_id").from_(TABLE)).num_rows == PEOPLE


def test_scores_of_later_instants_and_other_arms_are_not_there(shop: Workshop) -> None:
    with pytest.raises(BadQuestion, match="no scores of the effect 'coupon'.*aimwell effect score coupon"):
        last_scores(shop, "coupon", "coupon", datetime(2023, 5, 1, tzinfo=shop.warehouse.zone))
    with pytest.raises(BadQuestion, match="arm 'gift'.*one of the arms coupon"):
        last_scores(shop, "coupon", "gift", eve(shop))


def test_the_list_says_why_in_words_and_the_reason_is_what_truly_moves_people(shop: Workshop, coupon: Effect) -> None:
    scores, stored = score_effect(coupon, shop, eve(shop)), stored_effect(coupon, shop)
    found = told(scores, stored, top=5)
    assert [each.rank for each in found.audience] == [1, 2, 3, 4, 5]
    first = found.audience[0]
    assert first.effect.value > 0.3
    assert first.reasons[0].column == "visits_28d"
    assert first.reasons[0].raises
    assert "usually" in first.reasons[0].text.en
    assert "一般" in first.reasons[0].text.zh
    table = audience_rows(found.audience, "en")
    assert "raises" in table.column("reason_1")[0].as_py()
    last = scores.customers[np.argmin(scores.answers.effect[:, 0])]
    few = score_effect(coupon, shop, eve(shop), customers=[str(last)])
    assert not explain_effect(few, stored, "coupon")[0].reasons[0].raises
    assert found.to_dict()["people"] == PEOPLE


def test_no_difference_is_one_number_for_everybody_without_list_or_reasons(
    unmoved: Workshop, coupon: Effect, now: datetime
) -> None:
    train_effect(coupon, unmoved, now, growth=QUICK)
    scores = score_effect(coupon, unmoved, now)
    kept = last_scores(unmoved, "coupon", "coupon", now)
    assert not kept.differs
    assert np.unique(kept.value).size == np.unique(kept.low).size == 1
    average = scores.evidence[0].average
    assert kept.value[0] == average.value
    np.testing.assert_allclose([kept.low[0], kept.high[0]], [average.low, average.high], rtol=1e-3)
    found = told(scores, stored_effect(coupon, unmoved), top=5)
    assert found.audience == ()
    assert "No difference found" in found.treatments[0].said.en
    assert explain_effect(scores, stored_effect(coupon, unmoved), "coupon")[0].reasons == ()


def test_versions_have_cards_in_both_languages_and_are_promoted_and_rolled_back(
    tmp_path: Path, coupon: Effect, now: datetime
) -> None:
    shop, key = open_shop(tmp_path, effect=0.5), effect_key("coupon")
    with pytest.raises(BadQuestion, match="aimwell effect train coupon"):
        score_effect(coupon, shop, now)
    first = train_effect(coupon, shop, now, growth=QUICK)
    assert first.in_use == first.version == champion(shop, key)
    assert "first version" in first.why.en
    second = train_effect(coupon, shop, now, growth=QUICK, seed=1)
    assert second.in_use == second.version != first.version
    assert roll_back(shop, key, at=now, why="looked odd").version == first.version == champion(shop, key)
    promote(shop, key, second.version, at=now, why="was right")
    assert [event.action for event in life(shop, key)] == [
        *("trained", "promoted") * 2,
        "rolled_back",
        "promoted",
    ]
    place = tmp_path / "models" / "effects" / "coupon" / first.version
    assert "Effect card" in (place / "card.en.md").read_text("utf-8")
    assert "效果卡" in (place / "card.zh.md").read_text("utf-8")
    assert stored_effect_card(tmp_path, "coupon", first.version) == first.card


def test_a_version_that_is_better_on_an_experiment_that_neither_saw_stays(
    tmp_path: Path, coupon: Effect, now: datetime
) -> None:
    shop, key = open_shop(tmp_path, effect=0.5, campaigns=2), effect_key("coupon")
    good = train_effect(coupon, shop, datetime(2023, 6, 20, tzinfo=shop.warehouse.zone), growth=QUICK)
    blind = read(COUPON.replace("watch:", "features: {include: [city]}\nwatch:"))
    worse = train_effect(blind, shop, now, growth=QUICK)
    assert "stays" in worse.why.en
    assert worse.in_use == good.version == champion(shop, key)
    again = train_effect(coupon, shop, now, growth=QUICK)
    assert "not worse" in again.why.en
    assert again.in_use == again.version


def test_a_new_experiment_or_another_definition_is_learnt_and_nothing_else(
    tmp_path: Path, coupon: Effect, now: datetime
) -> None:
    shop = open_shop(tmp_path, effect=0.5, campaigns=2)
    june, asked = datetime(2023, 6, 20, tzinfo=shop.warehouse.zone), {"coupon": coupon}

    def refitted(at: datetime, definitions: Mapping[str, Effect] = asked) -> list[tuple[str, str]]:
        return [(each.done, each.why.en) for each in refit_effects(definitions, shop, at, growth=QUICK)]

    assert refitted(june)[0][0] == "promoted"
    assert refitted(june) == [("not_due", "There is no new experiment.")]
    done, why = refitted(now)[0]
    assert done in {"promoted", "kept"}
    assert "has not seen may_1" in why
    assert refitted(now)[0][0] == "not_due"
    other = {"coupon": read(COUPON.replace("14", "7"))}
    assert "definition has changed" in refitted(now, other)[0][1]
    absent = {"coupon": read(COUPON.replace("offer_id", "node").replace("may_*", "june"))}
    assert refitted(now, absent)[0][0] == "waiting"
    assert champion(shop, effect_key("coupon")) is not None


def test_an_outcome_that_nobody_had_is_refused_and_the_failure_recorded(
    moved: Workshop, coupon: Effect, now: datetime
) -> None:
    never = read(COUPON.replace("{happens: {purchases: {}}}", "{happens: {purchases: {count: {at_least: 99}}}}"), "odd")
    with pytest.raises(NotEnoughData, match=r"everybody has the same outcome.*Check `target`"):
        train_effect(never, moved, now, growth=QUICK)
    assert life(moved, effect_key("odd"))[-1].action == "failed"
