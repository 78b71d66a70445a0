"""Conditions as expressions over the table of those who are being moved: whether they hold, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.sql.elements import KeyedColumnElement

from aimwell.core.comparisons import Comparison, comparisons
from aimwell.store.ledger.clocks import day_number
from aimwell.store.ledger.extremes import NEVER, earliest
from aimwell.store.ledger.schema.enrolments import happening, passage, task
from aimwell.store.ledger.schema.outbox import outcome
from aimwell.store.ledger.schema.people import membership, profile
from aimwell.strategy.journeys.conditions import (
    AllOf,
    AnyOf,
    Condition,
    Happened,
    Leaf,
    Not,
    Outcome,
    SegmentIs,
    SegmentIsNot,
    TaskIs,
    ValueIs,
)
from aimwell.strategy.journeys.moving import moving

Micros = ColumnElement[int]
Truth = ColumnElement[bool]


def plain(column: ColumnElement[Any]) -> Micros:
    """An instant as a whole number of microseconds."""
    return type_coerce(column, BigInteger)


def holds(condition: Condition, until: Micros) -> Truth:
    """Whether a condition holds for each row; events and answers up to and including `until` count."""
    match condition:
        case AllOf():
            return and_(*(holds(part, until) for part in condition.all))
        case AnyOf():
            return or_(*(holds(part, until) for part in condition.any))
        case Not():
            return not_(holds(condition.not_, until))
        case SegmentIs():
            return _member(condition.segment)
        case SegmentIsNot():
            return not_(_member(condition.not_segment))
        case ValueIs():
            return _valued(condition)
        case Happened() | Outcome() | TaskIs():
            return became(condition, until=until).is_not(None)


def became(leaf: Leaf, *, until: Micros | None = None, since: Micros | None = None) -> Micros:
    """Since when a simple condition holds for each row, in microseconds; NULL where it does not.

    until, since: bounds on events and answers, both included; `since` goes before the condition's own.
    """
    match leaf:
        case Happened():
            start = since if since is not None else _since(leaf)
            found = select(func.min(plain(happening.c.at))).where(
                happening.c.customer_id == moving.c.customer_id,
                happening.c.signal == leaf.event.signal,
                plain(happening.c.at) >= start,
            )
            return (found if until is None else found.where(plain(happening.c.at) <= until)).scalar_subquery()
        case Outcome():
            answered = select(func.min(plain(outcome.c.at))).where(
                outcome.c.enrolment_id == moving.c.id,
                outcome.c.node == leaf.node,
                outcome.c.kind.in_(leaf.kinds),
                outcome.c.machine.is_(false()),
            )
            return (answered if until is None else answered.where(plain(outcome.c.at) <= until)).scalar_subquery()
        case TaskIs():
            other = task.alias()  # where people come again, the newest one counts
            newest = select(func.max(plain(other.c.at))).where(
                other.c.enrolment_id == moving.c.id, other.c.node == leaf.task.node
            )
            reached = select(func.min(plain(task.c.changed_at))).where(
                task.c.enrolment_id == moving.c.id,
                task.c.node == leaf.task.node,
                task.c.stage == leaf.task.stage,
                plain(task.c.at) == newest.correlate(moving).scalar_subquery(),
            )
            return (reached if until is None else reached.where(plain(task.c.changed_at) <= until)).scalar_subquery()
        case SegmentIs():
            return _member_since(leaf.segment)
        case SegmentIsNot():
            left = select(func.max(plain(happening.c.at))).where(
                happening.c.customer_id == moving.c.customer_id, happening.c.signal == f"leave:{leaf.not_segment}"
            )
            return case(
                (_member(leaf.not_segment), null()),
                else_=func.coalesce(left.scalar_subquery(), plain(moving.c.entered_at)),
            )
        case ValueIs():
            return case((_valued(leaf), func.coalesce(_value_since(leaf.value), plain(moving.c.entered_at))))


def goal_reached(rules: Iterable[Condition], until: Micros) -> Micros:
    """When the first of several goals came true, if that was by `until`; NULL where none did."""
    return earliest(*(_in_time(as_leaf(rule), until) for rule in rules))


def _in_time(leaf: Leaf, until: Micros) -> Micros:
    found = became(leaf, until=until)
    return case((found <= until, found)) if isinstance(leaf, SegmentIs | SegmentIsNot | ValueIs) else found


def as_leaf(condition: Condition) -> Leaf:
    """A goal or exit rule; the definition lets only simple conditions in."""
    if isinstance(condition, AllOf | AnyOf | Not):
        raise TypeError("goal and exit rules are simple conditions")
    return condition


def _since(leaf: Happened) -> Micros:
    if leaf.since is None:
        return plain(moving.c.entered_at)
    came = (
        select(func.max(plain(passage.c.arrived_at)))
        .where(passage.c.enrolment_id == moving.c.id, passage.c.node == leaf.since)
        .correlate(moving)  # it stands within another look-up and would read everybody's rows
    )
    here = case((moving.c.node == leaf.since, plain(moving.c.at)))
    # Who never came there has nothing that could count: no event is as late as this.
    return func.coalesce(here, came.scalar_subquery(), literal(NEVER, BigInteger))


def _member(segment: str) -> Truth:
    return exists().where(membership.c.customer_id == moving.c.customer_id, membership.c.segment == segment)


def _member_since(segment: str) -> Micros:
    return (
        select(plain(membership.c.since))
        .where(membership.c.customer_id == moving.c.customer_id, membership.c.segment == segment)
        .scalar_subquery()
    )


def _value_since(name: str) -> Micros:
    return (
        select(plain(profile.c.since))
        .where(profile.c.customer_id == moving.c.customer_id, profile.c.name == name)
        .scalar_subquery()
    )


def _valued(leaf: ValueIs) -> Truth:
    comparison = leaf.comparison
    # A tag that was taken back leaves a row that holds nothing.
    known = or_(profile.c.text.is_not(None), profile.c.number.is_not(None))
    row = exists().where(profile.c.customer_id == moving.c.customer_id, profile.c.name == leaf.value, known)
    if comparison.known is False:
        return not_(row)
    return row.where(*compared(comparison))


def compared(comparison: Comparison) -> list[Truth]:
    """Comparisons of a profile value: numbers, yes and no and dates with `number`, texts with `text`."""
    return [_compared(name, given) for name, given in comparisons(comparison)]


def _compared(name: str, given: Any) -> Truth:  # noqa: ANN401 (what a comparison compares to)
    if name == "known":
        return or_(profile.c.text.is_not(None), profile.c.number.is_not(None))
    if name == "contains":
        # Not LIKE: in SQLite it takes large and small letters for the same.
        return func.replace(profile.c.text, given, "") != profile.c.text
    if name == "between":
        return _column(given[0]).between(_bound(given[0]), _bound(given[1]))
    if name in {"in_", "not_in"}:
        texts = [_bound(each) for each in given if isinstance(each, str)]
        numbers = [_bound(each) for each in given if not isinstance(each, str)]
        among = or_(profile.c.text.in_(texts), profile.c.number.in_(numbers))
        return among if name == "in_" else func.coalesce(not_(among), literal(True))
    column = _column(given)
    if name == "is_not":
        return func.coalesce(column != _bound(given), literal(True))  # a number is not any text
    operations = {
        "is_": column.__eq__,
        "at_least": column.__ge__,
        "at_most": column.__le__,
        "above": column.__gt__,
        "below": column.__lt__,
    }
    return operations[name](_bound(given))


def _column(given: object) -> KeyedColumnElement[Any]:
    return profile.c.text if isinstance(given, str) else profile.c.number


def _bound(given: object) -> object:
    if isinstance(given, bool):
        return float(given)
    if isinstance(given, date):
        return float(day_number(given))
    return given
