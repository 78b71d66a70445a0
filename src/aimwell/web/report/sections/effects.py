"""What a journey changed against its hold-out, in one sentence for the goal and one for money."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.evaluation.journeys.lift import Lift
from aimwell.web.report.formats import between, count, money, number, share


def effect(lift: Lift | None) -> Text:
    """What the journey changed for its goal; `nothing proven` where that is so."""
    if lift is None or lift.goal is None:
        waiting = 0 if lift is None else lift.pending
        return Text(
            f"还不能与留出组比较：{count(waiting)} 人的时间未到，或某一组没有人。",
            f"It cannot be compared with the hold-out yet: the time of {count(waiting)} is not over, or a group is "
            "empty.",
        )
    days = lift.within.days
    treated, control = share(lift.treated.share), share(lift.held_out.share)
    groups = Text(
        f"{days} 天内达成目标：旅程 {count(lift.treated.people)} 人中 {treated}，"
        f"留出 {count(lift.held_out.people)} 人中 {control}",
        f"Reached the goal within {days} days: {treated} of {count(lift.treated.people)} in the journey, {control} of "
        f"{count(lift.held_out.people)} held out",
    )
    gap, low, high = (_points(value) for value in (lift.goal.value, lift.goal.low, lift.goal.high))
    if lift.proven:
        return Text(
            f"{groups.zh}，相差 {gap} 个百分点（95% 区间 {between(low, high)}）。",
            f"{groups.en}: a difference of {gap} points (95% interval {between(low, high)}).",
        )
    return Text(
        f"{groups.zh}：差异未获证实（{gap} 个百分点，95% 区间 {between(low, high)}）。",
        f"{groups.en}: nothing proven ({gap} points, 95% interval {between(low, high)}).",
    )


def money_effect(lift: Lift | None, currency: str) -> Text:
    """What the journey changed in what people spent; `nothing proven` where that is so.

    currency: ISO code.   Where money cannot be compared, why.
    """
    if lift is None or lift.spent_until is None:
        return Text(
            "消费金额没有比较：没有可读的购买记录（数据仓库里没有，或正被运行中的进程占用）。",
            "What people spent is not compared: no purchases can be read (the warehouse has none, or a running worker "
            "holds it).",
        )
    treated, control = lift.treated.money, lift.held_out.money
    if lift.money is None:
        return Text(
            f"消费金额还不能比较：购买记录到 {lift.spent_until:%Y-%m-%d} 为止，其时间已到的只有旅程 "
            f"{count(treated.count)} 人、留出 {count(control.count)} 人，或没有人消费。",
            f"What people spent cannot be compared yet: purchases are known up to {lift.spent_until:%Y-%m-%d}, by when "
            f"the time of {count(treated.count)} in the journey and {count(control.count)} held out was over, or "
            "nobody spent anything.",
        )
    groups = Text(
        f"{lift.within.days} 天内人均消费：旅程 {count(treated.count)} 人 {money(treated.mean, currency)}，"
        f"留出 {count(control.count)} 人 {money(control.mean, currency)}",
        f"Spent within {lift.within.days} days: {money(treated.mean, currency)} each by {count(treated.count)} in the "
        f"journey, {money(control.mean, currency)} each by {count(control.count)} held out",
    )
    found = lift.money
    gap, low, high = (money(value, currency) for value in (found.value, found.low, found.high))
    if lift.money_proven:
        return Text(
            f"{groups.zh}，人均相差 {gap}（95% 区间 {between(low, high)}）。",
            f"{groups.en}: a difference of {gap} each (95% interval {between(low, high)}).",
        )
    return Text(
        f"{groups.zh}：差异未获证实（人均 {gap}，95% 区间 {between(low, high)}）。",
        f"{groups.en}: nothing proven ({gap} each, 95% interval {between(low, high)}).",
    )


def _points(value: float) -> str:
    return number(100 * value, 1)
