"""How the simulated shop reaches people and hears from them: e-mails, pushes, their answers, devices and a survey."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aimwell.simulation.chance import Floats, Instants, Integers, Texts, happens, pick
from aimwell.simulation.records import Array, Records, canonical, ids, utc
from aimwell.simulation.shop.people import DAYS, HOBBIES, MOTIVES, START, Shoppers

_HOURS = (8, 12, 18, 20)
_EVERY = 14
_SURVEY_DAYS = (95, 250)
_ANSWERING = 0.45
_HONEST = 0.85


def moment(shoppers: Shoppers, who: Integers, day: Integers, second: Array) -> Instants:
    """Naive UTC instants from days since START and seconds of each customer's own clock."""
    return utc(START + day.astype("timedelta64[D]"), second, shoppers.people.offset_seconds[who])


def touch_tables(shoppers: Shoppers, chance: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """A newsletter and a push in turn every fortnight at an hour drawn by lot, and who opened and clicked."""
    touches, outcomes = Records(), Records()
    for wave, day in enumerate(range(6, DAYS, _EVERY)):
        _send(shoppers, chance, touches, outcomes, f"newsletter_{wave:02d}", "email", day)
        if day + 7 < DAYS:
            _send(shoppers, chance, touches, outcomes, f"push_{wave:02d}", "app_push", day + 7)
    sent, answered = touches.of("touch"), outcomes.of("outcome")
    return (
        canonical("touch", sent),
        canonical("outcome", answered | {"outcome_id": ids("O", len(answered["kind"]))}),
    )


def _send(
    shoppers: Shoppers,
    chance: np.random.Generator,
    touches: Records,
    outcomes: Records,
    campaign: str,
    channel: str,
    day: int,
) -> None:
    reachable = shoppers.around(day) & (shoppers.pushable if channel == "app_push" else True)
    who = np.flatnonzero(reachable)
    hour = chance.choice(_HOURS, size=len(who))
    days = np.full(len(who), day)
    touch_ids = np.asarray([f"{campaign}-{person}" for person in shoppers.people.ids[who]], dtype=object)
    touches.add(
        "touch",
        touch_id=touch_ids,
        customer_id=shoppers.people.ids[who],
        campaign=np.full(len(who), campaign, dtype=object),
        channel=np.full(len(who), channel, dtype=object),
        occurred_at=moment(shoppers, who, days, hour * 3600),
        probability=np.full(len(who), 1 / len(_HOURS)),
        cost=np.full(len(who), 0.01),
    )
    opened = happens(chance, _open_chance(shoppers, who, hour, channel), len(who))
    clicked = opened & happens(chance, 0.25, len(who))
    delay = np.minimum(chance.exponential(1_500, len(who)).astype(np.int64) + 30, 3 * 3600)
    for kind, reached, later in (("opened", opened, 0), ("clicked", clicked, 45)):
        at = moment(shoppers, who[reached], days[reached], hour[reached] * 3600 + delay[reached] + later)
        outcomes.add(
            "outcome",
            touch_id=touch_ids[reached],
            customer_id=shoppers.people.ids[who[reached]],
            kind=np.full(int(reached.sum()), kind, dtype=object),
            occurred_at=at,
        )


def _open_chance(shoppers: Shoppers, who: Integers, hour: Integers, channel: str) -> Floats:
    """The own rate, up to double near the favourite hour and less far from it."""
    rate = shoppers.opens_push if channel == "app_push" else shoppers.opens_mail
    near = np.exp(-0.5 * ((hour - shoppers.habits.hour[who]) / 2.5) ** 2)
    return np.minimum(rate[who] * (0.6 + 1.2 * near), 0.95)


def device_table(shoppers: Shoppers, chance: np.random.Generator) -> pa.Table:
    """One telephone each, a browser for some; a push token where pushes are allowed; last seen as each night tells."""
    rows, count = Records(), len(shoppers)
    everyone = np.arange(count)
    phone = pick(chance, ("ios", "android", "mini_program"), (30, 50, 20), count)
    model = np.full(count, None, dtype=object)
    model[phone == "ios"], model[phone == "android"] = "iPhone", "Android"
    push = np.full(count, None, dtype=object)
    push[shoppers.pushable] = "tok-" + shoppers.people.ids[shoppers.pushable]
    _device(rows, shoppers, chance, everyone, "P", phone, model, push)
    second = np.flatnonzero(happens(chance, 0.3, count))
    web = np.full(len(second), "web", dtype=object)
    nothing = np.full(len(second), None, dtype=object)
    _device(rows, shoppers, chance, second, "W", web, nothing, nothing)
    return canonical("device", rows.of("device"))


def _device(
    rows: Records,
    shoppers: Shoppers,
    chance: np.random.Generator,
    who: Integers,
    letter: str,
    kind: Texts,
    model: Texts,
    push: Texts,
) -> None:
    first = shoppers.known_at[who] + chance.integers(0, 86_400, len(who)).astype("timedelta64[s]")
    rows.add(
        "device",
        device_id=letter + shoppers.people.ids[who],
        customer_id=shoppers.people.ids[who],
        kind=kind,
        model=model,
        push_token=push,
        first_seen=first,
        known_at=first,
    )


def feedback_table(shoppers: Shoppers, chance: np.random.Generator) -> pa.Table:
    """A survey in April and one in September: motive, hobby, thrift and likelihood to recommend, one row per answer."""
    rows = Records()
    for day in _SURVEY_DAYS:
        who = np.flatnonzero(shoppers.around(day) & happens(chance, _ANSWERING, len(shoppers)))
        days = np.full(len(who), day)
        when = moment(shoppers, who, days, shoppers.habits.seconds(chance, who))
        _answer(rows, shoppers, who, when, "motive", text=_told(chance, shoppers.motive[who], MOTIVES))
        _answer(rows, shoppers, who, when, "hobby", text=_told(chance, shoppers.hobby[who], HOBBIES))
        thrift = np.clip(np.round(1 + 4 * shoppers.thrift[who] + chance.normal(0, 0.5, len(who))), 1, 5)
        _answer(rows, shoppers, who, when, "price_matters", rating=thrift)
        loyal = np.clip(
            np.round(
                10 - 6 * (shoppers.leaves[who] < day + 120) * chance.random(len(who)) + chance.normal(-2, 1.2, len(who))
            ),
            0,
            10,
        )
        _answer(rows, shoppers, who, when, "recommend", rating=loyal)
    columns = rows.of("feedback")
    return canonical("feedback", columns | {"feedback_id": ids("A", len(columns["source"]))})


def _told(chance: np.random.Generator, true: Texts, choices: tuple[str, ...]) -> Texts:
    guess = np.asarray(choices, dtype=object)[chance.integers(0, len(choices), len(true))]
    return np.asarray(np.where(happens(chance, _HONEST, len(true)), true, guess))


def _answer(
    rows: Records,
    shoppers: Shoppers,
    who: Integers,
    when: Instants,
    question: str,
    *,
    text: Texts | None = None,
    rating: Floats | None = None,
) -> None:
    rows.add(
        "feedback",
        customer_id=shoppers.people.ids[who],
        occurred_at=when,
        source=np.full(len(who), f"survey:{question}", dtype=object),
        text=np.full(len(who), None, dtype=object) if text is None else text,
        rating=np.full(len(who), np.nan) if rating is None else rating,
        language=shoppers.language[who],
    )
