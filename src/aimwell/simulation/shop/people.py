"""The customers of the simulated shop: what they like, how they answer, what weather and holidays do to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.simulation.chance import Booleans, Floats, Instants, Integers, Texts, happens, pick
from aimwell.simulation.habits import Habits, draw_habits
from aimwell.simulation.population import CITIES, People, draw_people

START = np.datetime64("2025-01-01")
DAYS = 365
NEVER = 10_000  # a day that does not come
CATEGORIES: tuple[str, ...] = (
    "fresh",
    "rainwear",
    "ice_cream",
    "beauty",
    "sport",
    "home",
    "electronics",
    "books",
    "baby",
)
MOTIVES: tuple[str, ...] = ("price", "quality", "novelty", "convenience", "health")
HOBBIES: tuple[str, ...] = ("sport", "reading", "cooking", "travel", "games")
_TASTE = np.asarray([4.0, 0.5, 1.2, 1.5, 1.2, 1.5, 0.8, 1.0, 0.6])
_SOURCES = ("search", "referral", "advertising", "mini_program")


@dataclass(frozen=True, slots=True)
class Shoppers:
    """Arrays with one entry per customer; days count from START, shares lie between 0 and 1.

    `pace` is the chance of a visit on a plain day, `taste` the shares of categories [customers, categories];
    `opens_mail` and `opens_push` are the true rates; `rainy` and `festive` say how much rain sells rainwear and heat
    ice cream, and how much a coming holiday adds to visits.
    """

    people: People
    habits: Habits
    joins: Integers
    leaves: Integers
    language: Texts
    source: Texts
    pace: Floats
    taste: Floats
    thrift: Floats
    opens_mail: Floats
    opens_push: Floats
    pushable: Booleans
    rainy: Floats
    festive: Floats
    motive: Texts
    hobby: Texts
    parent: Booleans

    def __len__(self) -> int:
        return len(self.people)

    @property
    def known_at(self) -> Instants:
        """When each customer signed up, in naive UTC: a minute after the own midnight of the day of joining."""
        local = (START + self.joins.astype("timedelta64[D]")).astype("datetime64[s]") + np.timedelta64(60, "s")
        return np.asarray((local - self.people.offset_seconds.astype("timedelta64[s]")).astype("datetime64[us]"))

    def around(self, day: int) -> Booleans:
        """Who has joined and has not left."""
        return (self.joins <= day) & (day < self.leaves)


def draw_shoppers(chance: np.random.Generator, count: int) -> Shoppers:
    """Two in three were there before the year began; the others join through it, and one in five leaves."""
    people = draw_people(chance, count, prefix="S", today=START)
    joins = np.where(
        happens(chance, 0.35, count), chance.integers(0, DAYS - 20, count), -chance.integers(5, 700, count)
    )
    leaves = np.maximum(joins, 0) + chance.integers(30, 3 * DAYS, count)
    hobby = pick(chance, HOBBIES, (24, 20, 22, 18, 16), count)
    parent = happens(chance, np.where(people.income > 0, 0.22, 0.0), count)
    english = np.asarray([city.english for city in CITIES])[people.city]
    return Shoppers(
        people=people,
        habits=draw_habits(chance, count),
        joins=joins.astype(np.int64),
        leaves=np.where(happens(chance, 0.35, count), leaves, NEVER).astype(np.int64),
        language=np.where(chance.random(count) < english, "en", "zh-CN").astype(object),
        source=pick(chance, _SOURCES, (35, 20, 25, 20), count),
        pace=chance.gamma(1.6, 0.05, count),
        taste=_tastes(chance, count, hobby, parent),
        thrift=chance.beta(2, 2, count),
        opens_mail=chance.beta(1.6, 4, count),
        opens_push=chance.beta(1.3, 6, count),
        pushable=happens(chance, 0.25 + 0.6 * people.digital, count),
        rainy=chance.beta(1.5, 2, count),
        festive=chance.beta(1.2, 2, count),
        motive=pick(chance, MOTIVES, (30, 24, 14, 20, 12), count),
        hobby=hobby,
        parent=parent,
    )


def _tastes(chance: np.random.Generator, count: int, hobby: Texts, parent: Booleans) -> Floats:
    """Shares of categories: a common taste, moved by the hobby and by having children."""
    weights = np.tile(_TASTE, (count, 1))
    weights[:, CATEGORIES.index("sport")] *= np.where(hobby == "sport", 4.0, 0.6)
    weights[:, CATEGORIES.index("books")] *= np.where(hobby == "reading", 4.0, 0.6)
    weights[:, CATEGORIES.index("fresh")] *= np.where(hobby == "cooking", 1.8, 0.9)
    weights[:, CATEGORIES.index("electronics")] *= np.where(hobby == "games", 3.5, 0.7)
    weights[:, CATEGORIES.index("baby")] *= np.where(parent, 6.0, 0.2)
    drawn = chance.gamma(weights)
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))
