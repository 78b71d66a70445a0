"""What came of the last plan: what was caused in all, and by channel who was reached, at what cost, for what return."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.delivery.outbox.reasons import REASONS
from aimwell.science.metrics.interval import Estimate
from aimwell.strategy.decisions.afterwards import Afterwards, ChannelAfterwards
from aimwell.strategy.decisions.contacts import UNSENT
from aimwell.web.report.blocks import Block, Cell, Fold, Sentence, Table
from aimwell.web.report.formats import between, count, money, same

_UNKNOWN = Text("无法说明", "cannot be said")
_ASSUMED = Text("假定", "assumed")
_COLUMNS = [
    Text("渠道", "channel"),
    Text("计划人数", "customers planned"),
    Text("已触达", "reached"),
    Text("计划成本", "cost planned"),
    Text("实际成本", "cost"),
    Text("计划增值（80% 区间）", "value planned (80% interval)"),
    Text("实际增值（80% 区间）", "value happened (80% interval)"),
    Text("对照组", "held out"),
]


def afterwards_blocks(found: Afterwards, currency: str) -> list[Block]:
    """The verdict, a line for each channel, and why others were not reached."""
    blocks: list[Block] = [_verdict(found, currency)]
    if found.channels:
        blocks.append(_channels(found, currency))
    unsent = [
        [same(each.channel), _reason(why), same(count(people))]
        for each in found.channels
        for why, people in each.contacts.unsent.items()
    ]
    if unsent:
        columns = [_COLUMNS[0], Text("原因", "why"), Text("人数", "customers")]
        blocks.append(
            Fold(
                Text("为什么没有触达", "Why others were not reached"), [Table(columns, unsent, numbers=frozenset({2}))]
            )
        )
    return blocks


def _verdict(found: Afterwards, currency: str) -> Sentence:
    since, until = f"{found.as_of:%Y-%m-%d}", f"{found.until:%Y-%m-%d}"
    if found.happened is None:
        said = Text(
            f"{since} 的上一份计划没有足够的对照组，它带来了什么无法说明。",
            f"Too few were held out of the plan of {since}: what it caused cannot be said.",
        )
        return Sentence(said, "hold")
    happened, planned = _interval(found.happened, currency), money(found.planned.value, currency, 0)
    proven = found.happened.low > 0
    verdict = Text("", "") if proven else Text("未能证明有增益。", " No gain is proven.")
    said = Text(
        f"上一份计划（{since} 至 {until}）：计划增值 {planned}，与对照组相比实际为 {happened}。{verdict.zh}",
        f"The last plan ({since} to {until}) promised {planned}; beside those held out it brought {happened}."
        f"{verdict.en}",
    )
    return Sentence(said, "ok" if proven else "hold")


def _channels(found: Afterwards, currency: str) -> Table:
    rows = [_row(each, currency) for each in found.channels]
    return Table(
        _COLUMNS,
        rows,
        title=Text("上一份计划，按渠道", "The last plan by channel"),
        numbers=frozenset(range(1, len(_COLUMNS))),
        note=Text(
            "实际增值：本该走这个渠道的人，未被对照的与被对照的相比，不论消息是否发出；购买前的习惯已扣除。",
            "Value happened: of those whom the plan meant for this channel, those not held out beside those held out, "
            "whether or not a message was sent; what they used to buy is taken off.",
        ),
    )


def _row(each: ChannelAfterwards, currency: str) -> list[Text | Cell]:
    planned = _interval(each.planned, currency)
    value: Text | Cell = same(planned)
    if each.assumed:
        value = Cell(
            Text(
                f"{money(each.planned.value, currency, 0)}（{_ASSUMED.zh}）",
                f"{money(each.planned.value, currency, 0)} ({_ASSUMED.en})",
            ),
            tone="warn",
        )
    return [
        same(each.channel),
        same(count(each.customers)),
        same(count(each.contacts.reached)),
        same(money(each.cost, currency)),
        same(money(each.contacts.cost, currency)),
        value,
        same(_interval(each.happened, currency)) if each.happened else _UNKNOWN,
        same(count(each.compared)),
    ]


def _reason(why: str) -> Text:
    if why in UNSENT:
        return UNSENT[why]
    return REASONS[why].text if why in REASONS else same(why)


def _interval(estimate: Estimate, currency: str) -> str:
    value, low, high = (money(each, currency, 0) for each in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({between(low, high)})"
