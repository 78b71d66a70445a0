"""What the plain reference knows of the world, and how it judges conditions for one enrolment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from aimwell.core.comparisons import comparisons
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

Value = bool | int | float | str | date


@dataclass(frozen=True)
class Passed:
    """One node left."""

    node: str
    visit: int
    arrived_at: datetime
    left_at: datetime
    port: str


@dataclass
class Stay:
    """One customer's passage through a version of a journey."""

    id: int
    journey: str
    version: int
    customer: str
    cause: str
    number: int
    entered_at: datetime
    node: str
    at: datetime
    state: str = "active"
    reason: str | None = None
    ended_at: datetime | None = None
    visit: int = 0
    step: int = 1
    step_at: datetime | None = None
    timer_at: datetime | None = None
    passages: list[Passed] = field(default_factory=list)
    tasks: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Told:
    """What came of a message: an open, a click, …"""

    key: str
    kind: str
    at: datetime
    machine: bool


@dataclass
class Known:
    """Everything that has come to be known so far."""

    zones: dict[str, str]
    happened: set[tuple[str, str, datetime, str]] = field(default_factory=set)
    members: dict[tuple[str, str], datetime] = field(default_factory=dict)
    values: dict[tuple[str, str], tuple[Value | None, datetime]] = field(default_factory=dict)
    stated: dict[tuple[str, str], datetime] = field(default_factory=dict)
    told: set[Told] = field(default_factory=set)
    consents: dict[tuple[str, str], tuple[bool, datetime]] = field(default_factory=dict)

    def instants(self, customer: str, signal: str) -> list[datetime]:
        return sorted(at for who, what, at, _ in self.happened if (who, what) == (customer, signal))


def holds(condition: Condition, stay: Stay, known: Known, until: datetime) -> bool:
    """Whether a condition holds; events and answers up to `until` count, all else as it is known now."""
    match condition:
        case AllOf():
            return all(holds(part, stay, known, until) for part in condition.all)
        case AnyOf():
            return any(holds(part, stay, known, until) for part in condition.any)
        case Not():
            return not holds(condition.not_, stay, known, until)
        case SegmentIs() | SegmentIsNot() | ValueIs():
            return true_since(condition, stay, known) is not None
        case Happened() | Outcome() | TaskIs():
            found = true_since(condition, stay, known)
            return found is not None and found <= until


def true_since(leaf: Leaf, stay: Stay, known: Known, since: datetime | None = None) -> datetime | None:
    """Since when a simple condition is true; `since`: only events from then on count."""
    match leaf:
        case Happened():
            start = since or _counted_from(leaf, stay)
            instants = known.instants(stay.customer, leaf.event.signal)
            return next((at for at in instants if start is not None and at >= start), None)
        case Outcome():
            return min(
                (
                    each.at
                    for each in known.told
                    if each.key.startswith(f"{stay.id}:{leaf.node}:") and each.kind in leaf.kinds and not each.machine
                ),
                default=None,
            )
        case SegmentIs():
            return known.members.get((stay.customer, leaf.segment))
        case SegmentIsNot():
            if (stay.customer, leaf.not_segment) in known.members:
                return None
            left = known.instants(stay.customer, f"leave:{leaf.not_segment}")
            return left[-1] if left else stay.entered_at
        case ValueIs():
            value, changed = known.values.get((stay.customer, leaf.value), (None, stay.entered_at))
            return changed if all(_compares(name, given, value) for name, given in comparisons(leaf)) else None
        case TaskIs():
            return max((at for at, node in stay.tasks.values() if node == leaf.task.node), default=None)


def _counted_from(leaf: Happened, stay: Stay) -> datetime | None:
    """From when events count: entry, or the last arrival at a node; None if the customer never came there."""
    if leaf.since is None:
        return stay.entered_at
    came = [each.arrived_at for each in stay.passages if each.node == leaf.since]
    return max([*came, stay.at] if stay.node == leaf.since else came, default=None)


def _compares(name: str, given: object, value: Value | None) -> bool:
    """One comparison of a profile value; numbers compare with numbers, dates with dates, texts with texts."""
    if name == "known":
        return (value is not None) is given
    if value is None:
        return False
    if name in {"in_", "not_in"}:
        assert isinstance(given, tuple)
        found = any(_same(value, each) for each in given)
        return found if name == "in_" else not found
    if name in {"is_", "is_not"}:
        return _same(value, given) is (name == "is_")
    if name == "contains":
        return isinstance(value, str) and str(given) in value
    if isinstance(value, str):
        return False
    seen = as_number(value)
    if name == "between":
        assert isinstance(given, tuple)
        return as_number(given[0]) <= seen <= as_number(given[1])
    bound = as_number(given)
    return {"at_least": seen >= bound, "at_most": seen <= bound, "above": seen > bound, "below": seen < bound}[name]


def _same(value: object, other: object) -> bool:
    if isinstance(value, str) or isinstance(other, str):
        return isinstance(value, str) and isinstance(other, str) and value == other
    return as_number(value) == as_number(other)


def as_number(value: object) -> float:
    """Yes is 1, no is 0, and a date is its days since 1970, as the ledger keeps them."""
    return float((value - date(1970, 1, 1)).days) if isinstance(value, date) else float(value)  # type: ignore[arg-type]
