"""A small made-up effect for the report: one coupon that moves some more than others, and one that does not."""

from __future__ import annotations

from typing import Any

from tests.web import examples
from tests.web.examples import AS_OF, EVIL

from aimwell.core.text import Text
from aimwell.insight.effects.audience import EffectScoring, Moved, TreatmentScores
from aimwell.insight.effects.card import EffectCard, Spread
from aimwell.insight.effects.definition import Effect
from aimwell.insight.effects.depths import DepthReport, DepthShare
from aimwell.insight.effects.judging import RESPONSE, Judgement
from aimwell.insight.predictions.evaluation import Curve, Metric
from aimwell.insight.predictions.reasons import Reason
from aimwell.science.metrics.interval import Estimate
from aimwell.science.uplift.choice import Evidence, LearnerTrial
from aimwell.science.uplift.depth import GroupDepth, GroupDepths
from aimwell.science.uplift.dispersion import dispersion
from aimwell.web.report.sections.uplift import EffectStory

ARMS = ("hold_out", "ten_off", "twenty_off")
REGIONS = {"sure_thing": 0.2, "persuadable": 0.4, "lost_cause": 0.35, "do_not_disturb": 0.05}
TODAY = {"sure_thing": 0.25, "persuadable": 0.5, "lost_cause": 0.25, "do_not_disturb": 0.0}


def effect(**words: Any) -> Effect:
    """Two depths of a coupon, drawn by lot in May."""
    given: dict[str, Any] = {
        "name": "coupon",
        "label": {"zh": "优惠券效果", "en": "Effect of the coupon"},
        "treatment": {"campaigns": "may_*", "control": "hold_out", "arms": dict.fromkeys(ARMS, 1 / 3)},
        "target": {"happens": {"purchases": {}}},
        "horizon_days": 28,
        "margin": 0.02,
    }
    return Effect.model_validate(given | words)


def near(value: float, reach: float = 0.02) -> Estimate:
    return Estimate(value, value - reach, value + reach)


def _judged(treatment: str, ahead: float) -> Judgement:
    share = tuple(place / 10 for place in range(11))
    ours = tuple(0.2 * x + 0.2 * x * (1 - x) for x in share)
    qini = Metric(
        "normalised_qini", Text("标准化 Qini 系数（随机为 0）", "Normalised Qini coefficient (random: 0)"), "higher",
        near(0.3), RESPONSE, near(0.3 - ahead), near(ahead),
    )  # fmt: skip
    low, high = (tuple(y + gap for y in ours) for gap in (-0.01, 0.01))
    return Judgement(
        treatment, 300, 310, near(0.2), (qini,), Curve(share, ours, low, high, tuple(0.2 * x for x in share))
    )


def card(*, money: bool = False) -> EffectCard:
    """The tenth off moves people by 20 points, some more than others; the fifth off by no proven amount."""
    average = near(5.0, 1.0) if money else near(0.2)
    found = Evidence("ten_off", average, 4.2, 1e-4, differs=True, spread=1.1, centre=0.2)
    alike = Evidence("twenty_off", near(0.01), 0.3, 0.4, differs=False, spread=0.0, centre=0.01)
    groups = dispersion(["north"] * 100 + ["south"] * 100 + ["west"] * 10, [1.0] * 90 + [0.0] * 120, [0.1] * 210)
    profits = zip(ARMS, (0.0, 0.1, 0.2), (0.5, 0.5, 0.0), (18.0, 20.0, 15.0), strict=True)
    depths = DepthReport(
        tuple(DepthShare(*each) for each in profits), "ten_off", near(1.5, 0.5), True,
        Text("按人决定深度更赚。", "Depths by person earn more."),
    )  # fmt: skip
    return EffectCard(
        effect="coupon",
        title=Text("优惠券效果", "Effect of the coupon"),
        version="v1",
        question={},
        trained_as_of=AS_OF,
        campaigns=("may_0", "may_1"),
        arms=dict.fromkeys(ARMS, 500),
        probabilities=dict.fromkeys(ARMS, 1 / 3),
        learner="blend",
        evidence=(found, alike),
        trials=(LearnerTrial("x", Text("X 学习器", "X-learner"), near(0.1), near(0.0)),),
        judged=(_judged("ten_off", 0.1), _judged("twenty_off", 0.0)),
        held_out=Text("最近一次活动", "the last campaign"),
        regions=dict.fromkeys(ARMS[1:], REGIONS),
        spreads=(Spread("ten_off", "city", groups),),
        columns=("visits",),
        forbidden=("gender",),
        notes=(),
        limits=(Text("效果是平均值。", "An effect is an average."),),
        seed=0,
        money=money,
        depths=depths,
        past=GroupDepths((GroupDepth("high × tea", 0.1, 60, near(4.0, 1.0)),), 0),
    )


def scoring() -> EffectScoring:
    """1,000 people today; the first on the list has an id that is an attack."""
    reason = Reason("visits", "visits_28d", 9.0, 2.0, 0.5, Text("来店 9 次（拉高）", "Orders: 9 (raises)"))
    first = Moved(EVIL, "ten_off", 1, near(0.6, 0.1), 0.25, (reason,))
    parts = tuple(
        TreatmentScores(name, name == "ten_off", Text("", ""), near(0.2), 0.2, TODAY)
        for name in ("ten_off", "twenty_off")
    )
    return EffectScoring("coupon", "v1", AS_OF, False, 1000, parts, (first,))


def effect_story(*, scored: bool = True) -> EffectStory:
    """The effect as a run leaves it."""
    return EffectStory(effect(), examples.question(), card(), scoring() if scored else None)
