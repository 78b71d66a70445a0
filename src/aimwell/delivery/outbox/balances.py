"""The two balances that hold at every instant: nobody is lost between the states, and nothing is counted twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select

from aimwell.core.errors import AimwellError
from aimwell.delivery.outbox.reasons import REASONS
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import attempt, intent

_STATES = ("waiting", "claimed", "accepted", "not_sent", "unknown", "dead")
_STAYS = ("active", "finished", "exited")


class Unbalanced(AimwellError):
    """The ledger's figures do not add up: people or messages are in no state, or in one that contradicts their rows."""


@dataclass(frozen=True, slots=True)
class Balances:
    """People who entered by state, messages planned by state, messages not sent by reason, and what contradicts."""

    entered: int
    enrolments: Mapping[str, int]
    planned: int
    intents: Mapping[str, int]
    reasons: Mapping[str, int]
    contradictions: Mapping[str, int]

    @property
    def hold(self) -> bool:
        """Whether both balances are true and nothing contradicts them."""
        return (
            self.entered == sum(self.enrolments.get(state, 0) for state in _STAYS)
            and self.planned == sum(self.intents.get(state, 0) for state in _STATES)
            and self.intents.get("not_sent", 0) == sum(self.reasons.get(word, 0) for word in REASONS)
            and not any(self.contradictions.values())
        )


def balances(connection: Connection) -> Balances:
    """The figures of both balances, counted over the whole ledger at one instant.

    Cost: reads every enrolment and intent once; seconds for a million.
    """
    people: dict[str, int] = dict(
        connection.execute(select(enrolment.c.state, func.count()).group_by(enrolment.c.state)).all()
    )
    states: dict[str, int] = dict(
        connection.execute(select(intent.c.state, func.count()).group_by(intent.c.state)).all()
    )
    query = select(intent.c.reason, func.count()).where(intent.c.state == "not_sent").group_by(intent.c.reason)
    reasons = {word or "": count for word, count in connection.execute(query)}
    return Balances(
        connection.scalar(select(func.count()).select_from(enrolment)) or 0,
        people,
        connection.scalar(select(func.count()).select_from(intent)) or 0,
        states,
        reasons,
        _contradictions(connection),
    )


def verify_balances(connection: Connection) -> Balances:
    """The balances; raises Unbalanced with the figures if they do not hold."""
    found = balances(connection)
    if not found.hold:
        raise Unbalanced("The balances of journeys and outbox do not hold", seen=str(found))
    return found


def _contradictions(connection: Connection) -> dict[str, int]:
    """How many messages have rows that deny their state."""
    tried = select(attempt.c.key).where(attempt.c.key == intent.c.key).exists()
    running = select(attempt.c.key).where(attempt.c.key == intent.c.key, attempt.c.ended_at.is_(None)).exists()
    attempts = select(func.count()).where(attempt.c.key == intent.c.key).scalar_subquery()
    rules = {
        "accepted without an attempt": and_(intent.c.state == "accepted", ~tried),
        "in doubt without an attempt": and_(intent.c.state == "unknown", ~tried),
        "waiting while a call runs": and_(intent.c.state.in_(("waiting", "dead", "unknown")), running),
        "claimed without a lease": and_(intent.c.state == "claimed", intent.c.lease_until.is_(None)),
        "leased but not claimed": and_(intent.c.state != "claimed", intent.c.lease_until.is_not(None)),
        "attempts miscounted": intent.c.attempts != attempts,
        "a place under the caps": or_(
            and_(intent.c.state.in_(("claimed", "accepted", "unknown")), intent.c.contacted_at.is_(None)),
            and_(intent.c.state.in_(("waiting", "not_sent", "dead")), intent.c.contacted_at.is_not(None)),
        ),
        "waiting for nothing": and_(
            intent.c.state == "waiting", intent.c.due_at.is_(None), func.coalesce(intent.c.reason, "") != "paused"
        ),
    }
    found = {
        name: connection.scalar(select(func.count()).select_from(intent).where(rule)) or 0
        for name, rule in rules.items()
    }
    return found | {"journeys with a wrong sum spent": _misspent(connection)}


def _misspent(connection: Connection) -> int:
    used = (
        select(func.coalesce(func.sum(intent.c.cost), 0))
        .where(intent.c.journey == journey.c.name, intent.c.contacted_at.is_not(None))
        .scalar_subquery()
    )
    return connection.scalar(select(func.count()).select_from(journey).where(journey.c.spent != used)) or 0
