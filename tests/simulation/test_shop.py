from __future__ import annotations

from collections import Counter
from datetime import datetime

import numpy as np
import pyarrow.compute as pc
import pytest

from aimwell.simulation import shop
from aimwell.simulation.market import Market


@pytest.fixture(scope="module")
def market() -> Market:
    return shop.simulate(3, 700)


def test_equal_seeds_give_equal_rows() -> None:
    shop.simulate.cache_clear()
    first = shop.tables(5, 40)
    shop.simulate.cache_clear()
    assert shop.tables(5, 40) == first


def test_a_forecast_is_issued_before_its_day_and_is_better_the_later_it_is_issued(market: Market) -> None:
    rows = market.tables["context"].to_pylist()
    seen = {
        (row["place"], row["day"]): row["value"]
        for row in rows
        if row["kind"] == "temperature" and not row["issued_at"]
    }
    misses: dict[int, list[float]] = {1: [], 2: [], 3: []}
    for row in rows:
        if row["kind"] == "temperature" and row["issued_at"] and (row["place"], row["day"]) in seen:
            ahead = round(
                (datetime.combine(row["day"], datetime.min.time()) - row["issued_at"]).total_seconds() / 86_400
            )
            misses[ahead].append(abs(row["value"] - seen[row["place"], row["day"]]))
    assert np.mean(misses[1]) < np.mean(misses[2]) < np.mean(misses[3])


def test_people_come_at_their_favourite_hour_of_their_own_clock(market: Market) -> None:
    truth = {row["customer_id"]: row["favourite_hour"] for row in market.truth["customers"].to_pylist()}
    zones = dict(
        zip(*(market.tables["customer"][name].to_pylist() for name in ("customer_id", "timezone")), strict=True)
    )
    events = market.tables["event"]
    opened = events.filter(pc.equal(events["name"], "app_opened"))
    gaps = [
        (when.hour + when.minute / 60 + (6 if zones[who] == "Asia/Urumqi" else 8)) % 24 - truth[who]
        for who, when in zip(opened["customer_id"].to_pylist(), opened["occurred_at"].to_pylist(), strict=True)
    ]
    assert abs(float(np.median(gaps))) < 0.3


def test_needed_categories_are_looked_at_and_bought_until_the_need_ends(market: Market) -> None:
    needs = market.truth["needs"].to_pylist()
    assert len(needs) > 100
    assert all(row["since"] <= row["until"] for row in needs)
    assert {row["need"] for row in needs} == {"beauty", "sport", "home", "electronics", "books", "baby"}


def test_every_line_of_an_order_belongs_to_one_customer_and_instant(market: Market) -> None:
    orders: dict[str, set[tuple[str, datetime]]] = {}
    lines: Counter[tuple[str, str]] = Counter()
    for row in market.tables["purchase"].to_pylist():
        orders.setdefault(row["order_id"], set()).add((row["customer_id"], row["occurred_at"]))
        lines[row["order_id"], row["line"]] += 1
    assert all(len(owners) == 1 for owners in orders.values())
    assert max(lines.values()) == 1


def test_true_opening_rates_show_in_the_answers(market: Market) -> None:
    truth = {row["customer_id"]: row["opens_mail"] for row in market.truth["customers"].to_pylist()}
    touches = market.tables["touch"]
    sent = Counter(touches.filter(pc.equal(touches["channel"], "email"))["customer_id"].to_pylist())
    mails = set(touches.filter(pc.equal(touches["channel"], "email"))["touch_id"].to_pylist())
    outcomes = market.tables["outcome"].to_pylist()
    opened = Counter(row["customer_id"] for row in outcomes if row["kind"] == "opened" and row["touch_id"] in mails)
    people = [who for who, count in sent.items() if count >= 10]
    rates = [opened[who] / sent[who] for who in people]
    assert np.corrcoef(rates, [truth[who] for who in people])[0, 1] > 0.75


def test_surveys_mostly_tell_the_truth(market: Market) -> None:
    truth = {row["customer_id"]: row["motive"] for row in market.truth["customers"].to_pylist()}
    answers = [row for row in market.tables["feedback"].to_pylist() if row["source"] == "survey:motive"]
    honest = sum(row["text"] == truth[row["customer_id"]] for row in answers) / len(answers)
    assert 0.8 < honest < 0.95
