"""Gathers what the report says about a decision: its plan, and those for whom most is expected."""

from __future__ import annotations

from collections.abc import Mapping

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.insight.features.library import Library
from aimwell.insight.predictions import Workshop
from aimwell.store.ledger.ledger import Ledger
from aimwell.strategy.decisions.afterwards import last_compared
from aimwell.strategy.decisions.definition import NOTHING, Decision
from aimwell.strategy.decisions.plan import DecisionPlan
from aimwell.strategy.decisions.rows import run_query
from aimwell.web.report.sections.decisions import Given, PlanStory

_FIRST = 10


def plan_story(
    workshop: Workshop,
    definition: Decision,
    plan: DecisionPlan,
    predictions: Mapping[str, Text],
    ledger: Ledger | None = None,
) -> PlanStory:
    """A plan that was just made, with the customers whose treatment gains most after its cost; ties by id.

    Beside it stands what came of the last plan whose time is up.   ledger: knows why messages were not sent.
    """
    rows = workshop.warehouse.engine.to_arrow(run_query(plan.decision, plan.as_of)).to_pylist()
    treated = [row for row in rows if row["treatment"] != NOTHING]
    best = sorted(treated, key=lambda row: (row["cost"] - row["gain"], row["customer_id"]))[:_FIRST]
    first = [Given(**{name: row[name] for name in Given.__slots__}) for row in best]
    cells = definition.cells
    stages, values = (_words(workshop.library, name) for name in (cells.stage, cells.value)) if cells else ({}, {})
    afterwards = last_compared(definition, workshop, plan.as_of, ledger)
    return PlanStory(definition, plan, predictions, first, stages, values, afterwards)


def _words(library: Library, name: str) -> Mapping[str, Text]:
    """What the words of a tag mean; nothing for an attribute, whose words speak for themselves."""
    try:
        return library.column(name).words
    except BadQuestion:
        return {}
