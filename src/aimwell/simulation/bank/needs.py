"""How needs arise in the simulated bank, how they show, and how they are met or pass."""

from __future__ import annotations

import numpy as np

from aimwell.simulation.bank.course import NO_PRODUCT, Course
from aimwell.simulation.bank.money import IDLE
from aimwell.simulation.bank.products import OPEN_ENDED
from aimwell.simulation.chance import Booleans, Floats, Integers, happens


def feel(course: Course, week: int, freed: Floats, raised: Booleans) -> None:
    """Needs arise: money that has become free or a rise in pay make them likelier; they last six to ten weeks."""
    people, chance, count = course.customers, course.chance, len(course.customers)
    rich = course.deposit > 4 * course.income
    pull = people.wants_wealth * (0.02 + 0.02 * rich) + 0.45 * (freed > IDLE) + 0.35 * raised
    for name, need, probability in (
        ("wealth", course.wealth_need, pull),
        ("loan", course.loan_need, people.wants_loan * 0.02),
    ):
        need[:] = np.maximum(need - 1, 0)
        begins = np.flatnonzero((need == 0) & course.around(week) & happens(chance, probability, count))
        need[begins] = chance.integers(6, 11, len(begins))
        course.truth.add(
            "need",
            who=begins,
            need=np.full(len(begins), name, dtype=object),
            day=np.full(len(begins), 7 * week),
            weeks=need[begins],
        )


def show(course: Course, week: int) -> None:
    """What shows in the app and at the counter: a need makes people look, most of all those who live in the app."""
    people, count = course.customers, len(course.customers)
    around = course.around(week)
    digital = people.people.digital * around
    wealth, loan = course.wealth_need > 0, course.loan_need > 0
    keen = np.where(people.prospect & (people.opens > week), 0.6 * people.quality, 0.0)
    rates = {
        "app_opened": digital * (0.7 + 0.5 * wealth + 0.4 * loan + keen),
        "product_viewed": digital * (0.06 + 1.3 * wealth + keen),
        "loan_calculator_used": digital * (0.008 + 0.8 * loan),
        "branch_visited": around * (0.02 + 0.25 * (1 - people.people.digital) * (wealth | loan)),
    }
    for name, rate in rates.items():
        who = np.repeat(np.arange(count), course.chance.poisson(rate))
        seen = _looked_at(course, week, who) if name == "product_viewed" else np.full(len(who), NO_PRODUCT)
        course.act(name, week, who, detail=seen)


def _looked_at(course: Course, week: int, who: Integers) -> Integers:
    people = course.customers
    chosen = [
        course.shelf.choose(course.chance, 7 * week, risk=int(people.risk[person]), term=int(people.term[person]))
        for person in who
    ]
    return np.asarray([NO_PRODUCT if product is None else product for product in chosen], dtype=np.int64)


def buy(course: Course, week: int) -> None:
    """Buy wealth products: hardly ever without a need or with little money; contacts add their true effect."""
    everyone = np.arange(len(course.customers))
    able = course.active(week) & (course.deposit > IDLE)
    needing = course.wealth_need > 0
    plain = able * (0.0015 + 0.14 * needing)
    probability = plain.copy()
    for campaign in course.campaigns:
        if campaign.runs(week):
            moved = campaign.moved(plain, needing, week)
            number = np.full(len(everyone), campaign.number)
            course.truth.add("effect", campaign=number, who=everyone, plain=plain, moved=moved)
            probability = np.where(campaign.contacted, moved, probability)
    for who in np.flatnonzero(course.chance.random(len(everyone)) < probability):
        _sign(course, week, int(who))


def _sign(course: Course, week: int, who: int) -> None:
    """One contract: a product on sale that fits risk and term, for a good part of the idle money."""
    people, chance = course.customers, course.chance
    one = np.asarray([who])
    day = 7 * week + int(people.habits.days_of_week(chance, one)[0])
    second = int(people.habits.seconds(chance, one)[0])
    product = course.shelf.choose(chance, day, risk=int(people.risk[who]), term=int(people.term[who]))
    amount = float(np.floor(course.deposit[who] * chance.uniform(0.35, 0.8) / 1000) * 1000)
    if product is None or amount < course.shelf.least[product]:
        return
    if day - course.tested[who] > 365:  # a new risk test comes before the contract
        course.tested[who] = day
        course.records.add("tested", who=one, day=np.asarray([day]), second=np.asarray([max(second - 600, 0)]))
    term = int(course.shelf.term[product])
    course.deposit[who] -= amount
    if term == OPEN_ENDED:
        course.fund[who] += amount
    else:
        course.hold(who, product, amount, day + term)
    course.records.add(
        "contract",
        who=one,
        day=np.asarray([day]),
        second=np.asarray([second]),
        product=np.asarray([product]),
        amount=np.asarray([amount]),
        digital=np.asarray([chance.random() < people.people.digital[who]]),
    )
    if chance.random() < 0.7:
        course.wealth_need[who] = 0
        course.truth.add("met", who=one, need=np.asarray(["wealth"], dtype=object), day=np.asarray([day]))
