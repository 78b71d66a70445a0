"""What became of a decision on its channels: who was reached at what cost, who was not and why, and what they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select
from sqlglot import exp

from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.ledger.schema.journeys import journey_version, listening
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.warehouse.cut import instant_literal
from aimwell.strategy.decisions.definition import NOTHING
from aimwell.strategy.decisions.rows import run_query

NOT_ASKED, NOT_RECORDED = "not_asked", "not_recorded"
UNSENT: Mapping[str, Text] = {
    NOT_ASKED: Text("没有旅程为他们安排消息", "no journey planned a message for them"),
    NOT_RECORDED: Text("没有接触记录，原因未知", "no contact is recorded, and not why"),
    "waiting": Text("仍在等待发送", "still waiting"),
    "claimed": Text("正在发送", "being sent"),
    "unknown": Text("已交给服务商，结果未知", "handed over, outcome unknown"),
    "dead": Text("多次尝试后放弃", "given up after several attempts"),
}
"""Why nothing was sent, beside the reasons that delivery gives."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """What happened on one channel with those for whom a treatment on it was decided.

    reached: customers.   messages, cost: theirs, in all.   unsent: customers who were not reached, by one word why.
    answers: customers by what they did (`opened`, `clicked`, …).
    """

    reached: int = 0
    messages: int = 0
    cost: float = 0.0
    unsent: Mapping[str, int] = field(default_factory=dict)
    answers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sendings:
    """What the ledger knows of the messages of one decision.

    journeys: that read it.   why: of customer and channel, the state or reason of what was not accepted.
    """

    journeys: frozenset[str]
    why: Mapping[tuple[str, str], str]


def sendings(connection: Connection, value: str, since: datetime, until: datetime) -> Sendings:
    """The journeys that read a value of the profile, and why messages that they planned were not sent.

    value: such as `decision:autumn`.   since, until: when the messages were planned, the end excluded.
    """
    versions = select(listening.c.version_id).where(listening.c.signal == f"changed:{value}")
    journeys = select(journey_version.c.journey).where(journey_version.c.id.in_(versions)).distinct()
    names = frozenset(connection.scalars(journeys))
    rows = connection.execute(
        select(intent.c.customer_id, intent.c.channel, intent.c.state, intent.c.reason)
        .where(
            intent.c.journey.in_(sorted(names)),
            intent.c.state != "accepted",
            intent.c.planned_at >= since,
            intent.c.planned_at < until,
        )
        .order_by(intent.c.planned_at, intent.c.key)
    )
    why = {(row.customer_id, row.channel): row.reason or row.state for row in rows}
    return Sendings(names, why)


def contacts_of(
    workshop: Workshop, name: str, as_of: datetime, until: datetime, told: Sendings | None = None
) -> dict[str, Contacts]:
    """By channel, what the touches and outcomes of the warehouse say of one run until an instant.

    told: what the ledger knows; without it every touch on the channel counts, and nobody knows why others have none.
    Only touches of journeys that read the decision count when there are any. Outcomes count whenever they came before
    `until`.   A channel without touches has reached nobody.
    """
    engine = workshop.warehouse.engine
    decided = run_query(name, as_of)
    rows = engine.to_arrow(exp.select("customer_id", "channel", "treatment").from_(decided.subquery("decided")))
    planned: dict[str, list[str]] = {}
    for who, channel, treatment in zip(*rows.to_pydict().values(), strict=True):
        if treatment != NOTHING:
            planned.setdefault(channel, []).append(who)
    touches = _touches(workshop, name, as_of, until, told)
    answers = _answers(workshop, name, as_of, until, told)
    return {channel: _told(channel, people, touches, answers, told) for channel, people in sorted(planned.items())}


def _told(
    channel: str,
    people: list[str],
    touches: Mapping[str, Mapping[str, tuple[int, float]]],
    answers: Mapping[str, Mapping[str, int]],
    told: Sendings | None,
) -> Contacts:
    mine = touches.get(channel, {})
    missing = [who for who in people if who not in mine]
    unasked = NOT_RECORDED if told is None else NOT_ASKED
    why = Counter((told.why if told else {}).get((who, channel), unasked) for who in missing)
    return Contacts(
        len(mine),
        sum(count for count, _ in mine.values()),
        sum(cost for _, cost in mine.values()),
        dict(sorted(why.items(), key=lambda each: (-each[1], each[0]))),
        answers.get(channel, {}),
    )


def _mine(workshop: Workshop, name: str, as_of: datetime, until: datetime, told: Sendings | None) -> exp.Select | None:
    """The touches of a run: on the channel that was decided, after the decision, by the journeys that read it."""
    there = workshop.warehouse.engine.columns("touch")
    if not {"channel", "occurred_at", "customer_id"} <= there.keys():
        return None
    at = exp.column("occurred_at", table="touch")
    conditions: list[exp.Expr] = [
        exp.EQ(this=exp.column(each, table="decided"), expression=exp.column(each, table="touch"))
        for each in ("customer_id", "channel")
    ]
    conditions += [
        exp.GTE(this=at, expression=instant_literal(to_store(as_of))),
        exp.LT(this=at.copy(), expression=instant_literal(to_store(until))),
    ]
    if told is not None and told.journeys and "journey" in there:
        conditions.append(exp.column("journey", table="touch").isin(*sorted(told.journeys)))
    decided = run_query(name, as_of).subquery("decided")
    return exp.select().from_(decided).join("touch", on=exp.and_(*conditions))


def _touches(
    workshop: Workshop, name: str, as_of: datetime, until: datetime, told: Sendings | None
) -> dict[str, dict[str, tuple[int, float]]]:
    """Messages and cost of each customer, by channel."""
    query = _mine(workshop, name, as_of, until, told)
    if query is None:
        return {}
    cost: exp.Expr = exp.Literal.number(0)
    if "cost" in workshop.warehouse.engine.columns("touch"):
        cost = exp.func("coalesce", exp.column("cost", table="touch"), exp.Literal.number(0))
    query = query.select(
        "decided.channel",
        "decided.customer_id",
        exp.alias_(exp.Count(this=exp.Star()), "messages"),
        exp.alias_(exp.cast(exp.Sum(this=cost), exp.DType.DOUBLE), "spent"),
    ).group_by("decided.channel", "decided.customer_id")
    found: dict[str, dict[str, tuple[int, float]]] = {}
    for row in workshop.warehouse.engine.to_arrow(query).to_pylist():
        found.setdefault(row["channel"], {})[row["customer_id"]] = (int(row["messages"]), float(row["spent"]))
    return found


def _answers(
    workshop: Workshop, name: str, as_of: datetime, until: datetime, told: Sendings | None
) -> dict[str, dict[str, int]]:
    """Customers by what they did after a touch, by channel; the commonest first."""
    there = workshop.warehouse.engine.columns("outcome")
    query = _mine(workshop, name, as_of, until, told)
    if query is None or not {"touch_id", "kind", "occurred_at"} <= there.keys():
        return {}
    on = exp.and_(
        exp.EQ(this=exp.column("touch_id", table="touch"), expression=exp.column("touch_id", table="outcome")),
        exp.LT(this=exp.column("occurred_at", table="outcome"), expression=instant_literal(to_store(until))),
    )
    people = exp.Count(this=exp.Distinct(expressions=[exp.column("customer_id", table="decided")]))
    query = query.join("outcome", on=on).select("decided.channel", "outcome.kind", exp.alias_(people, "people"))
    query = query.group_by("decided.channel", "outcome.kind")
    found: dict[str, dict[str, int]] = {}
    rows = workshop.warehouse.engine.to_arrow(query).to_pylist()
    for row in sorted(rows, key=lambda each: (-each["people"], each["kind"])):
        found.setdefault(row["channel"], {})[row["kind"]] = int(row["people"])
    return found
