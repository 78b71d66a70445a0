"""The funnel of a journey and of each of its nodes, as the ledger stands: counted in sets, live.

A message counts once per step however often something is reported of it, and what machines did does not count. Steps
are nested by kind, not by person: `clicked` counts messages that were clicked, also where no opening was reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, distinct, false, func, select

from aimwell.core.errors import BadQuestion
from aimwell.core.text import Text
from aimwell.store.ledger.schema.enrolments import enrolment, passage
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent, outcome

STEPS: Mapping[str, Text] = {
    "planned": Text("计划发送", "Planned"),
    "exposed": Text("已发出", "Sent"),
    "delivered": Text("已送达", "Delivered"),
    "opened": Text("已打开", "Opened"),
    "clicked": Text("已点击", "Clicked"),
    "joined": Text("已参与", "Joined"),
    "shared": Text("已分享", "Shared"),
    "bought": Text("达成目标", "Reached the goal"),
}
"""The steps in their order, as marketers read them."""


@dataclass(frozen=True, slots=True)
class NodeFunnel:
    """What became of the messages of one node on one channel.

    steps: messages by step (planned, exposed, delivered, …); `bought` counts those after which the goal was reached on
    the same passage, whatever led to it.   people: who got one.   not_sent: messages by reason.
    machine: messages that only machines opened or clicked.
    """

    node: str
    channel: str
    steps: Mapping[str, int]
    people: int
    not_sent: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    unknown: int = 0
    dead: int = 0
    machine: int = 0


@dataclass(frozen=True, slots=True)
class Funnel:
    """A journey as it stands.

    entered = active + finished + sum of exited.   steps: people by step.   places: active people by node.
    """

    journey: str
    state: str
    entered: int
    active: int
    finished: int
    exited: Mapping[str, int]
    steps: Mapping[str, int]
    places: Mapping[str, int]
    passed: Mapping[tuple[str, str], int]
    nodes: tuple[NodeFunnel, ...]
    spent: float


def funnel(connection: Connection, name: str) -> Funnel:
    """The funnel of a journey, all versions together; raises BadQuestion for one that was never applied."""
    row = connection.execute(select(journey.c.state, journey.c.spent).where(journey.c.name == name)).one_or_none()
    if row is None:
        raise BadQuestion(f"There is no journey {name!r} here", remedy="`aimwell journey list` shows those there are.")
    states = connection.execute(
        select(enrolment.c.state, enrolment.c.reason, func.count())
        .where(enrolment.c.journey == name)
        .group_by(enrolment.c.state, enrolment.c.reason)
    ).all()
    exited = {reason or "exited": count for state, reason, count in states if state == "exited"}
    by_state = {state: sum(count for each, _, count in states if each == state) for state in ("active", "finished")}
    return Funnel(
        journey=name,
        state=row.state,
        entered=sum(count for _, _, count in states),
        active=by_state["active"],
        finished=by_state["finished"],
        exited=exited,
        steps=_people(connection, name),
        places=_places(connection, name),
        passed=_passed(connection, name),
        nodes=_nodes(connection, name),
        spent=row.spent / 1_000_000,
    )


def _people(connection: Connection, name: str) -> dict[str, int]:
    """People by step: with a message planned, sent, delivered, …, and those not held out who reached the goal."""
    mine = intent.c.journey == name
    people = func.count(distinct(intent.c.customer_id))
    counts = {
        "planned": connection.scalar(select(people).where(mine)) or 0,
        "exposed": connection.scalar(select(people).where(mine, intent.c.accepted_at.is_not(None))) or 0,
    }
    reported = connection.execute(
        select(outcome.c.kind, func.count(distinct(outcome.c.customer_id)))
        .join(intent, intent.c.key == outcome.c.key)
        .where(mine, outcome.c.machine.is_(false()))
        .group_by(outcome.c.kind)
    )
    counts |= {kind: count for kind, count in reported if kind in STEPS}
    counts["bought"] = (
        connection.scalar(
            select(func.count(distinct(enrolment.c.customer_id))).where(
                enrolment.c.journey == name, enrolment.c.goal_at.is_not(None), enrolment.c.held_out.is_(false())
            )
        )
        or 0
    )
    return {step: counts.get(step, 0) for step in STEPS}


def _places(connection: Connection, name: str) -> dict[str, int]:
    query = select(enrolment.c.node, func.count()).where(enrolment.c.journey == name, enrolment.c.state == "active")
    return dict(connection.execute(query.group_by(enrolment.c.node)).all())


def _passed(connection: Connection, name: str) -> dict[tuple[str, str], int]:
    query = (
        select(passage.c.node, passage.c.port, func.count())
        .join(enrolment, enrolment.c.id == passage.c.enrolment_id)
        .where(enrolment.c.journey == name)
        .group_by(passage.c.node, passage.c.port)
    )
    return {(node, port): count for node, port, count in connection.execute(query)}


def _nodes(connection: Connection, name: str) -> tuple[NodeFunnel, ...]:
    mine = intent.c.journey == name
    place = (intent.c.node, intent.c.channel)
    states: dict[tuple[str, str], dict[tuple[str, str | None], int]] = {}
    for node, channel, state, reason, count in connection.execute(
        select(*place, intent.c.state, intent.c.reason, func.count())
        .where(mine)
        .group_by(*place, intent.c.state, intent.c.reason)
    ):
        states.setdefault((node, channel), {})[state, reason] = count
    sent = {
        (node, channel): (messages, people)
        for node, channel, messages, people in connection.execute(
            select(*place, func.count(), func.count(distinct(intent.c.customer_id)))
            .where(mine, intent.c.accepted_at.is_not(None))
            .group_by(*place)
        )
    }
    reports: dict[tuple[str, str], dict[tuple[str, bool], int]] = {}
    for node, channel, kind, machine, count in connection.execute(
        select(*place, outcome.c.kind, outcome.c.machine, func.count(distinct(outcome.c.key)))
        .join(outcome, outcome.c.key == intent.c.key)
        .where(mine)
        .group_by(*place, outcome.c.kind, outcome.c.machine)
    ):
        reports.setdefault((node, channel), {})[kind, machine] = count
    reached = _reached(connection, name)
    return tuple(
        _node(place, states[place], sent.get(place, (0, 0)), reports.get(place, {}), reached.get(place, 0))
        for place in sorted(states)
    )


def _reached(connection: Connection, name: str) -> dict[tuple[str, str], int]:
    """Messages after which the goal was reached on the same passage, by node and channel."""
    later = (intent.c.accepted_at.is_not(None), enrolment.c.goal_at >= intent.c.accepted_at)
    counted = (
        select(intent.c.node, intent.c.channel, func.count())
        .join(enrolment, enrolment.c.id == intent.c.enrolment_id)
        .where(intent.c.journey == name, *later)
        .group_by(intent.c.node, intent.c.channel)
    )
    return {(node, channel): count for node, channel, count in connection.execute(counted)}


def _node(
    place: tuple[str, str],
    states: Mapping[tuple[str, str | None], int],
    sent: tuple[int, int],
    reports: Mapping[tuple[str, bool], int],
    reached: int,
) -> NodeFunnel:
    def in_state(wanted: str) -> int:
        return sum(count for (state, _), count in states.items() if state == wanted)

    steps = {"planned": sum(states.values()), "exposed": sent[0]}
    steps |= {step: reports.get((step, False), 0) for step in STEPS if step not in {*steps, "bought"}}
    steps["bought"] = reached
    return NodeFunnel(
        node=place[0],
        channel=place[1],
        steps=steps,
        people=sent[1],
        not_sent={reason or "": count for (state, reason), count in states.items() if state == "not_sent"},
        waiting=in_state("waiting") + in_state("claimed"),
        unknown=in_state("unknown"),
        dead=in_state("dead"),
        machine=max((count for (_, machine), count in reports.items() if machine), default=0),
    )
