"""Small made-up examples of what a run decides, for the report."""

from __future__ import annotations

from typing import Any

from tests.web.examples import AS_OF, EVIL

from aimwell.core.text import Text
from aimwell.science.metrics.interval import Estimate
from aimwell.strategy.decisions.cells import Cell, CellTable
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.plan import DecisionPlan, Line
from aimwell.web.report.sections.decisions import Given, PlanStory


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
        return Line(name, label, customers, 5, cost, Estimate(value, value - reach, value + reach, 0.8))

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
