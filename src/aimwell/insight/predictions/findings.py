"""Findings of the guard: what it saw, how bad it is, and what to do, in words of both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aimwell.core.text import Text
from aimwell.insight.predictions.plain import Result

Severity = Literal["alarm", "warning", "note"]
Check = Literal[
    "too_good",
    "filled_after",
    "random_beats_time",
    "overlap",
    "base_rate_moves",
    "few_positives",
    "timeless",
    "dropped",
    "no_better_than_baseline",
    "nothing_is_closer",
    "not_random",
]


@dataclass(frozen=True, slots=True)
class Finding(Result):
    """One thing that the guard noticed without being asked.

    severity: an alarm means that the figures are probably not true.   column: the column it is about, if one.
    numbers: what it saw, by name.
    """

    check: Check
    severity: Severity
    text: Text
    column: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
