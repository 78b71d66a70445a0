"""Who came into a journey: each customer's first enrolment, so that people, not passages, are compared."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, select, type_coerce

from aimwell.store.ledger.schema.enrolments import enrolment


@dataclass(frozen=True, slots=True)
class Entry:
    """A customer's first enrolment: instants in microseconds."""

    id: int
    customer_id: str
    entered_at: int
    held_out: bool
    goal_at: int | None


def entries(connection: Connection, journey: str) -> list[Entry]:
    """The first enrolment of each customer in a journey."""
    entered, goal = (type_coerce(enrolment.c[name], BigInteger) for name in ("entered_at", "goal_at"))
    query = select(enrolment.c.id, enrolment.c.customer_id, entered, enrolment.c.held_out, goal)
    mine = query.where(enrolment.c.journey == journey, enrolment.c.number == 1)
    return [Entry(*row) for row in connection.execute(mine)]
