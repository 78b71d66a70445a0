"""What customers did and what the simulated bank did to reach them: events, leads, touches and outcomes."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from aimwell.simulation.bank.campaigns import WEEKS_OF_EFFECT, Campaign
from aimwell.simulation.bank.course import NO_PRODUCT, Course
from aimwell.simulation.bank.people import OFFSET, START, WEEKS
from aimwell.simulation.chance import Booleans, Instants, Integers, Texts, happens
from aimwell.simulation.records import Array, Records, canonical, ids, utc

_LEAD_COST = {"branch": 40.0, "web": 15.0, "referral": 25.0, "advertising": 90.0}
_AT_THE_COUNTER = ("branch_visited",)
_MORNING, _EVENING = 10 * 3600, 18 * 3600
_DAYS = 7 * WEEKS


def moment(day: Integers, second: Array | int) -> Instants:
    """Naive UTC instants from days since START and seconds of the bank's clock."""
    return utc(START + day.astype("timedelta64[D]"), np.broadcast_to(second, day.shape), OFFSET)


def event_table(course: Course, chance: np.random.Generator) -> pa.Table:
    """Actions in the app and at the counter, the stages of leads, and who was held out of which campaign."""
    events = Records()
    _actions(course, events)
    _leads(course, chance, events)
    for campaign in course.campaigns:
        if campaign.share is not None:
            _hold_out(course, campaign, events)
    columns = events.of("event")
    order = np.lexsort((columns["name"].astype(str), columns["customer_id"].astype(str), columns["occurred_at"]))
    columns = {name: values[order] for name, values in columns.items()}
    count = len(order)
    app = columns["channel"] == "app"
    seconds = chance.integers(0, 5, count)
    delay = np.where(app & happens(chance, 0.03, count), chance.integers(3_600, 30 * 3_600, count), seconds)
    local = columns["occurred_at"].astype("datetime64[us]") + np.timedelta64(OFFSET, "s")
    dates = local.astype("datetime64[D]").astype(str)
    visits = [
        f"{who}-{day}" if here else None for who, day, here in zip(columns["customer_id"], dates, app, strict=True)
    ]
    return canonical(
        "event",
        columns
        | {
            "event_id": ids("E", count),
            "session_id": np.asarray(visits, dtype=object),
            "received_at": columns["occurred_at"] + delay.astype("timedelta64[s]"),
        },
    )


def _note(
    events: Records, course: Course, who: Integers, name: str | Texts, when: Instants, channel: str | Texts, text: Texts
) -> None:
    events.add(
        "event",
        customer_id=course.customers.people.ids[who],
        name=np.broadcast_to(np.asarray(name, dtype=object), who.shape),
        occurred_at=when,
        channel=np.broadcast_to(np.asarray(channel, dtype=object), who.shape),
        properties=text,
    )


def _actions(course: Course, events: Records) -> None:
    acts, shelf = course.records.of("act"), course.shelf
    names, details = acts["name"], acts["detail"].astype(np.int64)
    texts: list[str | None] = []
    for name, detail in zip(names, details, strict=True):
        if name == "product_viewed" and detail != NO_PRODUCT:
            texts.append(json.dumps({"product_id": shelf.ids[detail], "category": shelf.category[detail]}))
        else:
            texts.append(json.dumps({"amount": int(detail)}) if name == "loan_drawn" else None)
    channel = np.where(np.isin(names.astype(str), _AT_THE_COUNTER), "branch", "app").astype(object)
    when = moment(acts["day"].astype(np.int64), acts["second"])
    _note(events, course, acts["who"].astype(np.int64), names.astype(object), when, channel, _texts(texts))


def _leads(course: Course, chance: np.random.Generator, events: Records) -> None:
    """new, then contacted, then qualified or not, at last won (the account opens) or lost."""
    people = course.customers
    who = np.flatnonzero(people.prospect)
    joins, opens = people.joins[who] * 7, people.opens[who] * 7
    won = opens < _DAYS
    contacted = joins + chance.integers(0, 5, len(who))
    qualified = happens(chance, 0.25 + 0.6 * people.quality[who], len(who)) | won
    lost = joins + chance.integers(30, 61, len(who))
    everyone = np.ones(len(who), dtype=bool)
    stages: tuple[tuple[str, Booleans, Integers, int], ...] = (
        ("new", everyone, joins - 1, 20 * 3600 + 60),
        ("contacted", everyone, contacted, _MORNING),
        ("qualified", qualified, np.where(won, np.minimum(contacted + 1, opens - 1), contacted + 1), _EVENING),
        ("won", won, opens, _MORNING),
        ("lost", ~won & (people.opens[who] >= WEEKS), lost, _EVENING),
    )
    for stage, reached, day, second in stages:
        kept = np.flatnonzero(reached & (day < _DAYS))
        texts = [
            json.dumps(
                {
                    "lead_id": f"L-{people.people.ids[i]}",
                    "source": people.source[i],
                    "cost": _LEAD_COST[people.source[i]],
                }
            )
            for i in who[kept]
        ]
        _note(events, course, who[kept], f"lead_{stage}", moment(day[kept], second), "crm", _texts(texts))


def _hold_out(course: Course, campaign: Campaign, events: Records) -> None:
    who = np.flatnonzero(campaign.population & ~campaign.contacted)
    text = json.dumps({"campaign": campaign.name})
    when = moment(np.full(len(who), 7 * campaign.week - 1), _EVENING)
    _note(events, course, who, "campaign_hold_out", when, "crm", _texts([text] * len(who)))


def _texts(values: list[str | None] | list[str]) -> Texts:
    kept = np.empty(len(values), dtype=object)
    kept[:] = values
    return kept


def touch_tables(course: Course, chance: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Touches of all campaigns and their outcomes: delivered, opened, clicked, bought within the weeks of effect."""
    touches, outcomes = Records(), Records()
    number = 1
    for campaign in course.campaigns:
        who = np.flatnonzero(campaign.contacted)
        touch_ids = ids("T", len(who), first=number)
        number += len(who)
        day = np.full(len(who), 7 * campaign.week - 1)
        touches.add(
            "touch",
            touch_id=touch_ids,
            customer_id=course.customers.people.ids[who],
            campaign=np.full(len(who), campaign.name, dtype=object),
            offer_id=np.full(len(who), campaign.offer, dtype=object),
            channel=np.full(len(who), campaign.channel, dtype=object),
            occurred_at=moment(day, _EVENING),
            probability=np.full(len(who), np.nan if campaign.share is None else campaign.share),
            cost=np.full(len(who), campaign.cost),
        )
        _answers(course, chance, outcomes, touch_ids, who, day)
        _purchases_after(course, outcomes, touch_ids, who, campaign)
    columns = outcomes.of("outcome")
    return canonical("touch", touches.of("touch")), canonical(
        "outcome", columns | {"outcome_id": ids("O", len(columns["kind"]))}
    )


def _answers(
    course: Course, chance: np.random.Generator, outcomes: Records, touch_ids: Texts, who: Integers, day: Integers
) -> None:
    delivered = happens(chance, 0.97, len(who))
    opened = delivered & happens(chance, 0.15 + 0.6 * course.customers.people.digital[who], len(who))
    clicked = opened & happens(chance, 0.3, len(who))
    seconds = _EVENING + 30 + (chance.exponential(4_000, len(who))).astype(np.int64)
    for kind, reached, second in (
        ("delivered", delivered, np.full(len(who), _EVENING + 20)),
        ("opened", opened, seconds),
        ("clicked", clicked, seconds + 40),
    ):
        outcomes.add(
            "outcome",
            touch_id=touch_ids[reached],
            customer_id=course.customers.people.ids[who[reached]],
            kind=np.full(int(reached.sum()), kind, dtype=object),
            occurred_at=moment(day[reached], second[reached]),
            value=np.full(int(reached.sum()), np.nan),
        )


def _purchases_after(course: Course, outcomes: Records, touch_ids: Texts, who: Integers, campaign: Campaign) -> None:
    contracts = course.records.of("contract")
    day = contracts["day"].astype(np.int64)
    inside = (day >= 7 * campaign.week) & (day < 7 * (campaign.week + WEEKS_OF_EFFECT))
    kept = np.flatnonzero(inside & campaign.contacted[contracts["who"].astype(np.int64)])
    place = np.searchsorted(who, contracts["who"][kept].astype(np.int64))
    outcomes.add(
        "outcome",
        touch_id=touch_ids[place],
        customer_id=course.customers.people.ids[contracts["who"][kept].astype(np.int64)],
        kind=np.full(len(kept), "bought", dtype=object),
        occurred_at=moment(day[kept], contracts["second"][kept]),
        value=contracts["amount"][kept],
    )
