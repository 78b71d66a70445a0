"""Letting people in: every knock becomes an enrolment, or a refusal with its reason; a repetition becomes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from aimwell.core.errors import BadQuestion
from aimwell.core.keys import number_of, share_of
from aimwell.store.ledger.columns import length, micros
from aimwell.store.ledger.schema.enrolments import enrolment, knock, refusal
from aimwell.store.ledger.schema.journeys import journey, journey_version
from aimwell.store.ledger.schema.people import customer
from aimwell.store.ledger.writes import insert_new
from aimwell.strategy.journeys.predicates import plain
from aimwell.strategy.journeys.version import Version, load_version


@dataclass(slots=True)
class _Past:
    """What a customer has been in this journey so far."""

    causes: set[str] = field(default_factory=set)
    count: int = 0
    active: bool = False
    last_entry: int | None = None

    def enter(self, cause: str, at: int, *, active: bool) -> None:
        self.causes.add(cause)
        self.count += 1
        self.active = self.active or active
        self.last_entry = at if self.last_entry is None else max(self.last_entry, at)


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of a chunk of knocks."""

    knocks: int
    enrolled: int
    refused: int


def let_in(connection: Connection, now: datetime, limit: int = 20_000) -> Entered:
    """Answer the oldest knocks, in the caller's transaction. The statements do not depend on how many they are.

    A knock with a cause that let the same customer in before is a repetition and leaves nothing. Whoever comes into a
    journey's hold-out is enrolled and ends at once as `held_out`, so that both groups are counted alike.
    """
    knocks = connection.execute(
        select(
            knock.c.id,
            knock.c.journey,
            knock.c.customer_id,
            knock.c.cause,
            plain(knock.c.at).label("at"),
            customer.c.shard,
            customer.c.held_out,
        )
        .outerjoin(customer, customer.c.customer_id == knock.c.customer_id)
        .where(plain(knock.c.at) <= micros(now))
        .order_by(knock.c.at, knock.c.cause, knock.c.id)  # the cause, so that a replay gives the same numbers
        .limit(limit)
    ).all()
    if not knocks:
        return Entered(0, 0, 0)
    ids = [each.id for each in knocks]
    by_journey: dict[str, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for each in knocks:
        by_journey[each.journey].append(each)
    enrolled = refused = 0
    for name, theirs in by_journey.items():
        entered, turned_away = _judge(connection, name, theirs)
        enrolled += insert_new(connection, enrolment, entered)
        refused += insert_new(connection, refusal, turned_away)
    connection.execute(delete(knock).where(knock.c.id == bindparam("gone")), [{"gone": each} for each in ids])
    return Entered(len(knocks), enrolled, refused)


def _judge(
    connection: Connection, name: str, knocks: Sequence[Row[*tuple[Any, ...]]]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The enrolments and refusals that follow from knocks at one journey, in their order."""
    row = connection.execute(select(journey.c.version_id, journey.c.state).where(journey.c.name == name)).one_or_none()
    if row is None:
        return [], []
    version = load_version(connection, row.version_id)
    first = select(func.min(plain(journey_version.c.applied_at))).where(journey_version.c.journey == name)
    began = connection.scalar(first) or 0
    pasts = _pasts(connection, name, knocks)
    entered: list[dict[str, object]] = []
    turned_away: list[dict[str, object]] = []
    for each in knocks:
        past = pasts[each.customer_id]
        if each.cause in past.causes:
            continue
        reason = _reason(version, row.state, began, each, past)
        if reason is None:
            enrolling = _enrolment(version, each, past.count + 1)
            entered.append(enrolling)
            past.enter(each.cause, each.at, active=enrolling["state"] == "active")
        else:
            turned_away.append(
                {"journey": name, "customer_id": each.customer_id, "cause": each.cause, "at": each.at, "reason": reason}
            )
    return entered, turned_away


def _reason(version: Version, state: str, began: int, knocked: Row[*tuple[Any, ...]], past: _Past) -> str | None:
    """Why a knock is refused, or None. `began`: when the journey was first applied; old events start none."""
    if knocked.shard is None:
        return "unknown_customer"
    if knocked.at < began:
        return "before_start"
    if state != "running":
        return state
    if knocked.held_out:
        return "hold_out"
    rule = version.definition.re_entry
    if past.count and rule.policy == "never":
        return "entered_before"
    if past.active and rule.policy != "always":
        return "already_in"
    if rule.after is not None and past.last_entry is not None and knocked.at < past.last_entry + length(rule.after):
        return "too_soon"
    return None


def _enrolment(version: Version, knocked: Row[*tuple[Any, ...]], number: int) -> dict[str, object]:
    held_out = share_of("hold-out", version.journey, knocked.customer_id) < version.definition.held_out_share
    return {
        "id": number_of("enrolment", version.journey, knocked.customer_id, knocked.cause, str(number)),
        "journey": version.journey,
        "version_id": version.id,
        "customer_id": knocked.customer_id,
        "shard": knocked.shard,
        "cause": knocked.cause,
        "number": number,
        "entered_at": knocked.at,
        "state": "exited" if held_out else "active",
        "reason": "held_out" if held_out else None,
        "ended_at": knocked.at if held_out else None,
        "goal_at": None,
        "held_out": held_out,
        "node": version.definition.start,
        "visit": 0,
        "step": 1,
        "moves": 0,
        "at": knocked.at,
        "timer_at": None,
        "due_at": None if held_out else knocked.at,
    }


def _pasts(connection: Connection, name: str, knocks: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, _Past]:
    """What those who knock have been in this journey, by customer."""
    pasts = {each.customer_id: _Past() for each in knocks}
    asking = select(knock.c.customer_id).where(knock.c.journey == name)
    for row in connection.execute(
        select(
            enrolment.c.customer_id,
            enrolment.c.cause,
            enrolment.c.state,
            plain(enrolment.c.entered_at).label("entered_at"),
        ).where(enrolment.c.journey == name, enrolment.c.customer_id.in_(asking))
    ):
        if (past := pasts.get(row.customer_id)) is not None:
            past.enter(row.cause, row.entered_at, active=row.state == "active")
    return pasts


def someone_knocks(connection: Connection, now: datetime) -> bool:
    """Whether there is a knock to answer; costs no writer's turn."""
    return connection.scalar(select(knock.c.id).where(plain(knock.c.at) <= micros(now)).limit(1)) is not None


def put_in(connection: Connection, journey_name: str, customer_ids: Sequence[str], at: datetime, request: str) -> None:
    """Let customers knock at a journey by a call; the same request again lets nobody in twice.

    request: the caller's own key of the call. Raises BadQuestion if the journey does not let people in by calls.
    """
    version_id = connection.scalar(select(journey.c.version_id).where(journey.c.name == journey_name))
    if version_id is None or not any(rule.api for rule in load_version(connection, version_id).definition.entry):
        raise BadQuestion(
            f"The journey {journey_name!r} lets nobody in by a call",
            expected="an applied journey with the entry `api: true`",
            remedy="Write the entry, then `aimwell apply`.",
        )
    rows = [
        {"journey": journey_name, "customer_id": each, "cause": f"api:{request}", "at": micros(at)}
        for each in dict.fromkeys(customer_ids)
    ]
    if rows:
        connection.execute(insert(knock), rows)
