"""Decides for everyone in an audience, keeps the rows, and hands them to journeys."""

from __future__ import annotations

from datetime import datetime

from aimwell.core.errors import BadQuestion
from aimwell.core.progress import Progress, silent
from aimwell.insight.live.activating import activate_values
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.ledger.ledger import Ledger
from aimwell.strategy.decisions.choosing import choose
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.people import people_of
from aimwell.strategy.decisions.plan import DecisionPlan, plan_of
from aimwell.strategy.decisions.rows import decision_rows, keep, treatments_query


def decide(
    definition: Decision, workshop: Workshop, as_of: datetime, *, currency: str, progress: Progress = silent
) -> DecisionPlan:
    """Choose a treatment, or nothing, for everyone in the audience; keep it in the table `decision`; return the plan.

    currency: of the workspace, in which all money of the definition is.   Deciding again as of the same instant
    replaces what was decided; equal data give equal choices.
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
    return plan_of(definition, people, chosen, as_of, currency)


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
