"""When people do things: a favourite hour and a weekday or weekend habit of each person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.simulation.chance import Floats, Integers

_HOURS = (8.0, 12.5, 20.5)
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Habits:
    """Arrays with one entry per person: favourite hour of the own clock, its spread in hours, share of weekends."""

    hour: Floats
    spread: Floats
    weekend: Floats

    def seconds(self, chance: np.random.Generator, who: Integers) -> Integers:
        """Seconds after local midnight at which each of these people acts, around the favourite hour."""
        hours = chance.normal(self.hour[who], self.spread[who])
        kept: Integers = (np.clip(hours, 0.05, 23.9) * 3600 + chance.integers(0, 60, len(who))).astype(np.int64)
        return np.minimum(kept, _DAY_SECONDS - 1)

    def days_of_week(self, chance: np.random.Generator, who: Integers) -> Integers:
        """A day of the week for each of these people, 0 Monday to 6 Sunday."""
        weekend = chance.random(len(who)) < self.weekend[who]
        drawn: Integers = np.where(weekend, chance.integers(5, 7, len(who)), chance.integers(0, 5, len(who)))
        return drawn


def draw_habits(chance: np.random.Generator, count: int) -> Habits:
    """Habits for so many people: mornings, lunch breaks or evenings, narrow or wide; few or many weekends."""
    hour = np.asarray(_HOURS)[chance.choice(3, size=count, p=[0.25, 0.25, 0.5])] + chance.normal(0, 0.7, count)
    return Habits(hour, spread=chance.uniform(0.8, 3.0, count), weekend=chance.beta(2, 3, count))
