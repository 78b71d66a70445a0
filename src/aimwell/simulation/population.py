"""The people of a simulated market: who they are, where they live, how digital they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.simulation.chance import Floats, Instants, Integers, Texts, pick
from aimwell.simulation.records import ids


@dataclass(frozen=True, slots=True)
class City:
    """A city with its clock, its languages and its climate (degrees Celsius, share of wet days)."""

    name: str
    region: str
    timezone: str
    offset_hours: int
    weight: float
    english: float
    warmth: float
    swing: float
    wet: float


# None of these zones has daylight saving, so that one offset holds all year.
CITIES: tuple[City, ...] = (
    City("上海", "上海", "Asia/Shanghai", 8, 22, 0.05, 17.5, 12, 0.35),
    City("北京", "北京", "Asia/Shanghai", 8, 20, 0.04, 13.0, 16, 0.18),
    City("广州", "广东", "Asia/Shanghai", 8, 16, 0.03, 22.5, 8, 0.42),
    City("成都", "四川", "Asia/Shanghai", 8, 14, 0.01, 17.0, 10, 0.40),
    City("武汉", "湖北", "Asia/Shanghai", 8, 11, 0.01, 17.5, 13, 0.33),
    City("哈尔滨", "黑龙江", "Asia/Shanghai", 8, 7, 0.01, 5.0, 21, 0.25),
    City("乌鲁木齐", "新疆", "Asia/Urumqi", 6, 5, 0.01, 7.5, 19, 0.15),
    City("新加坡", "新加坡", "Asia/Singapore", 8, 5, 0.60, 27.5, 1, 0.48),
)


@dataclass(frozen=True, slots=True)
class People:
    """Arrays with one entry per person; `city` is a place in CITIES, `digital` the share of life in the app."""

    ids: Texts
    gender: Texts
    birth_date: Instants
    city: Integers
    income: Floats
    occupation: Texts
    education: Texts
    digital: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def city_texts(self, part: str) -> Texts:
        """One of the texts of each person's city: name, region or timezone."""
        return np.asarray([getattr(city, part) for city in CITIES], dtype=object)[self.city]

    @property
    def offset_seconds(self) -> Integers:
        """How far each person's clock is ahead of UTC."""
        return np.asarray([city.offset_hours * 3600 for city in CITIES], dtype=np.int64)[self.city]


def draw_people(chance: np.random.Generator, count: int, *, prefix: str, today: np.datetime64) -> People:
    """So many people; the younger live more in the app; income (CNY a month) is lognormal and peaks in mid-life."""
    age = np.clip(chance.gamma(9, 4.6, count), 19, 82)
    education = pick(chance, ("高中及以下", "大专", "本科", "硕士及以上"), (30, 27, 33, 10), count)
    learned = np.select([education == "本科", education == "硕士及以上"], [0.25, 0.5], 0.0)
    peak = -0.5 * ((age - 44) / 22) ** 2
    income = np.round(np.exp(chance.normal(9.15, 0.45, count) + learned + peak), -1)
    days = (age * 365.25).astype(np.int64)
    weights = np.asarray([city.weight for city in CITIES])
    return People(
        ids=ids(prefix, count),
        gender=pick(chance, ("F", "M"), (51, 49), count),
        birth_date=(today.astype("datetime64[D]") - days.astype("timedelta64[D]")),
        city=chance.choice(len(CITIES), size=count, p=weights / weights.sum()),
        income=income,
        occupation=_occupation(chance, age),
        education=education,
        digital=np.clip(chance.beta(3, 2, count) * (1.25 - (age - 19) / 90), 0.02, 1.0),
    )


def _occupation(chance: np.random.Generator, age: Floats) -> Texts:
    drawn = pick(chance, ("职员", "专业人士", "个体经营", "公务员", "自由职业"), (45, 20, 15, 12, 8), len(age))
    drawn[age >= 61] = "退休"
    drawn[age < 22] = "学生"
    return drawn
