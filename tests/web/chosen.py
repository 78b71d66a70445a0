"""Small made-up examples of what a run decides and recommends, for the report."""

from __future__ import annotations

from typing import Any

from tests.web.examples import AS_OF, EVIL

from aimwell.core.text import Text
from aimwell.science.metrics.confusion import Confusion
from aimwell.science.metrics.interval import Estimate
from aimwell.strategy.decisions.cells import Cell, CellTable
from aimwell.strategy.decisions.definition import ASSUMED, Decision
from aimwell.strategy.decisions.gains import Basis
from aimwell.strategy.decisions.plan import DecisionPlan, Line
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.evaluation import Evaluation
from aimwell.strategy.recommenders.judging import Figures, Slice, TopN
from aimwell.strategy.recommenders.making import Recommendation, Recommending
from aimwell.strategy.recommenders.traits import KINDS, SLICES
from aimwell.web.report.sections.decisions import Given, PlanStory
from aimwell.web.report.sections.recommendations import RecommenderStory


def decision(*, error: float = 1.0, **words: Any) -> Decision:
    """A voucher by e-mail whose gain rests on a prediction, and a call that is worth the same with everyone."""
    given: dict[str, Any] = {
        "name": "autumn",
        "label": {"zh": "秋季优惠", "en": "Autumn offers"},
        "audience": {"purchases": {}},
        "budget": 500,
        "treatments": {
            "voucher": {
                "label": {"zh": "代金券", "en": "Voucher"},
                "channel": "email",
                "cost": 2,
                "gain": {"prediction": "coffee", "times": 10, "error": error},
            },
            "call": {
                "label": {"zh": "电话", "en": "Call"},
                "channel": "phone",
                "cost": 6,
                "gain": {"amount": 9, "error": error},
            },
        },
        "cells": {"stage": "stage", "value": "worth", "give": {"fading": {"high": "voucher"}}},
    }
    return Decision.model_validate(given | words)


def plan_story(*, error: float = 1.0, held_out: int = 100, price: float = 0.7) -> PlanStory:
    """A plan for 1,000 people: 120 vouchers and 20 calls for 360, and a written table that nets less for more."""

    def line(name: str, label: Text, customers: int, cost: float, value: float) -> Line:
        reach = 1.28 * error * value
        basis: Basis = "stated" if error < ASSUMED else "assumed"
        return Line(name, label, customers, 5, cost, Estimate(value, value - reach, value + reach, 0.8), basis, error)

    vouchers = line("voucher", Text("代金券", "Voucher"), 120, 240.0, 600.0)
    calls = line("call", Text("电话", "Call"), 20, 120.0, 180.0)
    cells = CellTable(
        (
            Cell("willing", "low", 600, "nothing", 0.9, 60.0, ""),
            Cell("fading", "high", 300, "voucher", 0.4, 300.0, "voucher"),
        ),
        360.0,
        420.0,
        600.0,
        300.0,
    )
    plan = DecisionPlan(
        decision="autumn",
        version="v1",
        as_of=AS_OF,
        currency="CNY",
        people=1000,
        held_out=held_out,
        untreated=760,
        budget=500.0,
        total=line("total", Text("合计", "Total"), 140, 360.0, 780.0),
        treatments=(vouchers, calls),
        channels=(line("email", Text("email", "email"), 120, 240.0, 600.0),),
        net=420.0,
        bound=425.0,
        gap=5.0,
        prices={"budget": price, "channel phone": 1.5},
        reasons={"best": 130, "by_lot": 10, "held_out": held_out, "not_worth_it": 760},
        curve=((0.0, 0.0), (250.0, 350.0), (500.0, 450.0)),
        cells=cells,
    )
    return PlanStory(
        decision(error=error),
        plan,
        {"coffee": Text("咖啡需求", "Demand for coffee")},
        (Given(EVIL, "voucher", 2.0, 8.5, 0.95, "best"),),
        {"fading": Text("下滑", "fading"), "willing": Text("愿意", "willing")},
        {"high": Text("高", "high"), "low": Text("低", "low")},
    )


def _figures(name: str, label: Text, ndcg: float, ahead: float | None) -> Figures:
    def near(value: float) -> Estimate:
        return Estimate(value, value - 0.01, value + 0.01)

    figures = {each: near(0.5) for each in ("auc", "reciprocal_rank", "recall", "average_precision")}
    top = TopN(3, Confusion(30, 60, 20, 890), 1 / 3, 0.6)
    gaps = {} if ahead is None else {"ndcg": near(ahead)}
    return Figures(name, label, {**figures, "ndcg": near(ndcg)}, gaps, (top,))


def _slice(name: str, ahead: float) -> Slice:
    ways = (
        _figures("model", Text("模型", "the model"), 0.4, None),
        _figures("frequency", Text("本人频次", "own frequency"), 0.4 - ahead, ahead),
        _figures("expert", Text("专家规则：所在客群热销", "expert rule: best sellers of the segment"), 0.3, 0.1),
    )
    return Slice(name, SLICES[name], 400, 500, 20_000, ways)


def recommender_story(*, ahead: float = 0.05) -> RecommenderStory:
    """Ten days on which the model is ahead of own frequency by so much, and of the expert by .1; two lists shown."""
    kind = KINDS["cross_sell"]
    shown = tuple(
        Recommendation(customer, place, EVIL, EVIL, "cross_sell", kind, 0.4, (Text("买过 3 次", "bought 3 times"),))
        for customer in ("c1", "c2")
        for place in range(1, 8)
    )
    made = Recommending(
        "next",
        AS_OF,
        900,
        3,
        9000,
        0,
        {"again": 8000, "upsell": 0, "same_line": 0, "cross_sell": 1000},
        ("own",),
        shown,
    )
    days = tuple(f"2025-06-{day:02d}" for day in range(21, 31))
    slices = (_slice("all", ahead), _slice("novel", ahead), _slice("repeat", ahead))
    judged = Evaluation("next", AS_OF, days, (), 400, 300, 5000, 0.9, 0.5, 4.0, ("own",), slices)
    definition = Recommender.model_validate({"name": "next", "label": {"zh": "下次购买", "en": "Next visit"}})
    return RecommenderStory(definition, made, judged)
