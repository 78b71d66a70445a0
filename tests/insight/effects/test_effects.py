"""An effect from YAML to card and scores: found where it is, denied where it is not, and clear about bad input."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sqlglot import exp
from tests.insight.effects.conftest import COUPON, PEOPLE, open_shop, read

from aimwell.core.errors import BadDefinition, BadInput, BadQuestion, NotEnoughData
from aimwell.insight.effects import Effect, TrainedEffect, score_effect, train_effect, within_budget
from aimwell.insight.effects.groups import groups_of
from aimwell.insight.effects.keeping import FILE, effect_key, load_effect
from aimwell.insight.effects.rows import drawn
from aimwell.insight.predictions.models import FOLDER
from aimwell.insight.predictions.workshop import Workshop
from aimwell.science.uplift.regions import REGIONS
from aimwell.science.uplift.trees import Growth

QUICK = Growth(rounds=25, leaves=4, min_rows=40, folds=2, effect_rounds=20, effect_min_rows=60)


@pytest.fixture(scope="module")
def trained(moved: Workshop, coupon: Effect, now: datetime) -> TrainedEffect:
    return train_effect(coupon, moved, now, growth=QUICK)


def test_a_real_effect_is_found_confirmed_and_beside_its_baseline(trained: TrainedEffect) -> None:
    card = trained.card
    assert card.evidence[0].differs
    assert card.evidence[0].average.low < 0.25 < card.evidence[0].average.high
    qini = card.judged[0].qini
    assert qini is not None
    assert qini.model.low > 0
    assert qini.baseline is not None
    assert qini.difference is not None
    assert {metric.name for metric in card.judged[0].metrics} >= {"normalised_qini", "auuc", "uplift_at_0.3"}
    assert "Effects differ" in card.said["coupon"].en
    assert sum(card.regions["coupon"].values()) == pytest.approx(1.0)
    assert card.arms["coupon"] + card.arms["hold_out"] == PEOPLE


def test_where_nobody_is_moved_the_card_says_no_difference_found(
    unmoved: Workshop, coupon: Effect, now: datetime
) -> None:
    found = train_effect(coupon, unmoved, now, growth=QUICK)
    assert not found.card.evidence[0].differs
    assert "No difference found" in found.card.said["coupon"].en
    assert "No difference found" in found.card.markdown("en")
    assert "未发现效果因人而异" in found.card.markdown("zh")
    scores = score_effect(coupon, unmoved, now, version=found.version)
    assert np.unique(scores.answers.effect).size == 1


def test_gender_is_never_learnt_from_but_watched(trained: TrainedEffect) -> None:
    assert trained.card.forbidden == ("gender",)
    assert "gender" not in trained.model.encoding.names
    spreads = {spread.feature: spread.report for spread in trained.card.spreads}
    assert {row.group for row in spreads["gender"].rows} == {"f", "m"}
    assert spreads["gender"].warnings == ()
    assert spreads["visits_28d"].warnings != ()  # those who did not buy lately get no coupon, as they should not
    assert "gender" in trained.card.markdown("en")


def test_scores_know_who_is_moved_and_never_label_a_person(
    trained: TrainedEffect, moved: Workshop, coupon: Effect
) -> None:
    eve = datetime(2023, 6, 1, tzinfo=moved.warehouse.zone)
    table = score_effect(coupon, moved, eve, version=trained.version).to_arrow()
    assert table.num_rows == PEOPLE
    effect = np.asarray(table.column("effect"))
    seen = moved.warehouse.history(eve)
    bought = set(seen.to_arrow(exp.select("customer_id").from_("purchase")).column("customer_id").to_pylist())
    lately = np.array([who in bought for who in table.column("customer_id").to_pylist()])
    assert effect[lately].mean() == pytest.approx(0.5, abs=0.12)
    assert effect[~lately].mean() == pytest.approx(0.0, abs=0.1)
    total = sum(np.asarray(table.column(region)) for region in REGIONS)
    np.testing.assert_allclose(total, 1.0)
    assert "region" not in table.column_names


def test_a_kept_model_answers_as_the_one_that_was_learnt(trained: TrainedEffect, moved: Workshop) -> None:
    back = load_effect(moved.folder, "coupon", trained.version).model
    table = pa.table({"visits_28d": [0, 2, None], "city": ["north", "south", None]})
    ours, theirs = trained.model.answers(table), back.answers(table)
    np.testing.assert_allclose(ours.effect, theirs.effect)
    np.testing.assert_allclose(ours.error, theirs.error)
    np.testing.assert_allclose(ours.without, theirs.without)
    with pytest.raises(BadQuestion, match="Train it first"):
        load_effect(moved.folder, "coupon", "none")


@pytest.mark.parametrize("written", ["{", "[]", "{}", '{"evidence": [], "members": 7}'])
def test_a_damaged_model_is_told_with_its_remedy(tmp_path: Path, written: str) -> None:
    place = tmp_path / FOLDER / effect_key("coupon") / "v1" / FILE
    place.parent.mkdir(parents=True)
    place.write_text(written, encoding="utf-8")
    with pytest.raises(BadInput, match="Train the effect again"):
        load_effect(tmp_path, "coupon", "v1")


def test_equal_data_and_seeds_give_the_same_version_and_the_card_is_plain_values(
    trained: TrainedEffect, moved: Workshop, coupon: Effect, now: datetime
) -> None:
    again = train_effect(coupon, moved, now, growth=QUICK)
    assert again.version == trained.version
    assert json.dumps(again.card.to_dict()) == json.dumps(trained.card.to_dict())


def test_the_last_of_several_campaigns_is_held_out(tmp_path: Path, coupon: Effect, now: datetime) -> None:
    shop = open_shop(tmp_path, effect=0.5, campaigns=2)
    card = train_effect(coupon, shop, now, growth=QUICK).card
    assert card.campaigns == ("may_0", "may_1")
    assert "'may_1'" in card.held_out.en
    assert card.judged[0].treated + card.judged[0].untreated == PEOPLE


def test_an_untouched_control_group_is_everybody_else(tmp_path: Path, now: datetime) -> None:
    shop = open_shop(tmp_path, effect=0.5, untouched=True)
    definition = read(COUPON.replace("control: hold_out", "control: hold_out\n  untouched: true"))
    found = drawn(definition, shop, now)
    assert len(found.rows) == PEOPLE
    assert 0.45 < (found.arm == 0).mean() < 0.55
    shown = found.rows.truth[found.arm == 1].mean() - found.rows.truth[found.arm == 0].mean()
    assert shown == pytest.approx(0.25, abs=0.06)


def test_logged_probabilities_are_taken_from_the_touches(moved: Workshop, now: datetime) -> None:
    definition = read(COUPON.replace("control: hold_out", "control: hold_out\n  logged: true"))
    assert drawn(definition, moved, now).probability[:2].tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_a_logged_probability_of_one_is_refused(tmp_path: Path, now: datetime) -> None:
    shop = open_shop(tmp_path, effect=0.0)
    engine = shop.warehouse.engine
    touches = engine.to_arrow(exp.select("*").from_("touch"))
    place = touches.schema.get_field_index("probability")
    engine.write("touch", touches.set_column(place, "probability", pa.array([1.0] * touches.num_rows)))
    definition = read(COUPON.replace("control: hold_out", "control: hold_out\n  logged: true"))
    with pytest.raises(BadQuestion, match="certain or impossible"):
        train_effect(definition, Workshop(shop.warehouse, shop.library, tmp_path), now, growth=QUICK)


def test_a_treatment_that_nobody_got_and_a_campaign_that_is_not_there_are_named(moved: Workshop, now: datetime) -> None:
    nobody = read(COUPON.replace("coupon: 0.5}", "coupon: 0.3, gift: 0.2}"))
    with pytest.raises(NotEnoughData, match="Nobody got the arm 'gift'"):
        train_effect(nobody, moved, now, growth=QUICK)
    with pytest.raises(NotEnoughData, match="cut-off"):
        train_effect(read(COUPON.replace("may_*", "june_*")), moved, now, growth=QUICK)


def test_people_in_arms_that_are_not_named_are_left_out_and_counted(moved: Workshop, now: datetime) -> None:
    definition = read(COUPON.replace("control: hold_out", "control: nothing").replace("hold_out: 0.5", "nothing: 0.5"))
    found = drawn(definition, moved, now)
    assert "drew an arm that is not in the definition" in found.notes[0].en
    with pytest.raises(NotEnoughData, match="Nobody got the arm 'nothing'"):
        train_effect(definition, moved, now, growth=QUICK)


def test_a_budget_of_nothing_is_refused_and_a_small_one_goes_to_the_best(
    trained: TrainedEffect, moved: Workshop, coupon: Effect, now: datetime
) -> None:
    scores = score_effect(coupon, moved, datetime(2023, 6, 1, tzinfo=moved.warehouse.zone), version=trained.version)
    with pytest.raises(BadQuestion, match="within this budget.*budget above 0"):
        within_budget(scores, "coupon", budget=0, cost=1)
    with pytest.raises(BadQuestion, match="knows no treatment 'gift'"):
        within_budget(scores, "gift", budget=1, cost=1)
    people, found = within_budget(scores, "coupon", budget=100, cost=1, worth=10)
    assert len(people) == 100
    assert found.cost == 100
    assert found.gain > 250  # 100 people moved by .5, worth 10 each, at a cost of 100


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("hold_out: 0.5, coupon: 0.5", "hold_out: 0.0, coupon: 1.0"), "certain or impossible"),
        (("hold_out: 0.5, coupon: 0.5", "hold_out: 0.5, coupon: 0.4"), "sum to 0.9"),
        (("control: hold_out", "control: nothing"), "not one of the arms"),
        (("{happens: {purchases: {}}}", "{}"), "exactly one of"),
        (("hold_out: 0.5, coupon: 0.5}", "hold_out: 0.5, coupon: 0.3, gift: 0.2}\n  logged: true"), "two touched arms"),
    ],
)
def test_mistakes_of_a_definition_are_told_with_their_remedy(change: tuple[str, str], said: str) -> None:
    with pytest.raises(BadDefinition, match=said):
        read(COUPON.replace(*change))


def test_a_forbidden_attribute_asked_for_by_name_is_refused(moved: Workshop, now: datetime) -> None:
    with pytest.raises(BadQuestion, match="gender"):
        train_effect(read(COUPON + "features: {include: [gender, visits_28d]}\n"), moved, now, growth=QUICK)
    with pytest.raises(BadQuestion, match="city"):
        train_effect(read(COUPON + "features: {include: [city]}\nforbidden: [city]\n"), moved, now, growth=QUICK)


def test_watched_numbers_are_shown_in_quarters() -> None:
    assert groups_of(pa.chunked_array([[1, 2, None]])) == ["1", "2", ""]
    assert groups_of(pa.chunked_array([list(range(9))]))[::4] == ["0 – 2", "4 – 6", "6 – 8"]
    assert groups_of(pa.chunked_array([["a", None]])) == ["a", ""]
