"""Limits beside the budget: how many customers may, or must, get some treatments; and what contradicts what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.science.allocation.choices import Choices
from aimwell.science.arrays import BoolArray, FloatArray, IntArray

_BITS = 16


@dataclass(frozen=True, slots=True)
class Limit:
    """How many customers get one of these treatments: a channel's capacity, or a treatment's quota.

    name: how errors and prices call it.   treatments: their numbers.   at_most, at_least: counts of customers, both
    included; None and 0 limit nothing.
    """

    name: str
    treatments: tuple[int, ...]
    at_most: int | None = None
    at_least: int = 0


class ContradictoryLimits(BadQuestion):
    """No allocation can meet these limits together; `names` are those that contradict each other, and no others."""

    def __init__(self, names: Sequence[str], *, seen: str = "") -> None:
        self.names = tuple(names)
        super().__init__(
            f"These limits contradict each other: {', '.join(self.names)}",
            expected="limits that can be met together",
            seen=seen,
            remedy="Loosen one of them.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Limits as inequalities, usage at most bound; a minimum counts backwards.

    names: of the limit [limits].   usage: what one customer with the treatment adds [limits, treatments].
    bounds: [limits].
    """

    names: tuple[str, ...]
    usage: FloatArray
    bounds: FloatArray

    def take(self, kept: Sequence[int]) -> Rows:
        """Some of the inequalities."""
        places = list(kept)
        return Rows(tuple(self.names[place] for place in places), self.usage[places], self.bounds[places])


def check_limits(limits: Sequence[Limit], treatments: int) -> None:
    """Raises BadQuestion for a limit about a treatment that does not exist, of negative numbers, or named twice."""
    for limit in limits:
        least = min(limit.at_least, limit.at_least if limit.at_most is None else limit.at_most)
        if not limit.treatments or not all(0 <= each < treatments for each in limit.treatments):
            seen = ", ".join(map(str, limit.treatments)) or "none"
            raise BadQuestion(f"Limit {limit.name!r}: unknown treatments", expected=f"0 to {treatments - 1}", seen=seen)
        if least < 0:
            raise BadQuestion(f"Limit {limit.name!r}: negative numbers", expected="counts from 0", seen=f"{least}")
    names = [limit.name for limit in limits]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadQuestion(f"Two limits have the same name: {', '.join(twice)}", expected="one name for each")


def inequalities(limits: Iterable[Limit], treatments: int) -> Rows:
    """The limits as inequalities: each maximum first, then each minimum above zero, in the order given."""
    limits = tuple(limits)
    most = [(limit, 1.0, float(limit.at_most)) for limit in limits if limit.at_most is not None]
    least = [(limit, -1.0, -float(limit.at_least)) for limit in limits if limit.at_least > 0]
    usage = np.zeros((len(most) + len(least), treatments))
    for row, (limit, sign, _) in enumerate((*most, *least)):
        usage[row, list(limit.treatments)] = sign
    bounds = np.array([bound for _, _, bound in (*most, *least)], dtype=np.float64)
    return Rows(tuple(limit.name for limit, _, _ in (*most, *least)), usage, bounds)


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Customers who may get the same treatments are of one kind.

    kind: of each customer, from 0 [customers].   allowed: [kinds, treatments].   people: how many of each [kinds].
    """

    kind: IntArray
    allowed: BoolArray
    people: FloatArray


def kinds_of_customers(given: Choices) -> Kinds:
    """What customers may get, as the few kinds that there are."""
    allowed = given.allowed
    if given.treatments > _BITS:
        found, kind = np.unique(allowed.T, axis=0, return_inverse=True)
        kind = kind.ravel().astype(np.int64)
        return Kinds(kind, found, np.bincount(kind).astype(np.float64))
    codes = np.zeros(given.people, dtype=np.int64)
    for treatment in range(given.treatments):
        codes |= allowed[treatment].astype(np.int64) << treatment
    counts = np.bincount(codes, minlength=1 << given.treatments)
    there = np.flatnonzero(counts)
    number = np.zeros(counts.size, dtype=np.int64)
    number[there] = np.arange(there.size)
    bits = (there[:, None] >> np.arange(given.treatments)[None, :]) & 1
    return Kinds(number[codes], bits == 1, counts[there].astype(np.float64))
