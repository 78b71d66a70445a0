"""An independent checker: reads what was sent from the attempts and says which sends broke a rule.

Plain Python over rows; consent from its log, quiet hours from the wall clock that `zoneinfo` shows minute by minute,
caps by looking at each pair of contacts. It shares no code with delivery but the policy's own values.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, select

from aimwell.delivery.outbox.policy import Policy, QuietHours
from aimwell.store.ledger.schema.outbox import attempt, intent
from aimwell.store.ledger.schema.people import consent_log, customer

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sending:
    """One message that reached, or may have reached, somebody."""

    key: str
    customer_id: str
    channel: str
    purpose: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Violation:
    """A send that broke a rule."""

    rule: str
    sending: Sending


def read_sendings(connection: Connection) -> list[Sending]:
    """Each message that a provider took or may have taken, at the instant of its first such attempt."""
    query = (
        select(intent.c.key, intent.c.customer_id, intent.c.channel, intent.c.purpose, attempt.c.begun_at)
        .join(attempt, attempt.c.key == intent.c.key)
        .where(attempt.c.result.in_(("accepted", "unknown")) | attempt.c.result.is_(None))
        .order_by(attempt.c.begun_at, attempt.c.number)
    )
    first: dict[str, Sending] = {}
    for row in connection.execute(query):
        first.setdefault(row.key, Sending(row.key, row.customer_id, row.channel, row.purpose, row.begun_at))
    return list(first.values())


def violations(connection: Connection, policy: Policy, home: str) -> list[Violation]:
    """Every send that broke consent, quiet hours or a cap."""
    sendings = read_sendings(connection)
    zones = dict(connection.execute(select(customer.c.customer_id, customer.c.zone)).all())
    words: dict[tuple[str, str], list[tuple[datetime, bool, str]]] = defaultdict(list)
    for row in connection.execute(select(consent_log).order_by(consent_log.c.at, consent_log.c.id)):
        words[row.customer_id, row.purpose].append((row.at, row.granted, row.channel))
    found = [
        Violation("consent", each) for each in sendings if not _allowed(each, words[each.customer_id, each.purpose])
    ]
    found += [
        Violation("quiet hours", each) for each in sendings if _disturbs(each, policy, zones[each.customer_id], home)
    ]
    return found + [Violation("cap", each) for each in _over_cap(sendings, policy)]


def _allowed(sending: Sending, words: Sequence[tuple[datetime, bool, str]]) -> bool:
    """The last word on the channel and the last on all channels: no refusal, and for marketing at least one grant."""
    heard = {sending.channel, "*"}
    last = {channel: granted for at, granted, channel in words if at < sending.at and channel in heard}
    return False not in last.values() and (sending.purpose == "service" or True in last.values())


def _disturbs(sending: Sending, policy: Policy, zone: str, home: str) -> bool:
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        where = ZoneInfo(home)
    rules = [rule for rule in policy.quiet_hours if rule.purpose in {"*", sending.purpose}]
    today = sending.at.astimezone(where).date()
    days = [today - timedelta(days=1), today]
    return any(_within(sending.at, rule, where.key, day) for rule in rules for day in days)


def _within(at: datetime, rule: QuietHours, zone: str, day: date) -> bool:
    """Whether an instant is in the quiet stretch that begins on a local day."""
    if rule.weekdays is not None and day.weekday() not in rule.weekdays:
        return False
    since, until = (time.fromisoformat(text) for text in (rule.since, rule.until))
    following = day if until > since else day + timedelta(days=1)
    return first_shown(zone, day, since) <= at < first_shown(zone, following, until)


@lru_cache(maxsize=100_000)
def first_shown(zone: str, day: date, at: time) -> datetime:
    """The first minute at which the wall shows this time of this day or a later one, found by walking the minutes."""
    where, wanted = ZoneInfo(zone), datetime.combine(day, at)
    rough = wanted.replace(tzinfo=where).astimezone(UTC) - timedelta(hours=2)
    for step in range(6 * 60):
        instant = rough + step * MINUTE
        if instant.astimezone(where).replace(tzinfo=None) >= wanted:
            return instant
    raise AssertionError((zone, day, at))


def _over_cap(sendings: Iterable[Sending], policy: Policy) -> list[Sending]:
    """Messages that were one too many in the window that ends with them."""
    over = []
    people: dict[str, list[Sending]] = defaultdict(list)
    for each in sendings:
        people[each.customer_id].append(each)
    for cap in policy.caps:
        for sent in people.values():
            covered = [
                each
                for each in sorted(sent, key=lambda each: each.at)
                if (cap.channels == "*" or each.channel in cap.channels) and cap.purpose in {"*", each.purpose}
            ]
            times = [each.at for each in covered]
            for place, each in enumerate(covered):
                # Contacts in (at - within, at], this one included.
                if place + 1 - bisect_left(times, each.at - cap.within + timedelta(microseconds=1)) > cap.at_most:
                    over.append(each)
    return over
