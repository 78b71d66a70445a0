"""The weather of the simulated cities: temperature and rain of each day, and forecasts one to three days ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aimwell.simulation.chance import Floats, Integers
from aimwell.simulation.population import CITIES
from aimwell.simulation.records import Array, Records, canonical, utc
from aimwell.simulation.shop.people import DAYS, START

AHEAD = 3
_ISSUED_SECOND = 6 * 3600
_ERROR = 1.3  # degrees per day ahead


@dataclass(frozen=True, slots=True)
class Weather:
    """Arrays [cities, days + AHEAD]: degrees Celsius at noon, millimetres of rain."""

    temperature: Floats
    rain: Floats


def draw_weather(chance: np.random.Generator) -> Weather:
    """A year's swing around each city's warmth, days that resemble the day before, and wet days as often as there."""
    days = np.arange(DAYS + AHEAD)
    season = -np.cos(2 * np.pi * (days - 15) / 365)
    temperature, rain = np.empty((len(CITIES), len(days))), np.empty((len(CITIES), len(days)))
    for place, city in enumerate(CITIES):
        drift = np.zeros(len(days))
        for day in range(1, len(days)):
            drift[day] = 0.75 * drift[day - 1] + chance.normal(0, 2.0)
        temperature[place] = city.warmth + city.swing * season + drift
        wet = chance.random(len(days)) < np.clip(city.wet * (1 + 0.4 * season), 0, 0.95)
        rain[place] = np.where(wet, chance.gamma(0.9, 9.0, len(days)), 0.0)
    return Weather(np.round(temperature, 1), np.round(rain, 1))


def context_table(chance: np.random.Generator, weather: Weather) -> pa.Table:
    """What was seen each day (known when the day has ended), and what was forecast each morning for the next days."""
    rows = Records()
    for place, city in enumerate(CITIES):
        for kind, values in (("temperature", weather.temperature[place]), ("rain", weather.rain[place])):
            _add(rows, city.name, kind, np.arange(DAYS), values[:DAYS], np.full(DAYS, np.datetime64("NaT")))
            for ahead in range(1, AHEAD + 1):
                issued = np.arange(DAYS)
                seen = values[issued + ahead]
                told = seen + chance.normal(0, _ERROR * ahead, DAYS)
                if kind == "rain":
                    told = np.where(
                        chance.random(DAYS) < 0.1 * ahead, chance.permutation(seen), np.maximum(told, 0) * (seen > 0)
                    )
                when = utc(
                    START + issued.astype("timedelta64[D]"), np.full(DAYS, _ISSUED_SECOND), city.offset_hours * 3600
                )
                _add(rows, city.name, kind, issued + ahead, np.round(told, 1), when)
    return canonical("context", rows.of("context"))


def _add(rows: Records, city: str, kind: str, days: Integers, values: Floats, issued: Array) -> None:
    rows.add(
        "context",
        day=START + days.astype("timedelta64[D]"),
        place=np.full(len(days), city, dtype=object),
        kind=np.full(len(days), kind, dtype=object),
        value=values,
        issued_at=issued.astype("datetime64[us]"),
    )
