"""Leads and tasks that journeys hand to people, and the stages through which people take them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, insert, literal, select, update

from aimwell.core.errors import BadQuestion
from aimwell.store.ledger.happenings import Happening, record, record_from
from aimwell.store.ledger.schema.enrolments import task, task_stage
from aimwell.store.ledger.writes import insert_new_from
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Scene

Stage = Literal["open", "taken", "done", "rejected"]
_AFTER: Mapping[str, tuple[str, ...]] = {
    "open": ("taken", "done", "rejected"),
    "taken": ("open", "done", "rejected"),
    "done": (),
    "rejected": (),
}


def create_tasks(scene: Scene, kind: Literal["lead", "task"], title: str, owner: str, note: str) -> None:
    """One open lead or task for everyone who comes; a visit that is looked at again makes none."""
    place = scene.place
    values: dict[str, ColumnElement[Any]] = {
        "key": scene.key,
        "kind": literal(kind),
        "enrolment_id": moving.c.id,
        "node": moving.c.node,
        "customer_id": moving.c.customer_id,
        "journey": moving.c.journey,
        "at": moving.c.at,
        "title": literal(title),
        "owner": literal(owner),
        "stage": literal("open"),
        "changed_at": moving.c.at,
        "note": literal(note),
    }
    insert_new_from(scene.connection, task, list(values), select(*values.values()).where(scene.arriving))
    signal = literal(f"task:{place.journey}:{place.node}:open")
    opened = select(moving.c.customer_id, signal, moving.c.at, scene.key).where(scene.arriving)
    record_from(scene.connection, opened)


def set_stage(connection: Connection, key: str, stage: Stage, at: datetime, *, who: str, note: str = "") -> bool:
    """Move a lead or task on, and wake the journey that waits for it; returns whether anything changed.

    at: aware; one before the last change counts as that.   who: the member or system that says so.
    Raises BadQuestion for an unknown key, and for a stage that cannot follow: what is done or rejected stays so.
    """
    row = connection.execute(select(task).where(task.c.key == key).with_for_update()).one_or_none()
    if row is None:
        raise BadQuestion(f"There is no lead or task {key!r}", remedy="List them, and take the key from there.")
    if row.stage == stage:
        return False
    if stage not in _AFTER[row.stage]:
        raise BadQuestion(
            f"The {row.kind} {key!r} is {row.stage} and cannot become {stage}",
            expected=f"one of {', '.join(_AFTER[row.stage])}" if _AFTER[row.stage] else "no further stage",
            remedy="" if _AFTER[row.stage] else "The journey makes a new one if the customer comes to it again.",
        )
    moved_at = max(at, row.changed_at)
    connection.execute(
        update(task).where(task.c.key == key).values(stage=stage, changed_at=moved_at, note=note or row.note)
    )
    number = 1 + (connection.scalar(select(func.max(task_stage.c.number)).where(task_stage.c.key == key)) or 0)
    connection.execute(insert(task_stage).values(key=key, number=number, stage=stage, at=moved_at, who=who, note=note))
    signal = f"task:{row.journey}:{row.node}:{stage}"
    record(connection, [Happening(row.customer_id, signal, moved_at, f"{key}:{number}")])
    return True
