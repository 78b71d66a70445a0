"""Gathers what the report says about journeys, from the ledger as it stands."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from aimwell.evaluation.journeys.entries import entries
from aimwell.evaluation.journeys.funnel import funnel
from aimwell.evaluation.journeys.lift import Lift, lift
from aimwell.evaluation.journeys.money import purchases, simulated_orders
from aimwell.store.ledger.arrivals import SIMULATION
from aimwell.store.ledger.columns import instant
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor, enrolment, refusal
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.warehouse.engine import Engine
from aimwell.store.workspace import Workspace
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.goals import settle_goals
from aimwell.strategy.journeys.version import Version, load_version
from aimwell.web.report.sections.journeys import JourneyStory, Stop


def journey_stories(workspace: Workspace, engine: Engine | None = None) -> list[JourneyStory]:
    """The journeys that were applied, by name; none, and nothing is made, where the workspace has no ledger yet.

    engine: of the warehouse whose purchases say what was spent; without it money is not compared, except where a
    rehearsal was played: there the orders that it made up count.
    """
    if not workspace.has_ledger:
        return []
    with workspace.ledger() as ledger:
        with ledger.reading() as connection:
            names = connection.scalars(select(journey.c.name).order_by(journey.c.name)).all()
        return [tell_journey(ledger, name, engine, currency=workspace.settings.currency) for name in names]


def tell_journey(ledger: Ledger, name: str, engine: Engine | None, *, currency: str) -> JourneyStory:
    """One journey of an open ledger; raises BadQuestion if it was never applied.

    Goals of those who have left are settled first, so that both groups count alike.
    """
    with ledger.reading() as connection:
        funnel(connection, name)  # refuses a journey that is not there before anything is written
        rehearsed = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == SIMULATION))
    now = datetime.now(UTC) if rehearsed is None else instant(rehearsed)
    settle_goals(ledger, name, now)
    with ledger.reading() as connection:
        version_id: int = connection.execute(select(journey.c.version_id).where(journey.c.name == name)).scalar_one()
        version = load_version(connection, version_id)
    changed = _lift(ledger, version.definition, now, engine, simulated=rehearsed is not None)
    with ledger.reading() as connection:
        return _story(connection, version, changed, simulated=rehearsed is not None, currency=currency)


def _lift(ledger: Ledger, definition: Journey, now: datetime, engine: Engine | None, *, simulated: bool) -> Lift:
    """What it changed: for the goal, and for money where it is known what was spent."""
    with ledger.reading() as connection:
        people = entries(connection, definition.name)
    if simulated:
        spending = simulated_orders(ledger, people, definition.within, now)
        return lift(people, definition.name, definition.within, now, spending=spending)
    bought = purchases(engine, people, definition.within) if engine is not None else None
    return lift(people, definition.name, definition.within, now, spending=bought)


def _story(connection: Connection, version: Version, changed: Lift, *, simulated: bool, currency: str) -> JourneyStory:
    definition = version.definition
    name = definition.name
    found = funnel(connection, name)
    stops = tuple(
        Stop(
            name=node,
            kind=definition.nodes[node].implementation.label,
            channels=tuple(each.channel for each in found.nodes if each.node == node),
            passed={port: count for (place, port), count in found.passed.items() if place == node},
            to=definition.nodes[node].to,
            waiting=found.places.get(node, 0),
        )
        for node in version.order
    )
    turned = select(refusal.c.reason, func.count()).where(refusal.c.journey == name).group_by(refusal.c.reason)
    return JourneyStory(
        name=name,
        title=definition.title,
        description=definition.description.text if definition.description else None,
        funnel=found,
        lift=changed,
        held_out=connection.scalar(select(func.count()).where(enrolment.c.journey == name, enrolment.c.held_out)) or 0,
        stops=stops,
        refused=dict(connection.execute(turned).all()),
        simulated=simulated,
        example=connection.scalar(select(func.min(intent.c.customer_id)).where(intent.c.journey == name)),
        currency=currency,
    )
