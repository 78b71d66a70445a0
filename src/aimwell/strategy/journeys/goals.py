"""Who reached the goal in time, whether or not they were still on their way: the hold-out and those who had left too.

The tick sees the goal of those who are moving. To say what a journey changed, everybody who came in must be looked at
alike: this pass fills `goal_at` of ended enrolments, by the same condition and within the same time after entry.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, exists, insert, literal, select, type_coerce, update

from aimwell.store.ledger.columns import length, micros
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.scratch import lay_out
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import instant_of
from aimwell.strategy.journeys.predicates import goal_reached, plain
from aimwell.strategy.journeys.version import Version, load_version

CHUNK = 20_000
_COPIED = ("journey", "version_id", "customer_id", "shard", "entered_at", "state", "visit", "step", "moves", "at")


def settle_goals(ledger: Ledger, journey: str, now: datetime) -> int:
    """Note when ended enrolments of a journey reached its goal, as far as is known now; returns how many are new.

    What is noted stays: an event that arrives later can only add. Chunks hand over to other writers.
    """
    with ledger.reading() as connection:
        found = connection.scalars(
            select(enrolment.c.version_id).where(enrolment.c.journey == journey).distinct()
        ).all()
        versions = [load_version(connection, each) for each in found]
    return sum(_settle(ledger, version, micros(now)) for version in versions)


def _settle(ledger: Ledger, version: Version, now: int) -> int:
    """Chunk by chunk in the order of ids, so that the pass ends."""
    after, noted = -1, 0
    while True:
        with ledger.writing() as connection:
            lay_out(connection, moving)
            waiting = (
                select(
                    enrolment.c.id,
                    *(enrolment.c[name] for name in _COPIED),
                    enrolment.c.node,
                    type_coerce(literal(0), moving.c.settled.type),
                )
                .where(
                    enrolment.c.version_id == version.id,
                    enrolment.c.state != "active",
                    enrolment.c.goal_at.is_(None),
                    enrolment.c.id > after,
                )
                .order_by(enrolment.c.id)
                .limit(CHUNK)
            )
            connection.execute(insert(moving).from_select(["id", *_COPIED, "node", "settled"], waiting))
            last = connection.scalar(select(moving.c.id).order_by(moving.c.id.desc()).limit(1))
            if last is None:
                return noted
            limit = plain(moving.c.entered_at) + literal(length(version.definition.within), BigInteger)
            reached = goal_reached(version.definition.goal.values(), limit)
            connection.execute(update(moving).values(goal_at=instant_of(reached)))
            known = exists().where(moving.c.id == enrolment.c.id, plain(moving.c.goal_at) <= now)
            value = select(moving.c.goal_at).where(moving.c.id == enrolment.c.id).scalar_subquery()
            noted += connection.execute(update(enrolment).values(goal_at=value).where(known)).rowcount
            after = last
