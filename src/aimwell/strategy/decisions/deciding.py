"""Decides for everyone in an audience, keeps the rows, and hands them to journeys."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aimwell.core.errors import AimwellError, BadQuestion
from aimwell.core.progress import Progress, silent
from aimwell.core.text import Text
from aimwell.insight.live.activating import activate_values
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.ledger.ledger import Ledger
from aimwell.strategy.decisions.choosing import choose
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.measuring import measured_curve
from aimwell.strategy.decisions.people import people_of
from aimwell.strategy.decisions.plan import DecisionPlan, plan_of
from aimwell.strategy.decisions.rows import decision_rows, keep, treatments_query

_UNMEASURED = Text(
    "这条曲线尚未实测，只是预期（{why}）", "The curve is not measured yet; it is what is expected ({why})"
)


def decide(
    definition: Decision,
    workshop: Workshop,
    as_of: datetime,
    *,
    currency: str,
    measured: bool = True,
    progress: Progress = silent,
) -> DecisionPlan:
    """Choose a treatment, or nothing, for everyone in the audience; keep it in the table `decision`; return the plan.

    currency: of the workspace, in which all money of the definition is.   Deciding again as of the same instant
    replaces what was decided; equal data give equal choices.   measured: whether earlier choices are to measure the
    curve of gain by spend.
    Raises BadQuestion for another currency, unknown predictions or tags, and limits that contradict each other (they
    are named); NotEnoughData when nobody is in the audience.
    """
    if definition.currency and definition.currency != currency:
        raise BadQuestion(
            f"{definition.name}: its money is not the workspace's",
            expected=currency,
            seen=definition.currency,
            remedy="State budget, costs and gains in the currency of the workspace.",
        )
    progress("audience", 0.0)
    people = people_of(definition, workshop, as_of)
    progress("choice", 0.6)
    chosen = choose(definition, people, as_of.isoformat())
    progress("decision", 0.9)
    keep(workshop, decision_rows(definition, people, chosen, as_of), definition.name, as_of)
    plan = plan_of(definition, people, chosen, as_of, currency)
    return _measured(plan, definition, workshop) if measured else plan


def _measured(plan: DecisionPlan, definition: Decision, workshop: Workshop) -> DecisionPlan:
    """The plan with its curve as earlier choices measure it, or with the reason why they do not."""
    inside = plan.people - plan.held_out
    try:
        curve = measured_curve(definition, workshop, plan.as_of, people=inside, spend=plan.total.cost)
    except AimwellError as error:
        return replace(plan, unmeasured=_UNMEASURED.format(why=str(error)))
    return replace(plan, measured=curve)


def value_name(decision: str) -> str:
    """The name under which journeys find a customer's treatment: a value of the profile.

    >>> value_name("autumn")
    'decision:autumn'
    """
    return f"decision:{decision}"


def activate_decision(workshop: Workshop, ledger: Ledger, name: str, as_of: datetime) -> int:
    """Bring what was decided into the ledger's profiles; returns how many values changed.

    A journey then sends by the condition `{attribute: "decision:NAME", is: TREATMENT}`.
    """
    queries = {value_name(name): treatments_query(name, as_of)}
    return activate_values(workshop.warehouse, ledger, queries, as_of).values
