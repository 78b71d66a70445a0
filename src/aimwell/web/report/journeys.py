"""Gathers what the report says about journeys, from the ledger as it stands."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from aimwell.evaluation.journeys.funnel import funnel
from aimwell.evaluation.journeys.lift import lift
from aimwell.store.ledger.arrivals import SIMULATION
from aimwell.store.ledger.columns import instant
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor, enrolment, refusal
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.workspace import Workspace
from aimwell.strategy.journeys.goals import settle_goals
from aimwell.strategy.journeys.version import load_version
from aimwell.web.report.sections.journeys import JourneyStory, Stop


def journey_stories(workspace: Workspace) -> list[JourneyStory]:
    """The journeys that were applied, by name; none, and nothing is made, where the workspace has no ledger yet."""
    chosen = workspace.settings.ledger
    if not chosen.url_env and not (workspace.folder / chosen.path / "state.db").is_file():
        return []
    with workspace.ledger() as ledger:
        return tell_journeys(ledger)


def tell_journeys(ledger: Ledger) -> list[JourneyStory]:
    """The same of an open ledger. Goals of those who have left are settled first, so that both groups count alike."""
    with ledger.reading() as connection:
        names = connection.scalars(select(journey.c.name).order_by(journey.c.name)).all()
        rehearsed = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == SIMULATION))
    now = datetime.now(UTC) if rehearsed is None else instant(rehearsed)
    for name in names:
        settle_goals(ledger, name, now)
    with ledger.reading() as connection:
        return [_story(connection, name, now, simulated=rehearsed is not None) for name in names]


def _story(connection: Connection, name: str, now: datetime, *, simulated: bool) -> JourneyStory:
    version_id: int = connection.execute(select(journey.c.version_id).where(journey.c.name == name)).scalar_one()
    version = load_version(connection, version_id)
    definition, found = version.definition, funnel(connection, name)
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
        lift=lift(connection, name, definition.within, now),
        held_out=connection.scalar(select(func.count()).where(enrolment.c.journey == name, enrolment.c.held_out)) or 0,
        stops=stops,
        refused=dict(connection.execute(turned).all()),
        simulated=simulated,
        example=connection.scalar(select(func.min(intent.c.customer_id)).where(intent.c.journey == name)),
    )
