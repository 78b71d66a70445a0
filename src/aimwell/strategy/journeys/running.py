"""Pausing, resuming and stopping a journey, and what is running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, select, update

from aimwell.core.errors import BadQuestion
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import enrolment
from aimwell.store.ledger.schema.journeys import journey, journey_version

State = Literal["running", "paused", "stopped"]
_CHUNK = 20_000
_FROM: Mapping[State, tuple[State, ...]] = {
    "paused": ("running",),
    "running": ("paused",),
    "stopped": ("running", "paused"),
}


@dataclass(frozen=True, slots=True)
class Running:
    """A journey as it stands: its version, its state and how many are where.

    spent: millionths of the currency.   budget: hundredths of it, None without limit.
    """

    name: str
    version: int
    state: State
    changed_at: datetime
    spent: int
    budget: int | None
    enrolments: Mapping[str, int]


def running_journeys(connection: Connection) -> list[Running]:
    """Every applied journey, by name, with its enrolments counted by state (active, finished, exited)."""
    counts: dict[str, dict[str, int]] = {}
    counted = select(enrolment.c.journey, enrolment.c.state, func.count()).group_by(
        enrolment.c.journey, enrolment.c.state
    )
    for name, state, count in connection.execute(counted):
        counts.setdefault(name, {})[state] = count
    rows = connection.execute(
        select(journey, journey_version.c.number)
        .join(journey_version, journey_version.c.id == journey.c.version_id)
        .order_by(journey.c.name)
    )
    return [
        Running(row.name, row.number, row.state, row.changed_at, row.spent, row.budget, counts.get(row.name, {}))
        for row in rows
    ]


def pause(connection: Connection, name: str, now: datetime) -> bool:
    """Nobody moves, nobody comes in and messages wait until it is resumed; False if it was paused already."""
    return _become(connection, name, "paused", now)


def resume(connection: Connection, name: str, now: datetime) -> bool:
    """Go on from where everybody is; what became due meanwhile is done with its own instant. False if it runs."""
    return _become(connection, name, "running", now)


def stop(ledger: Ledger, name: str, now: datetime, *, chunk: int = _CHUNK) -> int:
    """End the journey for good: everyone on the way exits as `stopped`, in chunks; returns how many did.

    Messages that wait are looked at by delivery, which sends none for a stopped journey. A call that was interrupted
    is finished by the next.
    """
    with ledger.writing() as connection:
        _become(connection, name, "stopped", now)
    stopped = 0
    while True:
        with ledger.writing() as connection:
            some = (
                select(enrolment.c.id)
                .where(enrolment.c.journey == name, enrolment.c.state == "active")
                .order_by(enrolment.c.id)
                .limit(chunk)
            )
            done = connection.execute(
                update(enrolment)
                .where(enrolment.c.id.in_(some))
                .values(state="exited", reason="stopped", ended_at=now, timer_at=None, due_at=None),
                execution_options={"preserve_rowcount": True},
            ).rowcount
        stopped += done
        if done < chunk:
            return stopped


def _become(connection: Connection, name: str, state: State, now: datetime) -> bool:
    current = connection.scalar(select(journey.c.state).where(journey.c.name == name).with_for_update())
    if current is None:
        known = ", ".join(connection.scalars(select(journey.c.name).order_by(journey.c.name)))
        raise BadQuestion(
            f"There is no applied journey {name!r}",
            expected=f"one of {known or '(none)'}",
            remedy="Run `aimwell apply` to begin one.",
        )
    if current == state:
        return False
    if current not in _FROM[state]:
        raise BadQuestion(
            f"The journey {name!r} is {current} and cannot become {state}",
            remedy="What was stopped stays stopped: apply it under another name.",
        )
    connection.execute(update(journey).where(journey.c.name == name).values(state=state, changed_at=now))
    return True
