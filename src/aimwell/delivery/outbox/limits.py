"""The rules that need more than the message itself: local hours, other contacts, money, and the channel's pace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)

from aimwell.core.errors import BadQuestion
from aimwell.core.time import zone
from aimwell.delivery.outbox.chunk import LATER, due
from aimwell.delivery.outbox.policy import Cap, Policy, QuietHours, purposes
from aimwell.store.ledger.clocks import keep_clocks
from aimwell.store.ledger.columns import Instant, length, micros
from aimwell.store.ledger.schema.journeys import journey
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.schema.people import clock
from aimwell.store.ledger.scratch import lay_out

MILLIONTHS_PER_HUNDREDTH = 10_000

_quiet = Table(
    "outbox_quiet",
    MetaData(),
    Column("zone", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("dropped", Integer, nullable=False),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


def apply_quiet_hours(connection: Connection, policy: Policy, home: ZoneInfo, now: datetime) -> None:
    """Whose clocks show a quiet hour waits until it ends; or is not sent, if the rule drops or it would expire first.

    A customer whose timezone does not exist has the workspace's (`home`).
    """
    if not policy.quiet_hours:
        return
    zones = [name for name in connection.scalars(select(due.c.zone).where(due.c.reason.is_(None)).distinct()) if name]
    if not zones:
        return
    read_as = {name: name if _exists(name) else home.key for name in zones}
    _keep_known(connection, policy, set(read_as.values()), now)
    lay_out(connection, _quiet)
    rows = [row for rule in policy.quiet_hours for row in _quiet_now(connection, rule, read_as, now)]
    if not rows:
        return
    connection.execute(insert(_quiet), rows)
    worst = (
        select(
            _quiet.c.zone,
            _quiet.c.purpose,
            type_coerce(func.max(_quiet.c.ends_at), BigInteger).label("ends_at"),
            func.max(_quiet.c.dropped).label("dropped"),
        )
        .group_by(_quiet.c.zone, _quiet.c.purpose)
        .subquery("worst")
    )
    gone = or_(worst.c.dropped == 1, due.c.expires_at <= worst.c.ends_at)
    connection.execute(
        update(due)
        .values(reason="quiet_hours", next_at=case((gone, null()), else_=worst.c.ends_at))
        .where(due.c.reason.is_(None), worst.c.zone == due.c.zone, worst.c.purpose == due.c.purpose)
    )


def _exists(name: str) -> bool:
    try:
        zone(name)
    except BadQuestion:
        return False
    return True


def _keep_known(connection: Connection, policy: Policy, zones: set[str], now: datetime) -> None:
    """Have the clock table reach past tomorrow in these timezones, and back to the last quiet stretch."""
    for minute in policy.minutes:
        known = set(
            connection.scalars(
                select(clock.c.zone)
                .where(clock.c.minute == minute, clock.c.zone.in_(zones))
                .where(clock.c.at.between(now, now + timedelta(days=3)))
                .distinct()
            )
        )
        if missing := zones - known:
            keep_clocks(connection, [minute], now, zones=sorted(missing))


def _quiet_now(
    connection: Connection, rule: QuietHours, read_as: Mapping[str, str], now: datetime
) -> list[dict[str, object]]:
    """The timezones in which a rule's stretch has begun and not ended.

    It runs from the instant at which the clocks show `since` to the one at which they show `until` on the same local
    day, or on the next if it goes over midnight.
    """
    since, until = rule.minutes
    begun = (
        select(clock.c.zone, func.max(clock.c.day).label("day"))
        .where(clock.c.minute == since, clock.c.zone.in_(set(read_as.values())))
        .where(clock.c.at.between(now - timedelta(days=2), now))
        .group_by(clock.c.zone)
    )
    if rule.weekdays is not None:
        begun = begun.where(clock.c.weekday.in_(sorted(rule.weekdays)))
    last = begun.subquery("last")
    ending = select(clock.c.zone, clock.c.at).join(
        last, and_(last.c.zone == clock.c.zone, clock.c.day == last.c.day + (1 if until < since else 0))
    )
    ends = dict(connection.execute(ending.where(clock.c.minute == until, clock.c.at > now)).all())
    return [
        {"zone": name, "purpose": purpose, "ends_at": ends[there], "dropped": int(rule.action == "drop")}
        for name, there in read_as.items()
        if there in ends
        for purpose in purposes(rule.purpose)
    ]


def hold_back_seconds(connection: Connection, policy: Policy) -> None:
    """Of several messages to one customer the first alone is judged by caps now; the others when its slot is taken.

    First is the higher priority, then the earlier due, then the key.
    """
    if not policy.caps:
        return
    place = func.row_number().over(
        partition_by=due.c.customer_id, order_by=(due.c.priority.desc(), due.c.due_at, due.c.key)
    )
    capped = or_(*(_covered(cap, due) for cap in policy.caps))
    ranked = select(due.c.key, place.label("place")).where(due.c.reason.is_(None), capped).subquery("ranked")
    connection.execute(update(due).values(reason=LATER).where(ranked.c.key == due.c.key, ranked.c.place > 1))


def apply_caps(connection: Connection, policy: Policy, now: datetime) -> None:
    """Whoever was contacted as often as a cap allows is not contacted, or waits until the window has room."""
    for cap in policy.caps:
        contacts = (
            select(intent.c.contacted_at)
            .where(intent.c.customer_id == due.c.customer_id)
            .where(intent.c.contacted_at > literal(now - cap.within, Instant))
            .where(intent.c.key != due.c.key, _covered(cap, intent))
            .order_by(intent.c.contacted_at.desc())
            .offset(cap.at_most - 1)
            .limit(1)
            .correlate(due)
            .scalar_subquery()
        )
        free_at: ColumnElement[Any] = null()
        if cap.action == "postpone":
            free = type_coerce(contacts, BigInteger) + length(cap.within)
            free_at = case((due.c.expires_at <= free, null()), else_=free)
        connection.execute(
            update(due)
            .values(reason="cap", detail=cap.label, next_at=free_at)
            .where(due.c.reason.is_(None), _covered(cap, due), contacts.is_not(None))
        )


def _covered(cap: Cap, messages: Table) -> ColumnElement[bool]:
    conditions = [messages.c.purpose.in_(purposes(cap.purpose))]
    if cap.channels != "*":
        conditions.append(messages.c.channel.in_(cap.channels))
    return and_(*conditions)


def apply_budgets(connection: Connection) -> None:
    """A journey whose budget is used up sends nothing more: costs add up in the order of priority, due time and key."""
    limited = (
        select(journey.c.name)
        .where(journey.c.budget.is_not(None))
        .where(journey.c.name.in_(select(due.c.journey).where(due.c.reason.is_(None))))
        .order_by(journey.c.name)
        .with_for_update()
    )
    if not connection.scalars(limited).all():
        return
    order = (due.c.priority.desc(), due.c.due_at, due.c.key)
    running = func.sum(due.c.cost).over(partition_by=due.c.journey, order_by=order, rows=(None, 0))
    summed = (
        select(due.c.key, due.c.journey, running.label("running"))
        .where(due.c.reason.is_(None), due.c.was != "unknown")
        .subquery("summed")
    )
    over = journey.c.spent + summed.c.running > journey.c.budget * MILLIONTHS_PER_HUNDREDTH
    connection.execute(
        update(due)
        .values(reason="budget", next_at=null())
        .where(due.c.key == summed.c.key, journey.c.name == summed.c.journey, over)
    )


def microseconds(instant: datetime) -> ColumnElement[int]:
    """An instant as a number that statements can count with."""
    return literal(micros(instant), BigInteger)
