"""Letting people in: every knock becomes an enrolment, or a refusal with its reason; a repetition becomes nothing.

A chunk of knocks is copied into a temporary table. Whether each is let in depends on the customer's earlier ones, so it
is decided here, knock by knock; the rows are then written from that table, in a constant number of statements.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    type_coerce,
)

from aimwell.core.errors import BadQuestion
from aimwell.core.keys import number_of, share_of
from aimwell.store.ledger.columns import Instant, length, micros
from aimwell.store.ledger.schema.enrolments import enrolment, knock, refusal
from aimwell.store.ledger.schema.journeys import journey, journey_version
from aimwell.store.ledger.schema.people import customer
from aimwell.store.ledger.scratch import lay_out
from aimwell.store.ledger.writes import insert_new_from
from aimwell.strategy.journeys.predicates import plain
from aimwell.strategy.journeys.version import Version, load_version

CHUNK = 3_000
"""Knocks in one transaction: others who want to write wait at most as long as this many take."""

_knocking = Table(
    "knocking",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("journey", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("shard", SmallInteger),
    Column("held_out", Boolean),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)

_let_in = Table(
    "let_in",
    MetaData(),
    Column("knock_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("enrolment_id", BigInteger, comment="empty: turned away"),
    Column("number", Integer),
    Column("held_out", Boolean),
    Column("reason", Text, comment="why it was turned away"),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)


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


_NO_PAST = _Past()
_TURNED_AWAY = {"enrolment_id": None, "number": None, "held_out": None}


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of a chunk of knocks."""

    knocks: int
    enrolled: int
    refused: int


def let_in(connection: Connection, now: datetime, limit: int = CHUNK) -> Entered:
    """Answer the oldest knocks, in the caller's transaction. The statements do not depend on how many they are.

    A knock with a cause that let the same customer in before is a repetition and leaves nothing. Whoever comes into a
    journey's hold-out is enrolled and ends at once as `held_out`, so that both groups are counted alike.
    """
    knocks = _take(connection, now, limit)
    if not knocks:
        return Entered(0, 0, 0)
    by_journey: dict[str, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for each in knocks:
        by_journey[each.journey].append(each)
    enrolled = refused = 0
    for name in sorted(by_journey):
        entered, turned_away = _answer(connection, name, by_journey[name])
        enrolled += entered
        refused += turned_away
    connection.execute(delete(knock).where(knock.c.id.in_(select(_knocking.c.id))))
    return Entered(len(knocks), enrolled, refused)


def _take(connection: Connection, now: datetime, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Copy the oldest knocks into the temporary table, and read them."""
    for table in (_knocking, _let_in):
        lay_out(connection, table)
    order = (knock.c.at, knock.c.cause, knock.c.id)  # the cause, so that a replay gives the same numbers
    oldest = select(knock).where(plain(knock.c.at) <= micros(now)).order_by(*order).limit(limit).subquery()
    columns = [oldest.c[name] for name in ("id", "journey", "customer_id", "cause", "at")]
    known = select(*columns, customer.c.shard, customer.c.held_out).outerjoin(
        customer, customer.c.customer_id == oldest.c.customer_id
    )
    connection.execute(insert(_knocking).from_select(_knocking.columns.keys(), known))
    asked = (_knocking.c.id, _knocking.c.journey, _knocking.c.customer_id, _knocking.c.cause)
    read = select(*asked, plain(_knocking.c.at).label("at"), _knocking.c.shard, _knocking.c.held_out)
    return connection.execute(read.order_by(_knocking.c.at, _knocking.c.cause, _knocking.c.id)).all()


def _answer(connection: Connection, name: str, knocks: Sequence[Row[*tuple[Any, ...]]]) -> tuple[int, int]:
    """Let in or turn away those who knock at one journey, in their order; returns how many of each."""
    row = connection.execute(select(journey.c.version_id, journey.c.state).where(journey.c.name == name)).one_or_none()
    if row is None:
        return 0, 0
    version = load_version(connection, row.version_id)
    answers = _judge(version, row.state, _began(connection, name), knocks, _pasts(connection, name))
    if not answers:
        return 0, 0
    connection.execute(insert(_let_in), answers)
    mine = and_(_let_in.c.knock_id == _knocking.c.id, _knocking.c.journey == name)
    return _enrol(connection, version, mine), _turn_away(connection, mine)


def _judge(
    version: Version,
    state: str,
    began: int,
    knocks: Sequence[Row[*tuple[Any, ...]]],
    pasts: dict[str, _Past],
) -> list[dict[str, object]]:
    """The answer to each knock, as rows of the table; a repetition has none."""
    often = {each for each, count in Counter(knocked.customer_id for knocked in knocks).items() if count > 1}
    share, name = version.definition.held_out_share, version.journey
    answers: list[dict[str, object]] = []
    for each in knocks:
        who = each.customer_id
        past = pasts.get(who, _NO_PAST)
        if each.cause in past.causes:
            continue
        reason = _reason(version, state, began, each, past)
        if reason is not None:
            answers.append(_TURNED_AWAY | {"knock_id": each.id, "reason": reason})
            continue
        number = past.count + 1
        held_out = share > 0 and share_of("hold-out", name, who) < share
        enrolment_id = number_of("enrolment", name, who, each.cause, str(number))
        answers.append(
            {
                "knock_id": each.id,
                "enrolment_id": enrolment_id,
                "number": number,
                "held_out": held_out,
                "reason": None,
            }
        )
        if who in often:
            pasts.setdefault(who, _Past()).enter(each.cause, each.at, active=not held_out)
    return answers


def _enrol(connection: Connection, version: Version, mine: ColumnElement[bool]) -> int:
    held_out, at = _let_in.c.held_out, _knocking.c.at
    values: dict[str, ColumnElement[Any]] = {
        "id": _let_in.c.enrolment_id,
        "journey": _knocking.c.journey,
        "version_id": literal(version.id),
        "customer_id": _knocking.c.customer_id,
        "shard": _knocking.c.shard,
        "cause": _knocking.c.cause,
        "number": _let_in.c.number,
        "entered_at": at,
        "state": case((held_out, literal("exited")), else_=literal("active")),
        "reason": case((held_out, literal("held_out"))),
        "ended_at": case((held_out, at)),
        "goal_at": type_coerce(null(), Instant),
        "held_out": held_out,
        "node": literal(version.definition.start),
        "visit": literal(0),
        "step": literal(1),
        "moves": literal(0),
        "at": at,
        "timer_at": type_coerce(null(), Instant),
        "due_at": case((held_out, null()), else_=at),
    }
    entering = select(*values.values()).where(mine, _let_in.c.enrolment_id.is_not(None))
    # In the order of the key, so that rows that are neighbours are written together.
    return insert_new_from(connection, enrolment, list(values), entering.order_by(_let_in.c.enrolment_id))


def _turn_away(connection: Connection, mine: ColumnElement[bool]) -> int:
    columns = ["journey", "customer_id", "cause", "at", "reason"]
    told = [_knocking.c[name] for name in columns[:-1]]
    turned_away = select(*told, _let_in.c.reason).where(mine, _let_in.c.reason.is_not(None))
    return insert_new_from(connection, refusal, columns, turned_away.order_by(_knocking.c.customer_id, _knocking.c.id))


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


def _began(connection: Connection, name: str) -> int:
    """When a journey was first applied, in microseconds."""
    first = select(func.min(plain(journey_version.c.applied_at))).where(journey_version.c.journey == name)
    return connection.scalar(first) or 0


def _pasts(connection: Connection, name: str) -> dict[str, _Past]:
    """What those who knock have been in this journey, by customer; who has not been in it has no entry."""
    pasts: defaultdict[str, _Past] = defaultdict(_Past)
    asking = select(_knocking.c.customer_id).where(_knocking.c.journey == name)
    for row in connection.execute(
        select(
            enrolment.c.customer_id,
            enrolment.c.cause,
            enrolment.c.state,
            plain(enrolment.c.entered_at).label("entered_at"),
        ).where(enrolment.c.journey == name, enrolment.c.customer_id.in_(asking))
    ):
        pasts[row.customer_id].enter(row.cause, row.entered_at, active=row.state == "active")
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
