"""How money moves in the simulated bank (pay, spending, maturities, loans, cards, leaving) and stands in the books."""

from __future__ import annotations

import numpy as np

from aimwell.simulation.bank.course import NO_PRODUCT, Course
from aimwell.simulation.bank.people import START
from aimwell.simulation.chance import Booleans, Floats, Texts, happens

SPRING_FESTIVAL = np.datetime64("2025-01-29")
IDLE = 10_000.0  # money that lies idle is at least this much
_EVERY = 4  # weeks between two showings of all but deposits


def open_old_deposits(course: Course) -> None:
    """A quarter of the customers start with a term deposit that matures within its term."""
    people = course.customers
    for who in np.flatnonzero((people.opens <= 0) & happens(course.chance, 0.25, len(people))):
        amount = float(np.round(people.wealth[who] * course.chance.uniform(0.3, 1.5), -2))
        course.hold(
            int(who), NO_PRODUCT, max(amount, 1_000.0), int(course.chance.integers(7, int(people.term[who]) + 8))
        )


def earn(course: Course, week: int) -> Booleans:
    """Salaries on paydays, with a bonus before the Spring Festival; others' takings; returns whose pay has risen."""
    people, chance = course.customers, course.chance
    active = course.active(week)
    raised = active & people.salaried & happens(chance, 0.0022, len(people))
    course.income[raised] *= chance.uniform(1.2, 1.6, int(raised.sum()))
    for day in range(7 * week, 7 * week + 7):
        date = START + np.timedelta64(day, "D")
        of_month = int((date - date.astype("datetime64[M]").astype("datetime64[D]")).astype(int)) + 1
        paid = np.flatnonzero(active & people.salaried & (people.payday == of_month))
        amount = course.income[paid] * chance.normal(1.0, 0.02, len(paid))
        if 0 <= int((SPRING_FESTIVAL - date).astype(int)) < 31:
            amount *= np.where(happens(chance, 0.45, len(paid)), 2.3, 1.0)
        amount = np.round(amount, 2)
        course.deposit[paid] += amount
        course.records.add("salary", who=paid, day=np.full(len(paid), day), amount=amount)
    others = active & ~people.salaried
    course.deposit[others] += course.income[others] * 7 / 30 * chance.lognormal(-0.32, 0.8, int(others.sum()))
    return raised


def spend(course: Course, week: int) -> None:
    """Everyone spends most of the income, unevenly."""
    share = (1 - course.customers.saves) * course.chance.lognormal(-0.08, 0.4, len(course.customers))
    left = np.maximum(course.deposit - course.income * 7 / 30 * share, 0.0)
    course.deposit = np.where(course.active(week), left, course.deposit)


def mature(course: Course, week: int) -> Floats:
    """Pay back what matures this week; returns how much was freed for each customer."""
    freed = np.zeros(len(course.customers))
    last = 7 * week + 6
    for holding in course.holdings:
        if holding.matures <= last:
            freed[holding.who] += holding.amount
    course.ended = [gone for gone in course.holdings if gone.matures <= last]
    course.holdings = [kept for kept in course.holdings if kept.matures > last]
    course.bound -= freed
    course.deposit += freed
    return freed


def lock_away(course: Course, week: int) -> None:
    """Some idle money goes into term deposits, more of it with the cautious."""
    people, chance = course.customers, course.chance
    able = course.active(week) & (course.deposit > 2 * IDLE)
    for who in np.flatnonzero(able & happens(chance, 0.006 + 0.014 * (people.risk <= 2), len(people))):
        amount = float(np.floor(course.deposit[who] * chance.uniform(0.3, 0.7) / 1000) * 1000)
        course.deposit[who] -= amount
        course.hold(int(who), NO_PRODUCT, amount, 7 * week + 6 + int(people.term[who]))


def borrow(course: Course, week: int) -> None:
    """Loans are paid down week by week; who needs one draws it now and then."""
    people, chance = course.customers, course.chance
    course.loan = np.where(course.loan > 1_000, course.loan * 0.995, 0.0)
    ready = course.active(week) & (course.loan_need > 0) & (course.overdue == 0)
    who = np.flatnonzero(ready & happens(chance, 0.08, len(people)))
    amount = np.round(course.income[who] * chance.uniform(2, 10, len(who)), -3)
    course.loan[who] += amount
    course.loan_need[who] = 0
    course.truth.add("met", who=who, need=np.full(len(who), "loan", dtype=object), day=np.full(len(who), 7 * week + 6))
    course.act("loan_drawn", week, who, detail=amount.astype(np.int64))


def use_card(course: Course, week: int) -> None:
    """Cards are used up to their limits; under stress payments fall behind, and some never catch up."""
    people, chance, count = course.customers, course.chance, len(course.customers)
    aim = course.limit * np.clip(chance.beta(1.5, 4, count) + 0.6 * people.stress, 0, 0.98)
    course.owed = np.where(course.active(week), 0.7 * course.owed + 0.3 * aim, course.owed * 0.5)
    owes = (course.owed > 100) | (course.loan > 1_000)
    falls = owes & (course.overdue == 0) & happens(chance, 0.03 * people.stress, count)
    clears = happens(chance, 0.45 - 0.3 * people.stress, count)
    course.overdue = np.where(falls, 7, np.where((course.overdue > 0) & ~clears & owes, course.overdue + 7, 0))


def leave(course: Course, week: int) -> None:
    """Who is about to leave carries the money away over some weeks; an emptied account is closed."""
    leaving = course.customers.leaves - 5 <= week
    course.deposit = np.where(leaving, course.deposit * 0.7, course.deposit)
    course.fund = np.where(leaving, course.fund * 0.6, course.fund)
    course.deposit[leaving & (course.deposit < 100)] = 0.0


def show_balances(course: Course, week: int) -> None:
    """Deposits on call stand in the books every Sunday; the rest every fourth Sunday, and when it begins or ends."""
    people, day = course.customers, 7 * week + 6
    course.deposit = np.round(course.deposit, 2)
    course.had_fund = course.had_fund | (course.fund > 1)
    course.had_loan = course.had_loan | (course.loan > 0)
    ids = people.people.ids
    _stand(course, day, "deposit", (people.opens <= week) & ~course.closed, "D" + ids, course.deposit)
    course.closed = course.closed | ((week >= people.leaves) & (course.deposit == 0))
    fourth = week % _EVERY == _EVERY - 1
    if fourth:
        _stand(course, day, "fund", course.had_fund, "F" + ids, course.fund)
        _stand(course, day, "loan", course.had_loan, "L" + ids, course.loan)
        _stand(course, day, "credit_card", course.limit > 0, "C" + ids, course.owed)
        course.records.add("assets", who=np.arange(len(people)), day=np.full(len(people), day), amount=course.assets)
    _stand_holdings(course, day, everyone=fourth)


def _stand(course: Course, day: int, kind: str, whose: Booleans, accounts: Texts, amount: Floats) -> None:
    who = np.flatnonzero(whose)
    blank = np.full(len(who), np.nan)
    course.records.add(
        "balance",
        who=who,
        kind=np.full(len(who), kind, dtype=object),
        account=accounts[who],
        day=np.full(len(who), day),
        amount=np.round(amount[who], 2),
        matures=blank,
        limit=course.limit[who] if kind == "credit_card" else blank,
        overdue=course.overdue[who].astype(np.float64) if kind in {"loan", "credit_card"} else blank,
    )


def _stand_holdings(course: Course, day: int, *, everyone: bool) -> None:
    """Those that began this week, and those that ended, with nothing left; every fourth Sunday all of them."""
    for holding in course.ended:
        holding.amount = 0.0
    shown = [holding for holding in course.holdings if everyone or not holding.shown] + course.ended
    for holding in shown:
        holding.shown = True
    blank = np.full(len(shown), np.nan)
    course.records.add(
        "balance",
        who=np.asarray([holding.who for holding in shown], dtype=np.int64),
        kind=np.asarray([holding.kind for holding in shown], dtype=object),
        account=np.asarray([holding.account for holding in shown], dtype=object),
        day=np.full(len(shown), day),
        amount=np.asarray([holding.amount for holding in shown], dtype=np.float64),
        matures=np.asarray([holding.matures for holding in shown], dtype=np.float64),
        limit=blank,
        overdue=blank,
    )
